"""The flavour openbao: what differs from Vault."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from pytest_resilience import PlanError
from pytest_resilience_vault import OpenBao, Vault
from tests.fakes.vault.asking import said


@pytest.fixture
def bao() -> Iterator[Vault]:
    """One that runs."""
    with OpenBao() as fake:
        yield fake
        assert fake.errors == []


def ask(bao: Vault, method: str, path: str, body: Any = None, token: str = "") -> Any:
    fields = {"X-Vault-Token": token or bao.root_token}
    url = f"{bao.url}/v1/{path}"
    return requests.request(method, url, json=body, headers=fields, timeout=5)


def test_it_is_chosen_by_an_option_or_by_class() -> None:
    """And nothing else is."""
    with Vault(flavour="openbao") as fake:
        version = requests.get(f"{fake.url}/v1/sys/health", timeout=5).json()["version"]

    assert version == "2.7.2"
    with pytest.raises(PlanError, match="flavour is 'x'; allowed is 'vault' or 'openbao'"):
        Vault(flavour="x")


def test_its_tokens_are_short(bao: Vault) -> None:
    """With a prefix of one letter."""
    body = {"type": "batch", "policies": ["app"]}
    batch = ask(bao, "POST", "auth/token/create", body).json()["auth"]["client_token"]

    assert (bao.root_token[:2], len(bao.root_token)) == ("s.", 26)
    assert (bao.token[:2], len(bao.token)) == ("s.", 26)
    assert batch.startswith("b.AAAAAQ")


def test_its_words(bao: Vault) -> None:
    """An invalid token is only denied; JSON is decoded, not parsed."""
    bad = requests.post(
        f"{bao.url}/v1/secret/data/a",
        b"{",
        headers={"X-Vault-Token": bao.root_token},
        timeout=5,
    )
    wrong = ask(bao, "GET", "secret/a").json()["warnings"][0]
    bao.fail("invalid_token")

    assert said(ask(bao, "GET", "secret/data/a")) == (403, ["permission denied"])
    assert said(ask(bao, "GET", "secret/data/a", token="s.x")) == (403, ["permission denied"])
    assert said(bad) == (400, ["failed to decode JSON input: unexpected EOF"])
    assert "'bao kv get'" in wrong
    assert said(ask(bao, "GET", "sys/generate-root/attempt")) == (405, ["unsupported operation"])


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{'data': {}}", "invalid character '\\'' looking for beginning of value"),
        (b'{"data": {"a": "\t"}}', "invalid character '\\t' in string"),
    ],
)
def test_it_reads_json_by_another_decoder(bao: Vault, body: bytes, why: str) -> None:
    """Whose words are other ones than those of Vault's (seen)."""
    url, fields = f"{bao.url}/v1/secret/data/a", {"X-Vault-Token": bao.root_token}

    answer = requests.post(url, body, headers=fields, timeout=5)

    assert said(answer) == (400, [f"failed to decode JSON input: {why}"])


def test_some_of_its_words_are_vaults(bao: Vault) -> None:
    """It refuses the prefix of Vault's tokens by its name."""
    refused = ask(bao, "POST", "auth/token/create", {"id": "hvs.x"})

    assert said(refused) == (400, ["custom token ID cannot have the 'hvs.' prefix"])


def test_a_login_from_elsewhere_does_not_use_its_secret_id(bao: Vault) -> None:
    """A login is one transaction, in which Vault has none (seen)."""
    ids = bao.role("far", secret_id_num_uses=1, secret_id_bound_cidrs=["10.0.0.0/8"])
    sent = {"role_id": ids.role_id, "secret_id": ids.secret_id}

    refused = ask(bao, "POST", "auth/approle/login", sent)
    bao.role("far", secret_id_bound_cidrs=[])

    assert "unauthorized by CIDR restrictions on the role" in refused.text
    assert ask(bao, "POST", "auth/approle/login", sent).status_code == 200
    assert ask(bao, "POST", "auth/approle/login", sent).status_code == 400


def test_a_wrapping_token_may_revoke_itself(bao: Vault) -> None:
    """Vault's may not."""
    wrap = {"X-Vault-Token": bao.root_token, "X-Vault-Wrap-TTL": "60"}
    wrapped = requests.get(f"{bao.url}/v1/sys/mounts", headers=wrap, timeout=5).json()
    token = wrapped["wrap_info"]["token"]

    assert ask(bao, "POST", "auth/token/revoke-self", token=token).status_code == 204
    assert ask(bao, "POST", "sys/wrapping/unwrap", token=token).status_code == 400


