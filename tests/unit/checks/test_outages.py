"""Outages of one kind: attempts whose end nobody sees, and limits that nobody has claimed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_resilience import FOREVER, Finding, RetryPolicy
from pytest_resilience.checks import attempts, implied, outages, schedule
from pytest_resilience.checks.given_up import as_given_up
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.records import Attempt, Outcome, Trace
from tests.unit.checks.seen import SECOND, attempt, call, seen

ERROR = OSError("no answer")
FOUR = RetryPolicy(backoff=[1, 2, 4])
IN_TIME = RetryPolicy(backoff=[1, 2, 4], timeout=10)
USUAL = call(0, 1, 3, 7)
SLOW = call(0, 11, 23, 37, lasted=9.999)


def codes(check: Any, observation: Observation, policy: RetryPolicy) -> list[str]:
    return [finding.code for finding in check(observation, policy)]


def silence(*at: float, ended: tuple[float | None, ...], end: float | None) -> Call:
    """Attempts that began and ended at these seconds, if they did."""

    def one(place: int) -> Attempt:
        ends, outcome = ended[place], Outcome.PENDING if ended[place] is None else Outcome.GONE
        ended_ns = None if ends is None else round(ends * SECOND)
        return replace(attempt(place + 1, at[place], None), ended_ns=ended_ns, outcome=outcome)

    ended_ns = None if end is None else round(end * SECOND)
    return Call(0, ended_ns, None, ERROR, Trace([one(place) for place in range(len(at))]))


@pytest.mark.parametrize(
    ("made", "policy", "wanted"),
    [
        # Each is closed before the wait, or behind it, as urllib3's are; or never.
        (silence(0, 11, 23, ended=(10, 21, 33), end=33), IN_TIME, [10, 21, 33]),
        (silence(0, 11, 23, ended=(11, 23, 33), end=33), IN_TIME, [10, 21, 33]),
        (silence(0, 11, 23, ended=(None, None, None), end=33), IN_TIME, [10, 21, 33]),
        # It waited too briefly, or for too long; aiohttp's timeouts may take a second more.
        (silence(0, 10, ended=(10, 20), end=20), IN_TIME, [10, 20]),
        (silence(0, 19, ended=(19, 29), end=29), IN_TIME, [11, 29]),
        # Without a claim its timeout may be any.
        (silence(0, 11, ended=(11, 21), end=21), FOUR, [10, 21]),
        (silence(0, 11, ended=(11, None), end=30), RetryPolicy(), [11, 30]),
        (silence(0, 11, ended=(11, None), end=None), FOUR, [10, None]),
        (call(0, 1, 3), IN_TIME, [0, 1, 3]),
    ],
)
def test_an_attempt_ends_when_it_is_given_up(
    made: Call, policy: RetryPolicy, wanted: list[float | None]
) -> None:
    """What cannot be seen of it is as it is claimed, where it may be."""
    assert [one.ended for one in as_given_up(made, policy).trace] == wanted


def test_waits_behind_which_a_connection_was_open() -> None:
    """They are judged all the same."""
    kept = silence(0, 11, 23, 37, ended=(11, 23, 37, 47), end=47)
    hasty = silence(0, 10, 20, 30, ended=(10, 20, 30, 40), end=40)

    assert codes(schedule.kept, seen(kept), IN_TIME) == []
    assert codes(schedule.kept, seen(hasty), IN_TIME) == ["constant-backoff"]


@pytest.mark.parametrize(
    ("at", "policy", "found"),
    [
        ((0, 0, 1, 1, 3, 3, 7, 7), FOUR, []),
        ((0, 0, 2, 6), RetryPolicy(backoff=[0, 2, 4]), []),
        ((0, 0, 1, 1, 3, 3, 7, 7), RetryPolicy(backoff=[1, 2, 4], resends=False), ["cut"]),
        ((0, 0, 0, 0), FOUR, ["cut"]),
    ],
)
def test_waits_of_a_transport_that_sends_once_more(
    at: tuple[float, ...], policy: RetryPolicy, found: list[str]
) -> None:
    """What it sends by itself is no wait of none, unless it is claimed to send nothing."""
    made = call(*at, status=None, last=None)

    assert len(codes(schedule.kept, seen(made), policy)) == len(found)


def test_a_wrong_wait_behind_what_was_sent_once_more() -> None:
    """It is named by the client's own waits, as in any other outage."""
    made = call(0, 0, 2, 2, 6, 6, 14, 14, status=None, last=None)

    (found,) = schedule.kept(seen(made), FOUR)

    assert found.code == "off-by-one-schedule"
    assert found.sentence == "attempt 4 came 2.000 s after attempt 2, wanted 1.000 s"


def test_what_is_given_up_is_not_sent_again_by_a_transport() -> None:
    """Seven attempts that follow upon timeouts at once are seven."""
    hasty = silence(*range(0, 70, 10), ended=tuple(range(10, 80, 10)), end=70)

    assert codes(attempts.exhausted, seen(hasty), IN_TIME) == ["too-many-attempts"]


