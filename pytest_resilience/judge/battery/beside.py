"""Calls that make several requests: all of them but the first fail."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.stage import Stage

__all__ = ["scenarios"]


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """Nothing dies unseen, of which the other scenarios fail all requests or the first."""
    if len(subject.baseline.trace) < 2:
        return

    def play(stage: Stage) -> None:
        stage.fail(subject.outage, times=subject.enough, after=1)
        stage.call()

    yield Scenario(
        name="failures-beside-others",
        clause="lets nothing that it has begun die unseen",
        play=play,
        checks=[],
    )
