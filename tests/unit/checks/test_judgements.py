"""Checks as pure functions: what they find in an observation, and what they let pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_resilience import FOREVER, Backoff, Finding, Jitter, RetryPolicy
from pytest_resilience.checks import (
    attempts,
    calls,
    endings,
    implied,
    jitter,
    login,
    retried,
    retry_after,
    schedule,
    timeouts,
    words,
)
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.records import Attempt, Trace
from tests.unit.checks.seen import SECOND, attempt, call, seen

ERROR = OSError("reset")
FOUR = RetryPolicy(backoff=[1, 2, 4])
SIX = RetryPolicy(backoff=[1, 2, 4, 8, 8])
FULL = RetryPolicy(attempts=4, backoff=Backoff(1), jitter="full")
HAIR = Jitter("additive", 0.001)
HONOURS = RetryPolicy(backoff=[1, 2, 4], retry_after=True, retry_after_cap=60)
NEVER = Call(0, None)


def codes(check: Any, observation: Observation, policy: RetryPolicy) -> list[str]:
    return [finding.code for finding in check(observation, policy)]


@pytest.mark.parametrize(
    ("made", "policy", "found"),
    [
        (call(0, 1, 3, 7), FOUR, []),
        (call(0, 1, 3), FOUR, ["too-few-attempts"]),
        (call(0, 1, 3, 7, 15), FOUR, ["too-many-attempts"]),
        (call(0, 0, 2, 3, 3, 5), RetryPolicy(attempts=3), ["nested-retries"]),
        (call(0, 1, 2, 3, 3.5), RetryPolicy(attempts=3), ["too-many-attempts"]),
        (call(0, 1, 3, 6, 10, 15, 21, 28, 36), RetryPolicy(attempts=3), ["nested-retries"]),
        (call(0, 1, 3), RetryPolicy(backoff=[1, 2, 4], deadline=6), []),
        (call(0, 1, 3), RetryPolicy(backoff=[1, 2, 4], budget=5), []),
        (call(0, 1, 3), RetryPolicy(backoff=[1, 2, 4], deadline=60), ["too-few-attempts"]),
        (call(0, 1, 3), RetryPolicy(attempts=4, budget=3), []),
        (call(0, 1, 3), RetryPolicy(attempts=FOREVER), []),
        (NEVER, FOUR, []),
        # A transport that sends once more by itself, and one that must not.
        (call(0, 0, 1, 1, status=None, last=None), RetryPolicy(attempts=2), []),
        (
            call(0, 0, status=None, last=None),
            RetryPolicy(attempts=1, resends=False),
            ["too-many-attempts"],
        ),
    ],
)
def test_an_outage_that_outlasts_it(made: Call, policy: RetryPolicy, found: list[str]) -> None:
    """As many attempts as it claims, unless its time is over first."""
    assert codes(attempts.exhausted, seen(made), policy) == found


@pytest.mark.parametrize(
    ("made", "policy", "found"),
    [
        (call(0, 1, 3, last=200), FOUR, []),
        (call(0, 1, error=ERROR), FOUR, ["too-few-attempts"]),
        (call(0, 1, error=ERROR), RetryPolicy(backoff=[1, 2, 4], deadline=3), []),
        (call(0, 1, error=ERROR), RetryPolicy(attempts=2), []),
        (NEVER, FOUR, []),
    ],
)
def test_an_outage_that_it_should_survive(
    made: Call, policy: RetryPolicy, found: list[str]
) -> None:
    """One attempt more than there were failures."""
    assert codes(attempts.survived, seen(made, failures=2), policy) == found


@pytest.mark.parametrize(
    ("made", "policy", "found"),
    [
        (call(0, 1), FOUR, []),
        (call(0, 1, tail=2), FOUR, ["wait-after-last-attempt"]),
        (call(0, 1, tail=2, error=TimeoutError()), FOUR, []),
        (call(0, 1, tail=2), RetryPolicy(deadline=3), ["futile-wait"]),
        (call(0, 1, tail=2, last=200), FOUR, []),
        (NEVER, FOUR, []),
    ],
)
def test_after_the_last_attempt(made: Call, policy: RetryPolicy, found: list[str]) -> None:
    """Nothing is waited for, unless a timeout around all of it cuts a wait short."""
    assert codes(attempts.last_is_last, seen(made), policy) == found


@pytest.mark.parametrize(
    ("at", "policy", "found"),
    [
        ((0, 1, 3, 7), FOUR, []),
        ((0, 1, 4, 8), FOUR, ["wrong-schedule"]),
        ((0, 0.5), FOUR, ["wrong-schedule"]),
        ((0, 2, 4, 6), FOUR, ["constant-backoff"]),
        ((0, 1, 3, 6), FOUR, ["linear-backoff"]),
        ((0, 2, 6, 14), FOUR, ["off-by-one-schedule"]),
        ((0, 0, 1, 3), FOUR, ["off-by-one-schedule"]),
        ((0, 2, 6, 12, 19), RetryPolicy(backoff=[1, 2, 4, 6]), ["wrong-schedule"]),
        ((0, 2, 6, 12, 18), RetryPolicy(backoff=[1, 2, 4, 6]), ["off-by-one-schedule"]),
        ((0, 1, 3, 7, 15), RetryPolicy(backoff=[1, 2, 4, 5]), ["cap-ignored"]),
        ((0, 1, 3, 7, 14), RetryPolicy(backoff=[1, 2, 4, 5]), ["wrong-schedule"]),
        ((0, 2, 3, 4), RetryPolicy(backoff=[1, 1, 1]), ["wrong-schedule"]),
        ((0, 1, 3, 7, 15, 31), SIX, ["cap-ignored"]),
        ((0, 1, 3, 7, 15, 23), SIX, []),
        ((0, 1, 3, 7, 15), RetryPolicy(attempts=5, backoff=Backoff(1, cap=5)), ["cap-ignored"]),
        ((0, 1, 3, 8), RetryPolicy(backoff=[0, 1, 2]), ["wrong-schedule"]),
        ((0, 1, 3, 5), RetryPolicy(backoff=[1, 2, 4], deadline=5), []),
        ((0, 1, 3, 5), RetryPolicy(backoff=[1, 2, 4], deadline=9), ["wrong-schedule"]),
        ((0, 9), FULL, []),
        ((0, 9), RetryPolicy(), []),
    ],
)
def test_a_schedule(at: tuple[float, ...], policy: RetryPolicy, found: list[str]) -> None:
    """What is wrong with it has the name of the usual mistake."""
    assert codes(schedule.kept, seen(call(*at)), policy) == found


def test_what_comes_early_and_what_comes_late() -> None:
    """The sentence and the mark in the table say by how much; a timeout's end counts."""
    (early,) = schedule.kept(seen(call(0, 12, 14.5, lasted=10)), FOUR)

    assert early.sentence == "attempt 2 came 2.000 s after the end of attempt 1, wanted 1.000 s"
    assert early.evidence[1].endswith("<- too late by 1.000 s")
    (late,) = schedule.kept(seen(call(0, 0.25)), RetryPolicy(backoff=[(1, 2)]))
    assert late.sentence == "attempt 2 came 0.250 s after attempt 1, wanted 1.000 to 2.000 s"
    assert late.evidence[1].endswith("<- too early by 0.750 s")


