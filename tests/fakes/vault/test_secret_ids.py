"""Secret ids: made, looked up, used up, run out, destroyed."""

from typing import Any

import pytest

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, SettableClock, said

BAD = (400, ["invalid role or secret ID"])
ROLE = "auth/approle/role/app"
LOGIN = "auth/approle/login"


def new(ask: Ask, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """A new secret id."""
    data: dict[str, Any] = ask("POST", f"{ROLE}/secret-id", body or {}).json()["data"]
    return data


def test_a_secret_id_comes_with_an_accessor_uses_and_a_time(vault: Vault, ask: Ask) -> None:
    """Those of the role unless others are asked for."""
    vault.role(secret_id_num_uses=3, secret_id_ttl="10m")

    made = new(ask, {"num_uses": 2, "ttl": 60, "metadata": '{"team":"a"}'})
    usual = new(ask)

    assert len(made["secret_id"]) == len(made["secret_id_accessor"]) == 36
    assert (made["secret_id_num_uses"], made["secret_id_ttl"]) == (2, 60)
    assert (usual["secret_id_num_uses"], usual["secret_id_ttl"]) == (3, 600)


def test_a_secret_id_is_used_up_by_the_logins_themselves(vault: Vault, ask: Ask) -> None:
    """A login that is retried because its answer was lost burns a use."""
    made = new(ask, {"num_uses": 2})
    ids = {"role_id": vault.role_id, "secret_id": made["secret_id"]}

    statuses = [ask("POST", LOGIN, ids, token=None).status_code for _ in range(2)]

    assert statuses == [200, 200]
    assert said(ask("POST", LOGIN, ids, token=None)) == BAD


def test_a_secret_id_runs_out_on_the_fakes_clock(
    vault: Vault, ask: Ask, clock: SettableClock
) -> None:
    """Its time is over at the second, and then it is as good as unknown."""
    made = new(ask, {"ttl": 60})
    ids = {"role_id": vault.role_id, "secret_id": made["secret_id"]}
    clock.ahead = 59
    before = ask("POST", LOGIN, ids, token=None).status_code
    clock.ahead = 61

    assert before == 200
    assert said(ask("POST", LOGIN, ids, token=None)) == BAD
    accessor = {"secret_id_accessor": made["secret_id_accessor"]}
    clock.ahead = 125
    assert ask("POST", f"{ROLE}/secret-id-accessor/lookup", accessor).status_code == 404


@pytest.mark.parametrize("how", ["by itself", "at once"])
def test_what_is_over_is_listed_until_it_is_tidied(
    vault: Vault, ask: Ask, clock: SettableClock, how: str
) -> None:
    """Once a minute, or when it is asked for (path_tidy_user_id.go; seen on OpenBao)."""
    made = new(ask, {"ttl": 10})
    accessor = {"secret_id_accessor": made["secret_id_accessor"]}
    clock.ahead = 20
    before = (
        made["secret_id_accessor"] in ask("LIST", f"{ROLE}/secret-id").json()["data"]["keys"],
        ask("POST", f"{ROLE}/secret-id-accessor/lookup", accessor).status_code,
    )
    if how == "by itself":
        clock.ahead = 80
    else:
        ask("POST", "auth/approle/tidy/secret-id")
    after = ask("LIST", f"{ROLE}/secret-id").json()["data"]["keys"]

    assert before == (True, 204)
    assert made["secret_id_accessor"] not in after
    assert ask("POST", f"{ROLE}/secret-id-accessor/lookup", accessor).status_code == 404


def test_accessors_outlive_their_role_for_a_while(ask: Ask, clock: SettableClock) -> None:
    """A role that is deleted leaves them behind (flushRoleSecrets; seen on OpenBao)."""
    made = new(ask)
    accessor = {"secret_id_accessor": made["secret_id_accessor"]}
    ask("POST", "auth/approle/role/other", {})
    ask("DELETE", ROLE)
    destroy = "auth/approle/role/other/secret-id-accessor/destroy"
    answers = [ask("POST", destroy, accessor)]
    clock.ahead = 61
    answers.append(ask("POST", destroy, accessor))

    assert said(answers[0]) == (403, ["invalid secret id accessor"])
    assert answers[1].status_code == 500


def test_its_metadata_becomes_the_tokens(vault: Vault, ask: Ask) -> None:
    """With the role's name, which is always there."""
    made = new(ask, {"metadata": "team=a,stage=prod"})
    ids = {"role_id": vault.role_id, "secret_id": made["secret_id"]}

    auth = ask("POST", LOGIN, ids, token=None).json()["auth"]

    assert auth["metadata"] == {"role_name": "app", "stage": "prod", "team": "a"}


def test_a_lookup_shows_all_but_the_secret_id(ask: Ask) -> None:
    """By secret id and by accessor alike; an unknown secret id is 204."""
    made = new(ask, {"ttl": "1h", "metadata": '{"a":"b"}', "cidr_list": ["127.0.0.0/8"]})
    for_ever = new(ask)

    shown = ask("POST", f"{ROLE}/secret-id/lookup", {"secret_id": made["secret_id"]}).json()["data"]
    accessor = {"secret_id_accessor": made["secret_id_accessor"]}
    again = ask("POST", f"{ROLE}/secret-id-accessor/lookup", accessor).json()["data"]
    other = ask("POST", f"{ROLE}/secret-id/lookup", {"secret_id": for_ever["secret_id"]}).json()

    assert again == shown
    assert shown["creation_time"] == shown["last_updated_time"] < shown["expiration_time"]
    assert {name: shown[name] for name in sorted(shown) if not name.endswith("_time")} == {
        "cidr_list": ["127.0.0.0/8"],
        "metadata": {"a": "b"},
        "secret_id_accessor": made["secret_id_accessor"],
        "secret_id_num_uses": 0,
        "secret_id_ttl": 3600,
        "token_bound_cidrs": [],
    }
    assert other["data"]["expiration_time"] == "0001-01-01T00:00:00Z"
    assert ask("POST", f"{ROLE}/secret-id/lookup", {"secret_id": "nope"}).status_code == 204


def test_an_unknown_accessor_is_a_404_with_an_envelope(ask: Ask) -> None:
    """Its error is in the data: a client that looks for `errors` finds none."""
    answer = ask("POST", f"{ROLE}/secret-id-accessor/lookup", {"secret_id_accessor": "nope"})

    assert answer.status_code == 404
    assert "errors" not in answer.json()
    assert answer.json()["data"] == {
        "error": 'failed to find accessor entry for secret_id_accessor: "nope"'
    }
    assert answer.text.endswith("}")


def test_accessors_are_listed(vault: Vault, ask: Ask) -> None:
    """Those of one role; none is 404, no role is 400."""
    made = new(ask)
    ask("POST", "auth/approle/role/empty", {})

    keys = ask("LIST", f"{ROLE}/secret-id").json()["data"]["keys"]

    assert len(keys) == 2
    assert made["secret_id_accessor"] in keys
    assert said(ask("LIST", "auth/approle/role/empty/secret-id")) == (404, [])
    assert said(ask("LIST", "auth/approle/role/nope/secret-id")) == (
        400,
        ['role "nope" does not exist'],
    )


def test_a_destroyed_secret_id_logs_in_no_more(vault: Vault, ask: Ask) -> None:
    """By secret id, by query, by accessor; twice is fine."""
    first, second, third = new(ask), new(ask), new(ask)
    one = {"secret_id": first["secret_id"]}
    ends = [
        ask("POST", f"{ROLE}/secret-id/destroy", one).status_code,
        ask("POST", f"{ROLE}/secret-id/destroy", one).status_code,
        ask("DELETE", f"{ROLE}/secret-id/destroy?secret_id={second['secret_id']}").status_code,
        ask(
            "POST",
            f"{ROLE}/secret-id-accessor/destroy",
            {"secret_id_accessor": third["secret_id_accessor"]},
        ).status_code,
    ]

    assert ends == [204, 204, 204, 204]
    for made in (first, second, third):
        ids = {"role_id": vault.role_id, "secret_id": made["secret_id"]}
        assert said(ask("POST", LOGIN, ids, token=None)) == BAD


def test_a_secret_id_can_be_chosen_once(vault: Vault, ask: Ask) -> None:
    """A second time it is registered already."""
    mine = {"secret_id": "mine"}
    path = f"{ROLE}/custom-secret-id"
    first = ask("POST", path, mine)

    assert first.json()["data"]["secret_id"] == "mine"
    assert said(ask("POST", path, mine)) == (
        500,
        ["1 error occurred:\n\t* failed to store secret_id: SecretID is already registered\n\n"],
    )
    assert said(ask("POST", path, {})) == (400, ["missing secret_id"])
    ids = {"role_id": vault.role_id, **mine}
    assert ask("POST", LOGIN, ids, token=None).status_code == 200


NO_ROLE = '1 error occurred:\n\t* role "nope" does not exist\n\n'
NO_METADATA = "failed to parse metadata: failed to parse the input: invalid <key,value> format"


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        ("secret-id", {"num_uses": -1}, (400, ["num_uses cannot be negative"])),
        (
            "secret-id",
            {"num_uses": 0},
            (400, ["num_uses cannot be higher than the role's secret_id_num_uses"]),
        ),
        (
            "secret-id",
            {"num_uses": 9},
            (400, ["num_uses cannot be higher than the role's secret_id_num_uses"]),
        ),
        ("secret-id", {"ttl": 0}, (400, ["ttl cannot be longer than the role's secret_id_ttl"])),
        ("secret-id", {"ttl": "1h"}, (400, ["ttl cannot be longer than the role's secret_id_ttl"])),
        ("secret-id", {"metadata": "x"}, (400, [NO_METADATA])),
        ("secret-id", {"metadata": '{"a":1}'}, (400, [NO_METADATA])),
        (
            "secret-id",
            {"metadata": {"a": "b"}},
            (
                400,
                [
                    (
                        'Field validation failed: error converting input for field "metadata": '
                        "'' expected type 'string', "
                        "got unconvertible type 'map[string]interface {}'"
                    )
                ],
            ),
        ),
        (
            "secret-id",
            {"cidr_list": "x"},
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
            "secret-id",
            {"token_bound_cidrs": "x"},
            (
                500,
                [
                    (
                        "1 error occurred:\n\t* failed to validate token CIDR blocks: "
                        "invalid CIDR address: x\n\n"
                    )
                ],
            ),
        ),
        ("secret-id/lookup", {}, (400, ["missing secret_id"])),
        ("secret-id/destroy", {}, (400, ["missing secret_id"])),
        ("secret-id-accessor/lookup", {}, (400, ["missing secret_id_accessor"])),
        (
            "secret-id-accessor/destroy",
            {"secret_id_accessor": "nope"},
            (
                500,
                [
                    (
                        "1 error occurred:\n\t* failed to find accessor entry for "
                        'secret_id_accessor: "nope"\n\n'
                    )
                ],
            ),
        ),
        ("../nope/secret-id", {}, (404, ['role "nope" does not exist'])),
        ("../nope/secret-id/lookup", {"secret_id": "x"}, (500, [NO_ROLE])),
        ("../nope/secret-id-accessor/lookup", {"secret_id_accessor": "x"}, (500, [NO_ROLE])),
    ],
)
def test_a_request_that_cannot_be_met_says_why(
    vault: Vault, ask: Ask, path: str, body: dict[str, Any], answer: tuple[int, list[str]]
) -> None:
    """In Vault's words; several of them are 500s."""
    vault.role(secret_id_num_uses=3, secret_id_ttl=600)
    full = f"auth/approle/role/{path[3:]}" if path.startswith("../") else f"{ROLE}/{path}"

    assert said(ask("POST", full, body)) == answer


