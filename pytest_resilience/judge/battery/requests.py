"""Requests that change something: sent again, or not, and the same, or not."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_resilience import faults
from pytest_resilience.checks import requests
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.plan import FaultLike
from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.records import Attempt

__all__ = ["scenarios"]

LOST: dict[str, FaultLike] = {
    "unsafe-retry-timeout": faults.timeout(processed=True, close_after=7200),
    "unsafe-retry-reset": faults.reset_peer(processed=True),
    "unsafe-retry-500": 500,
    "unsafe-retry-504": 504,
}
"""What leaves open whether the request was carried out."""


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """For each request that must not be repeated, and for those with a body or a key."""
    policy, attempts = subject.policy, subject.baseline.trace
    if policy.limit != 1 or policy.methods is not None:
        unsafe = [attempt for attempt in attempts if requests.may_not_repeat(attempt, policy)]
        for attempt in unsafe[:1]:
            yield from (_lost(name, LOST[name], attempt) for name in _tried(policy))
    if subject.standard is None:
        return
    claims_key = policy.idempotency_key is not None
    if claims_key or any(one.body_size or requests.key_of(one, policy) for one in attempts):
        yield _again(subject)


def _tried(policy: RetryPolicy) -> list[str]:
    """All for who says which methods may be sent again; else what he does not say he retries."""
    if policy.methods is not None:
        return list(LOST)
    failures = {"unsafe-retry-timeout": "read-timeout", "unsafe-retry-reset": "reset"}
    return [name for name, failure in failures.items() if not policy.retries_failure(failure)]


def _lost(name: str, fault: FaultLike, attempt: Attempt) -> Scenario:
    return Scenario(
        name=name,
        clause=f"does not send a {attempt.method} again that may have been carried out",
        play=lambda stage: (stage.fail(fault, method=attempt.method), stage.call()),
        checks=[requests.repeated_unsafely],
    )


def _again(subject: Subject) -> Scenario:
    times = max(1, (subject.policy.limit or 3) - 1)
    fault = subject.standard
    assert fault is not None
    with_body = next((a for a in subject.baseline.trace if a.body_size), None)
    method = None if with_body is None else with_body.method
    return Scenario(
        name="the-same-again",
        clause="sends the same request again, with its body and its key",
        play=lambda stage: (stage.fail(fault, times=times, method=method), stage.call()),
        checks=[requests.same_body, requests.same_key],
    )
