"""Threads and tasks that calls leave behind, one more with each."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Observation
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["nothing"]


def nothing(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """However many calls are made, no more threads and tasks go on than after one."""
    for code, what in (("thread-left-behind", "thread"), ("task-left-behind", "task")):
        calls = round(seen.number("calls"))
        left = round(seen.number(f"{what}s"))
        if calls and left >= calls:
            sentence = f"{left} {what}s still went on after {calls} calls"
            named = [f"such as {seen.facts['such_as']}"] if seen.facts["such_as"] else []
            yield Finding(code, sentence, (*seen.evidence()[-8:], *named))