@pytest.mark.parametrize(
    ("second", "policy", "found"),
    [
        ((20, 21, 23), FOUR, []),
        ((20, 24, 32), FOUR, ["backoff-kept-between-calls"]),
        ((20, 20.5, 21), FULL, []),
        ((20, 24, 32), FULL, ["backoff-kept-between-calls"]),
        ((20,), FOUR, []),
        ((20, 24), RetryPolicy(), []),
    ],
)
def test_a_second_outage(second: tuple[float, ...], policy: RetryPolicy, found: list[str]) -> None:
    """It begins with the first wait again."""
    both = seen(call(0, 1, 3), call(*second, number=4))

    assert codes(schedule.forgotten, both, policy) == found


@pytest.mark.parametrize(
    ("first", "later", "policy", "found"),
    [
        (call(0, 1, 3, 7), call(20, error=ERROR), FOUR, ["backoff-kept-between-calls"]),
        (call(0, 1, 3), call(20, 21, error=ERROR), FOUR, ["backoff-kept-between-calls"]),
        (call(0, 1, 3), call(20, 21, 23, error=ERROR), FOUR, []),
        (call(0, 1, 3, 7), call(20, 21, last=200), FOUR, []),
        (call(0, 1, 3, 7), call(20, 21, last=200, error=ERROR), FOUR, []),
        (call(0, 1, 3, 7), Call(0, 0, error=ERROR), FOUR, []),
        (call(0, 1, 3, 7), call(20, error=ERROR), RetryPolicy(), []),
        # There is no time for another one.
        (call(0, 1), call(20, error=ERROR, lasted=9), replace(FOUR, deadline=10), []),
    ],
)
def test_a_later_call_that_gives_up_sooner(
    first: Call, later: Call, policy: RetryPolicy, found: list[str]
) -> None:
    """It has gone on counting its attempts where the first one stopped."""
    assert codes(schedule.forgotten, seen(later, first=first), policy) == found


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ((0, 1.3, 3.9), (20, 21.9, 24), []),
        ((0, 1, 3.9), (20, 21, 23.1), []),
        ((0, 1, 3.9), (20, 24, 32), ["backoff-kept-between-calls"]),
    ],
)
def test_what_was_wrong_from_the_first(
    first: tuple[float, ...], second: tuple[float, ...], found: list[str]
) -> None:
    """Jitter that nobody claims is not kept: only a wait that was right before is."""
    both = seen(call(*first), call(*second, number=4))

    assert codes(schedule.forgotten, both, FOUR) == found


