"""Namespaces, as far as a client notices."""

import pytest
import requests

from pytest_resilience_vault import OpenBao, Vault
from tests.fakes.vault.asking import Ask, said

IN_TEAM = {"X-Vault-Namespace": "team"}
NOT_THERE = {"X-Vault-Namespace": "nope"}


def test_the_community_edition_repeats_the_header_and_ignores_it(vault: Vault, ask: Ask) -> None:
    """And has no such path."""
    vault.put("secret/a", {"n": 1})
    answer = ask("GET", "secret/data/a", headers=NOT_THERE)

    assert (answer.status_code, answer.headers["X-Vault-Namespace"]) == (200, "nope")
    for method, path in (
        ("LIST", "sys/namespaces"),
        ("GET", "sys/namespaces/a"),
        ("PUT", "sys/namespaces/a"),
        ("DELETE", "sys/namespaces/a"),
    ):
        assert said(ask(method, path)) == (404, ["1 error occurred:\n\t* unsupported path\n\n"])


def test_a_namespace_has_mounts_policies_and_tokens_of_its_own(vault: Vault, ask: Ask) -> None:
    """By header or by path; the root token goes everywhere."""
    vault.namespace("team/child")
    kv = {"type": "kv", "options": {"version": "2"}}
    ask("POST", "sys/mounts/secret", kv, headers=IN_TEAM).raise_for_status()
    ask("POST", "secret/data/x", {"data": {"n": 1}}, headers=IN_TEAM).raise_for_status()
    inside = ask("GET", "team/secret/data/x")
    auth = ask("POST", "auth/token/create", {"policies": ["default"]}, headers=IN_TEAM).json()
    token = auth["auth"]["client_token"]
    own = ask("GET", "auth/token/lookup-self", token=token, headers=IN_TEAM).json()["data"]
    types = {entry["type"] for entry in ask("GET", "team/sys/mounts").json()["data"].values()}

    assert inside.json()["data"]["data"] == {"n": 1}
    assert said(ask("GET", "secret/data/x")) == (404, [])
    assert own["namespace_path"] == "team/"
    assert types == {"kv", "ns_cubbyhole", "ns_identity", "ns_system"}
    assert ask("GET", "secret/data/x", token=token, headers=IN_TEAM).status_code == 403
    assert ask("GET", "sys/mounts", token=token).status_code == 403
    capabilities = {"paths": ["sys/mounts"]}
    outside = ask("POST", "sys/capabilities", {**capabilities, "token": token}).json()
    assert outside["data"]["sys/mounts"] == ["deny"]
    assert ask("GET", "team/child/sys/auth").json()["data"]["token/"]["type"] == "ns_token"
    assert ask("GET", "sys/internal/ui/mounts/secret", token=token).status_code == 403
    ask("DELETE", "sys/namespaces/child", headers=IN_TEAM)
    ask("DELETE", "sys/namespaces/team")
    assert ask("GET", "auth/token/lookup-self", token=token).status_code == 403


def test_what_a_test_denies_is_denied_to_those_who_have_been_there(vault: Vault, ask: Ask) -> None:
    """In every namespace, at once, by the path as it is written there."""
    vault.namespace("team")
    auth = ask("POST", "auth/token/create", {"policies": ["default"]}, headers=IN_TEAM).json()
    token = auth["auth"]["client_token"]

    def status() -> int:
        return ask("GET", "cubbyhole/x", token=token, headers=IN_TEAM).status_code

    before = status()
    vault.deny("cubbyhole/x")
    denied = status()
    vault.allow("cubbyhole/x")

    assert (before, denied, status()) == (404, 403, 404)


def test_an_unknown_one_is_refused(vault: Vault, ask: Ask) -> None:
    """As clients of Vault Enterprise report it; root is the root namespace."""
    vault.namespace("team")
    vault.namespace("team")
    vault.put("secret/a", {"n": 1})

    assert said(ask("GET", "secret/data/a", headers=NOT_THERE)) == (403, ["permission denied"])
    for name in ("root", "/"):
        answer = ask("GET", "secret/data/a", headers={"X-Vault-Namespace": name})
        assert answer.status_code == 200


