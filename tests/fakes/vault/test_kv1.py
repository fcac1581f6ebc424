"""KV version 1."""

from typing import Any

import pytest

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, said


@pytest.fixture(autouse=True)
def kv1(vault: Vault) -> None:
    """An engine of version 1."""
    vault.mount("kv1", version=1)


def test_a_secret_is_the_data_itself(vault: Vault, ask: Ask) -> None:
    """With the mount's default lease of 32 days, which is no lease."""
    written = ask("POST", "kv1/a", {"password": "s3cr3t"})
    answer = ask("GET", "kv1/a").json()

    assert (written.status_code, written.content) == (204, b"")
    assert answer["data"] == {"password": "s3cr3t"}
    assert (answer["lease_duration"], answer["lease_id"]) == (2764800, "")
    assert answer["mount_type"] == "kv"


@pytest.mark.parametrize(
    ("data", "duration"),
    [
        ({"ttl": "1h"}, 3600),
        ({"ttl": 30}, 30),
        ({"lease": "2m"}, 120),
        ({"ttl": "x"}, 2764800),
        ({"ttl": "2d"}, 172800),
        ({"ttl": ""}, 0),
    ],
)
def test_a_field_named_ttl_is_the_lease(ask: Ask, data: dict[str, Any], duration: int) -> None:
    """It is data all the same."""
    ask("POST", "kv1/a", data)
    answer = ask("GET", "kv1/a").json()

    assert answer["lease_duration"] == duration
    assert answer["data"] == data


def test_a_write_in_version_2s_form_is_stored_as_it_is(ask: Ask) -> None:
    """No error tells the client that it has taken the engine for another."""
    written = ask("POST", "kv1/data/a", {"data": {"n": 1}, "metadata": {}})

    assert written.status_code == 204
    assert ask("GET", "kv1/data/a").json()["data"] == {"data": {"n": 1}, "metadata": {}}


def test_a_write_replaces(ask: Ask) -> None:
    """Nothing of what was before stays."""
    ask("POST", "kv1/a", {"n": 1})
    ask("PUT", "kv1/a", {"m": 2})

    assert ask("GET", "kv1/a").json()["data"] == {"m": 2}


def test_names_are_listed_folders_with_a_slash(ask: Ask) -> None:
    """A name may be both; nothing is 404."""
    for path in ("a", "a/b", "c/d/e"):
        ask("POST", f"kv1/{path}", {"n": 1})

    assert ask("LIST", "kv1").json()["data"] == {"keys": ["a", "a/", "c/"]}
    assert ask("LIST", "kv1/c").json()["data"] == {"keys": ["d/"]}
    assert said(ask("LIST", "kv1/nope")) == (404, [])


def test_deleting_is_for_good(ask: Ask) -> None:
    """And twice is fine."""
    ask("POST", "kv1/a", {"n": 1})
    statuses = [ask("DELETE", "kv1/a").status_code for _ in range(2)]

    assert statuses == [204, 204]
    assert said(ask("GET", "kv1/a")) == (404, [])


def test_what_version_1_cannot_do(ask: Ask) -> None:
    """No patch, no empty secret, none at the mount itself."""
    patch = {"Content-Type": "application/merge-patch+json"}
    no_patch = ask("PATCH", "kv1/a", {"n": 1}, headers=patch)

    assert said(no_patch) == (405, ["1 error occurred:\n\t* unsupported operation\n\n"])
    assert said(ask("POST", "kv1/a", {})) == (400, ["missing data fields"])
    assert said(ask("POST", "kv1", {"n": 1})) == (400, ["missing path"])
    assert said(ask("GET", "kv1")) == (404, [])


def test_what_integrated_storage_cannot_hold_is_500(ask: Ask) -> None:
    """A mebibyte an entry (max_entry_size); the engine says where it failed."""
    answer = ask("POST", "kv1/big", {"x": "a" * 600_000, "y": "a" * 499_992})
    words = "put failed due to value being too large; got 1100102 bytes, max: 1048576 bytes"

    assert said(answer) == (500, [f"1 error occurred:\n\t* failed to write: {words}\n\n"])
    assert ask("GET", "kv1/big").status_code == 404
    assert ask("POST", "kv1/big", {"x": "a" * 1_000_000}).status_code == 204
