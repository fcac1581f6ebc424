"""What is tried again, and what must not be."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from pytest_resilience.checks.attempts import out_of_time
from pytest_resilience.checks.credentials import carried
from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.checks.values import lacks, plain
from pytest_resilience.checks.words import kind
from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.records import Attempt

__all__ = [
    "PROGRAMMING",
    "connected_once",
    "failure",
    "failure_left_alone",
    "own_choice",
    "own_mistakes",
    "status",
    "status_left_alone",
    "unconnected",
]

PROGRAMMING = (
    "AttributeError",
    "AssertionError",
    "IndexError",
    "KeyError",
    "NameError",
    "TypeError",
    "UnboundLocalError",
)
"""Builtin exceptions that say of a program that it is wrong."""

PASSING = (408, 425, 429)
"""Statuses below 500 that say nothing about the request itself."""
REFUSES_LOGIN = (401, 403, 407)
MANY = 2
"""Repetitions, at once and with the same credential, that have no other reason than to repeat."""


def status(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A status that it claims to retry is tried again."""
    call = seen.call
    if len(call.tries) == 1 and call.tries[0].failed and not _did_without(seen):
        sentence = f"{call.tries[0].status} was not tried again"
        yield Finding("status-not-retried", sentence, seen.evidence(call.trace))


def _did_without(seen: Observation) -> bool:
    """Whether it never came back, or went on with others and has all that it wanted."""
    call, whole = seen.call, plain(seen.baseline.value)
    has_all = call.returned and whole is not None and not lacks(plain(call.value), whole)
    return call.never_returned or (has_all and not call.trace[-1].failed)


def status_left_alone(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A status that no repetition can cure is not repeated."""
    call = seen.call
    code = call.tries[0].status if call.tries else None
    again = [] if code is None else _repeats(call, code, policy)
    if not again or code is None:
        return
    name = "too-many-attempts"
    if code == 501:
        name = "not-implemented-retried"
    elif code < 500 and code not in PASSING:
        name = "client-error-retried"
    marks = {attempt.number: "again" for attempt in again}
    sentence = f"{code} was tried again, {again[0].at - call.tries[0].at:.3f} s later"
    yield Finding(name, sentence, seen.evidence(call.trace, marks=marks))


def _repeats(call: Call, code: int, policy: RetryPolicy) -> list[Attempt]:
    """Which attempts do no more than repeat what was refused.

    A request that differs may be another way of asking, unless it comes after a wait. One with
    another credential, or after a login, is what a 401 asks for. And unless somebody has named
    it as never retried, he may ask once more, at once, with a token that he has read anew.
    """
    first, *others = call.tries
    if code in REFUSES_LOGIN:
        others = [other for other in others if not _with_another_login(call, first, other)]
    if _waited(call) or code in (policy.never_statuses or ()):
        return others
    if code in REFUSES_LOGIN and len(others) < MANY:
        return []
    if policy.retries_status(code) is False:
        return others
    asked = first.target, first.body
    return [other for other in others if (other.target, other.body) == asked]


def _waited(call: Call) -> bool:
    return any(wait > 0 for wait in call.waits_ns)


def _with_another_login(call: Call, first: Attempt, other: Attempt) -> bool:
    numbers = {attempt.number for attempt in call.tries}
    between = [a for a in call.trace if first.number < a.number < other.number]
    asked_elsewhere = any(attempt.number not in numbers for attempt in between)
    return asked_elsewhere or carried(other) != carried(first)


def own_choice(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A 501 is repeated though others of its kind are not: somebody has chosen it.

    aiohttp-retry repeats whatever is a 5xx, and so do many predicates that are documented:
    that alone is no choice. Whoever repeats a 400 as well chooses nothing at all.
    """
    first, other, refused = (len(call.tries) for call in seen.calls)
    if first > 1 and (other == 1 or refused > 1):
        yield from status_left_alone(dataclasses.replace(seen, calls=seen.calls[:1]), policy)


def failure(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A failure without a status that it claims to retry is tried again."""
    call = seen.call
    gave_up = call.error is not None and len(call.tries) <= 1
    if not gave_up or out_of_time(call, policy):
        return
    what = seen.facts["failure"]
    sentence = f"{what} was not tried again: the call raised {kind(call.error)}"
    yield Finding("failure-not-retried", sentence, seen.evidence(call.trace))


def unconnected(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A host that does not answer is given up, and tried again."""
    facts = seen.facts
    if not facts:
        return
    if not facts["too_long"]:
        yield from failure(seen, policy)
    elif not facts["ends"] or (policy.connect_timeout and not facts["is_async"]):
        # aiohttp may end it a second later, at a whole one.
        sentence = f"it was still connecting when {seen.number('timeout'):g} s were over"
        code = "wrong-timeout" if facts["ends"] else "no-timeout"
        yield Finding(code, sentence, seen.evidence(seen.call.trace))


def failure_left_alone(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A failure that it never retries is not tried again; a transport may, once and at once."""
    call = seen.call
    waited = [wait for wait in call.waits_ns if wait > 0]
    again = len(call.tries) > (1 if policy.resends is False else 2) or waited
    if again:
        sentence = f"{seen.facts['failure']} was tried again, though it is never retried"
        yield Finding("too-many-attempts", sentence, seen.evidence(call.trace))


def connected_once(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A connection that cannot be had is not tried again."""
    begun = round(seen.number("connects"))
    if begun > 1 and not seen.call.trace:
        sentence = f"{seen.facts['failure']} was tried {begun} times, though it is never retried"
        yield Finding("too-many-attempts", sentence, seen.evidence(seen.call.trace))


def own_mistakes(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """An error of its own code is raised at once."""
    call = seen.call
    if len(call.tries) < 2 or call.error is None:
        return
    for error in chain(call.error):
        if type(error).__module__ == "builtins" and type(error).__name__ in PROGRAMMING:
            sentence = (
                f"it made {len(call.tries)} attempts because of a {kind(error)} of its own code"
            )
            yield Finding("programming-error-retried", sentence, seen.evidence(call.trace))
            return


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and all that led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
