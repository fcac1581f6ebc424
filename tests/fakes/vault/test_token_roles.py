"""Token roles."""

from typing import Any

import pytest

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, said

ROLE, CREATE = "auth/token/roles/r", "auth/token/create/r"


def made(ask: Ask, role: dict[str, Any], **fields: Any) -> Any:
    ask("DELETE", ROLE)
    ask("POST", ROLE, role).raise_for_status()
    return ask("POST", CREATE, fields)


def test_a_role_is_written_read_listed_and_deleted(ask: Ask) -> None:
    """The old names of fields show as long as they were used."""
    body = {
        "allowed_policies": "app,x",
        "allowed_entity_aliases": ["Z"],
        "orphan": True,
        "period": "1h",
        "bound_cidrs": "127.0.0.1/32",
        "explicit_max_ttl": "2h",
        "token_num_uses": 5,
        "path_suffix": "suffix",
        "token_type": "service",
    }
    ask("POST", ROLE, body).raise_for_status()
    data = ask("GET", ROLE).json()["data"]
    ask("POST", ROLE, {"token_period": 60, "token_bound_cidrs": ["127.0.0.0/8"]})
    changed = ask("GET", ROLE).json()["data"]

    assert data == {
        "allowed_entity_aliases": ["z"],
        "allowed_policies": ["app", "x"],
        "allowed_policies_glob": [],
        "bound_cidrs": ["127.0.0.1"],
        "disallowed_policies": [],
        "disallowed_policies_glob": [],
        "explicit_max_ttl": 7200,
        "name": "r",
        "orphan": True,
        "path_suffix": "suffix",
        "period": 3600,
        "renewable": True,
        "token_bound_cidrs": ["127.0.0.1"],
        "token_explicit_max_ttl": 7200,
        "token_no_default_policy": False,
        "token_num_uses": 5,
        "token_period": 3600,
        "token_type": "service",
    }
    assert (changed["period"], changed["token_period"]) == (0, 60)
    assert "bound_cidrs" not in changed
    assert ask("LIST", "auth/token/roles").json()["data"] == {"keys": ["r"]}
    assert ask("DELETE", ROLE).status_code == 204
    assert said(ask("GET", ROLE)) == (404, [])
    assert said(ask("POST", CREATE, {})) == (400, ["unknown role r"])


def test_a_token_is_as_the_role_wants_it(ask: Ask) -> None:
    """Its path has the suffix, its own limits are kept apart from the role's."""
    role = {
        "orphan": True,
        "token_period": "1h",
        "renewable": False,
        "path_suffix": "suffix",
        "token_num_uses": 5,
        "token_bound_cidrs": "127.0.0.1/32",
        "allowed_policies": ["app"],
    }
    auth = made(ask, role, ttl="30m", num_uses=9).json()["auth"]
    data = ask("GET", "auth/token/lookup-self", token=auth["client_token"]).json()["data"]

    assert (auth["lease_duration"], auth["num_uses"], auth["orphan"]) == (3600, 5, True)
    assert auth["policies"] == ["app", "default"]
    assert (data["path"], data["role"]) == ("auth/token/create/r/suffix", "r")
    assert (data["bound_cidrs"], data["num_uses"]) == (["127.0.0.1"], 4)
    assert "period" not in data


def test_a_token_may_be_used_from_its_addresses_only(ask: Ask) -> None:
    """403, and a lookup by another shows it."""
    role = {"token_bound_cidrs": "10.0.0.0/8", "allowed_policies": ["app"]}
    token = made(ask, role).json()["auth"]["client_token"]

    assert said(ask("GET", "auth/token/lookup-self", token=token)) == (403, ["permission denied"])
    assert ask("POST", "auth/token/lookup", {"token": token}).status_code == 200


def test_the_lesser_limit_holds(ask: Ask) -> None:
    """With a warning when both have spoken."""
    role = {"token_explicit_max_ttl": "30m", "token_period": "20m"}
    answer = made(ask, role, explicit_max_ttl="1h", period="10m", policies=["app"]).json()
    capped = made(ask, {"token_explicit_max_ttl": 30}, policies=["root"]).json()

    words = "specified both during creation call and in role; using the lesser value of"
    assert answer["auth"]["lease_duration"] == 600
    assert answer["warnings"] == [
        f"Explicit max TTL {words} 1800 seconds",
        f"Period {words} 600 seconds",
    ]
    assert capped["auth"]["lease_duration"] == 30


