"""A budget for all waits of a call, in an outage that outlasts it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytest_resilience.checks import timeouts
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.stage import Stage

__all__ = ["scenarios"]

OFTEN = 1000
"""Failures at most: who waits for a tenth of a second a time spends a minute."""
LONG = 100_000.0
"""Seconds after which the outage ends, so that ever longer waits come to an end, too."""


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """Only where a budget is claimed, and something is tried again."""
    budget = subject.policy.budget
    if budget is None or subject.standard is None or subject.policy.limit == 1:
        return
    yield Scenario(
        name="outage-beyond-the-budget",
        clause=f"waits for {budget:g} s in all",
        play=_outage(subject, LONG + 3 * budget),
        checks=[timeouts.budget],
    )


def _outage(subject: Subject, seconds: float) -> Callable[[Stage], object]:
    def play(stage: Stage) -> object:
        stage.fail(subject.outage, times=OFTEN, when=lambda attempt: attempt.at < seconds)
        return stage.call()

    return play