@pytest.mark.parametrize(
    ("first", "later", "found"),
    [
        ((0, 0.5, 2), [(20, 24, 32), (40, 49)], ["backoff-kept-between-calls"]),
        ((0, 0.5, 2), [(20, 24, 25), (40, 40.5)], []),
        ((0, 0.5, 4), [(20, 24, 32), (40, 49)], []),
    ],
)
def test_dice_are_out_of_bounds_now_and_then(
    first: tuple[float, ...], later: list[tuple[float, ...]], found: list[str]
) -> None:
    """A random wait that is too long is no state that is kept, unless nearly all are."""
    calls = [call(*at, number=10 * place) for place, at in enumerate([first, *later], 1)]

    assert codes(schedule.forgotten, seen(*calls), FULL) == found


ALONE = call(0, 1, 3, 7)
SILENCE = call(0, 11, 23, 37, status=None, last=None, lasted=10)


@pytest.mark.parametrize(
    ("at", "alone", "policy", "found"),
    [
        ((0, 0, 1, 1, 3, 3), ALONE, FOUR, []),
        ((0, 0, 1, 2, 3, 6), ALONE, FOUR, ["backoff-shared-between-threads"]),
        ((0, 0, 1, 1, 3), ALONE, FOUR, ["backoff-shared-between-threads"]),
        ((0, 0.2, 1, 1.2, 3, 3.2), ALONE, FOUR, []),
        ((0, 1, 3, 7, 7, 8, 10, 14), ALONE, FOUR, []),
        ((0, 1, 3, 7), ALONE, FOUR, []),
        ((0, 0, 0, 0), call(0, 0, 0), RetryPolicy(backoff=[0, 0]), []),
        # Attempts that last.
        ((0, 0, 11, 11, 23, 23), SILENCE, FOUR, []),
        ((0, 0, 11, 12, 23, 28), SILENCE, FOUR, ["backoff-shared-between-threads"]),
        # What is wrong with one alone is found elsewhere.
        ((0, 0, 1, 1), call(0, 1), FOUR, []),
        ((0, 0), call(0), FOUR, []),
        ((0, 0, 2, 4), call(0, 2, 6), FOUR, []),
        ((0, 0), Call(0, 0), FOUR, []),
    ],
)
def test_two_threads(
    at: tuple[float, ...], alone: Call, policy: RetryPolicy, found: list[str]
) -> None:
    """Each tries when one alone did."""
    whole = call(*at)
    both = Observation("by hand", (alone, whole, whole), whole.trace, whole, facts={"retries": 2})

    assert codes(schedule.of_each_thread, both, policy) == found


def many(*waits: tuple[float, ...]) -> Observation:
    made = []
    for place, of_one in enumerate(waits):
        at = [100.0 * place]
        for wait in of_one:
            at.append(at[-1] + wait)
        made.append(call(*at, number=1 + 10 * place))
    return seen(*made)


DRAWS = [(n + 0.5) / 64 for n in range(64)]
"""Between 0 and 1, evenly."""
GROWING = [(u, 2 * u, 4 * u) for u in DRAWS]
SHORT = RetryPolicy(backoff=[0.5, 2], jitter="full", deadline=1)


@pytest.mark.parametrize(
    ("waits", "policy", "found"),
    [
        (GROWING, FULL, []),
        ([(1, 2, 4)] * 64, FULL, ["jitter-missing"]),
        ([(1, 2, 4)] * 16, FULL, []),
        ([(0.123456, 1.98765, 2.31)] * 64, FULL, ["jitter-same-in-every-process"]),
        ([(60, 60, 60)] * 64, FULL, ["jitter-out-of-bounds"]),
        ([(u, u, u) for u in DRAWS], FULL, ["jitter-not-growing"]),
        ([(0.5 * u, 0.9 * u) for u in DRAWS], SHORT, []),
        (
            [(0.5 + u / 9, 0.5 + u / 9) for u in DRAWS],
            RetryPolicy(backoff=[(0.5, 1), (0.5, 4)]),
            [],
        ),
        ([(0.5, 3), (0.4, 1)], FULL, ["jitter-out-of-bounds"]),
        ([(1, 2, 4)] * 64, FOUR, []),
        ([()], FULL, []),
    ],
)
def test_chance(waits: Any, policy: RetryPolicy, found: list[str]) -> None:
    """It is there, it keeps within its bounds, and it grows."""
    assert codes(jitter.drawn, many(*waits), policy) == found


