"""How often: outages that end after n attempts, for every n up to one past the limit."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_resilience.checks import attempts, calls
from pytest_resilience.judge.scenario import Scenario, Subject

__all__ = ["scenarios"]


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """An outage without an end."""
    fault = subject.standard
    if fault is None:
        return
    yield Scenario(
        name="outage-without-end",
        clause="gives up after as many attempts as it claims",
        play=lambda stage: (stage.fail(fault, times=subject.enough), stage.call()),
        checks=[calls.ended, attempts.exhausted],
    )
