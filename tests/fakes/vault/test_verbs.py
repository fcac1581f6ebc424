"""What a test may do with a Vault, besides HTTP."""

import json
from typing import Any

import pytest

from pytest_resilience import PlanError, faults
from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, SettableClock, said

INVALID = (403, ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"])
NO = (403, ["1 error occurred:\n\t* permission denied\n\n"])
SELF = "auth/token/lookup-self"


def test_the_environment_points_a_client_here(vault: Vault) -> None:
    """The usual variables."""
    assert vault.environment == {
        "VAULT_ADDR": vault.url,
        "VAULT_TOKEN": vault.root_token,
        "VAULT_ROLE_ID": vault.role_id,
        "VAULT_SECRET_ID": vault.secret_id,
    }


def test_what_a_test_asks_for_is_secret_before_it_is_used(vault: Vault) -> None:
    """A client may show a credential without ever reaching the server: in an outage."""
    token, secret_id = vault.token, vault.role("other").secret_id
    keys = vault.unseal_keys

    labels = {secret.value: secret.label for secret in vault.secrets}

    assert labels[token] == "token of fake_vault"
    assert labels[secret_id] == "secret_id of fake_vault"
    assert {labels[key] for key in keys} == {"unseal_key of fake_vault"}
    vault.reset()
    assert token not in {secret.value for secret in vault.secrets}


def test_put_and_get_speak_of_mount_and_path(vault: Vault, ask: Ask) -> None:
    """Whichever version the engine has."""
    vault.mount("team/kv1", version=1)
    for path in ("secret/a/b", "/team/kv1/a/"):
        vault.put(path, {"n": 1})
    vault.put("secret/a/b", {"n": 2})

    assert ask("GET", "secret/data/a/b").json()["data"]["data"] == {"n": 2}
    assert ask("GET", "team/kv1/a").json()["data"] == {"n": 1}
    assert (vault.get("secret/a/b"), vault.get("secret/a/b", 1)) == ({"n": 2}, {"n": 1})
    assert vault.get("team/kv1/a") == {"n": 1}
    assert vault.get("secret/nope") is None
    ask("DELETE", "secret/data/a/b")
    assert vault.get("secret/a/b") is None


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        ("put", ("", {}), "path is ''; wanted is a text such as 'secret/myapp'"),
        ("put", (None, {}), "path is None; wanted"),
        ("put", ("secret/a", [1]), "the data of 'secret/a' is list; wanted is a mapping"),
        ("get", (5,), "path is 5; wanted"),
        ("mount", ("/",), "path is '/'; wanted"),
        ("deny", (5,), "path is 5; wanted"),
        ("role", ("",), "role is ''; wanted is a name"),
        ("role", (5,), "role is 5; wanted is a name"),
        ("role", ("my app",), "role is 'my app'; wanted is a name of letters, digits, '-', '.'"),
        ("mount", ("auth/kv",), "path is 'auth/kv'; no engine can be mounted there"),
        ("step_down", (10,), "leader is 10; wanted is a URL such as 'http://10.0.0.2:8200'"),
        ("step_down", ("10.0.0.2:8200",), "leader is '10.0.0.2:8200'; wanted is a URL"),
        ("performance_standby", (-1,), "behind is -1; wanted are seconds, 0 or more"),
        ("use_up_quota", ("60",), "seconds is '60'; wanted are seconds, 0 or more"),
        ("use_up_quota", (True,), "seconds is True; wanted are seconds"),
        ("use_up_quota", (float("nan"),), "seconds is nan; wanted are seconds"),
        ("revoke", (None,), "token is None; wanted is a token"),
        ("expire_token", ("",), "token is ''; wanted is a token"),
        ("namespace", (None,), "namespace is None; wanted are names without spaces"),
        ("namespace", ("team//child",), "namespace is 'team//child'; wanted are names"),
        ("namespace", ("team a",), "namespace is 'team a'; wanted are names"),
        ("namespace", ("team/sys",), "namespace is 'team/sys'; wanted are names"),
        ("policy", ("reader", None), "policy('reader', None): wanted are a name and its text in"),
        ("policy", ("", ""), "policy('', ''): wanted"),
    ],
)
def test_words_that_cannot_be_meant(
    vault: Vault, verb: str, arguments: tuple[object, ...], said: str
) -> None:
    """They are refused in one line, and change nothing."""
    before = vault.state()
    with pytest.raises(PlanError) as caught:
        getattr(vault, verb)(*arguments)

    assert str(caught.value).startswith(said)
    assert vault.state() == before


