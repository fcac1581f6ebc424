"""auth/token: create, look up, renew, revoke."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, SettableClock, said

INVALID = (403, ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"])
SELF = "auth/token/lookup-self"
CREATE = "auth/token/create"


def created(ask: Ask, body: dict[str, Any] | None = None, token: str = "") -> dict[str, Any]:
    """The auth block of a new token."""
    answer = ask("POST", CREATE, {"policies": ["default"], **(body or {})}, token=token)
    auth: dict[str, Any] = answer.json()["auth"]
    return auth


def test_a_token_of_a_login_shows_what_it_is(
    ask: Ask, login: Callable[[], requests.Response]
) -> None:
    """Every field of a lookup."""
    auth = login().json()["auth"]

    shown = ask("GET", SELF, token=auth["client_token"]).json()["data"]

    assert shown["id"] == auth["client_token"]
    assert shown["accessor"] == auth["accessor"]
    assert shown["entity_id"] == auth["entity_id"]
    assert abs(shown["creation_time"] + 2764800 - _epoch(shown["expire_time"])) <= 1
    assert shown["ttl"] in (2764799, 2764800)
    unset = {"id", "accessor", "entity_id", "creation_time", "expire_time", "issue_time", "ttl"}
    assert {name: value for name, value in shown.items() if name not in unset} == {
        "creation_ttl": 2764800,
        "display_name": "approle",
        "explicit_max_ttl": 0,
        "meta": {"role_name": "app"},
        "num_uses": 0,
        "orphan": True,
        "path": "auth/approle/login",
        "policies": ["app", "default"],
        "renewable": True,
        "type": "service",
    }


def _epoch(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*Z", r"\1+00:00", text)).timestamp()


def test_the_root_token_never_expires(vault: Vault, ask: Ask) -> None:
    """It has no lease, so it shows neither when it was issued nor whether it is renewable."""
    shown = ask("GET", SELF).json()["data"]

    assert shown.pop("id") == vault.root_token
    del shown["accessor"], shown["creation_time"]
    assert shown == {
        "creation_ttl": 0,
        "display_name": "root",
        "entity_id": "",
        "expire_time": None,
        "explicit_max_ttl": 0,
        "meta": None,
        "num_uses": 0,
        "orphan": True,
        "path": "auth/token/root",
        "policies": ["root"],
        "ttl": 0,
        "type": "service",
    }
    assert said(ask("POST", "auth/token/renew-self")) == (400, ["invalid lease ID"])


def test_a_new_token_is_a_child_with_what_was_asked_for(ask: Ask) -> None:
    """Policies sorted, `default` added, the name cleaned."""
    auth = created(
        ask,
        {
            "policies": ["web", "App"],
            "ttl": "1h",
            "meta": {"team": "a"},
            "display_name": "Bob x!",
            "num_uses": 5,
        },
    )

    shown = ask("GET", SELF, token=auth["client_token"]).json()["data"]
    assert auth["policies"] == auth["token_policies"] == ["app", "default", "web"]
    assert (auth["lease_duration"], auth["orphan"], auth["num_uses"]) == (3600, False, 5)
    assert shown["display_name"] == "token-Bob-x"
    assert shown["meta"] == {"team": "a"}
    assert shown["path"] == "auth/token/create"
    assert shown["num_uses"] == 4


def test_a_policy_that_nobody_wrote_is_a_warning(ask: Ask) -> None:
    """And no error."""
    answer = ask("POST", CREATE, {"policies": ["nope"]})

    assert answer.status_code == 200
    assert answer.json()["warnings"] == ['Policy "nope" does not exist']


@pytest.mark.parametrize(
    ("body", "policies"),
    [
        ({}, ["root"]),
        ({"policies": []}, ["root"]),
        ({"policies": {}}, ["root"]),
        ({"policies": [""]}, ["default"]),
        ({"policies": "a,b"}, ["a,b", "default"]),
        ({"policies": ["a", "root"]}, ["root"]),
        ({"policies": ["a", "default"], "no_default_policy": True}, ["a"]),
    ],
)
def test_policies_of_a_new_token(ask: Ask, body: dict[str, Any], policies: list[str]) -> None:
    """Without a list they are the parent's; a string is one name, commas and all."""
    assert ask("POST", CREATE, body).json()["auth"]["policies"] == policies


