"""How often: outages that end after n attempts, and one that does not end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytest_resilience.checks import attempts, endings, jitter, schedule, timeouts
from pytest_resilience.judge.scenario import Check, Scenario, Subject
from pytest_resilience.judge.stage import Stage

__all__ = ["scenarios"]

ORDER = 0
"""Most of what can be wrong shows here."""


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """First the outage that outlasts any client: most of what can be wrong shows in it."""
    limit = subject.policy.limit
    tries = "as often as it claims" if limit is None else f"{limit} times"
    is_tried_again = subject.standard is not None or limit in (None, 1)
    counted: list[Check] = []
    if is_tried_again:
        counted = [attempts.exhausted, schedule.kept, jitter.not_too_long]
    yield Scenario(
        name="outage-without-end",
        clause=f"tries {tries} in an outage, with the waits it claims, and tells its caller",
        play=_endless(subject),
        checks=[*counted, attempts.last_is_last, endings.told],
    )
    if subject.policy.deadline is not None:
        yield Scenario(
            name="outage-beyond-the-deadline",
            clause=f"begins nothing after {subject.policy.deadline:g} s",
            play=_long_outage(subject),
            checks=[timeouts.deadline, attempts.last_is_last],
        )
    if subject.standard is None or limit == 1:
        return
    for failures in _lengths(limit):
        yield Scenario(
            name=f"outage-of-{failures}",
            clause=f"survives {failures} failure{'' if failures == 1 else 's'} in a row",
            play=_outage(subject, failures),
            checks=[attempts.survived],
        )


def _lengths(limit: int | None) -> list[int]:
    """Every length that a client should survive; of many the first and the last."""
    if limit is None:
        return [1, 2, 5]
    return [n for n in range(1, limit) if n <= 5 or n == limit - 1]


def _endless(subject: Subject) -> Callable[[Stage], object]:
    def play(stage: Stage) -> object:
        facts = _outage(subject, subject.enough)(stage)
        stage.remember_outage()
        return facts

    return play


def _outage(subject: Subject, failures: int) -> Callable[[Stage], object]:
    def play(stage: Stage) -> object:
        stage.fail(subject.outage, times=failures)
        stage.call()
        return {"failures": failures, "error_body": stage.error_body(subject.outage)}

    return play


def _long_outage(subject: Subject) -> Callable[[Stage], object]:
    deadline = subject.policy.deadline or 0.0

    def play(stage: Stage) -> object:
        # Bounded in number too: a client that does not wait would ask for ever.
        stage.fail(subject.outage, times=1000, when=lambda attempt: attempt.at < 3 * deadline)
        return stage.call()

    return play
