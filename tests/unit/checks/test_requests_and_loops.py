"""Requests that are sent again, and event loops that stand still meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_resilience import RetryPolicy
from pytest_resilience.checks import loops, requests
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.records import Attempt, Trace
from tests.unit.checks.seen import SECOND, attempt, call, seen

PLAIN = RetryPolicy()


def codes(check: Any, observation: Observation, policy: RetryPolicy) -> list[str]:
    return [finding.code for finding in check(observation, policy)]


def sent(*attempts: Attempt) -> Observation:
    """One call with these attempts."""
    return seen(Call(0, SECOND, trace=Trace(attempts)))


def keyed(number: int, head: bytes) -> Attempt:
    return replace(attempt(number, number), method="POST", head=head)


@pytest.mark.parametrize(
    ("head", "name", "key"),
    [
        (b"Idempotency-Key: a", None, "a"),
        (b"X-Request: b", None, None),
        (b"X-Request: b", "X-Request", "b"),
        # A header that is claimed is the only one that counts.
        (b"Idempotency-Key: a", "X-Request", None),
    ],
)
def test_what_is_an_idempotency_key(head: bytes, name: str | None, key: str | None) -> None:
    """The header that is claimed, else one that is named like it."""
    policy = RetryPolicy(idempotency_key=name)

    assert requests.key_of(keyed(1, head), policy) == key


@pytest.mark.parametrize(
    ("heads", "found"),
    [
        ((b"X-Request: a", b"X-Request: a"), []),
        ((b"X-Request: a", b"X-Request: b"), ["new-idempotency-key"]),
        ((b"X-Request: a", b""), ["new-idempotency-key"]),
        ((b"", b"X-Request: a"), []),
        ((), []),
    ],
)
def test_the_key_stays_the_same(heads: tuple[bytes, ...], found: list[str]) -> None:
    """Under the name that is claimed; without a first one there is none to keep."""
    attempts = [keyed(number, head) for number, head in enumerate(heads, 1)]

    policy = RetryPolicy(idempotency_key="X-Request")
    assert codes(requests.same_key, sent(*attempts), policy) == found


@pytest.mark.parametrize(
    ("method", "target", "policy", "found"),
    [
        ("POST", "/orders", RetryPolicy(idempotency_key="X-Request"), ["unsafe-retry"]),
        ("PUT", "/orders", RetryPolicy(idempotency_key="X-Request"), []),
        ("POST", "/login", RetryPolicy(idempotency_key="X-Request", login="/login"), []),
        ("POST", "/orders", PLAIN, []),
    ],
)
def test_a_key_that_is_claimed_is_sent(
    method: str, target: str, policy: RetryPolicy, found: list[str]
) -> None:
    """What makes something new is not sent again without it; a login makes nothing."""
    tries = [replace(attempt(n, n), method=method, target=target) for n in (1, 2)]

    assert codes(requests.same_key, sent(*tries), policy) == found
    assert codes(requests.same_key, sent(*tries[:1]), policy) == []


@pytest.mark.parametrize(
    ("bodies", "found"),
    [
        ((b"whole", b"whole"), []),
        ((b"whole", b""), ["body-not-resent"]),
        ((b"whole", b"wh"), ["body-not-resent"]),
        ((b"whole", b"le"), ["body-not-resent"]),
        ((b"at 10:00", b"at 9:59"), []),
        ((b"", b"more"), []),
        # What was asked of it took no request at all.
        ((), []),
    ],
)
def test_the_body_is_sent_again(bodies: tuple[bytes, ...], found: list[str]) -> None:
    """The whole of it; another one, with another time in it, is whole as well."""
    attempts = [
        replace(attempt(number, number), method="POST", body=body, body_size=len(body))
        for number, body in enumerate(bodies, 1)
    ]

    assert codes(requests.same_body, sent(*attempts), PLAIN) == found


STOOD = ((10 * SECOND, 11 * SECOND),)


@pytest.mark.parametrize(
    ("made", "stops", "claimed", "found"),
    [
        (call(0, last=200, lasted=2), (), None, []),
        (call(0, last=200, lasted=2), STOOD, None, ["blocking-sleep"]),
        (call(9, last=200, lasted=3), STOOD, None, ["blocking-io"]),
        (call(9, last=200, lasted=1.4), STOOD, None, ["blocking-sleep"]),
        (call(9, last=200, lasted=1.6), STOOD, None, ["blocking-io"]),
        (call(9, last=200, lasted=3), STOOD, True, ["blocking-io"]),
        (call(9, last=200, lasted=3), STOOD, False, []),
    ],
)
def test_a_loop_that_stands_still(
    made: Call, stops: tuple[tuple[int, int], ...], *, claimed: bool | None, found: list[str]
) -> None:
    """By what the client did for most of that time; who says that it blocks may."""
    policy = RetryPolicy(never_blocks=claimed)

    assert codes(loops.not_blocked, seen(made, stops=stops), policy) == found


@pytest.mark.parametrize(
    ("warning", "found"),
    [
        ("coroutine 'sleep' was never awaited", ["sleep-not-awaited"]),
        ("coroutine 'Client._backoff' was never awaited\nmore", ["sleep-not-awaited"]),
        ("coroutine 'Client.close' was never awaited", []),
    ],
)
def test_a_wait_that_is_not_awaited(warning: str, found: list[str]) -> None:
    """Python's warning says which coroutine it was."""
    assert codes(loops.awaited, seen(call(0), warnings=(warning,)), PLAIN) == found