def test_a_token_without_policies_has_no_list_of_its_own(ask: Ask) -> None:
    """`token_policies` is left out when it is empty (omitempty)."""
    auth = created(ask, {"no_default_policy": True})

    assert auth["policies"] == []
    assert "token_policies" not in auth


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"num_uses": -1}, ["number of uses cannot be negative"]),
        ({"ttl": "x"}, ['time: invalid duration "x"']),
        ({"ttl": "-1h"}, ["ttl must be positive"]),
        ({"explicit_max_ttl": "x"}, ['time: invalid duration "x"']),
        ({"period": "-5"}, ["period must be positive"]),
        ({"type": "foo"}, ["invalid 'token_type' value"]),
        ({"policies": ["response-wrapping"]}, ['cannot assign policy "response-wrapping"']),
        ({"id": "a.b"}, ["custom token ID cannot have a '.' in the value"]),
        ({"id": "s.b"}, ["custom token ID cannot have the 's.' prefix"]),
        ({"id": "hvs.b"}, ["custom token ID cannot have the 'hvs.' prefix"]),
        (
            {"meta": "x"},
            [
                (
                    'Field validation failed: error converting input for field "meta": '
                    'invalid key pair at index 0 in field "meta"'
                )
            ],
        ),
        (
            {"num_uses": "x"},
            [
                (
                    'Field validation failed: error converting input for field "num_uses": '
                    "'' cannot parse value as 'int': strconv.ParseInt: invalid syntax"
                )
            ],
        ),
    ],
)
def test_what_cannot_be_meant_is_400(ask: Ask, body: dict[str, Any], errors: list[str]) -> None:
    """In Vault's words."""
    assert said(ask("POST", CREATE, body)) == (400, errors)


def test_metadata_may_be_a_list_of_pairs(ask: Ask) -> None:
    """And its numbers become strings."""
    assert created(ask, {"meta": ["a=b", "c=d=e"]})["metadata"] == {"a": "b", "c": "d=e"}
    assert created(ask, {"meta": {"a": 1, "b": True}})["metadata"] == {"a": "1", "b": "1"}


def test_an_id_of_ones_own_is_taken_once_and_warned_about(ask: Ask) -> None:
    """With root or sudo only."""
    answer = ask("POST", CREATE, {"id": "mine", "policies": ["default"]})

    assert answer.json()["auth"]["client_token"] == "mine"
    assert answer.json()["warnings"][0].startswith("Supplying a custom ID for the token uses")
    assert said(ask("POST", CREATE, {"id": "mine"})) == (
        400,
        ["cannot create a token with a duplicate ID"],
    )


def test_a_token_with_few_rights_cannot_give_more(vault: Vault, ask: Ask) -> None:
    """A child has at most what its parent has."""
    vault.policy("maker", 'path "auth/token/create" { capabilities = ["create", "update"] }')
    maker = created(ask, {"policies": ["maker"]})["client_token"]

    def asked(**body: Any) -> tuple[int, list[str]]:
        return said(ask("POST", CREATE, body, token=maker))

    assert created(ask, {"policies": ["maker"]}, maker)["policies"] == ["default", "maker"]
    assert asked(policies=["root"]) == (400, ["child policies must be subset of parent"])
    assert asked(policies=["other"]) == (400, ["child policies must be subset of parent"])
    assert asked(no_parent=True) == (
        400,
        ["root or sudo privileges required to create orphan token"],
    )
    assert asked(id="x") == (400, ["root or sudo privileges required to specify token id"])
    assert asked(period="1h") == (
        400,
        ["root or sudo privileges required to create periodic token"],
    )


