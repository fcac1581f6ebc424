"""sys/mounts, sys/auth and sys/internal/ui/mounts."""

from typing import Any

import pytest

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, said

UI = "sys/internal/ui/mounts"


def test_a_mount_tells_its_version(vault: Vault, ask: Ask) -> None:
    """Options may be empty: an engine that was mounted without a version is version 1."""
    ask("POST", "sys/mounts/plain", {"type": "kv"}).raise_for_status()
    ask("POST", "sys/mounts/one", {"type": "kv", "options": {"version": "1"}}).raise_for_status()
    ask("POST", "sys/mounts/two", {"type": "kv-v2"}).raise_for_status()

    shown = ask("GET", f"{UI}/secret/some/where").json()["data"]

    assert shown["path"] == "secret/"
    assert (shown["type"], shown["options"]) == ("kv", {"version": "2"})
    options = [
        ask("GET", f"{UI}/{path}").json()["data"]["options"] for path in ("plain", "one", "two")
    ]
    assert options == [{}, {"version": "1"}, {"version": "2"}]
    assert ask("POST", "plain/a", {"n": 1}).status_code == 204
    assert ask("POST", "two/data/a", {"data": {}}).status_code == 200


def test_a_mount_that_is_not_there_is_denied(vault: Vault, ask: Ask) -> None:
    """To root as well; without a token it is another 403, with a bad one a third."""
    denied = (
        403,
        [
            (
                "preflight capability check returned 403, please ensure client's policies grant "
                'access to path "nope/"'
            )
        ],
    )
    invalid = (403, ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"])

    assert said(ask("GET", f"{UI}/nope")) == denied
    assert said(ask("GET", f"{UI}/secret", token=None)) == (403, ["permission denied"])
    assert said(ask("GET", f"{UI}/secret", token="hvs.x")) == invalid


def test_all_mounts_that_a_token_may_use(vault: Vault, ask: Ask) -> None:
    """None without a token, and no error."""
    everything = ask("GET", UI).json()["data"]
    few = ask("GET", UI, token=vault.token).json()["data"]
    nothing = ask("GET", UI, token=None).json()["data"]

    assert sorted(everything["secret"]) == ["cubbyhole/", "identity/", "secret/", "sys/"]
    assert sorted(everything["auth"]) == ["approle/", "token/"]
    assert "secret/" in few["secret"]
    assert "approle/" not in few["auth"]
    assert nothing == {"auth": {}, "secret": {}}


def test_an_entry_of_the_mount_table(ask: Ask) -> None:
    """Every field."""
    entry = ask("GET", "sys/mounts").json()["data"]["secret/"]

    assert entry.pop("accessor").startswith("kv_")
    assert len(entry.pop("uuid")) == 36
    assert entry.pop("running_plugin_version").endswith("+builtin")
    assert entry == {
        "config": {"default_lease_ttl": 0, "force_no_cache": False, "max_lease_ttl": 0},
        "deprecation_status": "supported",
        "description": "key/value secret storage",
        "external_entropy_access": False,
        "local": False,
        "options": {"version": "2"},
        "plugin_version": "",
        "running_sha256": "",
        "seal_wrap": False,
        "type": "kv",
    }


def test_a_mount_is_made_tuned_and_removed(ask: Ask) -> None:
    """With its own lease times; unmounting forgets what was in it."""
    made = ask(
        "POST",
        "sys/mounts/kv1",
        {
            "type": "kv",
            "description": "old",
            "config": {"default_lease_ttl": "1h", "max_lease_ttl": 7200},
        },
    )
    ask("POST", "kv1/a", {"n": 1}).raise_for_status()
    lease = ask("GET", "kv1/a").json()["lease_duration"]
    ask("POST", "sys/mounts/kv1/tune", {"default_lease_ttl": "30m", "description": "new"})
    tuned = ask("GET", "sys/mounts/kv1/tune").json()["data"]
    one = ask("GET", "sys/mounts/kv1").json()
    removed = [ask("DELETE", "sys/mounts/kv1").status_code for _ in range(2)]

    assert (made.status_code, lease) == (204, 3600)
    assert tuned == {
        "default_lease_ttl": 1800,
        "description": "new",
        "force_no_cache": False,
        "max_lease_ttl": 7200,
    }
    assert one["config"]["default_lease_ttl"] == one["data"]["config"]["default_lease_ttl"] == 1800
    assert removed == [204, 204]
    assert said(ask("GET", "kv1/a")) == (
        404,
        ['no handler for route "kv1/a". route entry not found.'],
    )


@pytest.mark.parametrize(
    ("path", "body", "errors"),
    [
        ("secret", {"type": "kv"}, ["path is already in use at secret/"]),
        ("secret/below", {"type": "kv"}, ["path is already in use at secret/"]),
        ("x", {}, ["backend type must be specified as a string"]),
        ("x", {"type": "nope"}, ["plugin not found in the catalog: nope"]),
        ("x", {"type": "system"}, ['mount type of "system" is not mountable']),
        (
            "x",
            {"type": "kv", "options": {"version": "9"}},
            ['nil backend of type "kv" returned from factory'],
        ),
        ("sys/x", {"type": "kv"}, ['cannot mount "sys/x/"']),
        ("auth/x", {"type": "kv"}, ['cannot mount "auth/x/"']),
        (
            "x",
            {"type": "kv", "config": {"default_lease_ttl": "x"}},
            ['unable to parse default TTL of x: time: invalid duration "x"'],
        ),
        (
            "x",
            {"type": "kv", "config": {"max_lease_ttl": "x"}},
            ['unable to parse max TTL of x: time: invalid duration "x"'],
        ),
        (
            "x",
            {"type": "kv", "config": {"default_lease_ttl": "2h", "max_lease_ttl": "1h"}},
            ["given default lease TTL greater than given max lease TTL"],
        ),
        (
            "x",
            {"type": "kv", "config": {"default_lease_ttl": "9999h"}},
            ["given default lease TTL greater than system max lease TTL of 2764800"],
        ),
        ("nope/tune", {"max_lease_ttl": 1}, ['tune of path "nope/" failed: no mount entry found']),
        ("secret/tune", {"max_lease_ttl": "x"}, ['time: invalid duration "x"']),
        (
            "secret/tune",
            {"max_lease_ttl": 60, "default_lease_ttl": 61},
            ["backend max lease TTL of 60 would be less than backend default lease TTL of 61"],
        ),
    ],
)
def test_a_mount_that_cannot_be(
    ask: Ask, path: str, body: dict[str, Any], errors: list[str]
) -> None:
    """In Vault's words, and nothing is mounted or changed."""
    before = ask("GET", "sys/mounts").json()["data"]

    assert said(ask("POST", f"sys/mounts/{path}", body)) == (400, errors)
    assert ask("GET", "sys/mounts").json()["data"] == before


@pytest.mark.parametrize(("place", "kind"), [("mounts", "kv"), ("auth", "approle")])
def test_a_mount_that_is_refused_is_not_there(ask: Ask, place: str, kind: str) -> None:
    """Whatever is refused of it."""
    body = {"type": kind, "config": {"listing_visibility": "everybody"}}

    refused = ask("POST", f"sys/{place}/m", body)

    assert said(refused) == (400, ["invalid listing_visibility everybody"])
    assert ask("GET", f"sys/{place}/m").status_code == 400


def test_options_may_be_a_text(ask: Ask) -> None:
    """As other pairs of names and values (seen)."""
    ask("POST", "sys/mounts/m", {"type": "kv", "options": "version=2"}).raise_for_status()

    assert ask("GET", "sys/mounts/m").json()["data"]["options"] == {"version": "2"}


@pytest.mark.parametrize(("place", "kind"), [("mounts", "kv"), ("auth", "approle")])
def test_no_options_are_shown_as_they_were_sent(ask: Ask, place: str, kind: str) -> None:
    """The command line sends null, which is what a reader of the options meets (seen)."""
    ask("POST", f"sys/{place}/one", {"type": kind, "options": None}).raise_for_status()
    ask("POST", f"sys/{place}/two", {"type": kind}).raise_for_status()
    shown = ask("GET", f"sys/{place}").json()["data"]

    assert (shown["one/"]["options"], shown["two/"]["options"]) == (None, {})


@pytest.mark.parametrize("path", ["mounts/secret/tune", "auth/approle/tune"])
def test_how_a_mount_is_tuned_cannot_be_deleted(ask: Ask, path: str) -> None:
    """It is no mount that is not there."""
    assert said(ask("DELETE", f"sys/{path}")) == (
        405,
        ["1 error occurred:\n\t* unsupported operation\n\n"],
    )


def test_the_shorter_of_two_paths_cannot_be_mounted_later(ask: Ask) -> None:
    """A mount may not lie above another."""
    ask("POST", "sys/mounts/team/a", {"type": "kv"}).raise_for_status()

    assert said(ask("POST", "sys/mounts/team", {"type": "kv"})) == (
        400,
        ["path is already in use at team/a/"],
    )
    assert ask("GET", "team/a/x").status_code == 404
    assert ask("GET", f"{UI}/team/a/x").json()["data"]["path"] == "team/a/"


def test_mounts_that_stay(ask: Ask) -> None:
    """Vault's own."""
    assert said(ask("DELETE", "sys/mounts/sys")) == (400, ['cannot unmount "sys/"'])
    assert said(ask("DELETE", "sys/auth/token")) == (
        400,
        ["token credential backend cannot be disabled"],
    )
    assert said(ask("GET", "sys/mounts/nope")) == (400, ["No secret engine mount at nope/"])
    assert said(ask("GET", "sys/mounts/nope/tune")) == (
        400,
        ['cannot fetch sysview for path "nope/"'],
    )
    assert ask("DELETE", "sys/auth/nope").status_code == 204


def test_a_second_approle_has_roles_of_its_own(vault: Vault, ask: Ask) -> None:
    """And when it goes, so do its tokens."""
    body = {"type": "approle", "description": "two"}
    ask("POST", "sys/auth/team/two", body).raise_for_status()
    ask("POST", "auth/team/two/role/app", {}).raise_for_status()
    role_id = ask("GET", "auth/team/two/role/app/role-id").json()["data"]["role_id"]
    secret_id = ask("POST", "auth/team/two/role/app/secret-id").json()["data"]["secret_id"]
    auth = ask(
        "POST",
        "auth/team/two/login",
        {"role_id": role_id, "secret_id": secret_id},
        token=None,
    ).json()["auth"]
    token = auth["client_token"]
    shown = ask("GET", "auth/token/lookup-self", token=token).json()["data"]
    ask("DELETE", "sys/auth/team/two").raise_for_status()

    assert (shown["display_name"], shown["path"]) == ("team-two", "auth/team/two/login")
    assert ask("GET", "auth/token/lookup-self", token=token).status_code == 403
    assert ask("GET", "auth/token/lookup-self", token=vault.token).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "errors"),
    [
        ("approle", {"type": "approle"}, ["path is already in use at approle/"]),
        ("x", {}, ["backend type must be specified as a string"]),
        ("x", {"type": "nope"}, ["plugin not found in the catalog: nope"]),
    ],
)
def test_an_auth_method_that_cannot_be(
    ask: Ask, path: str, body: dict[str, Any], errors: list[str]
) -> None:
    """In Vault's words."""
    assert said(ask("POST", f"sys/auth/{path}", body)) == (400, errors)


