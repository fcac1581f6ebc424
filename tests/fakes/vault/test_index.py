"""X-Vault-Index, as two nodes of OpenBao 2.7.2 were seen to give it and to look at it."""

import base64
import json
from collections.abc import Callable, Iterator

import pytest
import requests

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, SettableClock, said

Told = tuple[int, list[str]]
LATE: Told = (429, [])
SECOND = (
    'unknown second value for "X-Vault-Inconsistent": must either be "fail" or '
    '"forward-active-node"'
)


@pytest.fixture
def bao(clock: SettableClock) -> Iterator[Vault]:
    """An OpenBao with a secret in it."""
    with Vault(clock=clock, flavour="openbao") as fake:
        fake.put("secret/a", {"n": 1})
        yield fake
        assert fake.errors == []


@pytest.fixture
def get(bao: Vault) -> Callable[..., requests.Response]:
    """Ask it, with these header fields."""

    def send(path: str = "secret/data/a", method: str = "GET", **fields: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        headers = {"X-Vault-Token": bao.root_token, **named}
        url = f"{bao.url}/v1/{path}"
        body: object = {"data": {}} if method == "POST" else None
        return requests.request(
            method, url, headers=headers, json=body, timeout=10, allow_redirects=False
        )

    return send


Get = Callable[..., requests.Response]


def index_of(answer: requests.Response) -> int:
    """The state that an answer names."""
    state = json.loads(base64.b64decode(answer.headers["X-Vault-Index"]))
    assert state.keys() == {"cluster", "value"}
    return int(state["value"])


def state(bao: Vault, value: object, cluster: str | None = None) -> str:
    """A state of its cluster, or of another."""
    own = requests.get(f"{bao.url}/v1/sys/seal-status", timeout=10).json().get("cluster_id", "")
    data = {"cluster": own if cluster is None else cluster, "value": value}
    return base64.b64encode(json.dumps(data).encode()).decode()


def test_answers_name_the_state_that_they_have_seen(bao: Vault, get: Get) -> None:
    """Reads, and 404s that have something to say; it grows with what is written."""
    first, again = index_of(get()), index_of(get("sys/mounts"))
    written = index_of(get(method="POST"))
    wrapped = index_of(get(X_Vault_Wrap_TTL="60"))
    deleted = index_of(get(method="DELETE"))
    gone = get()

    assert first == again
    assert first < written < wrapped < deleted
    assert (gone.status_code, index_of(gone)) == (404, deleted)
    assert get("sys/leader").json()["raft_applied_index"] == deleted


@pytest.mark.parametrize("path", ["secret/data/none", "sys/health", "nope/x", "secret//data/a"])
def test_other_answers_name_none(get: Get, path: str) -> None:
    """Misses, redirects, and those of the node itself."""
    assert "X-Vault-Index" not in get(path).headers


def test_a_vault_of_the_community_names_none(vault: Vault, ask: Ask) -> None:
    """It is of Vault Enterprise, there of what has been written only."""
    assert "X-Vault-Index" not in ask("POST", "secret/data/a", {"data": {}}).headers
    vault.performance_standby()
    assert "X-Vault-Index" not in ask("GET", "secret/data/a").headers
    assert "X-Vault-Index" in ask("POST", "secret/data/a", {"data": {}}).headers


def test_a_standby_of_vault_has_what_was_written_before_it_fell_behind(
    vault: Vault, ask: Ask, clock: SettableClock
) -> None:
    """And has the rest when it has caught up."""
    vault.performance_standby()
    old = ask("POST", "secret/data/a", {"data": {}}).headers["X-Vault-Index"]
    vault.performance_standby(behind=5)
    new = ask("POST", "secret/data/a", {"data": {}}).headers["X-Vault-Index"]
    statuses = [
        ask("GET", "secret/data/a", headers={"X-Vault-Index": index}).status_code
        for index in (old, new)
    ]
    clock.ahead = 6

    parts = base64.b64decode(new).decode().split(":")
    assert (parts[0], len(parts), len(parts[4])) == ("v1", 5, 64)
    assert statuses == [200, 412]
    assert ask("GET", "secret/data/a", headers={"X-Vault-Index": new}).status_code == 200


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"X_Vault_Index": "abc"}, 'failed to decode "X-Vault-Index"'),
        ({"X_Vault_Index": "aGVsbG8="}, 'failed to decode "X-Vault-Index"'),
        ({"X_Vault_Index": "W10="}, 'failed to decode "X-Vault-Index"'),
        ({"X_Vault_Index": "eyJ2YWx1ZSI6MX0="}, 'failed to decode "X-Vault-Index"'),
        ({"X_Vault_Index": "e30=,e30="}, 'expected at most one value for "X-Vault-Index"'),
        ({"X_Vault_Inconsistent": ""}, 'unknown value for "X-Vault-Inconsistent" header'),
        ({"X_Vault_Inconsistent": "FAIL"}, 'unknown value for "X-Vault-Inconsistent" header'),
        (
            {"X_Vault_Inconsistent": "fail,fail"},
            "X-Vault-Inconsistent=fail cannot be used with more than one value",
        ),
        ({"X_Vault_Inconsistent": "await-state,await-state"}, SECOND),
        (
            {"X_Vault_Inconsistent": "await-state,fail,fail"},
            'expected at most two values for "X-Vault-Inconsistent"',
        ),
    ],
)
def test_what_cannot_be_read_is_refused(
    bao: Vault, get: Get, fields: dict[str, str], why: str
) -> None:
    """Before all but the quotas: a redirect, a namespace that there is not, a seal."""
    assert said(get(**fields)) == (400, [why])
    assert said(get("secret//data/a", **fields)) == (400, [why])
    assert said(get(X_Vault_Namespace="nope", **fields)) == (400, [why])
    bao.seal()
    assert said(get("sys/health", **fields)) == (400, [why])


