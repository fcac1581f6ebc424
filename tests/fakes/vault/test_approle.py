"""AppRole: logins, roles, role ids and secret ids."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, SettableClock, said

BAD = (400, ["invalid role or secret ID"])
LOCKED = (403, ["permission denied"])
ROLE = "auth/approle/role/app"
LOGIN = "auth/approle/login"


def test_a_login_gives_a_token_that_may_use_secret(
    vault: Vault, ask: Ask, login: Callable[[], requests.Response]
) -> None:
    """Read, list and write below `secret/`, and ask which version it has."""
    token = login().json()["auth"]["client_token"]

    written = ask("POST", "secret/data/a", {"data": {"n": 1}}, token=token)
    statuses = [
        ask("GET", "secret/data/a", token=token).status_code,
        ask("LIST", "secret/metadata", token=token).status_code,
        ask("GET", "sys/internal/ui/mounts/secret/a", token=token).status_code,
        ask("GET", "auth/token/lookup-self", token=token).status_code,
    ]

    assert written.json()["data"]["version"] == 1
    assert statuses == [200, 200, 200, 200]


@pytest.mark.parametrize(
    ("ids", "answer"),
    [
        ({"role_id": "{role_id}", "secret_id": "wrong"}, BAD),
        ({"role_id": "wrong", "secret_id": "{secret_id}"}, BAD),
        ({"role_id": "{role_id}"}, (400, ["missing secret_id"])),
        ({"role_id": "{role_id}", "secret_id": ""}, (400, ["missing secret_id"])),
        ({"secret_id": "{secret_id}"}, (500, ["missing role_id"])),
        ({}, (500, ["missing role_id"])),
        (
            {"role_id": {}},
            (
                500,
                [
                    (
                        'Field validation failed: error converting input for field "role_id": '
                        "'' expected type 'string', "
                        "got unconvertible type 'map[string]interface {}'"
                    )
                ],
            ),
        ),
    ],
)
def test_a_bad_login_is_400_and_never_403(
    vault: Vault, ask: Ask, ids: dict[str, Any], answer: tuple[int, list[str]]
) -> None:
    """A client that renews its login on 403 must not take this for one."""
    known = {"{role_id}": vault.role_id, "{secret_id}": vault.secret_id}
    sent = {key: known.get(value, value) if value else value for key, value in ids.items()}

    assert said(ask("POST", LOGIN, sent, token=None)) == answer


def test_a_login_where_nothing_is_mounted_is_403(ask: Ask) -> None:
    """Without a token, Vault does not say what is there."""
    assert said(ask("POST", "auth/nope/login", {}, token=None)) == LOCKED


def test_nobody_logs_in_as_root(vault: Vault, ask: Ask) -> None:
    """A role may name the policy; the login is refused, and has used the secret id (seen)."""
    ids = vault.role("boss", token_policies=["default", "root"], secret_id_num_uses=1)
    sent = {"role_id": ids.role_id, "secret_id": ids.secret_id}

    refused = said(ask("POST", LOGIN, sent, token=None))

    assert refused == (400, ["auth methods cannot create root tokens"])
    assert said(ask("POST", LOGIN, sent, token=None)) == BAD


def test_nobody_logs_in_with_a_policy_of_vaults_own(vault: Vault, ask: Ask) -> None:
    """That of wrapping tokens is given to nobody else."""
    ids = vault.role("odd", token_policies=["response-wrapping"])
    sent = {"role_id": ids.role_id, "secret_id": ids.secret_id}

    assert said(ask("POST", LOGIN, sent, token=None)) == (
        400,
        ['cannot assign policy "response-wrapping"'],
    )


def test_a_login_tells_what_it_has_not_read(vault: Vault, ask: Ask) -> None:
    """A misspelled field is ignored, and named."""
    sent = {"role_id": vault.role_id, "secret_id": vault.secret_id, "roleid": "x"}

    warnings = ask("POST", LOGIN, sent, token=None).json()["warnings"]

    assert warnings == ["Endpoint ignored these unrecognized parameters: [roleid]"]


def test_names_of_roles_are_ascii_and_errors_have_them_in_lower_case(ask: Ask) -> None:
    """Go's regular expressions know no other letters (seen)."""
    unknown = ask("POST", "auth/approle/role/Nope/secret-id", {})

    assert ask("POST", "auth/approle/role/%C3%A9", {}).status_code == 404
    assert ask("POST", "auth/token/roles/%C3%A9", {}).status_code == 404
    assert said(unknown) == (404, ['role "nope" does not exist'])


