"""Retries within retries: an outage long enough to count how often attempts are multiplied."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_resilience.checks import nested
from pytest_resilience.judge.scenario import Scenario, Subject

__all__ = ["scenarios"]

MOST = 64


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """An outage that outlives a retry around a retry of the length that is claimed."""
    fault, limit = subject.standard, subject.policy.limit
    if fault is None or limit is None or limit == 1:
        return
    times = min(MOST, limit * limit + 1)
    yield Scenario(
        name="outage-for-nested-retries",
        clause="does not retry within a retry",
        play=lambda stage: (stage.fail(fault, times=times), stage.call()),
        checks=[nested.multiplied],
    )
