"""What a client keeps from call to call: its breaker's state, answers, and tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_resilience import RetryPolicy
from pytest_resilience.checks import breaker, cache, login
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.policy.breaker import Breaker
from pytest_resilience.records import Trace
from tests.unit.checks.seen import SECOND, attempt, call, seen

OPENS = RetryPolicy(breaker=Breaker(opens_after=2, stays_open=30, probes=1))
KEEPS = RetryPolicy(cache=300)
PLAIN = RetryPolicy()
REFUSED = ConnectionError("the breaker is open")


def codes(check: Any, observation: Observation, policy: RetryPolicy) -> list[str]:
    return [finding.code for finding in check(observation, policy)]


def silent(at: float, value: object = None, error: BaseException | None = None) -> Call:
    """A call that asked nobody."""
    return Call(round(at * SECOND), round(at * SECOND), value, error)


# Breakers


@pytest.mark.parametrize(
    ("last", "policy", "found"),
    [
        (silent(2, error=REFUSED), OPENS, []),
        (call(2, number=3), OPENS, ["breaker-never-opens"]),
        (call(2, number=3), PLAIN, []),
    ],
)
def test_a_breaker_opens(last: Call, policy: RetryPolicy, found: list[str]) -> None:
    """After two calls that failed nobody is asked."""
    observation = seen(call(0), call(1, number=2), last)

    assert codes(breaker.opens, observation, policy) == found


@pytest.mark.parametrize(
    ("opened", "last", "found"),
    [
        (True, call(40, last=200, number=2), []),
        (True, silent(40, error=REFUSED), ["breaker-never-half-opens"]),
        # One that never opened has another finding.
        (False, silent(40, error=REFUSED), []),
    ],
)
def test_a_breaker_lets_a_probe_through(*, opened: bool, last: Call, found: list[str]) -> None:
    """When its time is over."""
    observation = seen(call(0), last, opened=opened)

    assert codes(breaker.half_opens, observation, OPENS) == found
    assert codes(breaker.half_opens, observation, PLAIN) == []


@pytest.mark.parametrize(
    ("opened", "early", "found"),
    [(True, 15.0, ["breaker-lets-all-through"]), (True, None, []), (False, 15.0, [])],
)
def test_a_breaker_stays_open(*, opened: bool, early: float | None, found: list[str]) -> None:
    """Nobody is asked before its time is over."""
    observation = seen(call(0), call(15, number=2), call(40, number=3), opened=opened, early=early)

    assert codes(breaker.stays_open, observation, OPENS) == found
    assert codes(breaker.stays_open, observation, PLAIN) == []


@pytest.mark.parametrize(
    ("opened", "probe", "last", "found"),
    [
        (True, call(40, number=2), silent(41, error=REFUSED), []),
        (True, call(40, number=2), call(41, number=3), ["breaker-lets-all-through"]),
        (True, silent(40, error=REFUSED), call(41, number=3), []),
        (False, call(40, number=2), call(41, number=3), []),
    ],
)
def test_a_probe_that_fails(*, opened: bool, probe: Call, last: Call, found: list[str]) -> None:
    """It closes the way again; only a breaker that opened and probed can be asked for that."""
    observation = seen(call(0), probe, last, opened=opened)

    assert codes(breaker.lets_through, observation, OPENS) == found
    assert codes(breaker.lets_through, observation, PLAIN) == []


@pytest.mark.parametrize(
    ("opened", "at", "found"),
    [
        (True, (40,), []),
        (True, (40, 41, 42), []),
        (True, (40, 40), ["breaker-lets-all-through"]),
        (False, (40, 40), []),
    ],
)
def test_probes_at_once(*, opened: bool, at: tuple[float, ...], found: list[str]) -> None:
    """As many as are claimed; what comes after them comes because they were answered."""
    observation = seen(call(*at, status=200, last=200), opened=opened)

    assert codes(breaker.probes, observation, OPENS) == found
    assert codes(breaker.probes, seen(silent(40), opened=opened), OPENS) == []
    unclaimed = RetryPolicy(breaker=Breaker(opens_after=2, stays_open=30))
    assert codes(breaker.probes, observation, unclaimed) == []


@pytest.mark.parametrize(
    ("first", "last", "policy", "found"),
    [
        (call(0, last=404), call(1, last=200, number=2), OPENS, []),
        (call(0, last=404), silent(1, error=REFUSED), OPENS, ["breaker-counts-client-errors"]),
        (silent(0, error=REFUSED), silent(1, error=REFUSED), OPENS, []),
        (call(0, last=404), silent(1, error=REFUSED), PLAIN, []),
    ],
)
def test_a_callers_mistakes(first: Call, last: Call, policy: RetryPolicy, found: list[str]) -> None:
    """They open no breaker; one that was open before says nothing of them."""
    assert codes(breaker.counts_mistakes, seen(first, last), policy) == found


# Kept answers


@pytest.mark.parametrize(
    ("age", "policy", "found"),
    [
        (None, PLAIN, ["it gave an answer again that was 86400 s old"]),
        (600.0, PLAIN, []),
        (300.0, KEEPS, []),
        (600.0, KEEPS, ["it gave an answer again after the 300 s for which it claims to"]),
    ],
)
def test_how_long_answers_are_kept(
    age: float | None, policy: RetryPolicy, found: list[str]
) -> None:
    """As long as is claimed, and never for ever."""
    observation = seen(call(0, last=200), silent(1), kept_for=age, tried=86_400.0)

    findings = list(cache.kept_too_long(observation, policy))

    assert [finding.sentence for finding in findings] == found
    assert {finding.code for finding in findings} <= {"cache-without-expiry"}


FAILED = OSError("503 from /a")


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (call(0, error=FAILED), silent(1, error=FAILED), ["error-cached"]),
        (call(0, error=FAILED), silent(1, error=OSError("503 from /a")), ["error-cached"]),
        (call(0, error=FAILED), silent(1, error=REFUSED), []),
        (call(0, error=FAILED), silent(1, error=OSError("open")), []),
        # It has an old answer for bad times, or none at all.
        (call(0, error=FAILED), silent(1, {"ok": True}), []),
        (call(0, value={"ok": True}), silent(1, error=REFUSED), []),
        (call(0, value={}), silent(1, {}), ["error-cached"]),
        (call(0, value={"ok": True}), silent(1, {"ok": True}), []),
        (call(0, value={}), silent(1, {"ok": True}), []),
        # It asks.
        (call(0, error=FAILED), call(1, last=200, number=2), []),
        (silent(0, error=FAILED), silent(1, error=FAILED), []),
    ],
)
def test_an_error_that_is_kept(first: Call, second: Call, found: list[str]) -> None:
    """The same failure again, and nobody was asked; a breaker says it in words of its own."""
    assert codes(cache.errors_kept, seen(first, second), PLAIN) == found


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        (RetryPolicy(cache=60), ["error-cached"]),
        (RetryPolicy(cache=60, breaker=Breaker(1, 30)), []),
        (PLAIN, []),
    ],
)
def test_an_error_that_is_kept_in_other_words(policy: RetryPolicy, found: list[str]) -> None:
    """Who says that he keeps answers, and has no breaker, has kept this one too."""
    kept = seen(call(0, error=FAILED), silent(1, error=LookupError("as before")))

    assert codes(cache.errors_kept, kept, policy) == found


@pytest.mark.parametrize(
    ("made", "found"),
    [
        ((call(0, last=200), silent(1), silent(2)), ["cache-ignores-credential"]),
        ((call(0, last=200), silent(1), silent(2, error=REFUSED)), []),
        ((call(0, last=200), silent(1), call(2, last=200, number=2)), []),
        ((call(0, last=200), call(1, last=200, number=2), silent(2)), []),
        # Nothing was tried of a client that keeps no answers.
        ((), []),
    ],
)
def test_anothers_answer(made: tuple[Call, ...], found: list[str]) -> None:
    """Who comes with another credential asks for himself."""
    assert codes(cache.for_another, seen(*made), PLAIN) == found


# Tokens


def with_login(at: float, number: int, status: int = 401) -> Call:
    """A call that logs in, and asks with what it was given."""
    enters = replace(attempt(number, at, 200), method="POST", target="/login")
    asks = attempt(number + 1, at, status)
    return Call(round(at * SECOND), round(at * SECOND), trace=Trace([enters, asks]))


@pytest.mark.parametrize(
    ("kept", "refused", "after", "found"),
    [
        (True, call(1, last=401, number=2), call(2, last=401, number=3), ["stale-token-kept"]),
        (True, call(1, last=401, number=2), with_login(2, 3, 200), []),
        (True, with_login(1, 2, 200), call(2, last=200, number=4), []),
        # It logs in for each call, or did not ask, so that no token of its was refused.
        (False, call(1, last=401, number=2), call(2, last=401, number=3), []),
        (True, silent(1), call(2, last=200, number=2), []),
    ],
)
def test_a_token_that_is_refused(
    *, kept: bool, refused: Call, after: Call, found: list[str]
) -> None:
    """The call that meets it, or the next one, logs in."""
    observation = seen(call(0, last=200), refused, after, kept=kept, refusal=401)

    assert codes(login.renewed, observation, PLAIN) == found