def randomly(kind: Jitter | str, cap: float | None = None, **claim: Any) -> RetryPolicy:
    return RetryPolicy(attempts=4, backoff=Backoff(1, cap=cap), jitter=kind, **claim)


@pytest.mark.parametrize(
    ("waits", "policy", "said"),
    [
        ([(u, 2, 4) for u in DRAWS], FULL, "wait 2 of 64 calls was always the same: 2.000 s"),
        ([(1, 2, 4 * u) for u in DRAWS], FULL, "wait 1 of 64 calls was always the same: 1.000 s"),
        (
            [(u, 1 + u, 2 + 2 * u) for u in DRAWS],
            FULL,
            "wait 2 of 64 calls always lay within the same 49% of its bounds",
        ),
        (
            [(1 + u / 20, 2 + u / 20, 4 + u / 20) for u in DRAWS],
            randomly(Jitter("additive", 0.5)),
            "wait 1 of 64 calls always lay within the same 10% of its bounds",
        ),
        (
            [(1 + u / 20, 2 + u / 20, 4 + u / 20) for u in DRAWS],
            randomly(Jitter("proportional", 0.5)),
            "wait 1 of 64 calls always lay within the same 5% of its bounds",
        ),
    ],
)
def test_a_wait_that_is_hardly_random(waits: Any, policy: RetryPolicy, said: str) -> None:
    """Each is looked at by itself, and may not keep to less than half of its bounds."""
    (found,) = jitter.drawn(many(*waits), policy)

    assert found.code == "jitter-missing"
    assert found.sentence == said


@pytest.mark.parametrize(
    ("waits", "policy"),
    [
        # Drawn in whole seconds, from a tenth of the wait on, and by adding alone.
        ([(n % 2, n % 3, n % 5) for n in range(64)], FULL),
        ([(0.1 + 0.9 * u, 0.2 + 1.8 * u, 0.4 + 3.6 * u) for u in DRAWS], FULL),
        ([(1 + u / 2, 2 + u, 4 + 2 * u) for u in DRAWS], randomly(Jitter("proportional", 0.5))),
        ([(3 - 2 * u, 1 + (8 - 6 * u) * (u * 16 % 1)) for u in DRAWS], randomly("decorrelated")),
        # Cut at the cap, with what jitter adds or without, and at the least.
        ([(u, 1.5, 1.5) for u in DRAWS], randomly("full", 1.5)),
        ([(min(1 + 2 * u, 1.5), 1.5, 1.5) for u in DRAWS], randomly("decorrelated", 1.5)),
        ([(1.5, 1.5, 1.5 + u / 4) for u in DRAWS], randomly("additive", 1.5)),
        ([(0.9, 0.9 + u, 0.9 + 3 * u) for u in DRAWS], randomly(Jitter("full", least=0.9))),
        # At the end of all time, or of all waits.
        ([(u, 2 * u, 1.5) for u in DRAWS], randomly("full", deadline=5)),
        ([(u, 2 * u, 1.5) for u in DRAWS], randomly("full", budget=5)),
        # At once, within bounds of its own, within a millisecond, and too seldom to tell.
        ([(0, 2 + u) for u in DRAWS], RetryPolicy(backoff=[0, 2], jitter="additive")),
        ([(1, 2 * u) for u in DRAWS], RetryPolicy(backoff=[(1, 2), 2], jitter="full")),
        ([(1, 2 + u / 1e4) for u in DRAWS], RetryPolicy(backoff=[1, 2], jitter=HAIR)),
        ([(u, 2) for u in DRAWS[1:]], RetryPolicy(backoff=[1, 2], jitter="full")),
    ],
)
def test_chance_that_cannot_be_told_from_a_habit(waits: Any, policy: RetryPolicy) -> None:
    """Many draw first and cut afterwards; others draw in steps."""
    assert codes(jitter.drawn, many(*waits), policy) == []


TO_FOUR = RetryPolicy(attempts=6, backoff=Backoff(1, cap=4), jitter="full")


@pytest.mark.parametrize(
    ("at", "policy", "found"),
    [
        ((0, 0.5, 1, 4, 8, 12), TO_FOUR, []),
        ((0, 0.5, 1, 4, 8, 13), TO_FOUR, ["cap-ignored"]),
        ((0, 1.5, 2, 4, 8, 12), TO_FOUR, ["jitter-out-of-bounds"]),
        # Cut at the end of all time.
        ((0, 1, 2.5, 2.6), RetryPolicy(backoff=[1, 2, 4], jitter="equal"), []),
        ((0, 9, 18), FOUR, []),
        ((0,), TO_FOUR, []),
    ],
)
def test_the_last_waits_of_an_outage(
    at: tuple[float, ...], policy: RetryPolicy, found: list[str]
) -> None:
    """Those beyond the first few are random as well, and no longer than they are claimed."""
    assert codes(jitter.not_too_long, seen(call(*at)), policy) == found