def test_what_is_put_stays_what_it_is(vault: Vault) -> None:
    """A copy goes in and a copy comes out; what is no JSON is refused."""
    data = {"list": [1]}
    vault.put("secret/a", data)
    data["list"].append(2)
    found = vault.get("secret/a")
    assert found is not None
    found["list"].append(3)

    assert vault.get("secret/a") == {"list": [1]}
    for wrong in ({"a": object()}, {"a": float("nan")}):
        with pytest.raises(PlanError, match="the data of 'secret/a' is no JSON"):
            vault.put("secret/a", wrong)


@pytest.mark.parametrize("path", ["nope/a", "secret", "sys/a", "auth/approle/a"])
def test_a_path_without_an_engine_is_refused(vault: Vault, path: str) -> None:
    """Where it is written, with what there is."""
    with pytest.raises(PlanError, match=r"path is "):
        vault.put(path, {})


def test_mounting_over_a_mount_is_refused(vault: Vault) -> None:
    """So is a version that there is not."""
    with pytest.raises(PlanError, match="'secret/' is mounted already"):
        vault.mount("secret/below")
    with pytest.raises(PlanError, match="version is 3; allowed is 1 or 2"):
        vault.mount("x", version=3)


def test_expired_tokens_are_refused_and_root_is_not(vault: Vault, ask: Ask) -> None:
    """All of them, or one."""
    one, two, three = vault.token, vault.new_token(), vault.new_token()
    vault.expire_token(one)
    first = [ask("GET", SELF, token=token).status_code for token in (one, two, three)]
    vault.expire_token()
    second = [said(ask("GET", SELF, token=token)) for token in (two, three)]

    assert first == [403, 200, 200]
    assert second == [INVALID, INVALID]
    assert ask("GET", SELF).status_code == 200


def test_the_token_is_the_same_one_while_it_is_good(vault: Vault, ask: Ask) -> None:
    """What a test expires is what it gave to its client; then there is another one."""
    token = vault.token

    assert vault.token == token != vault.new_token()
    vault.expire_token(vault.token)
    assert ask("GET", SELF, token=token).status_code == 403
    assert ask("GET", SELF, token=vault.token).status_code == 200


def test_the_token_has_the_settings_of_its_role(vault: Vault, ask: Ask) -> None:
    """When a test changes the role, the token is a new one of that role."""
    before = vault.token
    vault.role(token_ttl=60)

    assert vault.token != before
    assert ask("GET", SELF, token=vault.token).json()["data"]["creation_ttl"] == 60


def test_a_revoked_token_takes_its_children_along(vault: Vault, ask: Ask) -> None:
    """As over HTTP; one that is unknown is fine."""
    vault.policy("maker", 'path "auth/token/create" { capabilities = ["update"] }')
    vault.role(policies=["maker"])
    parent = vault.token
    child = ask("POST", "auth/token/create", {}, token=parent).json()["auth"]["client_token"]
    vault.revoke(parent)
    vault.revoke("hvs.unknown")

    assert said(ask("GET", SELF, token=child)) == INVALID


def test_a_role_of_ones_own_logs_in(vault: Vault, ask: Ask) -> None:
    """With the policy `app` unless others are named."""
    ids = vault.role("web", token_ttl=60, secret_id_num_uses=1)
    sent = {"role_id": ids.role_id, "secret_id": ids.secret_id}

    auth = ask("POST", "auth/approle/login", sent, token=None).json()["auth"]

    assert (auth["policies"], auth["lease_duration"]) == (["app", "default"], 60)
    assert ask("POST", "auth/approle/login", sent, token=None).status_code == 400
    assert vault.role("none", policies=()).role_id != ids.role_id