def test_only_writes_log_in(vault: Vault, ask: Ask) -> None:
    """Other operations are refused, after the look for a lockout."""
    read = ask("GET", f"{LOGIN}?role_id={vault.role_id}", token=None)

    assert said(read) == (405, ["unsupported operation"])
    assert said(ask("GET", LOGIN, token=None)) == (500, ["missing role_id"])
    assert said(ask("LIST", LOGIN, token=None)) == LOCKED


def test_the_sixth_login_after_five_bad_ones_is_refused_even_with_the_right_secret_id(
    vault: Vault,
    ask: Ask,
    clock: SettableClock,
    login: Callable[[], requests.Response],
) -> None:
    """The lockout lasts 15 minutes; retries of a refused login make it worse."""
    wrong = {"role_id": vault.role_id, "secret_id": "wrong"}

    refused = [said(ask("POST", LOGIN, wrong, token=None)) for _ in range(6)]
    right = said(login())
    clock.ahead = 899
    still = said(login())
    clock.ahead = 901

    assert refused == [BAD, BAD, BAD, BAD, BAD, LOCKED]
    assert (right, still) == (LOCKED, LOCKED)
    assert login().status_code == 200


def test_a_good_login_forgets_the_bad_ones(
    vault: Vault, ask: Ask, login: Callable[[], requests.Response]
) -> None:
    """Four bad ones, a good one, and four bad ones lock nobody out."""
    wrong = {"role_id": vault.role_id, "secret_id": "wrong"}

    for _ in range(3):
        for _ in range(4):
            assert said(ask("POST", LOGIN, wrong, token=None)) == BAD
        assert login().status_code == 200


def test_bad_logins_long_ago_do_not_count(
    vault: Vault, ask: Ask, clock: SettableClock, login: Callable[[], requests.Response]
) -> None:
    """The counter starts anew 15 minutes after the last bad one."""
    wrong = {"role_id": vault.role_id, "secret_id": "wrong"}
    for _ in range(4):
        ask("POST", LOGIN, wrong, token=None)
    clock.ahead = 901

    for _ in range(4):
        assert said(ask("POST", LOGIN, wrong, token=None)) == BAD
    assert login().status_code == 200


def test_a_role_says_how_long_its_tokens_live(vault: Vault, ask: Ask) -> None:
    """`token_ttl` and `token_max_ttl`, in seconds or as Go writes them."""
    vault.role(token_ttl="1h", token_max_ttl=7200, bind_secret_id="true")

    role = ask("GET", ROLE).json()["data"]
    auth = ask(
        "POST", LOGIN, {"role_id": vault.role_id, "secret_id": vault.secret_id}, token=None
    ).json()["auth"]

    assert role == {
        "bind_secret_id": True,
        "local_secret_ids": False,
        "secret_id_bound_cidrs": None,
        "secret_id_num_uses": 0,
        "secret_id_ttl": 0,
        "token_bound_cidrs": [],
        "token_explicit_max_ttl": 0,
        "token_max_ttl": 7200,
        "token_no_default_policy": False,
        "token_num_uses": 0,
        "token_period": 0,
        "token_policies": ["app"],
        "token_ttl": 3600,
        "token_type": "default",
    }
    assert auth["lease_duration"] == 3600