@pytest.mark.parametrize(
    ("back", "policy", "found"),
    [
        ((1, 1, 1, 1), FULL, ["herd"]),
        ((0.1, 0.2, 0.3, 0.4), FULL, []),
        ((1, 1, 1, 1), FOUR, []),
        ((), FULL, []),
    ],
)
def test_a_herd(back: tuple[float, ...], policy: RetryPolicy, found: list[str]) -> None:
    """Many that come back at one moment, unless that moment is what they claim."""
    whole = call(0, 0, 0, 0, *back)
    four = Observation("by hand", (whole,) * 4, whole.trace, whole)

    assert codes(jitter.spread, four, policy) == found
    assert codes(jitter.spread, seen(), policy) == []


@pytest.mark.parametrize(
    ("check", "made", "found"),
    [
        (retried.status, call(0, 1, last=200), []),
        (retried.status, call(0), ["status-not-retried"]),
        (retried.status_left_alone, call(0, status=400, last=400), []),
        (retried.status_left_alone, call(0, 1, status=400), ["client-error-retried"]),
        (retried.status_left_alone, call(0, 1, status=501), ["not-implemented-retried"]),
        (retried.status_left_alone, call(0, 1, status=500), ["too-many-attempts"]),
        (retried.status_left_alone, NEVER, []),
        (retried.failure, call(0, 1, last=200), []),
        (retried.failure, call(0, error=ERROR), ["failure-not-retried"]),
        (retried.failure_left_alone, call(0), []),
        (retried.failure_left_alone, call(0, 1), ["too-many-attempts"]),
        (retried.own_mistakes, call(0, 1, error=KeyError("a")), ["programming-error-retried"]),
        (retried.own_mistakes, call(0, 1, error=ERROR), []),
        (retried.own_mistakes, call(0, error=KeyError("a")), []),
    ],
)
def test_what_is_tried_again(check: Any, made: Call, found: list[str]) -> None:
    """What should be, and what must not be."""
    assert codes(check, seen(made, failure="a reset"), FOUR) == found


@pytest.mark.parametrize(
    ("check", "made", "facts", "found"),
    [
        ("honoured", call(0, 5, last=200), {}, []),
        ("honoured", call(0, 4.5, last=200), {"date": True}, []),
        ("honoured", call(0, 1, last=200), {}, ["retry-after-ignored"]),
        ("honoured", call(0, 0, last=200), {}, ["retry-after-ignored"]),
        ("honoured", call(0, 0, last=200), {"date": True}, ["retry-after-misread"]),
        ("honoured", call(0, 0.005, last=200), {}, ["retry-after-misread"]),
        ("honoured", call(0, 3605, last=200), {}, ["retry-after-misread"]),
        ("honoured", call(0), {}, ["status-not-retried"]),
        ("honoured", call(0, error=ValueError()), {}, ["retry-after-crash"]),
        ("honoured", NEVER, {}, []),
        ("zero", call(0, 0, last=200), {}, []),
        ("zero", call(0, 50, last=200), {}, ["retry-after-misread"]),
        ("zero", call(0), {}, []),
        ("survived", call(0, error=ERROR), {}, []),
        ("bounded", call(0, 60), {}, []),
        ("bounded", call(0, 86_400), {}, ["retry-after-unbounded"]),
    ],
)
def test_retry_after(check: str, made: Call, facts: Any, found: list[str]) -> None:
    """Of five seconds."""
    observation = seen(made, said=5, text="5", **facts)

    assert codes(getattr(retry_after, check), observation, HONOURS) == found


@pytest.mark.parametrize(
    ("means", "made", "found"),
    [
        ("raise", call(0, error=ERROR), []),
        ("raise", call(0, 1, last=200), ["retry-after-misread"]),
        ("backoff", call(0, 1, last=200), []),
        ("backoff", call(0, 9, last=200), ["retry-after-misread"]),
        ("backoff", call(0, error=ERROR), ["retry-after-crash"]),
    ],
)
def test_nonsense_means_what_is_claimed(means: str, made: Call, found: list[str]) -> None:
    """The usual wait, or no further attempt."""
    policy = RetryPolicy(backoff=[1, 2], retry_after=True, unreadable_retry_after=means)

    assert codes(retry_after.survived, seen(made, text="soon", unreadable=True), policy) == found
    assert codes(retry_after.survived, seen(made, text="soon"), policy) == []