def test_sudo_is_nearly_root(vault: Vault, ask: Ask) -> None:
    """It may choose policies, orphan and period, but not root."""
    vault.policy(
        "su", 'path "auth/token/*" { capabilities = ["create", "update", "sudo", "list"] }'
    )
    su = created(ask, {"policies": ["su"]})["client_token"]

    orphan = ask("POST", "auth/token/create-orphan", {"ttl": "5m"}, token=su).json()["auth"]

    assert orphan["orphan"] is True
    assert created(ask, {"no_parent": True, "policies": ["any"]}, su)["orphan"] is True
    assert created(ask, {"period": "1h"}, su)["lease_duration"] == 3600
    assert said(ask("POST", CREATE, {"policies": ["root"]}, token=su)) == (
        400,
        ["root tokens may not be created without parent token being root"],
    )
    assert len(ask("LIST", "auth/token/accessors", token=su).json()["data"]["keys"]) == 5


def test_an_expiring_root_token_makes_no_eternal_one(ask: Ask) -> None:
    """But it makes others."""
    root = created(ask, {"policies": ["root"], "ttl": "1h"})["client_token"]

    assert said(ask("POST", CREATE, {}, token=root)) == (
        400,
        ["expiring root tokens cannot create non-expiring root tokens"],
    )
    assert created(ask, {"policies": ["default"]}, root)["lease_duration"] == 2764800


def test_time_is_cut_to_the_longest_allowed_with_a_warning(ask: Ask) -> None:
    """The mount's 32 days, or the token's own explicit maximum."""
    long = ask("POST", CREATE, {"policies": ["default"], "ttl": "9999h"}).json()
    own = ask(
        "POST", CREATE, {"policies": ["default"], "ttl": "2h", "explicit_max_ttl": "90m"}
    ).json()
    period = ask("POST", CREATE, {"policies": ["default"], "period": "9999h"}).json()
    short = ask(
        "POST", CREATE, {"policies": ["default"], "ttl": "2m", "explicit_max_ttl": "90s"}
    ).json()

    cut = "exceeded the effective max_ttl of"
    assert long["auth"]["lease_duration"] == 2764800
    assert long["warnings"] == [f'TTL of "9999h" {cut} "768h"; TTL value is capped accordingly']
    assert own["auth"]["lease_duration"] == 5400
    assert own["warnings"] == [f'TTL of "2h" {cut} "1h30m"; TTL value is capped accordingly']
    assert short["warnings"] == [f'TTL of "2m" {cut} "1m30s"; TTL value is capped accordingly']
    assert period["warnings"] == [
        f'period of "9999h" {cut} "768h"; period value is capped accordingly'
    ]


def test_a_root_token_may_have_an_explicit_end(ask: Ask) -> None:
    """It has no other."""
    assert created(ask, {"policies": ["root"], "explicit_max_ttl": "1h"})["lease_duration"] == 3600


# Looking up


def test_a_lookup_by_token_or_accessor(vault: Vault, ask: Ask) -> None:
    """The accessor does not give the token away; an unknown token is a bad one."""
    auth = created(ask)
    by_token = ask("POST", "auth/token/lookup", {"token": auth["client_token"]}).json()["data"]
    by_query = ask("GET", f"auth/token/lookup?token={auth['client_token']}").json()["data"]
    by_accessor = ask("POST", "auth/token/lookup-accessor", {"accessor": auth["accessor"]}).json()
    own = ask("POST", "auth/token/lookup", {}).json()["data"]

    assert by_token["id"] == by_query["id"] == auth["client_token"]
    assert by_accessor["data"]["id"] == ""
    assert by_accessor["data"]["accessor"] == auth["accessor"]
    assert own["id"] == vault.root_token
    assert said(ask("POST", "auth/token/lookup", {"token": "nope"})) == (403, ["bad token"])
    for verb in ("lookup", "renew"):
        path = f"auth/token/{verb}-accessor"
        assert said(ask("POST", path, {"accessor": "nope"})) == (
            400,
            ["1 error occurred:\n\t* invalid accessor\n\n"],
        )
        assert said(ask("POST", path, {})) == (
            400,
            ["1 error occurred:\n\t* missing accessor\n\n"],
        )


# Expiry and renewal


def test_a_token_expires_on_the_fakes_clock(ask: Ask, clock: SettableClock) -> None:
    """To the second."""
    token = created(ask, {"ttl": "1h"})["client_token"]
    clock.ahead = 3599
    before = ask("GET", SELF, token=token).json()["data"]["ttl"]
    clock.ahead = 3601

    assert before in (0, 1)
    assert said(ask("GET", SELF, token=token)) == INVALID
    assert said(ask("POST", "auth/token/lookup", {"token": token})) == (403, ["bad token"])


