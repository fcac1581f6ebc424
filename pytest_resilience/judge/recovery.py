"""Whether a client comes to rest between two scenarios, or never asks anybody again."""

from __future__ import annotations

from pytest_resilience.checks import cache
from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.judge.keeping import AGES
from pytest_resilience.judge.stage import Stage
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["recovered"]


def recovered(stage: Stage, policy: RetryPolicy, first: Call) -> tuple[bool, list[Finding]]:
    """Let a client come to rest: whether it asks again, and what is wrong when it does not.

    A breaker may stay open for longer than the usual rest: then all rests are as long.
    """
    stage.recover()
    seen = stage.observe("rest", first)
    if seen.call.never_returned:
        stage.renew()
        return True, []
    if not _asks_nobody(seen):
        return True, []
    for age in AGES:
        stage.advance(age)
        if stage.call().trace:
            stage.rest = max(stage.rest, age)
            return True, []
    return False, list(cache.never_asks(stage.observe("rest", first), policy))


def _asks_nobody(seen: Observation) -> bool:
    call = seen.call
    return not call.trace and (
        isinstance(call.error, Exception) or cache.is_failure(call, seen.baseline)
    )