def test_a_role_may_leave_out_the_default_policy(vault: Vault, ask: Ask) -> None:
    """And then its tokens cannot even look themselves up."""
    vault.role(policies=["b", "A"], token_no_default_policy=True, token_num_uses=2)

    token = vault.token

    assert said(ask("GET", "auth/token/lookup-self", token=token))[0] == 403
    shown = ask("POST", "auth/token/lookup", {"token": token}).json()["data"]
    assert (shown["policies"], shown["num_uses"]) == (["a", "b"], 1)


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        (
            {"token_ttl": "3h", "token_max_ttl": "2h"},
            (400, ["'token_ttl' cannot be greater than 'token_max_ttl'"]),
        ),
        ({"token_num_uses": -1}, (400, ["'token_num_uses' cannot be negative"])),
        ({"secret_id_num_uses": -1}, (400, ["secret_id_num_uses cannot be negative"])),
        (
            {"token_ttl": -1},
            (
                400,
                [
                    (
                        'error converting input for field "token_ttl": '
                        "cannot provide negative value '-1'"
                    )
                ],
            ),
        ),
        (
            {"token_ttl": "soon"},
            (400, ['error converting input for field "token_ttl": time: invalid duration "soon"']),
        ),
        (
            {"bind_secret_id": "maybe"},
            (
                400,
                [
                    (
                        'error converting input for field "bind_secret_id": '
                        "'' cannot parse value as 'bool': strconv.ParseBool: invalid syntax"
                    )
                ],
            ),
        ),
        (
            {"bind_secret_id": []},
            (
                400,
                [
                    (
                        'error converting input for field "bind_secret_id": '
                        "'' expected type 'bool', got unconvertible type '[]interface {}'"
                    )
                ],
            ),
        ),
        (
            {"token_num_uses": 1.5},
            (
                400,
                [
                    (
                        'error converting input for field "token_num_uses": '
                        "'' cannot parse value as 'int': strconv.ParseInt: invalid syntax"
                    )
                ],
            ),
        ),
        (
            {"token_ttl": True},
            (
                400,
                [
                    (
                        'error converting input for field "token_ttl": '
                        "could not parse duration from input"
                    )
                ],
            ),
        ),
        (
            {"bind_secret_id": False},
            (
                500,
                [
                    (
                        "1 error occurred:\n\t* at least one constraint should be enabled on the "
                        "role\n\n"
                    )
                ],
            ),
        ),
        (
            {"secret_id_bound_cidrs": "x"},
            (
                500,
                [
                    (
                        "1 error occurred:\n\t* failed to validate CIDR blocks: "
                        "invalid CIDR address: x\n\n"
                    )
                ],
            ),
        ),
        (
            {"token_bound_cidrs": "x"},
            (
                400,
                [
                    (
                        'error parsing address "x": Unable to convert "x" to an IPv4 or IPv6 '
                        "address, or a UNIX Socket"
                    )
                ],
            ),
        ),
        ({"token_type": "x"}, (400, ["invalid 'token_type' value \"x\""])),
        ({"role_id": ""}, (400, ["invalid role_id supplied, or failed to generate a role_id"])),
        (
            {"local_secret_ids": True},
            (400, ["local_secret_ids can only be modified during role creation"]),
        ),
    ],
)
def test_a_role_refuses_what_cannot_be_meant(
    ask: Ask, fields: dict[str, Any], answer: tuple[int, list[str]]
) -> None:
    """In Vault's words, and without a change."""
    before = ask("GET", ROLE).json()["data"]

    assert said(ask("POST", ROLE, fields)) == answer
    assert ask("GET", ROLE).json()["data"] == before


def test_the_old_names_of_a_roles_fields_still_work(ask: Ask) -> None:
    """They are shown as long as they were set by them (tokenutil.UpgradeValue)."""
    ask("POST", ROLE, {"policies": "p1,p2", "period": 60})
    old = ask("GET", ROLE).json()["data"]
    ask("POST", ROLE, {"token_policies": [], "token_period": 0})
    new = ask("GET", ROLE).json()["data"]

    assert (old["policies"], old["token_policies"]) == (["p1", "p2"], ["p1", "p2"])
    assert (old["period"], old["token_period"]) == (60, 60)
    assert "policies" not in new
    assert "period" not in new
    assert (new["token_policies"], new["token_period"]) == ([], 0)