def test_a_renewal_asks_the_role(ask: Ask) -> None:
    """As it is now; without it there is none."""
    answer = made(ask, {"token_period": "20m"}, policies=["default"])
    token = answer.json()["auth"]["client_token"]
    ask("POST", ROLE, {"token_period": "40m"})
    renewed = ask("POST", "auth/token/renew-self", {}, token=token).json()["auth"]
    ask("DELETE", ROLE)
    gone = said(ask("POST", "auth/token/renew-self", {}, token=token))

    assert renewed["lease_duration"] == 2400
    assert gone[0] == 500
    assert 'original token role "r" could not be found, not renewing' in gone[1][0]


SUBSET = "must be subset of the role's allowed policies"


@pytest.mark.parametrize(
    ("role", "asked", "granted"),
    [
        ({}, [], ["root"]),
        ({}, ["app"], ["app", "default"]),
        # Of a role that says nothing else about policies it is not looked at (token_store.go).
        ({"token_no_default_policy": True}, ["app"], ["app", "default"]),
        ({"token_no_default_policy": True, "allowed_policies": ["app"]}, [], ["app"]),
        ({"allowed_policies": ["app", "x"]}, [], ["app", "default", "x"]),
        ({"allowed_policies": ["app"]}, ["x"], f'token policies (["default" "x"]) {SUBSET} '),
        ({"allowed_policies": ["app"]}, ["root"], f'token policies (["root"]) {SUBSET} '),
        ({"allowed_policies_glob": ["a*"]}, ["app"], ["app", "default"]),
        ({"allowed_policies_glob": ["a*"]}, [], ["default"]),
        ({"allowed_policies_glob": ["a*"]}, ["x"], f'token policies (["default" "x"]) {SUBSET} '),
        ({"disallowed_policies": ["x"]}, ["x"], 'token policy "x" is disallowed by this role'),
        ({"disallowed_policies_glob": ["x*"]}, ["xy"], 'token policy "xy" is disallowed by'),
        ({"disallowed_policies": ["default"]}, ["app"], ["app"]),
    ],
)
def test_which_policies_a_role_grants(
    ask: Ask, role: dict[str, Any], asked: list[str], granted: Any
) -> None:
    """Allowed, by name or by glob, and not forbidden."""
    answer = made(ask, role, policies=asked)

    if isinstance(granted, list):
        assert answer.json()["auth"]["policies"] == granted
    else:
        assert answer.status_code == 400
        assert said(answer)[1][0].startswith(granted)


def test_a_child_has_no_more_than_its_parent(vault: Vault, ask: Ask) -> None:
    """Under a role that says nothing of policies."""
    vault.policy("maker", 'path "auth/token/create/r" { capabilities = ["update"] }')
    ask("POST", ROLE, {})
    token = ask("POST", "auth/token/create", {"policies": ["maker"]}).json()["auth"]

    assert said(ask("POST", CREATE, {"policies": ["root"]}, token=token["client_token"])) == (
        400,
        ["child policies must be subset of parent"],
    )


@pytest.mark.parametrize(
    ("role", "fields", "kind"),
    [
        ({}, {}, "service"),
        ({}, {"type": "batch"}, "batch"),
        ({"token_type": "default-batch"}, {}, "batch"),
        ({"token_type": "default-batch"}, {"type": "service"}, "service"),
        ({"token_type": "service"}, {"type": "batch"}, "service"),
        ({"token_type": "service"}, {"type": "foo"}, "service"),
        ({"token_type": "batch", "orphan": True, "renewable": False}, {}, "batch"),
        ({"token_type": "default-service"}, {}, "service"),
    ],
)
def test_which_type_a_role_gives(
    ask: Ask, role: dict[str, Any], fields: dict[str, Any], kind: str
) -> None:
    """It may insist."""
    answer = made(ask, role, policies=["app"], **fields)

    assert answer.json()["auth"]["token_type"] == kind


BATCH = "'token_type' cannot be 'batch' when role is set to generate"


