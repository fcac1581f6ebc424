"""Whether a client keeps answers, and for how long: every scenario has to wait until it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pytest_resilience.checks import cache
from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Call
from pytest_resilience.judge.stage import Stage
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["NAME", "keeping"]

NAME = "kept-answers"
OFTEN = 50
"""More failures than any client outlasts."""
AGES = (600.0, 3_600.0, 86_400.0, 400 * 86_400.0)
"""Seconds after which it is tried again; who keeps an answer for more than a year, keeps it."""
MOMENT = 1.0
"""Seconds more: an answer that is as old as it may be is kept by some, who may count whole ones."""


def keeping(
    stage: Stage,
    policy: RetryPolicy,
    first: Call,
    by_another_name: Callable[[], Any] | None = None,
) -> list[Finding]:
    """Let the stage wait for as long as answers are kept; what is wrong when that is for ever.

    Args:
        stage: With its client.
        policy: What it claims.
        first: An undisturbed call, whose answer may be kept.
        by_another_name: The same call, for which no answer is kept yet.
    """
    stage.begin()
    if stage.call().trace:
        return []
    age: float | None = None
    for age in _ages(policy):
        stage.advance(age + MOMENT - stage.now_ns / 1e9)
        if stage.call().trace:
            stage.keeps = True
            stage.rest = max(stage.rest, age + MOMENT)
            break
    else:
        age = None
    seen = stage.observe(NAME, first, {"kept_for": age, "tried": AGES[-1]})
    findings = list(cache.kept_too_long(seen, policy))
    if findings and by_another_name is not None:
        findings += _errors_too(stage, policy, first, by_another_name)
    return [Finding(found.code, found.sentence, found.evidence, NAME) for found in findings]


def _errors_too(
    stage: Stage, policy: RetryPolicy, first: Call, call: Callable[[], Any]
) -> Iterator[Finding]:
    stage.begin()
    stage.fail(500, times=OFTEN)
    stage.call(call)
    stage.server.plan.clear()
    stage.call(call)
    yield from cache.errors_kept(stage.observe(NAME, first), policy)


def _ages(policy: RetryPolicy) -> list[float]:
    claimed = [] if policy.cache is None else [float(policy.cache)]
    return [*claimed, *(age for age in AGES if not claimed or age > claimed[0])]