def test_an_auth_method_has_options_but_no_version(ask: Ask) -> None:
    """A version is for engines (handleEnableAuth)."""
    refused = ask("POST", "sys/auth/m", {"type": "approle", "options": {"version": "2"}})
    ask("POST", "sys/auth/m", {"type": "approle", "options": {"x": "y"}}).raise_for_status()

    assert said(refused) == (400, ['auth method "approle" does not allow setting a version'])
    assert ask("GET", "sys/auth/m").json()["data"]["options"] == {"x": "y"}


def test_auth_methods_are_shown_and_tuned(ask: Ask) -> None:
    """With the type of their tokens."""
    ask("POST", "sys/auth/approle/tune", {"default_lease_ttl": "30m"}).raise_for_status()
    tuned = ask("GET", "sys/auth/approle/tune").json()["data"]
    entry = ask("GET", "sys/auth/approle").json()["data"]

    assert tuned == {
        "default_lease_ttl": 1800,
        "description": "",
        "force_no_cache": False,
        "max_lease_ttl": 2764800,
        "token_type": "default-service",
    }
    assert entry["config"]["default_lease_ttl"] == 1800
    assert entry["accessor"].startswith("auth_approle_")
    assert sorted(ask("GET", "sys/auth").json()["data"]) == ["approle/", "token/"]
    assert ask("GET", "sys/mounts/secret/tune").json()["options"] == {"version": "2"}
    assert said(ask("GET", "sys/auth/nope")) == (400, ["No auth engine at nope/"])


def test_a_tokens_cubbyhole_is_its_own(vault: Vault, ask: Ask) -> None:
    """Nobody else sees it, not even root."""
    token = vault.token
    ask("POST", "cubbyhole/a", {"n": 1}, token=token).raise_for_status()

    assert ask("GET", "cubbyhole/a", token=token).json()["data"] == {"n": 1}
    assert ask("LIST", "cubbyhole", token=token).json()["data"] == {"keys": ["a"]}
    assert said(ask("GET", "cubbyhole/a")) == (404, [])
    assert said(ask("POST", "cubbyhole/a", {})) == (
        500,
        ["1 error occurred:\n\t* missing data fields\n\n"],
    )
    for method in ("GET", "POST"):
        assert said(ask(method, "cubbyhole", {"n": 1})) == (
            500,
            ["1 error occurred:\n\t* missing path\n\n"],
        )
    assert ask("DELETE", "cubbyhole/a", token=token).status_code == 204
    assert said(ask("GET", "cubbyhole/a", token=token)) == (404, [])


def test_there_is_one_token_method(ask: Ask) -> None:
    """It is there from the beginning."""
    answer = ask("POST", "sys/auth/other", {"type": "token"})

    assert said(answer) == (400, ["token credential backend cannot be instantiated"])