def test_it_has_no_policy_of_control_groups(bao: Vault) -> None:
    """So that anybody can write one of this name, and have it."""
    text = 'path "a" { capabilities = ["read"] }'
    written = ask(bao, "POST", "sys/policies/acl/control-group", {"policy": text})
    created = ask(bao, "POST", "auth/token/create", {"policies": ["control-group"]})

    assert (written.status_code, created.status_code) == (204, 200)


def test_its_own_keys(bao: Vault) -> None:
    """No mount_type, and more of policies, KV and roles."""
    bao.put("secret/a", {"n": 1})
    ask(bao, "POST", "secret/metadata/a", {"max_versions": 3})
    read = ask(bao, "GET", "secret/data/a").json()
    metadata = ask(bao, "GET", "secret/metadata/a").json()["data"]
    policy = ask(bao, "GET", "sys/policies/acl/app").json()["data"]
    root = ask(bao, "GET", "sys/policies/acl/root").json()["data"]
    role = ask(bao, "GET", "auth/approle/role/app").json()["data"]
    wrap = {"X-Vault-Token": bao.root_token, "X-Vault-Wrap-TTL": "60"}
    wrapped = requests.get(f"{bao.url}/v1/secret/data/a", headers=wrap, timeout=5).json()
    hole = ask(bao, "GET", "cubbyhole/response", token=wrapped["wrap_info"]["token"]).json()

    assert "mount_type" not in read
    assert '"mount_type"' not in hole["data"]["response"]
    assert (metadata["current_metadata_version"], metadata["metadata_cas_required"]) == (1, False)
    assert ask(bao, "GET", "secret/config").json()["data"]["metadata_cas_required"] is False
    assert policy["version"] == 1
    assert "modified" in policy
    assert (root["version"], "modified" in root) == (0, False)
    assert role["token_strictly_bind_ip"] is False
    mounts = ask(bao, "GET", "sys/mounts").json()["data"]
    assert mounts["secret/"]["running_plugin_version"] == "v2.7.2+builtin.bao"


def test_its_health_and_its_leader(bao: Vault) -> None:
    """It knows no performance standbys, and leaves out what it does not know."""
    health = ask(bao, "GET", "sys/health").json()
    status = ask(bao, "GET", "sys/seal-status").json()
    leader = ask(bao, "GET", "sys/leader").json()
    bao.performance_standby()
    codes = [ask(bao, "GET", "sys/health").status_code]
    bao.dr_secondary()
    codes.append(ask(bao, "GET", "sys/health").status_code)
    alone = ask(bao, "GET", "sys/leader").json()

    assert "performance_standby" not in health
    assert health["replication_performance_mode"] == "primary"
    assert status["commit_date"] == "2026-10-26T20:32:27Z"
    assert leader["leader_address"] == bao.url
    assert codes == [429, 429]
    assert alone == {
        "ha_enabled": True,
        "is_self": False,
        "raft_committed_index": 30,
        "raft_applied_index": 30,
    }
    assert ask(bao, "GET", "secret/data/a").status_code == 400


def test_a_refused_tune_changes_nothing(bao: Vault) -> None:
    """All that came before the refused field is taken back."""
    path = "sys/auth/approle/tune"
    before = ask(bao, "GET", path).json()["data"]
    body = {
        "default_lease_ttl": 60,
        "description": "other",
        "user_lockout_config": {"lockout_threshold": 3},
        "audit_non_hmac_request_keys": ["a"],
        "token_type": "foo",
    }

    assert said(ask(bao, "POST", path, body)) == (400, ["invalid value for 'token_type'"])
    assert ask(bao, "GET", path).json()["data"] == before