@pytest.mark.parametrize("path", ["lookup", "renew", "revoke", "revoke-orphan"])
@pytest.mark.parametrize("named", [None, 1, ["x"]])
def test_a_token_that_is_no_text_is_refused(ask: Ask, path: str, named: object) -> None:
    """A variable that nobody has set becomes null, and does not mean the caller's own."""
    answers = [ask("POST", f"auth/token/{path}", {"token": named}, token=who) for who in ("", "x")]

    assert [said(answer) for answer in answers] == [(403, ["invalid token"])] * 2


def test_a_token_lives_for_less_than_a_second(ask: Ask, clock: SettableClock) -> None:
    """Whole seconds are shown, and what is left of them counts: it is no token for ever (seen)."""
    short = created(ask, {"policies": ["root"], "ttl": "500ms"})
    lasting = created(ask, {"ttl": "1h", "explicit_max_ttl": "1500ms"})
    shown = ask("GET", SELF, token=short["client_token"]).json()["data"]
    clock.ahead += 0.6

    assert (short["lease_duration"], short["renewable"]) == (0, True)
    assert (shown["creation_ttl"], shown["ttl"]) == (0, 0)
    assert shown["expire_time"] is not None
    assert lasting["lease_duration"] == 1
    assert ask("GET", SELF, token=short["client_token"]).status_code == 403
    assert ask("GET", SELF, token=lasting["client_token"]).status_code == 200


def test_less_than_a_second_is_named_in_a_warning(ask: Ask) -> None:
    """As Go prints it."""
    body = {"policies": ["default"], "explicit_max_ttl": "500ms"}

    warnings = ask("POST", CREATE, body).json()["warnings"]

    assert warnings == [
        'TTL of "768h" exceeded the effective max_ttl of "500ms"; TTL value is capped accordingly'
    ]


def test_a_renewal_starts_the_time_anew(ask: Ask, clock: SettableClock) -> None:
    """By as much as was granted last, unless more or less is asked for."""
    auth = created(ask, {"ttl": "1h"})
    token = auth["client_token"]
    clock.ahead = 3000

    usual = ask("POST", "auth/token/renew-self", token=token).json()["auth"]
    less = ask("POST", "auth/token/renew", {"token": token, "increment": "30m"}).json()["auth"]
    again = ask("POST", "auth/token/renew-accessor", {"accessor": auth["accessor"]}).json()["auth"]
    shown = ask("GET", SELF, token=token).json()["data"]

    assert [answer["lease_duration"] for answer in (usual, less, again)] == [3600, 1800, 1800]
    assert (usual["client_token"], again["client_token"]) == (token, "")
    assert shown["ttl"] in (1799, 1800)
    assert shown["creation_ttl"] == 3600
    assert shown["last_renewal_time"] >= shown["creation_time"] + 3000
    assert shown["last_renewal"].endswith("Z")
    clock.ahead = 4700
    assert ask("GET", SELF, token=token).status_code == 200


def test_renewals_end_at_the_maximum(ask: Ask, clock: SettableClock) -> None:
    """Capped with a warning on the way there."""
    token = created(ask, {"ttl": "1h", "explicit_max_ttl": "2h"})["client_token"]
    clock.ahead = 3540

    answer = ask("POST", "auth/token/renew-self", {"increment": "3h"}, token=token).json()

    left = answer["auth"]["lease_duration"]
    assert left in (3659, 3660, 3661)
    (warning,) = answer["warnings"]
    assert warning.startswith('TTL of "3h" exceeded the effective max_ttl of "1h')
    assert warning.endswith('"; TTL value is capped accordingly')


def test_a_token_past_its_maximum_is_not_renewed(
    vault: Vault, ask: Ask, clock: SettableClock
) -> None:
    """It would have expired, had a test not kept it alive."""
    token = created(ask, {"explicit_max_ttl": "1h"})["client_token"]
    vault.set_state({"tokens": {token: {"ttl": 9000}}})
    clock.ahead = 3602

    assert said(ask("POST", "auth/token/renew-self", token=token)) == (
        500,
        ["1 error occurred:\n\t* past the max TTL, cannot renew\n\n"],
    )


