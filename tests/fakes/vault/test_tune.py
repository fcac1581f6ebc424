"""Tuning, moving and upgrading mounts; and the lockout that a mount has."""

from typing import Any

import pytest

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, SettableClock, said


@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        ("mounts/secret", {"listing_visibility": "foo"}, "invalid listing_visibility foo"),
        (
            "mounts/secret",
            {"token_type": "batch"},
            "'token_type' can only be modified on auth mounts",
        ),
        (
            "auth/token",
            {"token_type": "batch"},
            "'token_type' cannot be set for 'token' or 'ns_token' auth mounts",
        ),
        ("auth/approle", {"token_type": "foo"}, "invalid value for 'token_type'"),
        (
            "mounts/secret",
            {"user_lockout_config": {"lockout_threshold": 3}},
            'tuning of user lockout configuration for auth type "kv" not allowed',
        ),
        (
            "auth/approle",
            {"user_lockout_config": {"lockout_duration": "x"}},
            'time: invalid duration "x"',
        ),
        (
            "mounts/secret",
            {"plugin_version": "v1"},
            "plugin not found in the catalog: kv, version=v1.0.0",
        ),
        ("mounts/secret", {"options": {"version": "1"}}, "cannot downgrade mount from version 2"),
        ("mounts/sys", {"description": "x"}, "cannot tune parameter description of sys/"),
        (
            "mounts/secret",
            {"audit_non_hmac_request_keys": {"a": 1}},
            (
                "Field validation failed: error converting input for field"
                " \"audit_non_hmac_request_keys\": 1 error(s) decoding:\n\n* '[0]' expected type"
                " 'string', got unconvertible type 'map[string]interface {}', value: 'map[a:1]'"
            ),
        ),
    ],
)
def test_what_cannot_be_tuned(ask: Ask, path: str, body: dict[str, Any], why: str) -> None:
    """In the real server's words."""
    assert said(ask("POST", f"sys/{path}/tune", body)) == (400, [why])


def test_what_is_tuned_is_shown(vault: Vault, ask: Ask) -> None:
    """A mount may be listed for those without a token."""
    body = {
        "listing_visibility": "unauth",
        "audit_non_hmac_request_keys": ["a"],
        "passthrough_request_headers": "X-A,X-B",
        "description": "for all",
    }
    ask("POST", "sys/mounts/secret/tune", body).raise_for_status()
    tuned = ask("GET", "sys/mounts/secret/tune").json()["data"]
    listed = ask("GET", "sys/internal/ui/mounts", token=None).json()["data"]
    config = {"force_no_cache": True, "max_lease_ttl": "2h"}
    ask("POST", "sys/mounts/kv9", {"type": "kv", "config": config, "local": True})

    assert tuned["passthrough_request_headers"] == ["X-A", "X-B"]
    assert tuned["listing_visibility"] == "unauth"
    assert listed["secret"] == {
        "secret/": {"description": "for all", "options": {"version": "2"}, "type": "kv"}
    }
    assert ask("GET", "sys/mounts/kv9").json()["data"]["config"]["force_no_cache"] is True
    assert ask("POST", "sys/mounts/sys/tune", {"audit_non_hmac_request_keys": "a"}).ok
    assert ask("POST", "sys/mounts/secret/tune", {"options": {"version": "2"}}).status_code == 204
    assert said(ask("POST", "sys/mounts/x", {"type": "transit", "options": {"version": "1"}})) == (
        400,
        ['secrets engine "transit" does not allow setting a version'],
    )


def test_version_1_becomes_version_2(vault: Vault, ask: Ask) -> None:
    """With its secrets as their first versions."""
    vault.mount("kv1", version=1)
    vault.put("kv1/a", {"n": 1})
    answer = ask("POST", "sys/mounts/kv1/tune", {"options": {"version": "2"}}).json()

    assert answer["warnings"][0].startswith("Upgrading mount from version 1 to version")
    assert ask("GET", "kv1/data/a").json()["data"]["data"] == {"n": 1}
    assert vault.state()["mounts"]["kv1/"] == 2


