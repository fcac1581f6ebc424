"""Whether a client keeps answers, and for how long: every scenario has to wait until it asks."""

from __future__ import annotations

from pytest_resilience.checks import cache
from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Call
from pytest_resilience.judge.stage import Stage
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["NAME", "keeping"]

NAME = "kept-answers"
AGES = (600.0, 3_600.0, 86_400.0, 400 * 86_400.0)
"""Seconds after which it is tried again; who keeps an answer for more than a year, keeps it."""


def keeping(stage: Stage, policy: RetryPolicy, first: Call) -> list[Finding]:
    """Let the stage wait for as long as answers are kept; what is wrong when that is for ever."""
    stage.begin()
    if stage.call().trace:
        return []
    age: float | None = None
    for age in _ages(policy):
        stage.advance(age - stage.now_ns / 1e9)
        if stage.call().trace:
            stage.keeps = True
            stage.rest = max(stage.rest, age)
            break
    else:
        age = None
    seen = stage.observe(NAME, first, {"kept_for": age, "tried": AGES[-1]})
    return [
        Finding(found.code, found.sentence, found.evidence, NAME)
        for found in cache.kept_too_long(seen, policy)
    ]


def _ages(policy: RetryPolicy) -> list[float]:
    claimed = [] if policy.cache is None else [float(policy.cache)]
    return [*claimed, *(age for age in AGES if not claimed or age > claimed[0])]