def test_a_periodic_token_is_renewed_for_ever(ask: Ask, clock: SettableClock) -> None:
    """By its period, whatever is asked for."""
    token = created(ask, {"period": "1h"})["client_token"]
    granted = []
    for _ in range(3):
        clock.ahead += 3000
        answer = ask("POST", "auth/token/renew-self", {"increment": "9h"}, token=token)
        granted.append(answer.json()["auth"]["lease_duration"])

    assert granted == [3600, 3600, 3600]
    assert ask("GET", SELF, token=token).json()["data"]["period"] == 3600


def test_a_token_of_a_login_is_renewed_on_the_roles_terms(vault: Vault, ask: Ask) -> None:
    """Those that the role has now; without the role it cannot be."""
    vault.role(token_ttl=60)
    token = vault.token
    vault.role(token_ttl=90)
    longer = ask("POST", "auth/token/renew-self", token=token).json()["auth"]["lease_duration"]
    ask("DELETE", "auth/approle/role/app")

    assert longer == 90
    assert said(ask("POST", "auth/token/renew-self", token=token)) == (
        500,
        [
            (
                "1 error occurred:\n\t* failed to renew entry: "
                'role "app" does not exist during renewal\n\n'
            )
        ],
    )


def test_some_tokens_cannot_be_renewed(ask: Ask) -> None:
    """One that was made so, one that is unknown, none."""
    token = created(ask, {"renewable": False})["client_token"]

    assert said(ask("POST", "auth/token/renew-self", token=token)) == (
        400,
        ["lease is not renewable"],
    )
    assert said(ask("POST", "auth/token/renew", {"token": "x"})) == (400, ["token not found"])
    assert said(ask("POST", "auth/token/renew", {})) == (400, ["missing token ID"])


# Uses


def test_each_request_uses_a_token_and_the_last_one_shows_minus_one(vault: Vault, ask: Ask) -> None:
    """A refused request counts, one that cannot be read does not."""
    token = created(ask, {"num_uses": 3})["client_token"]
    not_counted = [
        ask("FOO", "secret/x", token=token).status_code,
        ask("POST", "secret/x", b"{", token=token).status_code,
        ask("POST", "secret/x/", {}, token=token).status_code,
    ]
    refused = ask("GET", "sys/mounts", token=token).status_code
    shown = [ask("GET", SELF, token=token).json()["data"]["num_uses"] for _ in range(2)]

    assert not_counted == [405, 400, 400]
    assert refused == 403
    assert shown == [1, -1]
    assert said(ask("GET", SELF, token=token)) == INVALID


def test_a_token_with_counted_uses_makes_no_others(vault: Vault, ask: Ask) -> None:
    """Its uses would be worth nothing."""
    vault.policy("maker", 'path "auth/token/create" { capabilities = ["update"] }')
    token = created(ask, {"num_uses": 3, "policies": ["maker"]})["client_token"]

    assert said(ask("POST", CREATE, {}, token=token)) == (
        400,
        ["restricted use token cannot generate child tokens"],
    )


# Revoking


def test_a_revoked_token_takes_its_children_along_but_not_its_orphans(ask: Ask) -> None:
    """All the way down."""
    parent = created(ask, {"policies": ["root"]})["client_token"]
    child = created(ask, {"policies": ["root"]}, parent)["client_token"]
    grandchild = created(ask, {}, child)["client_token"]
    orphan = created(ask, {"no_parent": True}, parent)["client_token"]

    revoked = ask("POST", "auth/token/revoke", {"token": parent}).status_code

    assert revoked == 204
    for token in (parent, child, grandchild):
        assert said(ask("GET", SELF, token=token)) == INVALID
    assert ask("GET", SELF, token=orphan).status_code == 200


def test_children_of_a_token_that_is_revoked_as_an_orphan_live_on(ask: Ask) -> None:
    """They are orphans then."""
    parent = created(ask, {"policies": ["root"]})["client_token"]
    child = created(ask, {}, parent)["client_token"]

    ask("POST", "auth/token/revoke-orphan", {"token": parent}).raise_for_status()

    assert ask("GET", SELF, token=child).json()["data"]["orphan"] is True
    assert said(ask("GET", SELF, token=parent)) == INVALID
    assert said(ask("POST", "auth/token/revoke-orphan", {"token": "x"})) == (
        400,
        ["token to revoke not found"],
    )


