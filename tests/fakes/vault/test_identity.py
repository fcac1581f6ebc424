"""identity/: who there is; what their policies, and being disabled or gone, mean (all seen)."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, SettableClock, said

ENTITY, ALIAS, LOOKUP = "identity/entity", "identity/entity-alias", "identity/lookup/entity"
Login = Callable[[], requests.Response]


@pytest.fixture
def accessor(ask: Ask) -> str:
    """Of AppRole."""
    return str(ask("GET", "sys/auth").json()["approle/"]["accessor"])


def data(answer: requests.Response) -> dict[str, Any]:
    """What an answer carries."""
    found: dict[str, Any] = answer.json()["data"]
    return found


def test_who_logs_in_becomes_an_entity(vault: Vault, ask: Ask, login: Login, accessor: str) -> None:
    """The same one each time, and its own token may read it."""
    first, second = (login().json()["auth"] for _ in range(2))
    path = f"{ENTITY}/id/{first['entity_id']}"
    shown = data(ask("GET", path, token=first["client_token"]))
    (alias,) = shown.pop("aliases")

    assert first["entity_id"] == second["entity_id"]
    for moment in ("creation_time", "last_update_time"):
        assert shown.pop(moment).endswith("Z")
        assert alias.pop(moment).endswith("Z")
    assert shown == {
        "direct_group_ids": [],
        "disabled": False,
        "group_ids": [],
        "id": first["entity_id"],
        "inherited_group_ids": [],
        "merged_entity_ids": None,
        "metadata": None,
        "name": f"entity_{first['entity_id'][:8]}",
        "namespace_id": "root",
        "policies": [],
    }
    assert len(alias.pop("id")) == 36
    assert alias == {
        "canonical_id": first["entity_id"],
        "custom_metadata": None,
        "local": False,
        "merged_from_canonical_ids": None,
        "metadata": {"role_name": "app"},
        "mount_accessor": accessor,
        "mount_path": "auth/approle/",
        "mount_type": "approle",
        "name": vault.role_id,
    }
    assert ask("GET", f"{ENTITY}/id/x", token=first["client_token"]).status_code == 403


def test_an_entity_goes_with_the_role_id(vault: Vault, ask: Ask, login: Login) -> None:
    """Not with the role."""
    first = login().json()["auth"]["entity_id"]
    vault.role("app", role_id="another")
    ids = {"role_id": "another", "secret_id": vault.secret_id}
    second = ask("POST", "auth/approle/login", ids, token=None).json()["auth"]["entity_id"]

    assert first != second
    assert sorted(data(ask("LIST", f"{ENTITY}/id"))["keys"]) == sorted([first, second])


def test_its_policies_are_its_tokens_policies(vault: Vault, ask: Ask, login: Login) -> None:
    """Of those that it has already, too."""
    vault.policy("extra", 'path "sys/mounts" { capabilities = ["read"] }')
    old = login().json()["auth"]
    path = f"{ENTITY}/id/{old['entity_id']}"
    before = ask("GET", "sys/mounts", token=old["client_token"]).status_code
    changed = ask("POST", path, {"policies": ["Extra", "extra"]}).status_code
    new = login().json()["auth"]
    own = data(ask("GET", "auth/token/lookup-self", token=old["client_token"]))
    renewed = ask("POST", "auth/token/renew-self", token=old["client_token"]).json()["auth"]

    assert (before, changed) == (403, 204)
    assert ask("GET", "sys/mounts", token=old["client_token"]).status_code == 200
    for auth in (new, renewed):
        assert auth["policies"] == ["app", "default", "extra"]
        assert auth["token_policies"] == ["app", "default"]
        assert auth["identity_policies"] == ["extra"]
    assert (own["policies"], own["identity_policies"]) == (["app", "default"], ["extra"])
    assert own["external_namespace_policies"] == {}


def test_who_is_disabled_gets_nowhere(ask: Ask, login: Login) -> None:
    """Neither with the tokens that there are nor with a login, until it is enabled again."""
    auth = login().json()["auth"]
    path, token = f"{ENTITY}/id/{auth['entity_id']}", auth["client_token"]
    ask("POST", path, {"disabled": True})
    refused = [said(ask("GET", "auth/token/lookup-self", token=token)), said(login())]
    ask("POST", path, {"disabled": False})

    assert refused == [(403, ["permission denied"])] * 2
    assert ask("GET", "auth/token/lookup-self", token=token).status_code == 200


def test_who_is_forgotten_logs_in_anew(ask: Ask, login: Login) -> None:
    """Its tokens are worth nothing."""
    auth = login().json()["auth"]
    forgotten = ask("DELETE", f"{ENTITY}/id/{auth['entity_id']}").status_code
    refused = said(ask("GET", "auth/token/lookup-self", token=auth["client_token"]))

    assert (forgotten, refused) == (204, (403, ["permission denied"]))
    assert login().json()["auth"]["entity_id"] != auth["entity_id"]


def test_an_entity_is_made_changed_and_forgotten(ask: Ask) -> None:
    """By its name, in any case, or by its id."""
    made = data(ask("POST", ENTITY, {"name": "Ann", "metadata": {"a": "b"}, "policies": "q,P"}))
    changed = [
        ask("POST", ENTITY, {"name": "ann", "metadata": ["c=d"]}).status_code,
        ask("POST", f"{ENTITY}/name/ANN", {}).status_code,
        ask("POST", ENTITY, {"id": made["id"], "name": "eve"}).status_code,
    ]
    shown = data(ask("GET", f"{ENTITY}/name/EVE"))
    other = data(ask("POST", ENTITY))
    listed = data(ask("LIST", f"{ENTITY}/id"))

    assert (made["name"], made["aliases"]) == ("Ann", None)
    assert changed == [204, 204, 204]
    assert (shown["metadata"], shown["policies"]) == ({"c": "d"}, ["p", "q"])
    assert other["name"].startswith("entity_")
    assert listed["key_info"][made["id"]] == {"name": "eve"}
    assert data(ask("LIST", f"{ENTITY}/name"))["keys"] == sorted(["eve", other["name"]])
    assert ask("DELETE", f"{ENTITY}/name/eve").status_code == 204
    assert ask("DELETE", f"{ENTITY}/name/eve").status_code == 204
    assert ask("POST", f"{ENTITY}/batch-delete", {"entity_ids": [other["id"], "x"]}).ok
    assert ask("LIST", f"{ENTITY}/id").status_code == 404
    assert ask("GET", f"{ENTITY}/name/eve").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        (ENTITY, {"id": "x"}, "entity not found from id"),
        (f"{ENTITY}/id/x", {}, "entity not found from id"),
        (ENTITY, {"id": "{ann}", "name": "eve"}, "entity name is already in use"),
        (ENTITY, {"policies": ["ROOT"]}, "policies cannot contain root"),
        (f"{ENTITY}/batch-delete", {}, "missing entity ids to delete"),
        (LOOKUP, {}, "query parameter not supplied"),
        (
            LOOKUP,
            {"id": "x", "name": "y"},
            "query parameter conflict; please supply distinct set of query parameters",
        ),
        (
            LOOKUP,
            {"alias_name": "x"},
            "both 'alias_name' and 'alias_mount_accessor' needs to be set",
        ),
        (
            LOOKUP,
            {"alias_mount_accessor": "x"},
            "both 'alias_name' and 'alias_mount_accessor' needs to be set",
        ),
        (ALIAS, {"name": "x"}, "'id' or 'mount_accessor' and 'name' must be provided"),
        (f"{ALIAS}/id/x", {}, "invalid alias ID provided"),
        (ALIAS, {"name": "x", "mount_accessor": "y"}, 'invalid mount accessor "y"'),
        (
            ALIAS,
            {"name": "x", "mount_accessor": "{accessor}", "canonical_id": "y"},
            "invalid canonical ID",
        ),
        (
            ALIAS,
            {"name": "x", "mount_accessor": "{accessor}", "canonical_id": "{ann}"},
            "Alias already exists for requested entity and mount accessor",
        ),
    ],
)
def test_what_cannot_be(
    ask: Ask, accessor: str, path: str, body: dict[str, Any], words: str
) -> None:
    """Of entities, their names, and the look for them."""
    ann, _ = (data(ask("POST", ENTITY, {"name": name}))["id"] for name in ("ann", "eve"))
    ask("POST", ALIAS, {"name": "a", "mount_accessor": accessor, "canonical_id": ann})
    known = {"{ann}": ann, "{accessor}": accessor}
    filled = {name: known.get(str(value), value) for name, value in body.items()}

    assert said(ask("POST", path, filled)) == (400, [words])


def test_the_path_says_who_is_meant(ask: Ask) -> None:
    """Whatever the body calls it, and be it no name at all (seen)."""
    answer = ask("POST", f"{ENTITY}/name/ann", {"name": ["eve"]}).json()

    assert answer["data"]["name"] == "ann"
    assert "replaced" in answer["warnings"][0]


@pytest.mark.parametrize("name", ["ann@example.com", "a b", "team/ann", "Zoé"])
def test_an_entity_may_have_any_name(ask: Ask, name: str) -> None:
    """Names of roles are not that free (seen)."""
    ask("POST", f"{ENTITY}/name/{name}", {"metadata": {"a": "b"}}).raise_for_status()

    assert data(ask("GET", f"{ENTITY}/name/{name}"))["name"] == name
    assert ask("DELETE", f"{ENTITY}/name/{name}").status_code == 204
    assert ask("GET", f"{ENTITY}/name/{name}").status_code == 404


def test_an_entity_is_looked_up(vault: Vault, ask: Ask, login: Login, accessor: str) -> None:
    """By what is known of it; nobody is no error."""
    entity = login().json()["auth"]["entity_id"]
    shown = data(ask("GET", f"{ENTITY}/id/{entity}"))
    queries: list[dict[str, str]] = [
        {"id": entity},
        {"name": shown["name"]},
        {"alias_id": shown["aliases"][0]["id"]},
        {"alias_name": vault.role_id.upper(), "alias_mount_accessor": accessor},
    ]

    assert [data(ask("POST", LOOKUP, query))["id"] for query in queries] == [entity] * 4
    queries = [{"id": "x"}, {"alias_name": "x", "alias_mount_accessor": accessor}]
    assert [ask("POST", LOOKUP, query).status_code for query in queries] == [204, 204]


def test_an_alias_is_made_before_the_login(
    vault: Vault, ask: Ask, login: Login, accessor: str
) -> None:
    """Who logs in so is who it was made for; without it, somebody new."""
    ann = data(ask("POST", ENTITY, {"name": "ann"}))["id"]
    body = {"name": vault.role_id, "mount_accessor": accessor, "canonical_id": ann}
    made = data(ask("POST", ALIAS, {**body, "custom_metadata": {"k": "v"}}))
    as_ann = login().json()["auth"]["entity_id"]
    shown = data(ask("GET", f"{ALIAS}/id/{made['id']}"))
    listed = data(ask("LIST", f"{ALIAS}/id"))
    ask("DELETE", f"{ALIAS}/id/{made['id']}")

    assert (made["canonical_id"], as_ann) == (ann, ann)
    assert (shown["custom_metadata"], shown["namespace_id"]) == ({"k": "v"}, "root")
    assert shown["metadata"] == {"role_name": "app"}
    assert listed["key_info"][made["id"]]["name"] == vault.role_id
    assert login().json()["auth"]["entity_id"] != ann
    assert data(ask("GET", f"{ENTITY}/name/ann"))["aliases"] == []
    assert ask("GET", f"{ALIAS}/id/{made['id']}").status_code == 404
    assert ask("DELETE", f"{ALIAS}/id/{made['id']}").status_code == 204


def test_an_alias_is_changed_and_moved(ask: Ask, accessor: str, clock: SettableClock) -> None:
    """By its id, which leaves the rest alone, or by method and name."""
    first = {"name": "a", "mount_accessor": accessor, "custom_metadata": {"k": "v"}}
    made = data(ask("POST", ALIAS, first))
    path = f"{ALIAS}/id/{made['id']}"
    before = data(ask("GET", path))
    clock.ahead = 5
    renamed = data(ask("POST", path, {"name": "b"}))
    after = data(ask("GET", path))
    eve = data(ask("POST", ENTITY, {"name": "eve"}))["id"]
    moved = data(ask("POST", "identity/alias", {**first, "name": "b", "canonical_id": eve}))
    ask("POST", ALIAS, {"name": "b", "mount_accessor": accessor}).raise_for_status()
    last = data(ask("GET", path))

    assert renamed == made
    assert (after["name"], after["custom_metadata"]) == ("b", {"k": "v"})
    assert after["last_update_time"] > before["last_update_time"]
    assert (moved["canonical_id"], last["canonical_id"], last["custom_metadata"]) == (
        eve,
        eve,
        None,
    )
    assert data(ask("GET", f"{ENTITY}/id/{made['canonical_id']}"))["aliases"] == []


def test_an_alias_that_stays_as_it_is(ask: Ask, accessor: str) -> None:
    """Nothing is said of it."""
    body = {"name": "a", "mount_accessor": accessor}
    made = data(ask("POST", ALIAS, body))
    same = [{}, {"custom_metadata": {}}, {"canonical_id": made["canonical_id"]}, body]

    statuses = [ask("POST", f"{ALIAS}/id/{made['id']}", one).status_code for one in same]

    assert [*statuses, ask("POST", ALIAS, body).status_code] == [204] * 5


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"mount_accessor": "x"}, 'invalid mount accessor "x"'),
        (
            {"mount_accessor": "{other}"},
            (
                "Alias cannot be updated as the entity already has an alias for the given"
                " 'mount_accessor' "
            ),
        ),
        ({"name": "EVE"}, "alias with combination of mount accessor and name already exists"),
        ({"canonical_id": "x"}, "given 'canonical_id' is not associated with an entity"),
        (
            {"canonical_id": "{eve}"},
            "Alias cannot be updated as the given entity already has an alias for this mount ",
        ),
    ],
)
def test_an_alias_that_cannot_become_that(
    ask: Ask, accessor: str, body: dict[str, str], words: str
) -> None:
    """An entity has one of each method (store_aliases.go of OpenBao)."""
    ask("POST", "sys/auth/other", {"type": "approle"})
    other = ask("GET", "sys/auth").json()["other/"]["accessor"]
    made = data(ask("POST", ALIAS, {"name": "ann", "mount_accessor": accessor}))
    on_other = {"name": "ann", "mount_accessor": other, "canonical_id": made["canonical_id"]}
    ask("POST", ALIAS, on_other).raise_for_status()
    eve = data(ask("POST", ALIAS, {"name": "eve", "mount_accessor": accessor}))["canonical_id"]
    known = {"{other}": other, "{eve}": eve}
    filled = {name: known.get(value, value) for name, value in body.items()}

    assert said(ask("POST", f"{ALIAS}/id/{made['id']}", filled)) == (400, [words])


def test_an_alias_gets_another_method(ask: Ask, accessor: str) -> None:
    """If the entity has none of that yet."""
    ask("POST", "sys/auth/other", {"type": "approle"})
    other = ask("GET", "sys/auth").json()["other/"]["accessor"]
    alias = data(ask("POST", ALIAS, {"name": "ann", "mount_accessor": accessor}))["id"]
    ask("POST", f"{ALIAS}/id/{alias}", {"mount_accessor": other}).raise_for_status()

    assert data(ask("GET", f"{ALIAS}/id/{alias}"))["mount_path"] == "auth/other/"


def test_a_policy_may_name_what_is_known_of_somebody(vault: Vault, ask: Ask, login: Login) -> None:
    """As soon as it is known."""
    text = 'path "kv1/{{identity.entity.metadata.team}}" { capabilities = ["create", "read"] }'
    vault.policy("app", text)
    auth = login().json()["auth"]
    vault.mount("kv1", version=1)
    before = ask("GET", "kv1/red", token=auth["client_token"]).status_code
    ask("POST", f"{ENTITY}/id/{auth['entity_id']}", {"metadata": {"team": "red"}})

    assert before == 403
    assert ask("GET", "kv1/red", token=auth["client_token"]).status_code == 404


@pytest.mark.parametrize("path", ["entity/merge", "group", "oidc/key/x", "mfa/method/totp"])
def test_what_is_missing_is_said(vault: Vault, ask: Ask, path: str) -> None:
    """As a gap of the fake, in the trace."""
    status = ask("POST", f"identity/{path}", {}).status_code

    assert status in (404, 501)
    assert vault.trace[-1].note
