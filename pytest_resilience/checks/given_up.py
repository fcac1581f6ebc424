"""A call's attempts as its client made them, whatever its transport does behind its back.

*Problem.* A server sees when a connection ends, and not when its client has given it up. Some
close it only behind the wait (urllib3's Retry), and some send once more by themselves what met
a closed one (aiohttp).

*Solution.* What cannot be seen is taken to be as it is claimed, where it may be so.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from pytest_resilience.checks.observation import Call
from pytest_resilience.checks.timeouts import bounds_of
from pytest_resilience.checks.words import SLACK_NS, nanoseconds
from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.records import Attempt, Outcome, Trace

__all__ = ["as_given_up", "resent", "without_resent"]

FOR_EVER = 10**21


def as_given_up(call: Call, policy: RetryPolicy) -> Call:
    """The same with attempts that end when their client has given them up.

    A connection that is still open when the next attempt begins, or when the call ends, was
    given up when the claimed timeout was over; where none is claimed, early enough for the wait.
    """
    tries = call.tries
    ends: dict[int, int] = {}
    for place, attempt in enumerate(tries):
        is_last = place + 1 == len(tries)
        after = call.ended_ns if is_last else tries[place + 1].started_ns
        if after is None or not _is_open(attempt, None if is_last else after):
            continue
        wait = None if is_last else policy.wait_range(place + 1)
        low, high = bounds_of(policy, is_async=True) or (0, FOR_EVER)
        latest = after - nanoseconds(wait[0] if wait else 0)
        end = max(low, min(high, latest - attempt.started_ns))
        ends[attempt.number] = min(after, attempt.started_ns + end)
    return _with(call, [replace(a, ended_ns=ends.get(a.number, a.ended_ns)) for a in call.trace])


def _is_open(attempt: Attempt, then: int | None) -> bool:
    """Whether only its client could end it, and has not done so by then; None is the end."""
    if attempt.outcome not in (Outcome.GONE, Outcome.PENDING):
        return False
    return attempt.ended_ns is None or (then is not None and attempt.ended_ns >= then - SLACK_NS)


def without_resent(call: Call) -> Call:
    """The same without what its transport sent once more by itself."""
    again = resent(call)
    return _with(call, [attempt for attempt in call.trace if attempt.number not in again])


def resent(call: Call) -> set[int]:
    """The numbers of attempts that met a closed connection, and were sent once more at once."""
    again: set[int] = set()
    is_again = False
    for before, after in pairwise(call.tries):
        at_once = before.outcome is Outcome.CUT and before.ended_ns == after.started_ns
        is_again = at_once and before.status is None and not is_again
        if is_again:
            again.add(before.number)
    return again


def _with(call: Call, attempts: list[Attempt]) -> Call:
    return replace(call, trace=Trace(attempts, seed=call.trace.seed))
