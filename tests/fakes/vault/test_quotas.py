"""Rate-limit quotas, which count."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, SettableClock, said

QUOTA = "sys/quotas/rate-limit/q"


@pytest.fixture
def kv1(vault: Vault) -> str:
    """A mount for quotas to watch."""
    vault.mount("kv1", version=1)
    vault.put("kv1/a", {"n": 1})
    return "kv1/a"


def headers(answer: Any) -> dict[str, str]:
    return {
        name: value
        for name, value in answer.headers.items()
        if name.startswith("X-Ratelimit") or name == "Retry-After"
    }


def test_a_quota_counts_and_begins_anew(
    vault: Vault, ask: Ask, kv1: str, clock: SettableClock
) -> None:
    """429 without a header field, as Vault's default is; health and other mounts are spared."""
    ask("POST", QUOTA, {"rate": 2, "interval": "60s", "path": "kv1/"}).raise_for_status()
    statuses = [ask("GET", kv1).status_code for _ in range(3)]
    refused = ask("LIST", "kv1")

    assert statuses == [200, 200, 429]
    assert said(refused) == (429, ['request path "kv1/": rate limit quota exceeded'])
    assert headers(refused) == {}
    assert ask("GET", "sys/health").status_code == 200
    assert ask("GET", "sys/mounts").status_code == 200
    clock.ahead = 61
    assert ask("GET", kv1).status_code == 200


def test_with_headers_the_client_is_told(ask: Ask, kv1: str) -> None:
    """On every answer that was counted; Retry-After on a 429 only."""
    ask("POST", "sys/quotas/config", {"enable_rate_limit_response_headers": True})
    ask("POST", QUOTA, {"rate": 1, "interval": 60, "path": "kv1"})
    first, second = headers(ask("GET", kv1)), headers(ask("GET", kv1))

    assert first["X-Ratelimit-Limit"] == "1"
    assert first["X-Ratelimit-Remaining"] == second["X-Ratelimit-Remaining"] == "0"
    assert "Retry-After" not in first
    assert second["Retry-After"] == second["X-Ratelimit-Reset"]
    assert 55 <= int(second["Retry-After"]) <= 60


def test_a_client_may_be_blocked_for_longer(ask: Ask, kv1: str, clock: SettableClock) -> None:
    """For the block interval; then it may ask again."""
    ask("POST", "sys/quotas/config", {"enable_rate_limit_response_headers": True})
    ask("POST", QUOTA, {"rate": 1, "interval": "2s", "block_interval": "30s", "path": kv1})
    ask("GET", kv1)
    told = headers(ask("GET", kv1))["Retry-After"]
    clock.ahead = 5
    blocked = ask("GET", kv1)
    clock.ahead = 36

    assert told == "30"
    assert blocked.status_code == 429
    assert list(headers(blocked)) == ["Retry-After"]
    assert ask("GET", kv1).status_code == 200


def test_the_most_exact_quota_decides(vault: Vault, ask: Ask, kv1: str) -> None:
    """A path before a star before a mount before everything; a role before all."""
    vault.put("kv1/b/c", {"n": 1})
    for name, path, rate in (
        ("everything", "", 1000),
        ("mount", "kv1/", 500),
        ("star", "kv1/b/*", 2),
        ("path", "kv1/b/c", 1),
    ):
        ask("POST", f"sys/quotas/rate-limit/{name}", {"rate": rate, "path": path})
    statuses = [ask("GET", path).status_code for path in ("kv1/b/c", "kv1/b/c", "kv1/b/d", kv1)]
    keys = ask("LIST", "sys/quotas/rate-limit").json()["data"]["keys"]

    assert statuses == [200, 429, 404, 200]
    assert keys == ["everything", "mount", "path", "star"]
    assert ask("GET", "nope/x").status_code == 404


def test_the_slash_of_a_list_is_no_part_of_its_path(vault: Vault, ask: Ask, kv1: str) -> None:
    """A quota on all in a folder does not count lists of it; one on the folder does."""
    vault.put("kv1/b/c", {"n": 1})
    ask("POST", QUOTA, {"rate": 1, "interval": "60s", "path": "kv1/b/*"}).raise_for_status()
    below = [ask("LIST", "kv1/b/").status_code for _ in range(3)]
    ask("POST", QUOTA, {"rate": 1, "interval": "60s", "path": "kv1/b"}).raise_for_status()
    itself = [ask("LIST", "kv1/b/").status_code for _ in range(2)]

    assert (below, itself) == ([200, 200, 200], [200, 429])