def test_blocks_of_a_secret_id_lie_within_the_roles(vault: Vault, ask: Ask) -> None:
    """And a login from elsewhere is refused."""
    vault.role(secret_id_bound_cidrs=["127.0.0.0/8"])
    inside = new(ask, {"cidr_list": ["127.0.0.2/32"]})
    ids = {"role_id": vault.role_id, "secret_id": inside["secret_id"]}

    outside = ask("POST", f"{ROLE}/secret-id", {"cidr_list": ["10.0.0.0/8"]})
    elsewhere = ask("POST", LOGIN, ids, token=None)

    assert outside.status_code == 500
    assert "failed to verify subset relationship" in outside.json()["errors"][0]
    assert said(elsewhere) == (
        400,
        ['source address "127.0.0.1" unauthorized through CIDR restrictions on the secret ID'],
    )


def test_a_role_without_secret_ids_logs_in_by_role_id_alone(vault: Vault, ask: Ask) -> None:
    """It must be bound to addresses then, and gets no secret ids."""
    vault.role(bind_secret_id=False, secret_id_bound_cidrs=["127.0.0.1/32"])

    logged_in = ask("POST", LOGIN, {"role_id": vault.role_id}, token=None)

    assert logged_in.status_code == 200
    assert said(ask("POST", f"{ROLE}/secret-id", {})) == (
        400,
        ["bind_secret_id is not set on the role"],
    )


def test_tidying_up_is_accepted(ask: Ask) -> None:
    """202, with a warning that it has begun."""
    answer = ask("POST", "auth/approle/tidy/secret-id")

    assert answer.status_code == 202
    assert answer.json()["warnings"] == [
        (
            "Tidy operation successfully started. Any information from the operation will be "
            "printed to Vault's server logs."
        )
    ]


def test_where_a_token_may_be_used_lies_within_the_roles_blocks(ask: Ask) -> None:
    """An error shows a single address with its length, a read of the role without (seen)."""
    role = "auth/approle/role/app"
    ask("POST", role, {"token_bound_cidrs": ["127.0.0.1", "10.0.0.0/8"]}).raise_for_status()
    refused = ask("POST", f"{role}/secret-id", {"token_bound_cidrs": "192.0.2.0/24"})

    assert ask("GET", role).json()["data"]["token_bound_cidrs"] == ["127.0.0.1", "10.0.0.0/8"]
    status, errors = said(refused)
    assert status == 500
    assert 'CIDR blocks on the role ["127.0.0.1/32" "10.0.0.0/8"]' in errors[0]
    inside = ask("POST", f"{role}/secret-id", {"token_bound_cidrs": "10.1.0.0/16"})
    assert inside.status_code == 200