def test_roles_are_listed_read_and_deleted(vault: Vault, ask: Ask) -> None:
    """A name is the same in capital letters."""
    ask("POST", "auth/approle/role/Web", {"token_ttl": 60})

    assert ask("LIST", "auth/approle/role").json()["data"] == {"keys": ["app", "web"]}
    assert ask("GET", "auth/approle/role/WEB").json()["data"]["token_ttl"] == 60
    assert ask("DELETE", "auth/approle/role/web").status_code == 204
    assert ask("DELETE", "auth/approle/role/web").status_code == 204
    assert said(ask("GET", "auth/approle/role/web")) == (404, [])
    ask("DELETE", ROLE)
    assert said(ask("LIST", "auth/approle/role")) == (404, [])


def test_a_max_ttl_beyond_the_mounts_is_a_warning(ask: Ask) -> None:
    """A 204 becomes a 200 when there is something to say."""
    answer = ask("POST", ROLE, {"token_max_ttl": "9999h"})

    assert answer.status_code == 200
    assert answer.json()["warnings"] == [
        (
            "token_max_ttl is greater than the backend mount's maximum TTL value; "
            "issued tokens' max TTL value will be truncated"
        )
    ]


def test_a_role_id_can_be_chosen(vault: Vault, ask: Ask) -> None:
    """Once: another role cannot have it."""
    ask("POST", f"{ROLE}/role-id", {"role_id": "mine"}).raise_for_status()

    assert ask("GET", f"{ROLE}/role-id").json()["data"] == {"role_id": "mine"}
    assert said(ask("POST", f"{ROLE}/role-id", {})) == (400, ["missing role_id"])
    assert said(ask("POST", "auth/approle/role/other", {"role_id": "mine"})) == (
        500,
        ["1 error occurred:\n\t* role_id already in use\n\n"],
    )
    assert said(ask("GET", "auth/approle/role/nope/role-id")) == (404, [])
    assert said(ask("POST", "auth/approle/role/nope/role-id", {"role_id": "x"})) == (
        404,
        ["1 error occurred:\n\t* unsupported path\n\n"],
    )
    ids = {"role_id": "mine", "secret_id": vault.secret_id}
    assert ask("POST", LOGIN, ids, token=None).status_code == 200


@pytest.mark.parametrize(
    ("part", "field", "default", "value"),
    [
        ("policies", "token_policies", ["app"], ["a", "b"]),
        ("secret-id-bound-cidrs", "secret_id_bound_cidrs", None, ["127.0.0.0/8"]),
        ("token-bound-cidrs", "token_bound_cidrs", None, ["127.0.0.0/8"]),
        ("bind-secret-id", "bind_secret_id", True, True),
        ("secret-id-num-uses", "secret_id_num_uses", 0, 5),
        ("secret-id-ttl", "secret_id_ttl", 0, 60),
        ("period", "token_period", 0, 60),
        ("token-num-uses", "token_num_uses", 0, 4),
        ("token-ttl", "token_ttl", 0, 60),
        ("token-max-ttl", "token_max_ttl", 0, 60),
    ],
)
def test_each_setting_of_a_role_has_a_path_of_its_own(
    ask: Ask, part: str, field: str, default: Any, value: Any
) -> None:
    """Read, change, and back to the default."""
    path = f"{ROLE}/{part}"
    first = ask("GET", path).json()["data"]
    changed = ask("POST", path, {field: value}).status_code
    second = ask("GET", path).json()["data"]
    deleted = ask("DELETE", path).status_code

    assert first == {field: default}
    assert second == {field: value}
    assert (changed, deleted) == (204, 204)
    assert ask("GET", f"auth/approle/role/nope/{part}").status_code == 404
    assert ask("DELETE", f"auth/approle/role/nope/{part}").status_code == 204