@pytest.mark.parametrize(
    ("role", "why"),
    [
        ({"path_suffix": "a b"}, "given role path suffix contains invalid characters; must match"),
        ({"path_suffix": "a..b"}, "error registering path suffix: path cannot contain parent"),
        ({"token_num_uses": -1}, "error parsing role fields: 'token_num_uses' cannot be negative"),
        ({"token_type": None}, "Invalid 'token_type' value: null"),
        ({"token_type": ""}, "invalid 'token_type' value \"\""),
        ({"bound_cidrs": "x"}, 'error parsing bound_cidrs: error parsing address "x"'),
        ({"token_type": "foo"}, "invalid 'token_type' value \"foo\""),
        ({"token_bound_cidrs": "x"}, 'error parsing role fields: error parsing address "x"'),
        ({"token_type": "batch"}, f"{BATCH} non-orphan tokens"),
        ({"token_type": "batch", "orphan": True, "period": 1}, f"{BATCH} periodic tokens"),
        ({"token_type": "batch", "orphan": True}, f"{BATCH} renewable tokens"),
        (
            {
                "token_type": "batch",
                "orphan": True,
                "renewable": False,
                "token_explicit_max_ttl": 1,
            },
            f"{BATCH} tokens with an explicit max TTL",
        ),
        ({"orphan": -1}, 'error converting input for field "orphan"'),
    ],
)
def test_what_is_no_role(ask: Ask, role: dict[str, Any], why: str) -> None:
    """In Vault's words."""
    answer = ask("POST", ROLE, role)

    assert answer.status_code == 400
    assert said(answer)[1][0].startswith(why)


def test_a_role_of_batch_tokens_stays_one(ask: Ask) -> None:
    """Without a period and without a number of uses, once it is there."""
    words = "'token_type' cannot be 'batch' or 'default_batch' when set to generate"
    words = f"error parsing role fields: {words}"
    ask("POST", ROLE, {"token_type": "default-batch"}).raise_for_status()

    assert said(ask("POST", ROLE, {"token_period": 60})) == (400, [f"{words} periodic tokens"])
    assert said(ask("POST", ROLE, {"token_num_uses": 1})) == (
        400,
        [f"{words} tokens with limited use count"],
    )
    assert ask("POST", ROLE, {"path_suffix": "other", "token_ttl": 60}).status_code == 204
    assert ask("GET", ROLE).json()["data"]["path_suffix"] == "other"


def test_the_default_policy_can_be_left_out(ask: Ask) -> None:
    """By the request, too."""
    auth = made(ask, {}, policies=["app", "default"], no_default_policy=True).json()["auth"]

    assert auth["policies"] == ["app"]


def test_old_and_new_names_together(ask: Ask) -> None:
    """The old one loses, with a warning."""
    answer = ask("POST", ROLE, {"period": 60, "token_period": 120}).json()

    assert answer["warnings"] == [
        "Both 'token_period' and deprecated 'period' value supplied, ignoring the deprecated value"
    ]
    assert ask("GET", ROLE).json()["data"]["token_period"] == 120


def test_an_entity_alias_must_be_allowed(ask: Ask) -> None:
    """By a role."""
    words = "'entity_alias' is only allowed in combination with token role"
    refused = made(ask, {"allowed_entity_aliases": ["Known"]}, entity_alias="other")
    allowed = ask("POST", CREATE, {"entity_alias": "KNOWN", "policies": ["app"]})

    assert said(ask("POST", "auth/token/create", {"entity_alias": "x"})) == (400, [words])
    assert said(refused) == (400, ["invalid 'entity_alias' value"])
    assert allowed.status_code == 200


def test_batch_tokens_are_checked_in_vaults_order(ask: Ask) -> None:
    """A time of 0 is none, and one that cannot be read is refused."""
    create = "auth/token/create"
    body = {"type": "batch", "policies": ["app"]}

    assert ask("POST", create, {**body, "explicit_max_ttl": 0}).status_code == 200
    assert ask("POST", create, {**body, "period": 0}).status_code == 200
    assert said(ask("POST", create, {**body, "period": "x"})) == (
        400,
        ["'period' value could not be parsed"],
    )


def test_tidy_has_nothing_to_do(ask: Ask) -> None:
    """202 and a warning."""
    answer = ask("POST", "auth/token/tidy")

    assert answer.status_code == 202
    assert answer.json()["warnings"][0].endswith("printed to Vault's server logs.")