def test_revoking_what_is_not_there_is_fine(ask: Ask) -> None:
    """204 for a token, a warning for an accessor, 400 for nothing."""
    accessor = ask("POST", "auth/token/revoke-accessor", {"accessor": "nope"})

    assert ask("POST", "auth/token/revoke", {"token": "nope"}).status_code == 204
    assert accessor.status_code == 200
    assert accessor.json()["warnings"] == ["No token found with this accessor"]
    assert said(ask("POST", "auth/token/revoke", {})) == (400, ["missing token ID"])
    assert said(ask("POST", "auth/token/revoke-orphan", {})) == (400, ["missing token ID"])
    assert said(ask("POST", "auth/token/revoke-accessor", {})) == (
        400,
        ["1 error occurred:\n\t* missing accessor\n\n"],
    )


def test_a_token_revokes_itself(ask: Ask) -> None:
    """Itself or by its accessor, it is gone."""
    own, other = created(ask), created(ask)

    ask("POST", "auth/token/revoke-self", token=own["client_token"]).raise_for_status()
    ask("POST", "auth/token/revoke-accessor", {"accessor": other["accessor"]}).raise_for_status()

    for auth in (own, other):
        assert said(ask("GET", SELF, token=auth["client_token"])) == INVALID


_NO_TEXT = "expected type 'string', got unconvertible type"
_OBJECT = f"{_NO_TEXT} 'map[string]interface {{}}'"
_LIST = f"{_NO_TEXT} '[]interface {{}}'"


@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        ("auth/token/create", {"policies": {"a": 1}}, f"decoding failed{{}}'[0]' {_OBJECT}"),
        (
            "auth/token/create",
            {"policies": ["a", {"a": 1}, [1]]},
            f"decoding failed{{}}'[1]' {_OBJECT}\n'[2]' {_LIST}",
        ),
        ("auth/token/create", {"meta": {"a": {}}}, f"decoding failed{{}}'[0]' {_OBJECT}"),
        ("auth/token/create", {"meta": [{"a": {}}]}, f"decoding failed{{}}'[0]' {_OBJECT}"),
        (
            "sys/capabilities-self",
            {"paths": [None, True, 1.5, {"b": [1, None, False], "a": "x y"}, []]},
            (
                f"2 error(s) decoding:\n\n* '[3]' {_OBJECT}, value: 'map[a:x y b:[1 <nil> false]]'"
                f"\n* '[4]' {_LIST}, value: '[]'"
            ),
        ),
    ],
)
def test_what_is_no_text_in_a_list(ask: Ask, path: str, body: dict[str, Any], why: str) -> None:
    """In the words of the one or the other library that the server reads lists with."""
    field = next(iter(body))
    why = why.replace("failed{}", "failed due to the following error(s):\n\n")
    words = f'Field validation failed: error converting input for field "{field}": {why}'

    assert said(ask("POST", path, body)) == (400, [words])


@pytest.mark.parametrize(
    ("meta", "kept"),
    [
        ({"a": True, "b": None, "c": 1.5}, {"a": "1", "b": "", "c": "1.5"}),
        ([{"a": "1"}, None, {"b": "2"}], {"a": "1", "b": "2"}),
        ([None], None),
    ],
)
def test_metadata_is_made_of_texts(ask: Ask, meta: object, kept: object) -> None:
    """And several objects are one."""
    auth = ask("POST", "auth/token/create", {"meta": meta}).json()["auth"]

    assert auth["metadata"] == kept


def test_a_name_may_be_told_as_yes_or_no(ask: Ask) -> None:
    """Go makes 1 and 0 of them."""
    for told, name in ((True, "token-1"), (False, "token-0")):
        token = ask("POST", "auth/token/create", {"display_name": told}).json()["auth"]
        own = ask("GET", "auth/token/lookup-self", token=token["client_token"]).json()["data"]
        assert own["display_name"] == name