def test_a_setting_that_is_not_named_is_missing(ask: Ask) -> None:
    """The message names the field; blocks of addresses may be left out."""
    assert said(ask("POST", f"{ROLE}/token-ttl", {})) == (400, ["missing token_ttl"])
    assert said(ask("POST", f"{ROLE}/period", {})) == (400, ["missing period"])
    assert ask("POST", f"{ROLE}/token-bound-cidrs", {}).status_code == 204


def test_the_old_path_of_the_bound_blocks_warns(ask: Ask) -> None:
    """It writes what the new one reads."""
    written = ask("POST", f"{ROLE}/bound-cidr-list", {"bound_cidr_list": "10.0.0.0/8"})
    read = ask("GET", f"{ROLE}/bound-cidr-list").json()

    assert written.status_code == 204
    assert read["data"] == {"bound_cidr_list": None}
    assert read["warnings"] == [
        (
            'The "bound_cidr_list" field is deprecated and will be removed. '
            'Please use "secret_id_bound_cidrs" instead.'
        )
    ]
    assert ask("GET", ROLE).json()["data"]["secret_id_bound_cidrs"] == ["10.0.0.0/8"]
    assert said(ask("GET", "auth/approle/role/nope/bound-cidr-list")) == (404, [])
    assert ask("GET", f"{ROLE}/local-secret-ids").json()["data"] == {"local_secret_ids": False}


def test_addresses_outside_a_roles_blocks_cannot_log_in(vault: Vault, ask: Ask) -> None:
    """The client here comes from 127.0.0.1."""
    ids = {"role_id": vault.role_id, "secret_id": vault.secret_id}
    vault.role(secret_id_bound_cidrs=["127.0.0.0/8", "::1/128"])
    inside = ask("POST", LOGIN, ids, token=None).status_code
    vault.role(secret_id_bound_cidrs=["10.0.0.0/8"])
    outside = ask("POST", LOGIN, ids, token=None)

    assert inside == 200
    assert outside.status_code == 400
    assert 'source address "127.0.0.1" unauthorized' in outside.json()["errors"][0]


def test_parts_keep_what_the_real_ones_keep(vault: Vault, ask: Ask) -> None:
    """Old names, words of their own, and the warnings of both kinds."""
    role = "auth/approle/role/parts"
    ask("POST", role, {"period": 60, "policies": ["A"], "token_ttl": 60}).raise_for_status()
    both = ask("POST", f"{role}/policies", {"policies": "X", "token_policies": "X"})
    shown = ask("GET", role).json()["data"]
    period = ask("GET", f"{role}/period").json()["data"]
    ask("DELETE", f"{role}/policies")
    ask("DELETE", f"{role}/period")
    ask("POST", f"{role}/bound-cidr-list", {"bound_cidr_list": "10.0.0.0/8"})
    ask("DELETE", f"{role}/bound-cidr-list")
    ask("DELETE", "auth/approle/role/nope/bound-cidr-list")
    after = ask("GET", role).json()["data"]
    warned = ask("POST", role, {"token_max_ttl": "9000h", "token_type": "default-service"})

    assert both.status_code == 204
    assert (shown["policies"], shown["token_policies"]) == (["x"], ["x"])
    assert period == {"period": 60, "token_period": 60}
    assert "policies" not in after
    assert "period" not in after
    assert after["secret_id_bound_cidrs"] == ["10.0.0.0/8"]
    assert len(warned.json()["warnings"]) == 2
    assert ask("POST", role, {"token_type": "batch", "period": 60}).ok


@pytest.mark.parametrize(
    ("part", "body", "why"),
    [
        ("secret-id-bound-cidrs", {"secret_id_bound_cidrs": []}, "missing bound_cidr_list"),
        (
            "bound-cidr-list",
            {"bound_cidr_list": "x"},
            "failed to validate CIDR blocks: invalid CIDR address: x",
        ),
        (
            "token-bound-cidrs",
            {"token_bound_cidrs": "x"},
            (
                'failed to parse token_bound_cidrs: error parsing address "x": Unable to convert'
                ' "x" to an IPv4 or IPv6 address, or a UNIX Socket'
            ),
        ),
        (
            "token-max-ttl",
            {"token_max_ttl": 30},
            "token_max_ttl should be greater than or equal to token_ttl",
        ),
    ],
)
def test_parts_refuse_in_words_of_their_own(
    ask: Ask, part: str, body: dict[str, str], why: str
) -> None:
    """Which are not the whole role's (seen)."""
    role = "auth/approle/role/parts"
    ask("POST", role, {"token_ttl": 60}).raise_for_status()

    assert said(ask("POST", f"{role}/{part}", body)) == (400, [why])


