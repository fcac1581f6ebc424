"""Outages of one kind, such as resets or a single status: the same is wanted as in any other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

from pytest_resilience.checks import attempts, endings, schedule
from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.given_up import as_given_up
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.checks.words import nanoseconds
from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.records import Attempt, Outcome, Trace

__all__ = ["exhausted", "is_as_claimed", "kept", "last_is_last", "told"]

Judging: TypeAlias = Callable[[Observation, RetryPolicy], Iterator[Finding]]


def _of_one_kind(check: Judging) -> Judging:
    """The check for the one call that met it, where that can be judged at all."""

    @functools.wraps(check)
    def judge(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
        call = _judged(seen, policy)
        if call is not None:
            yield from check(replace(seen, calls=(call,), trace=call.trace), policy)

    return judge


def _judged(seen: Observation, policy: RetryPolicy) -> Call | None:
    """The call; None for who takes a fault for an answer, or is never done: others tell of that."""
    call, knocked = seen.calls[0], seen.facts.get("knocked")
    if isinstance(knocked, Trace):
        # Who was at it until somebody answered has waited for long, unless he tried too often.
        is_over = bool(call.trace) and len(knocked) <= (policy.limit or 0)
        return None if is_over or not knocked else replace(call, trace=knocked)
    tries = call.tries
    is_taken = call.returned and len(tries) == 1 and (tries[0].status or 500) < 400
    return None if is_taken or any(map(_was_held, tries)) else call


def _was_held(attempt: Attempt) -> bool:
    """Whether the server had to end a silence."""
    return attempt.outcome is Outcome.CUT and attempt.ended_ns != attempt.started_ns


@_of_one_kind
def exhausted(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """As many attempts as it claims; who makes but one is told so where a second would do."""
    place = len(seen.call.tries) - 1
    for finding in attempts.exhausted(seen, policy):
        if place and (finding.code != "too-few-attempts" or _might_go_on(seen, policy, place)):
            yield finding


@_of_one_kind
def kept(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Each wait is the one that is claimed."""
    place = schedule.first_wrong(as_given_up(seen.call, policy), policy)
    if place is not None and seen.facts.get("ends", True) and _might_go_on(seen, policy, place):
        yield from schedule.kept(seen, policy)


@_of_one_kind
def last_is_last(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """When it has given up, it comes back at once."""
    if seen.facts.get("ends", True):
        yield from attempts.last_is_last(seen, policy)


told = _of_one_kind(endings.told)


def is_as_claimed(call: Call, policy: RetryPolicy) -> bool:
    """Whether there is nothing that an unclaimed limit could explain."""
    if len(call.tries) < (policy.limit or 0):
        return False
    return schedule.first_wrong(as_given_up(call, policy), policy) is None


def _might_go_on(seen: Observation, policy: RetryPolicy, place: int) -> bool:
    """Whether nothing but the kind of this outage keeps it from the attempt behind this place.

    In a usual outage, whose answers took as long, it makes one that comes as late, and later.
    """
    call, usual = as_given_up(seen.call, policy), seen.facts.get("usual")
    if not isinstance(usual, Call) or not usual.tries:
        return False
    tried = call.tries[place]
    ended = tried.started_ns if tried.ended_ns is None else tried.ended_ns
    if ended == tried.started_ns:
        return len(usual.tries) > place + 1
    bounds = policy.wait_range(place + 1)
    longest = max([*call.waits_ns, *usual.waits_ns], default=0)
    wait = longest if bounds is None else nanoseconds(bounds[1])
    return usual.tries[-1].started_ns - usual.started_ns > ended + wait - call.started_ns
