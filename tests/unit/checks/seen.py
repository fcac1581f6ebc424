"""Observations made by hand, for checks that only read them."""

from __future__ import annotations

from typing import Any

from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.records import Attempt, Outcome, Trace

SECOND = 1_000_000_000


def attempt(number: int, at: float, status: int | None = 503, lasted: float = 0.0) -> Attempt:
    """One request, and its answer; None for one that was cut."""
    start = round(at * SECOND)
    return Attempt(
        number=number,
        started_ns=start,
        connection=1,
        reused=False,
        method="GET",
        target="/",
        head=b"",
        status=status,
        fault=None if status == 200 else "a fault",
        ended_ns=start + round(lasted * SECOND),
        outcome=Outcome.CUT if status is None else Outcome.ANSWERED,
    )


def call(
    *at: float,
    last: int | None = 503,
    status: int | None = 503,
    tail: float = 0.0,
    error: BaseException | None = None,
    value: object = None,
    number: int = 1,
    lasted: float = 0.0,
) -> Call:
    """A call with attempts at these seconds, all of them failed but perhaps the last."""
    statuses = [*[status] * (len(at) - 1), last]
    tried = [
        attempt(number + place, when, code, lasted)
        for place, (when, code) in enumerate(zip(at, statuses, strict=True))
    ]
    end = round((at[-1] + lasted + tail) * SECOND)
    return Call(round(at[0] * SECOND), end, value, error, Trace(tried))


def seen(*calls: Call, baseline: object = None, **facts: Any) -> Observation:
    """A scenario with these calls."""
    everything = [one for made in calls for one in made.trace]
    return Observation(
        scenario="by hand",
        calls=calls,
        trace=Trace(everything),
        baseline=Call(0, 0, {"ok": True} if baseline is None else baseline),
        facts=facts,
    )