def test_a_constraint_is_needed_whatever_the_warning(ask: Ask) -> None:
    """A type of tokens that is warned of makes 400 of the 500 (seen)."""
    body = {"bind_secret_id": False}
    words = ["1 error occurred:\n\t* at least one constraint should be enabled on the role\n\n"]
    warned = {**body, "token_type": "default-service"}

    assert said(ask("POST", "auth/approle/role/x", body)) == (500, words)
    assert said(ask("POST", "auth/approle/role/x", warned)) == (400, words)


def test_a_secret_id_of_another_role(vault: Vault, ask: Ask) -> None:
    """Its accessor is known, and is none of this role's (seen)."""
    vault.role("other")
    made = ask("POST", "auth/approle/role/other/secret-id", {}).json()["data"]
    body = {"secret_id_accessor": made["secret_id_accessor"]}
    path = "auth/approle/role/app/secret-id-accessor"

    assert ask("POST", f"{path}/lookup", body).status_code == 204
    assert said(ask("POST", f"{path}/destroy", body)) == (403, ["invalid secret id accessor"])


def test_no_blocks_and_blocks_that_were_never_set_are_not_the_same(ask: Ask) -> None:
    """Where the list has a path of its own; null there is what was never set."""
    role = "auth/approle/role/blocks"
    ask("POST", role, {})
    names = ("token-bound-cidrs", "secret-id-bound-cidrs")
    never = [list(ask("GET", f"{role}/{name}").json()["data"].values()) for name in names]
    ask("POST", role, {"token_bound_cidrs": [], "secret_id_bound_cidrs": ""})
    empty = [list(ask("GET", f"{role}/{name}").json()["data"].values()) for name in names]

    assert (never, empty) == ([[None], [None]], [[[]], [[]]])
    assert ask("GET", role).json()["data"]["token_bound_cidrs"] == []


def test_the_last_constraint_cannot_be_deleted(ask: Ask) -> None:
    """Nor moved to another role by its id."""
    role = "auth/approle/role/bound"
    ask("POST", role, {"bind_secret_id": False, "token_bound_cidrs": "10.0.0.0/8"})
    words = "1 error occurred:\n\t* at least one constraint should be enabled on the role\n\n"

    assert said(ask("DELETE", f"{role}/token-bound-cidrs")) == (500, [words])
    assert ask("GET", role).json()["data"]["token_bound_cidrs"] == ["10.0.0.0/8"]


def test_a_block_of_one_address_is_shown_as_the_address(vault: Vault, ask: Ask) -> None:
    """Of the role's tokens; a secret id keeps what was written (go-sockaddr; seen)."""
    role = "auth/approle/role/app"
    ask("POST", role, {"token_bound_cidrs": ["127.0.0.1/32", "::1/128", "127.0.0.0/8"]})
    shown = ask("GET", role).json()["data"]["token_bound_cidrs"]
    body = {"token_bound_cidrs": ["127.0.0.1/32"]}
    secret_id = ask("POST", f"{role}/secret-id", body).json()["data"]["secret_id"]
    ids = {"role_id": vault.role_id, "secret_id": secret_id}
    token = ask("POST", "auth/approle/login", ids, token=None).json()["auth"]["client_token"]
    looked_up = ask("POST", f"{role}/secret-id/lookup", {"secret_id": secret_id}).json()["data"]

    assert shown == ["127.0.0.1", "::1", "127.0.0.0/8"]
    assert looked_up["token_bound_cidrs"] == ["127.0.0.1/32"]
    own = ask("GET", "auth/token/lookup-self", token=token).json()["data"]
    assert own["bound_cidrs"] == ["127.0.0.1"]
    assert ask("POST", f"{role}/token-bound-cidrs", {}).status_code == 204
    assert ask("POST", f"{role}/secret-id-bound-cidrs", {}).status_code == 204