@pytest.mark.parametrize(
    ("text", "vaults", "openbaos"),
    [
        ('path "kv/f*" { %s } path "kv/f/*" { capabilities = ["deny"] }', 200, 403),
        ('path "kv/f*" { capabilities = ["deny"] } path "kv/f/*" { %s }', 403, 200),
        ('path "kv/+" { %s } path "kv/f/*" { capabilities = ["read"] }', 200, 403),
        ('path "kv/+/" { %s } path "kv/+" { capabilities = ["deny"] }', 403, 200),
        ('path "kv/f/" { %s } path "kv/f" { capabilities = ["deny"] }', 200, 200),
        ('path "kv/f" { %s } path "kv/f/" { capabilities = ["deny"] }', 403, 403),
    ],
)
def test_a_list_is_looked_up_with_its_slash_first(text: str, vaults: int, openbaos: int) -> None:
    """In Vault without it first (acl.go of both); seen on OpenBao."""
    found = []
    for flavour in ("vault", "openbao"):
        with Vault(flavour=flavour) as fake:
            fake.mount("kv", version=1)
            fake.put("kv/f/a", {"n": 1})
            fake.policy("p", text % 'capabilities = ["list"]')
            body = {"policies": ["p"]}
            made = ask(fake, "POST", "auth/token/create", body).json()["auth"]["client_token"]
            found.append(ask(fake, "LIST", "kv/f", token=made).status_code)

    assert found == [vaults, openbaos]


def test_it_has_other_capabilities() -> None:
    """Scan, where Vault has recover and subscribe."""
    found = {}
    for flavour in ("vault", "openbao"):
        with Vault(flavour=flavour) as fake:
            for name in ("scan", "recover", "subscribe"):
                body = {"policy": f'path "a" {{ capabilities = ["{name}"] }}'}
                answer = ask(fake, "PUT", "sys/policies/acl/p", body)
                found[flavour, name] = answer.status_code

    assert found == {
        ("vault", "scan"): 400,
        ("vault", "recover"): 204,
        ("vault", "subscribe"): 204,
        ("openbao", "scan"): 204,
        ("openbao", "recover"): 400,
        ("openbao", "subscribe"): 400,
    }


def test_a_wrapped_secret_id_shows_its_accessor(bao: Vault) -> None:
    """Beside the token that fetches it (wrapping.go of 2.7, seen)."""
    path = f"{bao.url}/v1/auth/approle/role/app/secret-id"
    fields = {"X-Vault-Token": bao.root_token, "X-Vault-Wrap-TTL": "60"}
    info = requests.post(path, json={}, headers=fields, timeout=5).json()["wrap_info"]
    body = {"token": info["token"]}
    unwrapped = ask(bao, "POST", "sys/wrapping/unwrap", body).json()["data"]

    assert info["wrapped_accessor"] == unwrapped["secret_id_accessor"]
    listed = requests.get(f"{path}?list=true", headers=fields, timeout=5).json()["wrap_info"]
    assert "wrapped_accessor" not in listed


def test_it_does_not_look_at_switches_of_the_enterprise(bao: Vault) -> None:
    """Whatever they say."""
    query = "perfstandbyok=x&drsecondarycode=x&performancestandbycode=0"

    assert requests.get(f"{bao.url}/v1/sys/health?{query}", timeout=5).status_code == 200


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({f"k{n}": n for n in range(999)}, 200),
        ({f"k{n}": n for n in range(1000)}, 400),
        ({"k": ["x"] * 500, "l": [["y"]] * 498}, 400),
        ({"k": ["x"] * 500, "l": [["y"]] * 497}, 200),
        ({"k": list(range(5000))}, 200),
    ],
)
def test_it_counts_the_strings_of_a_request(bao: Vault, data: Any, status: int) -> None:
    """A thousand, keys among them, and any depth (seen); a Vault looks at the depth."""
    answer = ask(bao, "POST", "secret/data/a", {"data": data})

    assert answer.status_code == status
    if status == 400:
        words = "refused JSON input due to high complexity: exceeded maximum number of strings"
        assert said(answer) == (400, [words])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"data":' + b'{"a":' * 309 + b"1" + b"}" * 310, None),
        (b'{"data":{"a":' + b"[" * 308 + b"]" * 308 + b"}}", None),
        (b'{"data":' + b'{"a":' * 310 + b"1" + b"}" * 311, (501, "this fake of OpenBao takes no")),
        (b"[" * 9000 + b"]" * 9000, (501, "this fake of OpenBao takes no")),
        (b"[" * 10_001, (400, "failed to decode JSON input: exceeded max depth")),
        (b'{"a":' * 1001 + b"1" + b"}" * 1001, (400, "refused JSON input due to high complexity")),
        (b'{"a":[' + b"{}," * 400 + b"1]", (400, "failed to decode JSON input: unexpected EOF")),
    ],
)
def test_it_takes_json_deeper_than_a_vault(
    bao: Vault, body: bytes, told: tuple[int, str] | None
) -> None:
    """Seen with 700 levels; the fake says where it ends before that."""
    url, fields = f"{bao.url}/v1/secret/data/deep", {"X-Vault-Token": bao.root_token}

    answer = requests.post(url, body, headers=fields, timeout=5)

    if told is None:
        assert answer.status_code == 200
        wrapped = requests.get(url, headers={**fields, "X-Vault-Wrap-TTL": "60"}, timeout=5).json()
        token = {"X-Vault-Token": wrapped["wrap_info"]["token"]}
        opened = requests.post(f"{bao.url}/v1/sys/wrapping/unwrap", headers=token, timeout=5)
        assert opened.status_code == requests.get(url, headers=fields, timeout=5).status_code == 200
    else:
        assert answer.status_code == told[0]
        assert answer.json()["errors"][0].startswith(told[1])