def test_a_role_has_its_own(vault: Vault, ask: Ask) -> None:
    """By the role id of a login; a body that cannot be read has none."""
    vault.role("web")
    body = {"rate": 1, "interval": "1h", "path": "auth/approle", "role": "app"}
    ask("POST", QUOTA, body).raise_for_status()
    login = "auth/approle/login"
    ids = {"role_id": vault.role_id, "secret_id": vault.secret_id}
    statuses = [ask("POST", login, ids, token=None).status_code for _ in range(2)]

    assert statuses == [200, 429]
    assert ask("POST", login, {"role_id": "x"}, token=None).status_code == 400
    assert ask("POST", login, b"{", token=None).status_code == 400
    ask("POST", QUOTA, {**body, "role": "web"})
    assert ask("GET", QUOTA).json()["data"]["role"] == "app"


def test_a_quota_is_read_changed_and_deleted(ask: Ask, kv1: str) -> None:
    """Its rate may be a fraction; so is the whole of it then."""
    ask("POST", QUOTA, {"rate": 2.5, "path": "kv1/a"}).raise_for_status()
    data = ask("GET", QUOTA).json()["data"]
    ask("POST", QUOTA, {"rate": "3", "interval": 0, "path": "kv1/a", "inheritable": True})

    assert data == {
        "block_interval": 0,
        "inheritable": False,
        "interval": 1,
        "name": "q",
        "path": "kv1/a",
        "rate": 2.5,
        "role": "",
        "type": "rate-limit",
    }
    assert ask("GET", QUOTA).json()["data"]["rate"] == 3
    assert ask("DELETE", QUOTA).status_code == 204
    assert said(ask("GET", QUOTA)) == (404, [])


WRONG_ROLE = "is not a valid auth method and therefore unsuitable for use with role-based quotas"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "'rate' is invalid"),
        ({"rate": ""}, "'rate' is invalid"),
        ({"rate": -1}, "'rate' is invalid"),
        (
            {"rate": "x"},
            (
                "Field validation failed: error converting input for field \"rate\": ''"
                " cannot parse value as 'float64': strconv.ParseFloat: invalid syntax"
            ),
        ),
        (
            {"rate": []},
            (
                "Field validation failed: error converting input for field \"rate\": ''"
                " expected type 'float64', got unconvertible type '[]interface {}'"
            ),
        ),
        ({"rate": 1, "path": "nope/"}, 'invalid mount path "nope/"'),
        ({"rate": 1, "role": "x"}, f'Mount path "" {WRONG_ROLE}'),
        (
            {"rate": 1, "role": "x", "path": "auth/token"},
            'Mount path "auth/token/" does not support use with role-based quotas',
        ),
        (
            {"rate": 1, "role": "x", "path": "auth/approle/login"},
            (
                "Quotas cannot contain both a path suffix and a role. If a role is provided,"
                " path must be a valid auth mount with a concept of roles"
            ),
        ),
        (
            {"rate": 1, "path": "secret/"},
            'quota rule with similar properties exists under the name "other"',
        ),
    ],
)
def test_what_is_no_quota(ask: Ask, body: dict[str, Any], why: str) -> None:
    """In Vault's words."""
    ask("POST", "sys/quotas/rate-limit/other", {"rate": 500, "path": "secret/"})

    assert said(ask("POST", QUOTA, body)) == (400, [why])


def test_paths_may_be_exempt(ask: Ask, kv1: str) -> None:
    """What the configuration does not name is not exempt any more (seen)."""
    before = ask("GET", "sys/quotas/config").json()["data"]["rate_limit_exempt_paths"]
    body = {"rate_limit_exempt_paths": ["kv1/*", "sys/quotas/config"]}
    ask("POST", "sys/quotas/config", {**body, "enable_rate_limit_audit_logging": True})
    ask("POST", QUOTA, {"rate": 1, "interval": "1h"})
    statuses = [ask("GET", path).status_code for path in (kv1, kv1, "sys/health", "sys/health")]

    assert "sys/health" in before
    assert statuses == [200, 200, 200, 429]
    assert ask("GET", "sys/quotas/config").json()["data"] == {
        "enable_rate_limit_audit_logging": True,
        "enable_rate_limit_response_headers": False,
        "rate_limit_exempt_paths": ["kv1/*", "sys/quotas/config"],
    }