def test_a_token_that_is_not_renewable_by_its_accessor(ask: Ask) -> None:
    """In other words than by itself (seen)."""
    body = {"policies": ["app"], "renewable": False}
    accessor = ask("POST", "auth/token/create", body).json()["auth"]["accessor"]

    assert said(ask("POST", "auth/token/renew-accessor", {"accessor": accessor})) == (
        400,
        ["1 error occurred:\n\t* invalid request\n\n"],
    )


def test_a_roles_lists_are_sanitized(ask: Ask) -> None:
    """In lower case, each once, in order, and "root" stands alone."""
    body = {
        "allowed_policies": ["Z", "a", "a", ""],
        "allowed_policies_glob": ["root", "B*"],
        "disallowed_policies": "Q,q, a",
        "allowed_entity_aliases": ["X", "x", ""],
    }
    ask("POST", ROLE, body).raise_for_status()
    data = ask("GET", ROLE).json()["data"]

    assert (data["allowed_policies"], data["allowed_policies_glob"]) == (["a", "z"], ["root"])
    assert (data["disallowed_policies"], data["allowed_entity_aliases"]) == (["a", "q"], ["x"])


def test_null_sets_what_is_no_time_to_nothing(ask: Ask) -> None:
    """A time stays as it was."""
    ask("POST", ROLE, {"token_num_uses": 3, "token_period": 60, "path_suffix": "abc"})
    nulls = {"token_num_uses": None, "token_period": None, "path_suffix": None, "renewable": None}
    ask("POST", ROLE, nulls).raise_for_status()
    data = ask("GET", ROLE).json()["data"]

    assert (data["token_period"], data["path_suffix"], data["renewable"]) == (60, "", False)
    assert "token_num_uses" not in data


def test_an_old_name_is_read_too_late_to_make_room_for_batch_tokens(ask: Ask) -> None:
    """The period that was there is what the type is checked against; a new type is not."""
    body = {"token_type": "default-batch", "token_period": 60, "token_num_uses": 4}
    words = "error parsing role fields: 'token_type' cannot be 'batch' or 'default_batch' when"
    ask("POST", ROLE, body).raise_for_status()

    assert said(ask("POST", ROLE, {"period": 0})) == (
        400,
        [f"{words} set to generate periodic tokens"],
    )
    assert ask("POST", ROLE, {**body, "period": 0}).status_code == 200


def test_a_longest_time_that_the_mount_does_not_allow_is_warned_of(ask: Ask) -> None:
    """By either name."""
    words = "Given explicit max TTL of 32400000 is greater than system/mount allowed value of"
    for name in ("explicit_max_ttl", "token_explicit_max_ttl"):
        warnings = ask("POST", ROLE, {name: "9000h"}).json()["warnings"]
        assert warnings[0].startswith(f"{words} 2764800 seconds; until this is fixed")


def test_a_role_without_policies_of_its_own_gives_the_parents(vault: Vault, ask: Ask) -> None:
    """Without "default" where it is not wanted; a glob alone gives none at all."""
    vault.policy("maker", 'path "auth/token/create/r" { capabilities = ["update"] }')
    body = {"policies": ["maker"], "no_default_policy": True}
    token = ask("POST", "auth/token/create", body).json()["auth"]["client_token"]
    ask("POST", ROLE, {})
    plain = ask("POST", CREATE, {}, token=token).json()["auth"]
    ask("POST", ROLE, {"disallowed_policies": ["x"]})
    refusing = ask("POST", CREATE, {}, token=token).json()["auth"]
    strict = ask("POST", CREATE, {"no_default_policy": True}, token=token).json()["auth"]
    glob = made(ask, {"allowed_policies_glob": ["m*"]}, no_default_policy=True).json()["auth"]

    assert plain["policies"] == ["maker"]
    assert refusing["policies"] == ["default", "maker"]
    assert strict["policies"] == ["maker"]
    assert not glob["policies"]


def test_a_child_has_the_default_policy_if_its_parent_has(vault: Vault, ask: Ask) -> None:
    """Or if it comes of one that may do everything, and has not asked to be without."""
    vault.policy("maker", 'path "auth/token/create" { capabilities = ["update"] }')
    found = []
    for no_default in (False, True):
        body = {"policies": ["maker"], "no_default_policy": no_default}
        token = ask("POST", "auth/token/create", body).json()["auth"]["client_token"]
        for child in ({}, {"policies": ["maker"]}, {"no_default_policy": True}):
            auth = ask("POST", "auth/token/create", child, token=token).json()["auth"]
            found.append(auth["policies"])

    both, one = ["default", "maker"], ["maker"]
    assert found == [both, both, one, one, one, one]