def test_room_for_another_attempt() -> None:
    """Who leaves it room before a deadline, as long as the ones before, has stopped in time."""
    policy = RetryPolicy(backoff=[1, 2, 4], deadline=35, timeout=10)
    early = silence(0, 11, ended=(10, 21), end=21)

    assert codes(attempts.exhausted, seen(early), policy) == ["too-few-attempts"]
    assert codes(attempts.exhausted, seen(early), replace(policy, deadline=32)) == []


@pytest.mark.parametrize(
    ("made", "usual", "found"),
    [
        (call(0, 1, 3, 7), None, []),
        (call(0, 1, 3, 7, 15), USUAL, ["too-many-attempts"]),
        # One attempt is none that is tried again, which is told elsewhere.
        (call(0), USUAL, []),
        (call(0, 1), USUAL, ["too-few-attempts"]),
        # A quota for all calls is used up, a breaker is open.
        (call(0, 1), call(0, 1), []),
        (call(0, 1), Call(0, 0, None, ERROR), []),
        (call(0, 1), None, []),
        # A limit of time, or none.
        (silence(0, 11, ended=(10, 21), end=21), SLOW, ["too-few-attempts"]),
        (silence(0, 11, ended=(10, 21), end=21), call(0, 11, lasted=9.999), []),
        (silence(0, 11, 23, ended=(10, 21, 33), end=33), SLOW, []),
        # What was taken for an answer, and what was never given up.
        (Call(0, 0, {"ok": True}, None, Trace([attempt(1, 0, 200)])), USUAL, []),
        (call(0, 8000, status=None, last=None, lasted=7200), USUAL, []),
    ],
)
def test_as_many_attempts_as_in_any_outage(
    made: Call, usual: Call | None, found: list[str]
) -> None:
    """Fewer are only told where nothing but the kind of the outage can be the reason."""
    facts = {} if usual is None else {"usual": usual}

    assert codes(outages.exhausted, seen(made, usual or made, **facts), IN_TIME) == found


def test_as_many_as_long_as_nobody_says_how_many() -> None:
    """Without schedule the longest wait tells how late the next attempt would have been."""
    few = silence(0, 11, ended=(10, 21), end=21)
    policy = RetryPolicy(attempts=4)

    assert codes(outages.exhausted, seen(few, usual=SLOW), policy) == ["too-few-attempts"]
    assert codes(outages.exhausted, seen(few, usual=call(0, 20)), policy) == []


@pytest.mark.parametrize(
    ("at", "facts", "found"),
    [
        ((0, 1, 3, 7), {}, []),
        ((0, 1, 1, 5), {"usual": USUAL}, ["wrong-schedule"]),
        ((0, 1, 1, 5), {}, []),
        ((0, 1, 1, 5), {"usual": USUAL, "ends": False}, []),
    ],
)
def test_the_waits_of_any_outage(
    at: tuple[float, ...], facts: dict[str, object], found: list[str]
) -> None:
    """They are the same, as far as anybody knows how long attempts took."""
    assert codes(outages.kept, seen(call(*at), **facts), FOUR) == found


def test_after_the_last_attempt_of_any_outage() -> None:
    """Nothing is waited for; of attempts without an end nobody knows."""
    made = call(0, 1, tail=8, error=ERROR)

    assert codes(outages.last_is_last, seen(made), FOUR) == ["wait-after-last-attempt"]
    assert codes(outages.last_is_last, seen(made, ends=False), FOUR) == []


@pytest.mark.parametrize(
    ("knocks", "answered", "found"),
    [
        (3, False, ["error-swallowed"]),
        (0, False, []),
        (3, True, []),
        (9, True, ["error-swallowed"]),
    ],
)
def test_who_was_not_reached(knocks: int, answered: bool, found: list[str]) -> None:  # noqa: FBT001 -- a parameter
    """Connections are its attempts, unless it waited until somebody was there again."""
    trace = call(*range(knocks)).trace if knocks else Trace()
    made = Call(0, 20 * SECOND, None, None, call(19).trace if answered else Trace())

    assert codes(outages.told, seen(made, knocked=trace), FOUR) == found


@pytest.mark.parametrize(
    ("made", "policy", "wanted"),
    [
        (call(0, 1, 3, 7), FOUR, True),
        (call(0, 1, 3), FOUR, False),
        (call(0, 1, 2, 6), FOUR, False),
        (call(0, 1), RetryPolicy(attempts=FOREVER), True),
    ],
)
def test_what_no_limit_has_to_explain(made: Call, policy: RetryPolicy, *, wanted: bool) -> None:
    """It is as it is claimed."""
    assert outages.is_as_claimed(made, policy) is wanted


def test_what_is_wrong_in_every_outage_is_told_once() -> None:
    """And what is wrong in those of one kind, for each of them."""
    by_429, by_reset = "outage-by-429", "outage-by-reset"
    found = [
        Finding("constant-backoff", "", (), "outage-without-end"),
        Finding("wrong-schedule", "", (), by_429),
        Finding("too-many-attempts", "", (), by_429),
        Finding("too-many-attempts", "", (), by_reset),
    ]

    told = [(one.code, one.scenario) for one in implied.without_consequences(found)]

    assert told == [
        ("constant-backoff", "outage-without-end"),
        ("too-many-attempts", by_429),
        ("too-many-attempts", by_reset),
    ]
    assert len(implied.without_consequences(found[1:])) == 3