def test_an_old_retry_after() -> None:
    """It is found where it comes again; chance may lengthen it."""
    fine, again = call(0, 5, 7, last=200), call(20, 25, number=9, last=200)
    policy = RetryPolicy(backoff=[1, 2, 4], jitter="additive", retry_after=True)

    assert codes(retry_after.forgotten, seen(fine, call(20, 21, last=200), said=5), HONOURS) == []
    assert codes(retry_after.forgotten, seen(fine, again, said=5), HONOURS) == [
        "retry-after-remembered"
    ]
    assert codes(retry_after.forgotten, seen(call(0), call(20, 99), said=5), HONOURS) == []
    assert codes(retry_after.honoured, seen(call(0, 5.9, last=200), said=5, text="5"), policy) == []


@pytest.mark.parametrize(
    ("lasted", "policy", "facts", "found"),
    [
        (10, RetryPolicy(timeout=10), {}, []),
        (1, RetryPolicy(timeout=10), {}, ["wrong-timeout"]),
        (11, RetryPolicy(timeout=10), {"is_async": True}, []),
        (3, RetryPolicy(timeout=10, deadline=20), {}, []),
        (3, RetryPolicy(total_timeout=10), {}, []),
        (30, RetryPolicy(total_timeout=10), {}, ["wrong-timeout"]),
        (30, RetryPolicy(), {}, []),
        (5000, RetryPolicy(), {}, ["no-timeout"]),
        (5000, RetryPolicy(), {"connect_timeout": True}, ["only-connect-timeout"]),
    ],
)
def test_silence(lasted: float, policy: RetryPolicy, facts: Any, found: list[str]) -> None:
    """A server that says nothing for 5000 seconds."""
    made = call(0, last=None, lasted=lasted)

    assert codes(timeouts.silence, seen(made, hold=5000, **facts), policy) == found
    assert codes(timeouts.silence, seen(call(0, last=200), hold=5000), policy) == []


@pytest.mark.parametrize(
    ("at", "end", "found"), [((0, 11), 21, []), ((0, 2), 12, ["wrong-timeout"])]
)
def test_silence_of_what_nobody_has_closed(
    at: tuple[float, ...], end: float, found: list[str]
) -> None:
    """It was given up when the next attempt came, or the end, at the latest."""
    tries = [replace(one, ended_ns=None) for one in call(*at, status=None, last=None).trace]
    made = Call(0, round(end * SECOND), None, ERROR, Trace(tries))

    assert codes(timeouts.silence, seen(made, hold=5000), RetryPolicy(timeout=10)) == found
    assert codes(timeouts.silence, seen(Call(0, 0)), RetryPolicy(timeout=10)) == []


def test_silence_and_a_wait_with_the_connection_open() -> None:
    """What was kept until the next attempt has the wait in it; the last attempt has none."""
    policy = RetryPolicy(timeout=10)
    slept = Trace([attempt(1, 0, None, 12), attempt(2, 12, None, 10)])
    slow = Trace([attempt(1, 0, None, 12), attempt(2, 14, None, 10)])
    last = Trace([attempt(1, 0, None, 12), attempt(2, 12, None, 12)])

    def found(trace: Trace) -> list[str]:
        made = Call(0, 99 * SECOND, None, None, trace)
        return codes(timeouts.silence, seen(made, hold=99), policy)

    assert found(slept) == []
    assert found(slow) == ["wrong-timeout"]
    assert found(last) == ["wrong-timeout"]


def test_a_drip() -> None:
    """However steadily bytes come."""
    policy, made = RetryPolicy(total_timeout=10), call(0, last=200, lasted=30)

    assert codes(timeouts.answered_in_time, seen(made, step=2), policy) == ["no-total-timeout"]
    assert codes(timeouts.answered_in_time, seen(call(0), step=2), policy) == []
    assert codes(timeouts.answered_in_time, seen(made, step=2), RetryPolicy()) == []


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (call(0, 1), []),
        (call(0, 31), ["deadline-overrun"]),
        (call(0, 19, tail=5), ["deadline-overrun"]),
        (call(0, 19, lasted=5), []),
        (NEVER, []),
    ],
)
def test_a_deadline(made: Call, found: list[str]) -> None:
    """Of twenty seconds; an attempt that began in time may end."""
    assert codes(timeouts.deadline, seen(made), RetryPolicy(deadline=20)) == found


@pytest.mark.parametrize(
    ("made", "claimed", "found"),
    [
        (call(0, 1, 3), 3, []),
        (call(0, 1, 3, 7), 3, ["budget-overrun"]),
        (call(0, 20, lasted=18), 3, []),
        (call(0, 9), None, []),
        (NEVER, 3, []),
    ],
)
def test_a_budget(made: Call, claimed: float | None, found: list[str]) -> None:
    """Of three seconds for all waits; what attempts take is not of it."""
    assert codes(timeouts.budget, seen(made), RetryPolicy(budget=claimed)) == found