def test_changing_a_role_keeps_its_ids(vault: Vault, ask: Ask) -> None:
    """They stand in the environment; their uses and time are the new ones."""
    ids = vault.role(token_ttl=60, secret_id_num_uses=1, secret_id_ttl=60)
    sent = {"role_id": vault.role_id, "secret_id": vault.secret_id}

    statuses = [ask("POST", "auth/approle/login", sent, token=None).status_code for _ in range(2)]

    assert (ids.role_id, ids.secret_id) == (vault.role_id, vault.secret_id)
    assert statuses == [200, 400]
    chosen = vault.role(role_id="r", secret_id="s")
    assert (chosen.role_id, chosen.secret_id) == ("r", "s")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"token_tll": 60}, "a role has no setting 'token_tll'; there are: bind_secret_id"),
        ({"token_ttl": "soon"}, "role 'app': .*invalid duration"),
        ({"token_num_uses": -1}, "'token_num_uses' cannot be negative"),
    ],
)
def test_a_role_that_cannot_be_meant_is_refused(
    vault: Vault, settings: dict[str, Any], why: str
) -> None:
    """Where it is written."""
    with pytest.raises(PlanError, match=why):
        vault.role(**settings)


def test_without_approle_there_are_no_roles(vault: Vault, ask: Ask) -> None:
    """But tokens of the role can still be had."""
    ask("DELETE", "sys/auth/approle").raise_for_status()

    with pytest.raises(PlanError, match="no AppRole"):
        vault.role("web")
    assert ask("GET", SELF, token=vault.token).status_code == 200
    assert ask("POST", "auth/token/renew-self", token=vault.token).status_code == 200


def test_a_permission_can_be_lost_and_given_back(vault: Vault, ask: Ask) -> None:
    """In the middle of a run, for every token but root."""
    vault.put("secret/a", {"n": 1})
    token = vault.token

    def statuses() -> list[int]:
        return [
            ask("GET", "secret/data/a", token=token).status_code,
            ask("GET", "secret/metadata/a", token=token).status_code,
            ask("GET", "secret/data/a").status_code,
        ]

    before = statuses()
    vault.deny("secret/a")
    denied = statuses()
    vault.allow("secret/a")

    assert before == [200, 200, 200]
    assert denied == [403, 403, 200]
    assert statuses() == [200, 200, 200]


@pytest.mark.parametrize("path", ["secret/data/a", "secret/*", "secret/+/a", "auth/token/*"])
def test_a_path_of_the_api_is_denied_as_it_is(vault: Vault, ask: Ask, path: str) -> None:
    """Globs included."""
    vault.put("secret/a", {"n": 1})
    token = vault.token
    asked = SELF if path.startswith("auth") else "secret/data/a"
    before = ask("GET", asked, token=token).status_code
    vault.deny(path)

    # lookup-self is an exact path of the default policy, which goes before a star.
    assert before == 200
    assert ask("GET", asked, token=token).status_code == (200 if asked == SELF else 403)


def test_a_policy_that_cannot_be_read_is_refused(vault: Vault) -> None:
    """Where it is written."""
    with pytest.raises(PlanError, match="failed to parse policy"):
        vault.policy("p", "path {")


def test_start_over_is_a_vault_as_new(vault: Vault, ask: Ask) -> None:
    """With new ids: those of the last test are worth nothing in this one."""
    vault.put("secret/a", {"n": 1})
    before = vault.environment
    vault.seal()
    vault.start_over()

    assert vault.get("secret/a") is None
    assert ask("GET", "sys/mounts").status_code == 200
    assert {name for name, value in vault.environment.items() if before[name] == value} == {
        "VAULT_ADDR"
    }
    assert said(ask("GET", SELF, token=before["VAULT_TOKEN"])) == INVALID


# Faults in Vault's own words


