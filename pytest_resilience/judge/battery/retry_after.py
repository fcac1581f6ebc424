"""Retry-After in every form: seconds, dates, now, never, nonsense."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterator

from pytest_resilience import faults
from pytest_resilience.answers import RETRY_AFTER
from pytest_resilience.checks import attempts, retry_after, timeouts
from pytest_resilience.judge.ground import FAULTS
from pytest_resilience.judge.scenario import Check, Scenario, Subject
from pytest_resilience.judge.stage import Stage
from pytest_resilience.plan import FaultLike
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["scenarios"]

DAYS = 10 * 86_400
NONSENSE = {"words": "soon", "negative": "-5"}
FAR_AWAY = "TST-05:30"
"""A time zone five and a half hours east: a date read in local time is off by that much."""


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """What the policy says of it; nonsense for every client that tries again."""
    status = _status(subject)
    if status is None:
        return
    said = _seconds(subject)
    # urllib3's Retry(0) says that it would honour it, and never tries again.
    if subject.policy.retry_after and said is not None and subject.policy.limit != 1:
        yield from _honoured(subject, status, said)
    yield Scenario(
        name="retry-after-without-end",
        clause="waits for none when it has given up",
        play=_told_again_and_again(status, subject.enough, 1),
        checks=[attempts.last_is_last],
    )
    for name, text in NONSENSE.items():
        clause = f"survives Retry-After: {text}"
        yield _scenario(name, clause, status, text, [retry_after.survived], unreadable=True)


def _honoured(subject: Subject, status: int, said: float) -> Iterator[Scenario]:
    policy = subject.policy
    yield _scenario("seconds", "honours it in seconds", status, said, [retry_after.honoured])
    for other in RETRY_AFTER:
        if other != status and subject.retries_status(other):
            clause = f"honours it with a {other} as well"
            yield _scenario(f"with-{other}", clause, other, said, [retry_after.honoured])
    yield Scenario(
        name="retry-after-date",
        clause="honours it as a date, in any time zone",
        play=_dated(status, said),
        checks=[retry_after.honoured],
    )
    yield _scenario("zero", "reads 0 as now", status, 0, [retry_after.zero])
    yield Scenario(
        name="retry-after-past-date",
        clause="reads a date in the past as now",
        play=_dated(status, -60),
        checks=[retry_after.zero],
    )
    if policy.retry_after_cap is not None or policy.deadline is not None:
        longest = max(policy.retry_after_cap or 0, policy.deadline or 0)
        too_long = DAYS + 10 * math.ceil(longest)
        bounded: list[Check] = [retry_after.bounded]
        clause = "does not wait for as long as a server likes"
        yield _scenario("of-days", clause, status, too_long, bounded)
        yield Scenario(
            name="retry-after-date-in-days",
            clause=f"{clause}, by a date too",
            play=_dated(status, too_long),
            checks=bounded,
        )
    if (above := _above_the_cap(policy)) is not None:
        clause = f"waits for no more than {policy.retry_after_cap:g} s"
        yield _scenario("above-its-cap", clause, status, above, [retry_after.bounded])
    if (often := _too_long_in_all(subject)) is not None:
        which = "deadline" if _ends_first(policy) == policy.deadline else "budget"
        yield Scenario(
            name=f"retry-after-beyond-the-{which}",
            clause=f"waits for nothing beyond its {which}, whoever asks for it",
            play=_told_again_and_again(status, subject.enough, often),
            checks=[timeouts.deadline, timeouts.budget, attempts.last_is_last],
        )
    yield Scenario(
        name="retry-after-then-none",
        clause="forgets it after one wait",
        play=_forgotten(subject, status, said, status),
        checks=[retry_after.forgotten],
    )
    if subject.retries_failure("reset"):
        yield Scenario(
            name="retry-after-then-reset",
            clause="forgets it when no answer comes",
            play=_forgotten(subject, status, said, FAULTS["reset"]),
            checks=[retry_after.forgotten],
        )


def _status(subject: Subject) -> int | None:
    """A status that is tried again, and that Retry-After goes with."""
    for status in RETRY_AFTER:
        if subject.retries_status(status):
            return status
    return subject.standard if isinstance(subject.standard, int) else None


def _seconds(subject: Subject) -> float | None:
    """A time that no schedule has for its first wait, within cap and deadline."""
    policy = subject.policy
    schedule = policy.wait_range(1) or (0.0, 0.0)
    said = math.ceil(schedule[1]) + 3
    bounds = [bound for bound in (policy.retry_after_cap, policy.deadline) if bound is not None]
    if policy.budget is not None:
        bounds.append(policy.budget)
    longest = min(bounds, default=math.inf)
    return said if said < longest else None


def _above_the_cap(policy: RetryPolicy) -> float | None:
    """A time that is too long for nothing but the cap."""
    cap = policy.retry_after_cap
    if cap is None:
        return None
    ends = _ends_first(policy)
    above = math.ceil(min(2 * cap + 1, (cap + ends) / 2))
    return above if cap < above < ends else None


def _ends_first(policy: RetryPolicy) -> float:
    """Its deadline or its budget, whichever is shorter."""
    return min(end for end in (policy.deadline, policy.budget, math.inf) if end is not None)


def _too_long_in_all(subject: Subject) -> float | None:
    """A time that may be waited for once, and not as often as it tries."""
    ends, cap = _ends_first(subject.policy), subject.policy.retry_after_cap
    if ends == math.inf:
        return None
    said = math.floor(min(0.6 * ends, math.inf if cap is None else cap))
    retries = (subject.policy.limit or subject.enough) - 1
    return said if said > 0 and said * retries > ends else None


def _scenario(
    name: str,
    clause: str,
    status: int,
    value: float | str,
    checks: list[Check],
    *,
    unreadable: bool = False,
) -> Scenario:
    def play(stage: Stage) -> object:
        stage.fail(faults.status(status, retry_after=value))
        stage.call()
        return {"said": value, "text": str(value), "unreadable": unreadable}

    return Scenario(name=f"retry-after-{name}", clause=clause, play=play, checks=checks)


def _told_again_and_again(status: int, times: int, said: float) -> Callable[[Stage], object]:
    """What a status has a branch of its own for may be waited for behind the last attempt."""

    def play(stage: Stage) -> None:
        stage.fail(faults.status(status, retry_after=said), times=times)
        stage.call()

    return play


def _dated(status: int, seconds: float) -> Callable[[Stage], object]:
    def play(stage: Stage) -> object:
        with _elsewhere():
            stage.fail(faults.status(status, retry_after=faults.http_date(seconds)))
            stage.call()
        text = stage.server.trace[0].retry_after if len(stage.server.trace) else ""
        return {"said": seconds, "text": text, "date": True}

    return play


def _forgotten(
    subject: Subject, status: int, said: float, later: FaultLike
) -> Callable[[Stage], object]:
    def play(stage: Stage) -> object:
        told = faults.status(status, retry_after=said)
        stage.fail(told, *([later] if (subject.policy.limit or 3) > 2 else []))
        stage.call()
        stage.fail(later)
        stage.call()
        return {"said": said, "text": str(said)}

    return play


@contextlib.contextmanager
def _elsewhere() -> Iterator[None]:
    """Far away from Greenwich, for a client that takes the date for local time."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = FAR_AWAY
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()
