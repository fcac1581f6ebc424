"""Chance: many outages one after the other, and one that meets many clients at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytest_resilience.checks import jitter
from pytest_resilience.judge import dice, taps
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.stage import Stage
from pytest_resilience.policy.backoff import Backoff

__all__ = ["scenarios"]

CLIENTS = 12
UNEVEN = 3.7
"""Seconds, times the number of the call: who waits for a full minute has no equal waits then."""


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """Where waits are claimed to be random."""
    policy = subject.policy
    ranges = isinstance(policy.backoff, Backoff) and not policy.backoff.is_exact
    if subject.standard is None or policy.limit == 1 or not (policy.is_random or ranges):
        return
    retries = min((policy.limit or 5) - 1, 5)
    yield Scenario(
        name="many-outages",
        clause="waits at random within its bounds",
        play=_many(subject, retries),
        checks=[jitter.drawn],
    )
    if policy.is_random and policy.breaker is None and not subject.is_foreign:
        yield Scenario(
            name="outage-for-many-clients",
            clause="does not come back in step with others",
            play=_herd(subject),
            checks=[jitter.spread],
        )


def _many(subject: Subject, retries: int) -> Callable[[Stage], object]:
    def one(stage: Stage) -> None:
        stage.fail(subject.outage, times=retries)
        stage.call()

    def play(stage: Stage) -> dict[str, object]:
        with taps.senders() as files:
            one(stage)
        seeds = [seed for file in dice.own_code(files) for seed in dice.seeds_in(file)]
        thrown = dice.Thrown() if seeds else None
        for number in range(1, jitter.CALLS):
            stage.advance(UNEVEN * number)
            one(stage)
        seed = thrown.with_one_of(seeds) if thrown else None
        return {"seed": "" if seed is None else str(seed)}

    return play


def _herd(subject: Subject) -> Callable[[Stage], object]:
    def play(stage: Stage) -> None:
        stage.fail(subject.outage, times=CLIENTS)
        stage.together(CLIENTS)

    return play