def test_the_node_speaks_for_all_namespaces(vault: Vault, ask: Ask) -> None:
    """Most of what it says is not to be had in one (seen)."""
    vault.namespace("team")

    assert said(ask("GET", "sys/health", headers=IN_TEAM)) == (
        400,
        ["operation unavailable in namespaces"],
    )
    assert ask("GET", "sys/seal-status", headers=IN_TEAM).status_code == 200
    assert said(ask("GET", "team/sys/health")) == (
        400,
        ["operation only available in root namespace"],
    )
    vault.seal()
    assert said(ask("GET", "secret/data/a", headers=NOT_THERE)) == (503, ["Vault is sealed"])


@pytest.fixture
def vault_of_namespaces(vault: Vault) -> Vault:
    """One that has them."""
    vault.namespace("first")
    return vault


def test_they_are_made_listed_and_deleted(vault_of_namespaces: Vault, ask: Ask) -> None:
    """One below another only when it is empty."""
    made = ask("POST", "sys/namespaces/team", {"custom_metadata": {"a": "b"}}).json()["data"]
    again = ask("POST", "sys/namespaces/team", {}).json()["data"]
    ask("POST", "sys/namespaces/child", {}, headers=IN_TEAM)
    listed = ask("LIST", "sys/namespaces").json()["data"]

    assert (made["path"], made["custom_metadata"], made["locked"]) == ("team/", {"a": "b"}, False)
    assert again["custom_metadata"] == {}
    assert listed["keys"] == ["first/", "team/"]
    assert ask("GET", "sys/namespaces/team").json()["data"]["id"] == made["id"]
    assert said(ask("GET", "sys/namespaces/nope")) == (404, [])
    assert said(ask("DELETE", "sys/namespaces/team")) == (
        400,
        ["unable to delete namespace containing child namespaces"],
    )
    ask("DELETE", "sys/namespaces/child", headers=IN_TEAM).raise_for_status()
    status = ask("DELETE", "sys/namespaces/team").json()
    assert status["data"] == {"status": "in-progress"}
    warnings = ask("DELETE", "sys/namespaces/team").json()["warnings"]
    assert warnings == ["requested namespace does not exist"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("sys", '"sys/" is a reserved path and cannot be used as a namespace name'),
        ("a/b", "namespace name cannot contain /"),
        ("a b", '"a b" contains space characters that cannot be used in a namespace name'),
    ],
)
def test_what_is_no_name(vault_of_namespaces: Vault, ask: Ask, name: str, why: str) -> None:
    """In OpenBao's words."""
    assert said(ask("POST", f"sys/namespaces/{name}", {})) == (400, [why])


def test_openbao_has_them_from_the_beginning() -> None:
    """And says so of one that is not there."""
    import requests

    with OpenBao() as bao:
        fields = {"X-Vault-Token": bao.root_token, **NOT_THERE}
        answer = requests.get(f"{bao.url}/v1/sys/mounts", headers=fields, timeout=5)
        other = requests.get(f"{bao.url}/v1/kv/nope/x", headers=fields, timeout=5)

    assert said(answer) == said(other) == (404, ["namespace not found"])


def test_a_token_asks_about_itself_in_its_own_namespace(vault: Vault, ask: Ask) -> None:
    """Whichever the request names; other paths are those of the one it names."""
    vault.namespace("team")
    token = ask("POST", "auth/token/create", {"policies": ["app"]}).json()["auth"]["client_token"]
    own = ask("GET", "auth/token/lookup-self", token=token, headers=IN_TEAM)
    other = ask("GET", "cubbyhole/x", token=token, headers=IN_TEAM)

    assert own.json()["data"]["policies"] == ["app", "default"]
    assert other.status_code == 403
    assert ask("POST", "auth/token/renew-self", token=token, headers=IN_TEAM).ok
    assert ask("POST", "auth/token/revoke-self", token=token, headers=IN_TEAM).status_code == 204