@pytest.mark.parametrize("index", ["", "bnVsbA==", "e30=", "eyJDTFVTVEVSIjoieCIsImEiOjF9"])
def test_nothing_is_no_state(get: Get, index: str) -> None:
    """Nor is what names no value."""
    assert get(X_Vault_Index=index).status_code == 200


def test_an_active_node_has_every_state(bao: Vault, get: Get) -> None:
    """Even one that is not there yet."""
    for mode in ("fail", "forward-active-node", "await-state", "await-state,fail"):
        fields = {"X_Vault_Index": state(bao, "99999"), "X_Vault_Inconsistent": mode}
        assert get(**fields).status_code == 200


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        (None, LATE),
        ("fail", LATE),
        ("await-state", LATE),
        ("await-state,fail", LATE),
        ("forward-active-node", None),
        ("await-state,forward-active-node", None),
    ],
)
def test_a_standby_may_not_have_it_yet(
    bao: Vault, get: Get, clock: SettableClock, mode: str | None, told: Told | None
) -> None:
    """A 429 that says when to come again; health is no exception, but the active node helps."""
    bao.performance_standby(behind=5)
    late = state(bao, str(index_of(get(method="POST"))))
    fields = {"X_Vault_Index": late}
    if mode is not None:
        fields["X_Vault_Inconsistent"] = mode
    answers = [get(**fields), get("sys/leader", **fields)]
    clock.ahead = 6

    for answer in answers:
        assert (answer.status_code != 200) == (told is not None)
        if told is not None:
            assert said(answer) == told
            assert answer.headers["Retry-After"] == "1"
    assert get(**fields).status_code == 200


@pytest.mark.parametrize(
    ("value", "cluster"), [("99999", "another"), ("x", None), ("-1", None), ("", None)]
)
def test_no_state_of_its_own_is_missing(bao: Vault, get: Get, value: str, cluster: str) -> None:
    """What another cluster has written, or nobody."""
    bao.performance_standby(behind=5)

    assert get(X_Vault_Index=state(bao, value, cluster)).status_code == 200


def test_a_sealed_node_cannot_forward(bao: Vault, get: Get) -> None:
    """It says that it is sealed, of everything."""
    there, late = state(bao, "1"), state(bao, "99999")
    bao.seal()
    forward = {"X_Vault_Inconsistent": "forward-active-node"}

    assert said(get("sys/seal-status", X_Vault_Index=late)) == LATE
    assert said(get("sys/seal-status", X_Vault_Index=late, **forward)) == (503, ["Vault is sealed"])
    assert get("sys/seal-status", X_Vault_Index=there).status_code == 200


def test_a_node_without_anything_has_no_state(bao: Vault, get: Get) -> None:
    """Before it is initialized, not even the first."""
    bao.set_state({"initialized": False})

    assert get("sys/init", X_Vault_Index=state(bao, "0", "")).status_code == 200
    assert said(get("sys/init", X_Vault_Index=state(bao, "5", ""))) == LATE


def test_a_standby_reads_by_itself(bao: Vault, get: Get) -> None:
    """Writes go to the leader, and so does a token that it does not know."""
    bao.step_down("http://127.0.0.1:9", forwards=True)
    alone = {"X_Vault_No_Request_Forwarding": "true"}

    assert get(**alone).status_code == 200
    assert get("secret/metadata", "LIST", **alone).status_code == 200
    posted = requests.post(
        f"{bao.url}/v1/sys/capabilities-self",
        json={"path": "secret/data/a"},
        headers={"X-Vault-Token": bao.root_token, "X-Vault-No-Request-Forwarding": "true"},
        timeout=10,
    )
    assert posted.json()["capabilities"] == ["root"]
    for answer in (
        requests.request(
            method,
            f"{bao.url}/v1/secret/data/a",
            headers={"X-Vault-Token": token, "X-Vault-No-Request-Forwarding": "true"},
            allow_redirects=False,
            timeout=10,
        )
        for method, token in (("DELETE", bao.root_token), ("GET", "s.nobody"))
    ):
        assert answer.status_code == 307
        assert answer.headers["Location"] == "http://127.0.0.1:9/v1/secret/data/a"


def test_a_standby_says_what_it_has_heard(bao: Vault, vault: Vault) -> None:
    """Of replication: OpenBao's always, Vault's as far as it knows a leader."""
    modes = []
    for node, leader in ((bao, ""), (vault, ""), (vault, "http://127.0.0.1:9")):
        node.step_down(leader)
        body = requests.get(f"{node.url}/v1/sys/health", timeout=10).json()
        modes.append((body["replication_performance_mode"], body["replication_dr_mode"]))

    assert modes == [("primary", "disabled"), ("unknown", "unknown"), ("disabled", "disabled")]


def test_quotas_come_before_redirects(bao: Vault, get: Get) -> None:
    """And count the path as it was sent."""
    quota = {"rate": 1, "interval": "1m"}
    root = {"X-Vault-Token": bao.root_token}
    requests.post(
        f"{bao.url}/v1/sys/quotas/rate-limit/all", json=quota, headers=root, timeout=10
    ).raise_for_status()

    assert get("secret//data/a").status_code == 307
    refused = get("secret//data/a", X_Vault_Index="abc")
    assert said(refused) == (429, ['request path "secret//data/a": rate limit quota exceeded'])