def test_a_mount_moves(vault: Vault, ask: Ask) -> None:
    """With all that is in it; the real one does it in the background."""
    vault.put("secret/a", {"n": 1})
    moved = ask("POST", "sys/remount", {"from": "secret", "to": "other"}).json()
    ask("POST", "sys/remount", {"from": "auth/approle", "to": "auth/machines"})
    migration = moved["data"]["migration_id"]
    status = ask("GET", f"sys/remount/status/{migration}").json()["data"]["migration_info"]
    ids = {"role_id": vault.role_id, "secret_id": vault.secret_id}

    assert status == {"source_mount": "secret/", "target_mount": "other/", "status": "success"}
    assert ask("GET", "other/data/a").json()["data"]["data"] == {"n": 1}
    assert ask("POST", "auth/machines/login", ids, token=None).status_code == 200
    assert said(ask("GET", "sys/remount/status/x")) == (404, [])


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        ("", "x", "both 'from' and 'to' path must be specified as a string"),
        ("nope", "x", 'no matching mount at "nope/"'),
        ("sys", "x", 'cannot remount "sys/"'),
        ("secret", "auth/x", "cannot remount to destination auth/x/"),
        ("secret", "cubbyhole", "cannot remount to destination cubbyhole/"),
    ],
)
def test_what_cannot_be_moved(ask: Ask, source: str, target: str, why: str) -> None:
    """In Vault's words."""
    assert said(ask("POST", "sys/remount", {"from": source, "to": target})) == (400, [why])


def bad_login(vault: Vault, ask: Ask, times: int) -> list[int]:
    ids = {"role_id": vault.role_id, "secret_id": "x"}
    return [ask("POST", "auth/approle/login", ids, token=None).status_code for _ in range(times)]


def test_the_lockout_is_tuned_listed_and_ended(
    vault: Vault, ask: Ask, clock: SettableClock
) -> None:
    """By role id and mount; a locked role id is refused even when its role is gone."""
    config = {"lockout_threshold": "2", "lockout_duration": "10s"}
    # The name in the documentation, without the last word, is not looked at (seen).
    config["lockout_counter_reset_duration"] = "5s"
    ask("POST", "sys/auth/approle/tune", {"user_lockout_config": config})
    first = bad_login(vault, ask, 3)
    accessor = ask("GET", "sys/auth/approle").json()["data"]["accessor"]
    locked = ask("GET", "sys/locked-users").json()["data"]
    other = ask("GET", "sys/locked-users?mount_accessor=x").json()["data"]["by_namespace"][0]
    ask("POST", f"sys/locked-users/{accessor}/unlock/{vault.role_id}", {})
    ask("POST", f"sys/locked-users/x/unlock/{vault.role_id}", {})
    second = bad_login(vault, ask, 3)
    clock.ahead = 11

    assert first == second == [400, 400, 403]
    assert locked["total"] == 1
    assert locked["by_namespace"][0]["mount_accessors"] == [
        {"mount_accessor": accessor, "counts": 1, "alias_identifiers": [vault.role_id]}
    ]
    assert other["mount_accessors"] == [
        {"mount_accessor": "x", "counts": 0, "alias_identifiers": None}
    ]
    assert bad_login(vault, ask, 1) == [400]
    tuned = ask("GET", "sys/auth/approle/tune").json()["data"]
    assert (tuned["user_lockout_threshold"], tuned["user_lockout_duration"]) == (2, 10)
    config = ask("GET", "sys/auth/approle").json()["data"]["config"]["user_lockout_config"]
    assert config["user_lockout_counter_reset_duration"] == 5


def test_who_was_locked_is_listed_until_the_next_sweep(
    vault: Vault, ask: Ask, clock: SettableClock
) -> None:
    """Every quarter of an hour, whatever has happened since (updateLockedUserEntries; seen)."""
    config = {"lockout_threshold": "2", "lockout_duration": "10s"}
    ask("POST", "sys/auth/approle/tune", {"user_lockout_config": config})
    bad_login(vault, ask, 2)
    totals = []
    for clock.ahead in (11, 800, 901):
        ids = {"role_id": vault.role_id, "secret_id": vault.secret_id}
        assert ask("POST", "auth/approle/login", ids, token=None).status_code == 200
        totals.append(ask("GET", "sys/locked-users").json()["data"]["total"])

    assert totals == [1, 1, 0]


def test_tokens_live_as_long_as_their_method_is_tuned(ask: Ask) -> None:
    """Those of `auth/token`, too; a period is cut, and an explicit limit is not made longer."""
    tuned = {"default_lease_ttl": "10s", "max_lease_ttl": "20s"}
    ask("POST", "sys/auth/token/tune", tuned).raise_for_status()
    made = [
        ask("POST", "auth/token/create", {"policies": ["app"], **body}).json()
        for body in (
            {},
            {"type": "batch"},
            {"ttl": "1h"},
            {"period": "1h"},
            {"explicit_max_ttl": 30},
        )
    ]

    assert [one["auth"]["lease_duration"] for one in made] == [10, 10, 20, 20, 10]
    assert made[2]["warnings"] == [
        'TTL of "1h" exceeded the effective max_ttl of "20s"; TTL value is capped accordingly'
    ]
    assert made[4]["warnings"] is None