def test_a_namespace_below_is_deleted_from_the_one_above() -> None:
    """Not by its path."""
    with Vault(flavour="openbao") as bao:
        answer = requests.delete(
            f"{bao.url}/v1/sys/namespaces/team/child",
            headers={"X-Vault-Token": bao.root_token},
            timeout=5,
        )

    assert said(answer) == (400, ["namespace name cannot contain /"])


PATCH = {"Content-Type": "application/merge-patch+json"}


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ({}, {"a": "1", "b": "2"}),
        ({"custom_metadata": {}}, {"a": "1", "b": "2"}),
        ({"custom_metadata": {"a": None, "c": "3"}}, {"b": "2", "c": "3"}),
        ({"custom_metadata": None}, {}),
    ],
)
def test_a_patch_merges_metadata(
    vault_of_namespaces: Vault, ask: Ask, body: dict[str, object], left: dict[str, str]
) -> None:
    """And null takes away, one entry or all."""
    ask("POST", "sys/namespaces/team", {"custom_metadata": {"a": "1", "b": "2"}})
    patched = ask("PATCH", "sys/namespaces/team", body, headers=PATCH)

    assert (patched.status_code, patched.json()["data"]["custom_metadata"]) == (200, left)
    assert ask("GET", "sys/namespaces/team").json()["data"]["custom_metadata"] == left


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("nope", "x", "namespace not found"),
        ("first/x", "x", "namespace name cannot contain /"),
        ("first", 1, "metadata patch can only have string or null values, got json.Number"),
        ("first", [], "metadata patch can only have string or null values, got []interface {}"),
    ],
)
def test_what_is_no_patch(
    vault_of_namespaces: Vault, ask: Ask, name: str, value: object, why: str
) -> None:
    """In OpenBao's words."""
    body = {"custom_metadata": {"a": value}}
    assert said(ask("PATCH", f"sys/namespaces/{name}", body, headers=PATCH)) == (400, [why])


def test_there_is_no_root_policy_in_one(vault: Vault, ask: Ask) -> None:
    """Nor a token of it that the root of all has made."""
    vault.namespace("team")
    listed = ask("LIST", "team/sys/policies/acl").json()["data"]["keys"]
    made = ask("POST", "auth/token/create", {}, headers=IN_TEAM).json()["auth"]
    root = ask("POST", "auth/token/create", {"policies": ["root"]}, headers=IN_TEAM)

    assert listed == ["default"]
    assert "root" in ask("LIST", "sys/policies/acl").json()["data"]["keys"]
    assert made["policies"] == ["default"]
    assert said(root) == (400, ["root tokens may not be created from a parent namespace"])


def test_who_logs_in_there_has_a_name_of_there(vault: Vault, ask: Ask) -> None:
    """The whole path of the mount; and an entity of the namespace."""
    vault.namespace("team")
    space = ask("GET", "sys/namespaces/team").json()["data"]["id"]
    ask("POST", "sys/auth/approle", {"type": "approle"}, headers=IN_TEAM).raise_for_status()
    ask("POST", "auth/approle/role/app", {"token_policies": "default"}, headers=IN_TEAM)
    role_id = ask("GET", "auth/approle/role/app/role-id", headers=IN_TEAM).json()["data"]
    secret_id = ask("POST", "auth/approle/role/app/secret-id", {}, headers=IN_TEAM).json()["data"]
    ids = {**role_id, "secret_id": secret_id["secret_id"]}
    auth = ask("POST", "team/auth/approle/login", ids, token=None).json()["auth"]
    own = ask("GET", "auth/token/lookup-self", token=auth["client_token"]).json()["data"]

    assert auth["entity_id"].endswith(f".{space}")
    assert own["entity_id"] == auth["entity_id"]
    assert own["display_name"] == "team-auth-approle"


def test_data_is_repeated_at_the_top_for_a_header_only(vault: Vault, ask: Ask) -> None:
    """With the namespace in the path it is none of the paths this is done for (seen)."""
    vault.namespace("team")
    by_header = ask("GET", "sys/mounts", headers=IN_TEAM).json()
    by_path = ask("GET", "team/sys/mounts").json()

    assert "sys/" in by_header
    assert "sys/" not in by_path
    assert by_header["data"] == by_path["data"]
