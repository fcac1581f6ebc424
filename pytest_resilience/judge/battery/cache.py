"""What is kept between calls: no errors, and nothing of another's."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_resilience.checks import cache
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.stage import Stage

__all__ = ["errors", "scenarios"]


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """An outage and its end; and for a client that keeps answers, somebody else."""
    yield errors(subject.enough)
    yield Scenario(
        name="another-credential",
        clause="does not give one caller's answer to another",
        play=_another,
        checks=[cache.for_another],
    )


def errors(enough: int) -> Scenario:
    """A call in an outage, and one right after it."""

    def play(stage: Stage) -> None:
        stage.fail(500, times=enough)
        stage.call()
        stage.server.plan.clear()
        stage.call()

    return Scenario(
        name="error-then-well",
        clause="does not keep errors",
        play=play,
        checks=[cache.errors_kept],
    )


def _another(stage: Stage) -> None:
    if stage.keeps and stage.another is not None:
        stage.call()
        stage.call()
        stage.call(stage.another)