def test_what_was_spent_when() -> None:
    """The attempt that came too late is the last that is shown."""
    (found,) = timeouts.budget(seen(call(0, 1, 3, 7, 15)), RetryPolicy(budget=5))

    assert found.sentence == (
        "it had waited for 7.000 s in all when attempt 4 came, wanted 5 s at most"
    )
    assert len(found.evidence) == 4
    assert found.evidence[-1].endswith("<- 7.000 s of waits")


class ServiceError(Exception):
    """A client's own."""


def raised(error: Exception, *, cause: Exception | None = None, none: bool = False) -> Exception:
    """The same, as it looks when it was raised from another."""
    error.__cause__ = cause
    error.__suppress_context__ = none or cause is not None
    return error


@pytest.mark.parametrize(
    ("made", "raises", "found"),
    [
        (call(0, error=ERROR), None, []),
        (call(0, error=KeyError("a")), None, ["unexpected-exception"]),
        (call(0, error=ServiceError()), ServiceError, []),
        (call(0, error=ServiceError()), "ServiceError", []),
        (call(0, error=ServiceError()), "tests.ServiceError", []),
        (call(0, error=ERROR), ServiceError, ["unexpected-exception"]),
        (call(0, error=ERROR), "a.ServiceError", ["unexpected-exception"]),
        (call(0, error=SystemExit(3)), ServiceError, []),
        (call(0, value=None), None, ["error-swallowed"]),
        (call(0, value=[]), None, ["error-swallowed"]),
        (call(0, value=""), None, ["error-swallowed"]),
        (call(0, value={"a": None, "b": [None, ()]}), None, ["error-swallowed"]),
        (call(0, value=(None, None)), None, ["error-swallowed"]),
        (call(0, value={"ok": False, "data": None}), None, []),
        (call(0, value=[[[[[]]]]]), None, []),
        (call(0, value=503), None, []),
        (call(0, value=503), ServiceError, ["error-swallowed"]),
        (call(0, value={"error": 1}), None, ["error-returned"]),
        (call(0, value='{"error": 1}'), None, ["error-returned"]),
        (call(0, value=b'{"error": 1}\n'), None, ["error-returned"]),
        (call(0, value={"error": 2}), None, []),
        (call(0, 1, last=200, value=None), None, []),
        (NEVER, None, []),
    ],
)
def test_what_the_caller_is_told(made: Call, raises: Any, found: list[str]) -> None:
    """An exception of the kind that is claimed, and no value that looks like an answer."""
    observation = seen(made, error_body='{"error": 1}\n')

    assert codes(endings.told, observation, RetryPolicy(raises=raises)) == found


@pytest.mark.parametrize(
    ("good", "raises", "found"),
    [
        (True, None, []),
        (True, ServiceError, ["error-swallowed"]),
        ({"ok": True}, None, ["error-swallowed"]),
        (False, None, []),
    ],
)
def test_false_tells_where_it_would_be_true(good: object, raises: Any, found: list[str]) -> None:
    """A health check says so, and no more."""
    observation = seen(call(0, value=False), baseline=good)

    assert codes(endings.told, observation, RetryPolicy(raises=raises)) == found


def test_an_error_body_need_not_be_json() -> None:
    """Then no data can be it."""
    observation = seen(call(0, value={"a": 1}), error_body="<html>")

    assert codes(endings.told, observation, RetryPolicy()) == []
    assert codes(endings.told, seen(call(0, value="x")), RetryPolicy()) == []


@pytest.mark.parametrize(
    ("error", "raises", "found"),
    [
        (None, None, []),
        (ERROR, None, []),
        (raised(ServiceError(), cause=ERROR), ServiceError, []),
        (ServiceError("connection was reset"), ServiceError, ["cause-lost"]),
        (ServiceError("connection was reset"), None, []),
        (ServiceError("no"), None, []),
        (raised(ServiceError("no"), none=True), None, ["cause-lost"]),
        (raised(ServiceError("no"), none=True), ServiceError, ["cause-lost"]),
    ],
)
def test_the_cause(error: Exception | None, raises: Any, found: list[str]) -> None:
    """What went wrong underneath is at the end of the chain."""
    made = call(0, error=error)

    assert codes(endings.cause_kept, seen(made), RetryPolicy(raises=raises)) == found


def test_ctrl_c_and_cancellation() -> None:
    """They end a call, or it is found."""
    swallowed = seen(call(0, value=3), interrupted=True)
    other = seen(call(0, error=ERROR), interrupted=True)
    ended = seen(call(0, error=KeyboardInterrupt()), interrupted=True)
    went_on = seen(call(0), outcome="returned", when="during its wait")

    policy = RetryPolicy()
    assert codes(endings.interrupted, swallowed, policy) == ["interrupt-swallowed"]
    assert codes(endings.interrupted, other, policy) == ["interrupt-swallowed"]
    assert codes(endings.interrupted, ended, policy) == []
    assert codes(endings.interrupted, seen(call(0)), policy) == []
    assert codes(endings.cancelled, went_on, policy) == ["cancellation-swallowed"]
    assert codes(endings.cancelled, seen(call(0), outcome="cancelled"), policy) == []