def test_a_quota_that_is_used_up(vault: Vault, ask: Ask, clock: SettableClock) -> None:
    """From a test, for everybody, for so long."""
    ask("POST", "sys/quotas/config", {"enable_rate_limit_response_headers": True})
    vault.use_up_quota(30)
    refused = ask("GET", "secret/data/a")
    clock.ahead = 31

    assert refused.status_code == 429
    assert 28 <= int(headers(refused)["Retry-After"]) <= 30
    assert ask("GET", "secret/data/a").status_code == 404


def test_a_quota_that_is_used_up_for_ever(vault: Vault, ask: Ask) -> None:
    """Retry-After is as long as any of Go's durations."""
    ask("POST", "sys/quotas/config", {"enable_rate_limit_response_headers": True})
    vault.use_up_quota(float("inf"))

    assert headers(ask("GET", "sys/mounts"))["Retry-After"] == "9223372036"


def test_a_role_without_a_mount_counts_nobody(ask: Ask) -> None:
    """A change reaches the path, and not the role (seen)."""
    quota = "sys/quotas/rate-limit/one"
    ask("POST", quota, {"rate": 5, "path": "auth/approle", "role": "x"}).raise_for_status()
    ask("POST", quota, {"rate": 1}).raise_for_status()

    assert [ask("GET", "sys/mounts").status_code for _ in "12345"] == [200] * 5


@pytest.fixture
def spaced() -> Iterator[Callable[..., int]]:
    """The statuses of an OpenBao with a namespace in a namespace, asked as root."""
    with Vault(flavour="openbao") as bao:

        def ask(path: str, space: str = "", quota: dict[str, object] | None = None) -> int:
            headers = {"X-Vault-Token": bao.root_token, "X-Vault-Namespace": space}
            method = "GET" if quota is None else "POST"
            url = f"{bao.url}/v1/{path}"
            return requests.request(
                method, url, headers=headers, json=quota, timeout=10
            ).status_code

        assert ask("sys/namespaces/one", quota={}) == 200
        assert ask("sys/namespaces/two", "one", quota={}) == 200
        assert ask("one/sys/mounts/kv", quota={"type": "kv"}) == 204
        assert ask("sys/mounts/kv", quota={"type": "kv"}) == 204
        yield ask
        assert bao.errors == []


@pytest.mark.parametrize(
    ("path", "inheritable", "statuses"),
    [
        ("one/kv", False, [200, 429, 200, 200, 404]),
        ("one/kv/a", False, [200, 200, 200, 200, 404]),
        ("one/", False, [200, 429, 200, 200, 404]),
        ("one", True, [200, 429, 200, 429, 404]),
        ("one/two", False, [200, 200, 200, 200, 404]),
        ("kv", False, [200, 200, 200, 200, 404]),
        ("", True, [200, 429, 429, 429, 429]),
        ("", False, [200, 200, 200, 200, 404]),
    ],
)
def test_a_quota_is_over_a_namespace_or_a_mount_in_it(
    spaced: Callable[..., int],
    path: str,
    inheritable: bool,  # noqa: FBT001
    statuses: list[int],
) -> None:
    """By header and by path alike; those below are its own only if it says so."""
    listed = "kv?list=true"
    assert spaced("kv/x", "one", quota={"a": 1}) == 204
    quota = {"path": path, "rate": 1, "interval": "10m", "inheritable": inheritable}
    assert spaced("sys/quotas/rate-limit/q", quota=quota) == 204

    assert [
        spaced(listed, "one"), spaced(f"one/{listed}"), spaced("sys/mounts"),
        spaced("sys/mounts", "one/two"), spaced("sys/mounts", "nope"),
    ] == statuses  # fmt: skip


def test_the_nearest_quota_decides(spaced: Callable[..., int]) -> None:
    """A namespace's own, before one above it."""
    for name, path, rate in (("all", "", 1), ("one", "one", 2)):
        quota = {"path": path, "rate": rate, "interval": "10m", "inheritable": True}
        assert spaced(f"sys/quotas/rate-limit/{name}", quota=quota) == 204

    assert [spaced("sys/mounts", "one/two") for _ in range(3)] == [200, 200, 429]
    nope = {"path": "one/nope", "rate": 1}
    assert spaced("sys/quotas/rate-limit/n", quota=nope) == 429  # the first over all is used up