def test_what_is_refused_first(ask: Ask) -> None:
    """Token fields, then the role's own, then what it has no constraint for, then its id."""
    role, other = "auth/approle/role/first", "auth/approle/role/other"
    ask("POST", role, {})
    ask("POST", other, {"role_id": "taken"})
    batch = {"token_type": "batch", "local_secret_ids": False, "token_num_uses": 3}
    words = "'token_type' cannot be 'batch' or 'default_batch' when set to generate"
    no_id = {"secret_id_bound_cidrs": "-5", "role_id": ""}
    no_bind = {"bind_secret_id": False, "role_id": "taken", "token_max_ttl": "9000h"}

    assert said(ask("POST", role, batch)) == (400, [f"{words} tokens with limited use count"])
    assert said(ask("POST", role, no_id))[1][0].startswith("invalid role_id supplied")
    status, errors = said(ask("POST", role, no_bind))
    assert (status, "at least one constraint" in errors[0]) == (400, True)


def test_a_period_that_the_mount_does_not_allow(ask: Ask) -> None:
    """Under the new name it is refused on its own path only, and printed as none."""
    role = "auth/approle/role/long"
    words = 'is greater than the backend\'s maximum lease TTL of "768h0m0s"'
    ask("POST", role, {})

    assert said(ask("POST", role, {"period": "9000h"})) == (400, [f'period of "9000h0m0s" {words}'])
    assert ask("POST", role, {"token_period": "9000h"}).status_code == 204
    assert said(ask("POST", f"{role}/period", {"token_period": "9000h"})) == (
        400,
        [f'period of "0s" {words}'],
    )


def test_old_policies_show_on_their_own_path(ask: Ask) -> None:
    """In order, and in lower case."""
    role = "auth/approle/role/old"
    ask("POST", role, {"policies": ["Z", "a"]})

    assert ask("GET", f"{role}/policies").json()["data"] == {
        "policies": ["a", "z"],
        "token_policies": ["a", "z"],
    }
    ask("POST", f"{role}/policies", {"policies": "B"}).raise_for_status()
    assert ask("GET", role).json()["data"]["policies"] == ["b"]


def test_the_roles_blocks_may_become_narrower_than_a_secret_ids(ask: Ask) -> None:
    """Its logins end."""
    role = "auth/approle/role/narrow"
    ask("POST", role, {})
    role_id = ask("GET", f"{role}/role-id").json()["data"]["role_id"]
    body = {"cidr_list": "127.0.0.1/32"}
    secret_id = ask("POST", f"{role}/secret-id", body).json()["data"]["secret_id"]
    ask("POST", role, {"secret_id_bound_cidrs": "10.0.0.0/8"})
    ids = {"role_id": role_id, "secret_id": secret_id}
    words = "failed to verify subset relationship between CIDR blocks on the role"
    tail = 'and CIDR blocks on the secret ID ["127.0.0.1/32"]: %!w(<nil>)'

    assert said(ask("POST", "auth/approle/login", ids, token=None)) == (
        500,
        [f'{words} ["10.0.0.0/8"] {tail}'],
    )


@pytest.mark.parametrize(
    ("part", "body"),
    [("role-id", {"role_id": []}), ("bound-cidr-list", {"bound_cidr_list": {"a": 1}})],
)
def test_a_value_is_looked_at_before_the_role(ask: Ask, part: str, body: dict[str, Any]) -> None:
    """It cannot be read, whether there is such a role or not (seen)."""
    answers = [ask("POST", f"auth/approle/role/{name}/{part}", body) for name in ("app", "nope")]

    assert [one.status_code for one in answers] == [400, 400]
    assert said(answers[0]) == said(answers[1])
    assert "Field validation failed: error converting input" in answers[1].json()["errors"][0]
