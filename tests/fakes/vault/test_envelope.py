"""The form of every answer: fields, headers, and JSON as Go writes it."""

import re
from collections.abc import Callable

import pytest
import requests

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_a_success_has_every_field_in_order_and_null_for_those_without_a_value(
    vault: Vault, ask: Ask
) -> None:
    """Hvac and the Go client index these fields without asking whether they are there."""
    vault.put("secret/myapp", {"password": "s3cr3t"})

    answer = ask("GET", "secret/data/myapp").json()

    assert UUID.fullmatch(answer.pop("request_id"))
    created = answer["data"]["metadata"].pop("created_time")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", created)
    assert list(answer) == [
        "lease_id",
        "renewable",
        "lease_duration",
        "data",
        "wrap_info",
        "warnings",
        "auth",
        "mount_type",
    ]
    assert answer == {
        "lease_id": "",
        "renewable": False,
        "lease_duration": 0,
        "data": {
            "data": {"password": "s3cr3t"},
            "metadata": {
                "custom_metadata": None,
                "deletion_time": "",
                "destroyed": False,
                "version": 1,
            },
        },
        "wrap_info": None,
        "warnings": None,
        "auth": None,
        "mount_type": "kv",
    }


def test_two_answers_have_two_request_ids(ask: Ask) -> None:
    """Each request has an id of its own."""
    first, second = (ask("GET", "sys/mounts").json()["request_id"] for _ in range(2))

    assert first != second


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "sys/health", 200),
        ("GET", "auth/token/lookup-self", 200),
        ("POST", "kv1/a", 204),
        ("GET", "secret/data/nope", 404),
        ("GET", "secret/nope", 404),
        ("PATCH", "secret/data/nope", 415),
        ("GET", "sys/internal/ui/mounts/nope", 403),
        ("FOO", "secret/data/a", 405),
        ("DELETE", "secret/data/nope", 204),
    ],
)
def test_every_answer_says_application_json_and_nothing_else(
    vault: Vault, ask: Ask, method: str, path: str, status: int
) -> None:
    """Hvac compares the whole Content-Type, and drops the errors if it has a charset."""
    vault.mount("kv1", version=1)

    answer = ask(method, path, {"a": 1}, headers={"Content-Type": "application/json"})

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_a_204_has_no_body(ask: Ask) -> None:
    """A write without anything to say is 204."""
    answer = ask("PUT", "sys/policies/acl/p", {"policy": 'path "a" { policy = "read" }'})

    assert (answer.status_code, answer.content) == (204, b"")


def test_json_is_escaped_and_sorted_as_go_does_it_and_numbers_keep_their_digits(
    vault: Vault, ask: Ask
) -> None:
    """Vault decodes with UseNumber and encodes with encoding/json's defaults."""
    vault.mount("kv1", version=1)
    sent = (
        b'{"z":1.10,"b":1e5,"a":"<&>\\u2028","n":12345678901234567890,"u":"\xc3\xbc","e":{},"l":[]}'
    )
    ask("POST", "kv1/a", sent)

    text = ask("GET", "kv1/a").text

    assert (
        '"data":{"a":"\\u003c\\u0026\\u003e\\u2028","b":1e5,"e":{},"l":[],'
        '"n":12345678901234567890,"u":"ü","z":1.10}' in text
    )
    assert text.endswith("}\n")


def test_old_sys_routes_repeat_their_data_at_the_top(ask: Ask) -> None:
    """Clients from before the envelope read sys/mounts at the top level."""
    answer = ask("GET", "sys/mounts").json()

    assert answer["secret/"]["options"] == {"version": "2"}
    assert answer["data"]["secret/"] == answer["secret/"]
    assert answer["mount_type"] == "system"


def test_a_login_has_null_data_and_an_auth_block(
    vault: Vault, login: Callable[[], requests.Response]
) -> None:
    """The auth block of a login, field by field."""
    answer = login().json()

    auth = answer["auth"]
    assert answer["data"] is None
    assert answer["mount_type"] == "approle"
    assert list(auth) == [
        "client_token",
        "accessor",
        "policies",
        "token_policies",
        "metadata",
        "lease_duration",
        "renewable",
        "entity_id",
        "token_type",
        "orphan",
        "mfa_requirement",
        "num_uses",
    ]
    assert re.fullmatch(r"hvs\.[A-Za-z0-9_-]{91}", auth.pop("client_token"))
    assert re.fullmatch(r"[A-Za-z0-9]{24}", auth.pop("accessor"))
    assert UUID.fullmatch(auth.pop("entity_id"))
    assert auth == {
        "policies": ["app", "default"],
        "token_policies": ["app", "default"],
        "metadata": {"role_name": "app"},
        "lease_duration": 2764800,
        "renewable": True,
        "token_type": "service",
        "orphan": True,
        "mfa_requirement": None,
        "num_uses": 0,
    }


def test_ids_are_minted_for_each_vault(vault: Vault) -> None:
    """They are canaries: a secret found in a log can only have come from this fake."""
    with Vault() as other:
        first = {vault.root_token, vault.role_id, vault.secret_id, *vault.unseal_keys}
        second = {other.root_token, other.role_id, other.secret_id, *other.unseal_keys}

    assert len(first) == len(second) == 8
    assert not first & second
    assert re.fullmatch(r"hvs\.[A-Za-z0-9]{24}", vault.root_token)
    assert UUID.fullmatch(vault.role_id)
    assert UUID.fullmatch(vault.secret_id)
