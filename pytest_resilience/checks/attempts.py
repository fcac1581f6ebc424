"""How often a client tries."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Observation
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["exhausted"]


def exhausted(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """After an outage without an end: exactly as many attempts as it claims."""
    if policy.limit is None:
        return
    tries = seen.call.tries
    came, wanted = len(tries), policy.limit
    if came < wanted:
        sentence = f"it gave up after {_attempts(came)}, wanted {wanted}"
        yield Finding("too-few-attempts", sentence, seen.evidence())
    elif came > wanted:
        sentence = f"it made {_attempts(came)}, wanted {wanted}"
        marks = {attempt.number: "one too many" for attempt in tries[wanted:]}
        yield Finding("too-many-attempts", sentence, seen.evidence(marks=marks))


def _attempts(count: int) -> str:
    return f"{count} attempt{'' if count == 1 else 's'}"