@pytest.mark.parametrize("number", ["1e400", "-1.5e309", "9" * 400])
def test_it_takes_no_number_that_no_float_holds(bao: Vault, number: str) -> None:
    """A Vault keeps its digits, however many."""
    body = f'{{"data": {{"n": {number}}}}}'.encode()
    with Vault() as vault:
        vault.mount("kv", version=1)
        fields = {"X-Vault-Token": vault.root_token}
        for path in ("secret/data/a", "kv/a"):
            url = f"{vault.url}/v1/{path}"
            requests.post(url, body, headers=fields, timeout=5).raise_for_status()
        kept = requests.get(url, headers=fields, timeout=5).text
    fields = {"X-Vault-Token": bao.root_token}
    url = f"{bao.url}/v1/secret/data/a"
    refused = requests.post(url, body, headers=fields, timeout=5)
    most = requests.post(url, b'{"data": {"n": 1e308}}', headers=fields, timeout=5)

    words = f"json: cannot unmarshal number {number} into Go value of type float64"
    assert said(refused) == (400, [f"failed to decode JSON input: {words}"])
    assert f'"n":{number}' in kept
    assert most.status_code == 200


def test_quotas_are_the_root_namespaces(bao: Vault) -> None:
    """As all that is about the whole server (restrictedSysAPIs)."""
    bao.namespace("team")
    paths = ("team/sys/quotas/config", "team/sys/quotas/rate-limit/q", "team/sys/config/cors")
    words = "operation only available in root namespace"

    assert {str(said(ask(bao, "GET", path))) for path in paths} == {str((400, [words]))}
    assert ask(bao, "GET", "team/sys/policies/acl/default").status_code == 200
    assert ask(bao, "GET", "sys/quotas/config").status_code == 200


def test_the_node_has_the_same_limits(bao: Vault) -> None:
    """Of what is unsealed with, too."""
    answer = requests.put(
        f"{bao.url}/v1/sys/unseal", json={f"k{n}": n for n in range(1001)}, timeout=5
    )

    words = "refused JSON input due to high complexity: exceeded maximum number of strings"
    assert said(answer) == (400, [words])


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("secret/metadata?limit=2", ["a", "b"]),
        ("secret/metadata?after=a", ["b", "c/", "d"]),
        ("secret/metadata?after=b&limit=1", ["c/"]),
        ("secret/metadata?limit=-1&after=", ["a", "b", "c/", "d"]),
        ("secret/metadata?after=zz", None),
        ("auth/approle/role?limit=1", ["app"]),
        ("auth/approle/role?after=app", None),
    ],
)
def test_it_lists_by_pages(bao: Vault, path: str, keys: list[str] | None) -> None:
    """Of KV version 2 and of AppRole (seen)."""
    for name in ("a", "b", "c/x", "d"):
        bao.put(f"secret/{name}", {})

    answer = ask(bao, "LIST", path)

    if keys is None:
        assert said(answer) == (404, [])
    else:
        assert answer.json()["data"]["keys"] == keys


@pytest.mark.parametrize(
    ("method", "path", "what"),
    [
        ("SCAN", "secret/metadata", "scans"),
        ("GET", "secret/metadata?scan=true", "scans"),
        ("LIST", "secret/detailed-metadata/", "detailed lists"),
    ],
)
def test_what_it_lacks_it_says(bao: Vault, method: str, path: str, what: str) -> None:
    """What an OpenBao has beyond a Vault."""
    assert said(ask(bao, method, path)) == (501, [f"this fake of OpenBao has no {what}"])