def test_the_cause_is_told_and_its_consequences_are_not() -> None:
    """A state that is kept makes every schedule wrong."""
    all_found = [Finding(code, "") for code in ("wrong-schedule", "backoff-kept-between-calls")]

    told = implied.without_consequences(all_found)

    assert [finding.code for finding in told] == ["backoff-kept-between-calls"]


@pytest.mark.parametrize(
    ("cause", "scenario", "codes"),
    [
        ("off-by-one-schedule", "retry-after-words", ["off-by-one-schedule"]),
        ("off-by-one-schedule", "retry-after-zero", ["off-by-one-schedule"]),
        ("cap-ignored", "retry-after-negative", ["cap-ignored"]),
        ("wrong-timeout", "retry-after-words", ["wrong-timeout", "retry-after-misread"]),
        (
            "off-by-one-schedule",
            "retry-after-date",
            ["off-by-one-schedule", "retry-after-misread"],
        ),
    ],
)
def test_a_wrong_wait_is_no_misreading(cause: str, scenario: str, codes: list[str]) -> None:
    """Who waits as usual where Retry-After says nothing does so wrongly there as well."""
    found = [
        Finding(cause, "", (), "outage-without-end"),
        Finding("retry-after-misread", "", (), scenario),
    ]

    assert [finding.code for finding in implied.without_consequences(found)] == codes


def test_calls_that_do_not_come_back() -> None:
    """One that hangs says when it asked last."""
    whole = Call(0, None, trace=Trace([attempt(1, 7)]))

    (finding,) = calls.ended(seen(whole), RetryPolicy())

    assert finding.sentence == "the call never came back; the last attempt was at t=7.000"


def test_tries_are_of_the_request_that_failed() -> None:
    """What a call asked before it failed, and what it asks besides, is not part of them."""
    fine, elsewhere = attempt(1, 0, 200), replace(attempt(3, 1, 200), target="/login")
    trace = Trace([fine, attempt(2, 0), elsewhere, attempt(4, 2, 200), attempt(5, 2, 200)])

    assert [one.number for one in Call(0, 0, trace=trace).tries] == [2, 4]


def test_a_server_that_gives_the_old_token_again() -> None:
    """Who goes on with it goes on with what he was given."""
    asked = replace(attempt(1, 0, 200), head=b"Authorization: Bearer t-1")
    calls = [Call(0, 0, trace=Trace([asked])), Call(0, 0, trace=Trace([asked]))]
    policy = RetryPolicy(login="/login")

    same = seen(*calls, answers=[b'{"token": "t-1"}', b'{"token": "t-2"}'])
    other = seen(*calls, answers=[b'{"token": "t-2"}', b'{"token": "t-3"}'])

    assert codes(login.used, same, policy) == []
    assert codes(login.used, other, policy) == ["stale-token-kept"]


@pytest.mark.parametrize(
    ("shown", "found"), [(b"t-1", ["stale-token-kept"]), (b"t-2", []), (None, [])]
)
def test_what_is_shown_behind_a_login(shown: bytes | None, found: list[str]) -> None:
    """Not the token for whose sake it was made, though later calls may know better."""

    def asked(number: int, token: bytes | None) -> Attempt:
        head = b"" if token is None else b"Authorization: Bearer " + token
        return replace(attempt(number, 0, 200), head=head)

    anew = replace(attempt(3, 0, 200), target="/login")
    behind = [] if shown is None else [asked(4, shown)]
    first = Call(0, 0, trace=Trace([asked(1, b"t-1")]))
    second = Call(0, 0, trace=Trace([asked(2, b"t-1"), anew, *behind]))
    third = Call(0, 0, trace=Trace([asked(5, b"t-2")]))

    answers = [b'{"token": "t-2"}', b'{"token": "t-3"}']
    observation = seen(first, second, third, answers=answers)
    assert codes(login.used, observation, RetryPolicy(login="/login")) == found


def test_a_call_says_of_itself() -> None:
    """How long it took, and what it tried first."""
    assert call(1, 3, tail=1).seconds == 3
    assert NEVER.seconds is None
    assert call(0, last=200).tries[0].status == 200
    assert not NEVER.returned
    assert call(0).returned
    assert seen(number="x").number("number") == 0
    assert words.kind(None) == "nothing"
    assert words.kind(ServiceError()).endswith("test_judgements.ServiceError")
    assert call(0).tail_ns == 0
    assert Call(0, SECOND).tail_ns == 0