def test_only_a_star_means_anything_in_a_glob(ask: Ask) -> None:
    """Neither ? nor brackets."""
    ask("POST", ROLE, {"allowed_policies_glob": ["a?c", "d*"]})

    assert ask("POST", CREATE, {"policies": ["dx"]}).status_code == 200
    assert ask("POST", CREATE, {"policies": ["abc"]}).status_code == 400


def test_an_alias_stands_for_one_entity(ask: Ask) -> None:
    """Which the token has, orphan or not."""
    body = {"entity_alias": "KNOWN", "policies": ["app"]}
    ask("POST", ROLE, {"allowed_entity_aliases": ["k*"], "orphan": True})
    first = ask("POST", CREATE, body).json()["auth"]["entity_id"]

    assert first
    assert ask("POST", CREATE, body).json()["auth"]["entity_id"] == first


def test_a_batch_token_does_not_take_the_roles_times(ask: Ask) -> None:
    """It has none but its own."""
    role = {"token_type": "default-batch", "token_explicit_max_ttl": 60}
    auth = made(ask, role, policies=["app"]).json()["auth"]

    assert (auth["token_type"], auth["lease_duration"]) == ("batch", 2764800)


def test_a_child_may_be_used_where_its_parent_may(vault: Vault, ask: Ask) -> None:
    """Unless a role or a life without an end says otherwise."""
    maker = 'path "auth/token/create" { capabilities = ["update", "sudo"] }'
    vault.policy("maker", maker)
    role = {"token_bound_cidrs": "127.0.0.0/8"}
    parent = made(ask, role, policies=["maker"]).json()["auth"]["client_token"]
    child = ask("POST", "auth/token/create", {}, token=parent).json()["auth"]["client_token"]
    orphan = ask("POST", "auth/token/create", {"no_parent": True}, token=parent).json()["auth"]
    shown = ask("POST", "auth/token/lookup", {"token": child}).json()["data"]
    free = ask("POST", "auth/token/lookup", {"token": orphan["client_token"]}).json()["data"]
    root = made(ask, role, policies=["root"]).json()["auth"]["client_token"]

    assert shown["bound_cidrs"] == ["127.0.0.0/8"]
    assert "bound_cidrs" not in free
    assert "bound_cidrs" not in ask("POST", "auth/token/lookup", {"token": root}).json()["data"]


def test_a_token_on_its_last_use_makes_and_renews_nothing(ask: Ask) -> None:
    """It is not found any more."""
    why = []
    for path in ("create", "renew-self"):
        body = {"policies": ["root"], "ttl": "1h", "num_uses": 1}
        token = ask("POST", "auth/token/create", body).json()["auth"]["client_token"]
        why.append(said(ask("POST", f"auth/token/{path}", {}, token=token)))

    assert why == [
        (400, ["parent token lookup failed: no parent found"]),
        (400, ["token not found"]),
    ]


def test_a_periodic_token_wants_sudo_with_a_role_too(vault: Vault, ask: Ask) -> None:
    """Before the time is looked at, and behind the longest one."""
    vault.policy("maker", 'path "auth/token/create/r" { capabilities = ["update"] }')
    token = ask("POST", "auth/token/create", {"policies": ["maker"]}).json()["auth"]
    ask("POST", ROLE, {})
    answer = ask("POST", CREATE, {"period": 60, "ttl": "x"}, token=token["client_token"])
    order = {"period": "-1s", "explicit_max_ttl": "-1s", "ttl": "x"}

    assert said(answer) == (400, ["root or sudo privileges required to create periodic token"])
    assert said(ask("POST", CREATE, order)) == (400, ["explicit_max_ttl must be positive"])


def test_a_list_of_texts_is_no_object(ask: Ask) -> None:
    """It is named with what is in it."""
    answer = said(ask("POST", "auth/token/roles/r", {"allowed_policies": {"b": 1, "a": "x"}}))

    assert answer[0] == 400
    assert answer[1][0].endswith(
        "* '[0]' expected type 'string', got unconvertible type 'map[string]interface {}', "
        "value: 'map[a:x b:1]'"
    )
    assert ask("POST", "auth/token/roles/r", {"allowed_policies": {}}).status_code == 204