def test_the_lockout_can_be_switched_off(vault: Vault, ask: Ask) -> None:
    """Then a bad secret id is 400 for ever."""
    body = {"user_lockout_config": {"lockout_disable": True}}
    ask("POST", "sys/auth/approle/tune", body).raise_for_status()

    assert bad_login(vault, ask, 7) == [400] * 7


REFUSED = {
    "default_lease_ttl": 60,
    "description": "other",
    "audit_non_hmac_request_keys": ["a"],
    "listing_visibility": "foo",
    "token_type": "batch",
    "passthrough_request_headers": ["X-A"],
}


def test_a_refused_tune_keeps_what_came_before_the_refused_field(ask: Ask) -> None:
    """The fields are set one after the other."""
    refused = said(ask("POST", "sys/mounts/secret/tune", REFUSED))
    data = ask("GET", "sys/mounts/secret/tune").json()["data"]

    assert refused == (400, ["invalid listing_visibility foo"])
    assert (data["default_lease_ttl"], data["description"]) == (60, "other")
    assert data["audit_non_hmac_request_keys"] == ["a"]
    assert "passthrough_request_headers" not in data


def test_what_is_tuned_to_nothing_is_not_shown(ask: Ask) -> None:
    """An empty time changes nothing."""
    path = "sys/auth/approle/tune"
    body = {"listing_visibility": "unauth", "passthrough_request_headers": "a"}
    ask("POST", path, {**body, "token_type": "batch", "max_lease_ttl": "2h"}).raise_for_status()
    ask("POST", path, {**dict.fromkeys(body, ""), "token_type": "", "max_lease_ttl": ""})
    data = ask("GET", path).json()["data"]

    assert (data["token_type"], data["max_lease_ttl"]) == ("default-service", 7200)
    assert not {"listing_visibility", "passthrough_request_headers"} & set(data)


def test_unsealing_forgets_how_the_vaults_own_mounts_were_tuned(vault: Vault, ask: Ask) -> None:
    """Others stay as they were (vault/mount.go, runMountUpdates; seen on OpenBao)."""
    for mount in ("sys", "secret"):
        body = {"audit_non_hmac_request_keys": ["a"]}
        ask("POST", f"sys/mounts/{mount}/tune", body).raise_for_status()
    before = "audit_non_hmac_request_keys" in ask("GET", "sys/mounts/sys/tune").json()
    vault.seal()
    for key in vault.unseal_keys[:3]:
        ask("PUT", "sys/unseal", {"key": key})

    assert before
    assert "audit_non_hmac_request_keys" not in ask("GET", "sys/mounts/sys/tune").json()
    assert ask("GET", "sys/mounts/sys/tune").json()["passthrough_request_headers"] == ["Accept"]
    assert "audit_non_hmac_request_keys" in ask("GET", "sys/mounts/secret/tune").json()


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        ("secret", "sys/a", "cannot remount to destination sys/a/"),
        ("secret", "audit/a", "cannot remount to destination audit/a/"),
        ("sys/a", "x", 'cannot remount "sys/a/"'),
        ("auth/approle", "x", 'cannot remount auth mount to non-auth mount "x/"'),
        ("auth/approle", "auth/token", "cannot remount to destination auth/token/"),
        ("secret", "secret/a", 'path already in use at "secret/a/"'),
    ],
)
def test_own_places_stay_what_they_are(ask: Ask, source: str, target: str, why: str) -> None:
    """And what is below them (seen)."""
    assert said(ask("POST", "sys/remount", {"from": source, "to": target})) == (400, [why])


def test_options_are_added_and_taken_away(ask: Ask) -> None:
    """One by one; an engine that the fake has not has them, too."""
    ask("POST", "sys/mounts/x", {"type": "transit"}).raise_for_status()
    for options in ({"a": "b", "c": 1}, ["d=e"], {"a": ""}):
        ask("POST", "sys/mounts/x/tune", {"options": options}).raise_for_status()

    assert ask("GET", "sys/mounts/x/tune").json()["data"]["options"] == {"c": "1", "d": "e"}
    assert ask("GET", "sys/mounts/x").json()["data"]["deprecation_status"] == "supported"


NO_NUMBER = "unable to parse user lockout threshold: strconv.ParseUint: parsing"


@pytest.mark.parametrize(
    ("threshold", "why"),
    [
        ("x", f'{NO_NUMBER} "x": invalid syntax'),
        (-1, f'{NO_NUMBER} "-1": invalid syntax'),
        (True, "unable to convert given user lockout config information"),
    ],
)
def test_a_lockout_has_a_number(ask: Ask, threshold: object, why: str) -> None:
    """Of bad secret ids."""
    body = {"user_lockout_config": {"lockout_threshold": threshold}}

    assert said(ask("POST", "sys/auth/approle/tune", body)) == (400, [why])
