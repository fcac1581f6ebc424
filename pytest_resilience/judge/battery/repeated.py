"""Two outages in a row, and one that meets several threads at once: no state is carried over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from pytest_resilience.checks import schedule
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.stage import Stage

__all__ = ["scenarios"]

ORDER = 1
"""A client that keeps a state carries it through all that follows."""

THREADS = 3
SECOND = 1_000_000_000


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """Only where waits are claimed: without a schedule nobody can tell."""
    policy = subject.policy
    if subject.standard is None or policy.backoff is None or policy.limit == 1:
        return
    retries = min((policy.limit or 4) - 1, 3)
    yield Scenario(
        name="two-outages-in-a-row",
        clause="begins each call with the first wait",
        play=_two(subject, retries),
        checks=[schedule.forgotten],
    )
    # The failures of a call that asks several times, page by page, are not all of one request.
    asked = Counter((attempt.method, attempt.path) for attempt in subject.baseline.trace)
    asks_once = max(asked.values(), default=1) == 1
    if policy.is_exact and policy.breaker is None and asks_once and not subject.is_foreign:
        yield Scenario(
            name="outage-for-several-threads",
            clause="waits in each thread as if it were alone",
            play=_several(subject, retries),
            checks=[schedule.of_each_thread],
        )


def _two(subject: Subject, retries: int) -> Callable[[Stage], object]:
    # Of a matter of chance more is to be seen before it tells anything.
    rounds = 1 if subject.policy.is_exact else 3

    def play(stage: Stage) -> object:
        # The short one in the middle leaves a state behind that goes round with the long ones.
        for times in (retries, *((1, retries) * rounds)):
            stage.fail(subject.outage, times=times)
            stage.call()
        return {"first": stage.first_outage}

    return play


def _several(subject: Subject, retries: int) -> Callable[[Stage], object]:
    together = retries * THREADS
    # One of them may meet most of the outage, when they begin one after the other.
    most = together if subject.policy.limit is None else min(together, subject.policy.limit - 1)

    def play(stage: Stage) -> object:
        stage.fail(subject.outage, times=most)
        stage.call()
        stage.server.plan.clear()
        stage.advance(stage.rest)  # Its answer may be kept.
        stage.advance(-stage.now_ns % SECOND / SECOND)  # aiohttp goes by whole seconds.
        stage.fail(subject.outage, times=together)
        stage.together(THREADS)
        return {"retries": retries}

    return play
