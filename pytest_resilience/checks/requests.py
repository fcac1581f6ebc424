"""Requests that are sent again: whether they may be, and whether they are the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_resilience.checks.credentials import is_login
from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.records import Attempt

__all__ = [
    "key_of",
    "may_be_repeated",
    "may_not_repeat",
    "repeated_unsafely",
    "same_body",
    "same_key",
]

CREATED = 201
MAKES_NEW = ("POST", "PATCH")
"""Methods that do something anew each time (RFC 9110, section 9.2.2; RFC 5789)."""
IDENTITY = re.compile(
    rb"idempoten|dedup|nonce|(client|request|transaction|message|event)_?(id|token)"
    rb"|[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}",
    re.IGNORECASE,
)
"""What in a body may tell a service that it has seen the request before."""
KEY = re.compile(r"idempoten|^amz-sdk-invocation-id$|^x-goog-api-client-idempotency")


def key_of(attempt: Attempt, policy: RetryPolicy) -> str | None:
    """The request's idempotency key; None when it has none."""
    headers = attempt.headers
    if policy.idempotency_key is not None:
        return headers.get(policy.idempotency_key)
    return next((headers[name] for name in headers if KEY.search(name)), None)


def may_not_repeat(attempt: Attempt, policy: RetryPolicy) -> bool:
    """Whether this request must not be sent again once it may have been read.

    Where nothing is said of methods only the service can tell: a 201 says that it has made
    something new. Other POSTs may be searches, models that answer, or what is done only once.
    """
    if key_of(attempt, policy) is not None or is_login(attempt, policy):
        return False
    if policy.methods is not None:
        return attempt.method not in policy.methods
    return (
        attempt.method == "POST" and attempt.status == CREATED and not IDENTITY.search(attempt.body)
    )


def may_be_repeated(call: Call, policy: RetryPolicy) -> bool:
    """Whether the first request of a call, which a fault meets, has a method that is retried."""
    return policy.methods is None or not any(may_not_repeat(a, policy) for a in call.trace[:1])


def _was_unsafe(attempt: Attempt, seen: Observation, policy: RetryPolicy) -> bool:
    """The same as of the undisturbed call, whose answers tell what a request does."""
    if policy.methods is not None:
        return may_not_repeat(attempt, policy)
    unsafe = {(a.method, a.path) for a in seen.baseline.trace if may_not_repeat(a, policy)}
    return (attempt.method, attempt.path) in unsafe


def repeated_unsafely(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """The server has carried it out, the answer was lost, and the client sends it again."""
    tries = [a for a in seen.call.tries if _was_unsafe(a, seen, policy)]
    if len(tries) > 1:
        first = tries[0]
        sentence = f"it sent a {first.method} again after {first.fault or first.status}"
        marks = {attempt.number: "sent again" for attempt in tries[1:]}
        yield Finding("unsafe-retry", sentence, seen.evidence(marks=marks))


def same_body(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Every attempt has the whole body of the first."""
    if not seen.call.tries:
        return
    first, *others = seen.call.tries
    bare = [other for other in others if _lacks_body(first, other)]
    if bare:
        sentence = (
            f"attempt {bare[0].number} had {bare[0].body_size} bytes of a body, "
            f"attempt {first.number} had {first.body_size}"
        )
        marks = {attempt.number: f"{attempt.body_size} bytes of body" for attempt in bare}
        yield Finding("body-not-resent", sentence, seen.evidence(marks=marks))


def _lacks_body(first: Attempt, other: Attempt) -> bool:
    """Bodies may differ, with times and identifiers in them; a part of the first is no body."""
    if other.body_size >= first.body_size:  # A first one without a body is never longer.
        return False
    return other.body in (b"", first.body[: other.body_size], first.body[-other.body_size :])


def same_key(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """All attempts of a call have one idempotency key."""
    tries = seen.call.tries
    keys = {attempt.number: key_of(attempt, policy) for attempt in tries}
    if not tries or keys[tries[0].number] is None:
        yield from _without_key(seen, policy)
        return
    other = [number for number, key in keys.items() if key != keys[tries[0].number]]
    if other:
        sentence = f"attempt {other[0]} has another idempotency key than attempt {tries[0].number}"
        yield Finding(
            "new-idempotency-key", sentence, seen.evidence(marks=dict.fromkeys(other, "new key"))
        )


def _without_key(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """It claims a key by which a service knows a repetition, and no request of it has one."""
    again = [one for one in seen.call.tries[1:] if one.method in MAKES_NEW]
    again = [one for one in again if not is_login(one, policy)]
    if policy.idempotency_key is None or not again:
        return
    if any(key_of(attempt, policy) is not None for attempt in seen.trace):
        return
    sentence = f"it sent a {again[0].method} again without the {policy.idempotency_key} it claims"
    marks = {attempt.number: "sent again" for attempt in again}
    yield Finding("unsafe-retry", sentence, seen.evidence(marks=marks))