@pytest.mark.parametrize(
    ("status", "errors"),
    [
        (400, ["1 error occurred:\n\t* invalid request\n\n"]),
        (403, ["1 error occurred:\n\t* permission denied\n\n"]),
        (404, []),
        (418, []),
        (412, ["required index state not present"]),
        (500, ["1 error occurred:\n\t* internal error\n\n"]),
        (502, ["1 error occurred:\n\t* upstream rate limited\n\n"]),
        (503, ["Vault is sealed"]),
        (504, ["1 error occurred:\n\t* internal error\n\n"]),
    ],
)
def test_a_status_fault_has_vaults_body(
    vault: Vault, ask: Ask, status: int, errors: list[str]
) -> None:
    """And Vault's headers."""
    vault.fail(status)

    answer = ask("GET", "sys/mounts")

    assert said(answer) == (status, errors)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert json.loads(vault.error(status, "mine").get_data())["errors"] == ["mine"]


PRESETS = {
    "bad_login": (400, ["invalid role or secret ID"]),
    "internal": (500, ["1 error occurred:\n\t* internal error\n\n"]),
    "invalid_token": INVALID,
    "locked_out": (403, ["permission denied"]),
    "missing_token": (403, ["permission denied"]),
    "no_leader": (500, ["local node not active but active cluster node not found"]),
    "not_found": (404, []),
    "permission_denied": NO,
    "rate_limited": (429, ['request path "secret/data/a": rate limit quota exceeded']),
    "sealed": (503, ["Vault is sealed"]),
    "state_missing": (412, ["required index state not present"]),
    "too_large": (413, ["http: request body too large"]),
}


@pytest.mark.parametrize("name", PRESETS)
def test_a_named_fault_is_an_error_of_vaults(vault: Vault, ask: Ask, name: str) -> None:
    """The rate limit names the path, and has no Retry-After: Vault's default."""
    vault.fail(name)

    answer = ask("GET", "secret/data/a")

    assert said(answer) == PRESETS[name]
    assert "Retry-After" not in answer.headers
    assert vault.trace.faults == [name]
    assert ask("GET", "secret/data/a").status_code == 404


def test_a_standbys_health_is_a_named_fault(vault: Vault, ask: Ask) -> None:
    """429 with a healthy body: a client that retries every 429 misreads it."""
    vault.fail("standby_health", path="/v1/sys/health")

    answer = ask("GET", "sys/health")

    assert answer.status_code == 429
    assert answer.json()["standby"] is True
    assert "errors" not in answer.json()


def test_every_named_fault_is_told(vault: Vault) -> None:
    """No more and no less."""
    assert sorted(vault.presets) == sorted([*PRESETS, "standby_health"])
    assert repr(vault.named_faults["rate_limited"]) == "<preset rate_limited>"


def test_faults_and_state_work_together(vault: Vault, ask: Ask) -> None:
    """A fault keeps the request from the fake; the next attempt meets it as it was."""
    vault.fail(faults.status(429, retry_after=1), method="POST")

    statuses = [ask("POST", "secret/data/a", {"data": {}}).status_code for _ in range(2)]

    assert statuses == [429, 200]
    assert ask("GET", "secret/metadata/a").json()["data"]["current_version"] == 1


def test_a_role_hands_out_a_secret_id_that_works(
    vault: Vault, ask: Ask, clock: SettableClock
) -> None:
    """Not one whose time is over; one of a test's own choice has the role's terms, too."""
    old = vault.role("app", secret_id_ttl=5)
    same = vault.role("app")
    clock.ahead = 6
    new, chosen = vault.role("app"), vault.role("app", secret_id="mine")
    clock.ahead = 10

    def log_in(secret_id: str) -> int:
        ids = {"role_id": old.role_id, "secret_id": secret_id}
        return ask("POST", "auth/approle/login", ids, token=None).status_code

    assert old == same
    assert [log_in(one.secret_id) for one in (old, new, chosen)] == [400, 200, 200]
    clock.ahead = 12
    assert [log_in(one.secret_id) for one in (new, chosen)] == [400, 400]
