"""Backoffs and jitters: which wait is right."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_resilience import Backoff, Jitter, PolicyError, RetryPolicy


@pytest.mark.parametrize(
    ("backoff", "waits"),
    [
        (Backoff(), [1, 2, 4, 8, 16]),
        (Backoff(1, cap=5), [1, 2, 4, 5, 5]),
        (Backoff(2, first=0), [0, 2, 4, 8, 16]),
        (Backoff(3, factor=1), [3, 3, 3, 3, 3]),
        (Backoff(1, factor=1, step=1), [1, 2, 3, 4, 5]),
        (Backoff.of(1, 2, 5), [1, 2, 5, 5, 5]),
        (Backoff(waits=()), [0, 0, 0, 0, 0]),
    ],
)
def test_each_backoff_says_its_waits(backoff: Backoff, waits: list[float]) -> None:
    """A formula, a cap, a first wait of its own, a step, or a list whose last wait repeats."""
    assert [backoff.range(retry) for retry in range(1, 6)] == [(wait, wait) for wait in waits]
    assert backoff.is_exact


def test_a_wait_may_be_a_range() -> None:
    """A pair is the shortest and the longest wait."""
    backoff = Backoff.of(1, (2, 5))

    assert [backoff.range(retry) for retry in (1, 2)] == [(1, 1), (2, 5)]
    assert not backoff.is_exact


def test_a_backoff_never_overflows() -> None:
    """After thousands of retries it still is a number."""
    assert Backoff(1, factor=10, cap=60).range(5000) == (60, 60)


@pytest.mark.parametrize(
    ("jitter", "bounds"),
    [
        (Jitter(), [(1, 1), (2, 2), (4, 4), (5, 5)]),
        (Jitter("full"), [(0, 1), (0, 2), (0, 4), (0, 5)]),
        (Jitter("full", least=0.5), [(0.5, 1), (0.5, 2), (0.5, 4), (0.5, 5)]),
        (Jitter("equal"), [(0.5, 1), (1, 2), (2, 4), (2.5, 5)]),
        (Jitter("additive"), [(1, 2), (2, 3), (4, 5), (5, 6)]),
        (Jitter("additive", 0.5), [(1, 1.5), (2, 2.5), (4, 4.5), (5, 5.5)]),
        (Jitter("proportional", 0.25), [(0.75, 1.25), (1.5, 2.5), (3, 5), (3.75, 6.25)]),
    ],
)
def test_each_jitter_says_its_bounds(jitter: Jitter, bounds: list[tuple[float, float]]) -> None:
    """The cap is the backoff's: what jitter adds may come on top of it."""
    policy = RetryPolicy(backoff=Backoff(1, cap=5), jitter=jitter)

    assert [policy.wait_range(retry) for retry in (1, 2, 3, 4)] == bounds


def test_decorrelated_jitter_without_a_cap() -> None:
    """Up to three times the wait before, however long that was."""
    policy = RetryPolicy(backoff=Backoff(1), jitter="decorrelated")

    assert policy.wait_range(9, 100) == (1, 300)


def test_decorrelated_jitter_goes_by_the_wait_before() -> None:
    """From the initial wait to three times the one before, within the cap."""
    policy = RetryPolicy(backoff=Backoff(1, cap=20), jitter="decorrelated")

    assert policy.wait_range(1) == (1, 3)
    assert policy.wait_range(2, before=2.5) == (1, 7.5)
    assert policy.wait_range(3, before=15) == (1, 20)
    assert RetryPolicy(backoff=Backoff(1), jitter="full").wait_range(4) == (0, 8)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Backoff(-1), "backoff.initial=-1 is not allowed: wanted a number of seconds"),
        (lambda: Backoff(factor=-2), "backoff.factor=-2 is not allowed: wanted a number, 0"),
        (lambda: Backoff(5, cap=2), "backoff.cap=2 is not allowed: wanted at least backoff.init"),
        (lambda: Backoff.of("a"), "backoff.waits[0]='a' is not allowed: wanted a number of sec"),  # type: ignore[arg-type]  # refused
        (lambda: Backoff.of((1, 2, 3)), "backoff.waits[0]=(1, 2, 3) is not allowed"),  # type: ignore[arg-type]  # refused
        (lambda: Backoff.of(1, (3, 2)), "backoff.waits[1]=(3, 2) is not allowed"),
        (lambda: Jitter("some"), "jitter='some' is not allowed: wanted none, full, equal, addi"),
        (lambda: Jitter("full", 1), "jitter.amount=1 is not allowed: wanted no amount for full"),
        (lambda: Jitter("proportional", 2), "jitter.amount=2 is not allowed: wanted a share from"),
        (lambda: Jitter(least=True), "jitter.least=True is not allowed: wanted a number of sec"),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Any, said: str) -> None:
    """The error names the field, the value, and what is allowed."""
    with pytest.raises(PolicyError) as refused:
        make()

    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("thing", "text"),
    [
        (Backoff(1, cap=30), "1, 2, 4, ... up to 30 s"),
        (Backoff(2, factor=1), "2, 2, 2, ... s"),
        (Backoff.of(1, (2, 3)), "1, 2 to 3 s"),
        (Jitter("full"), "full"),
        (Jitter("additive", 0.5), "additive 0.5"),
    ],
)
def test_they_read_as_words(thing: object, text: str) -> None:
    """For messages."""
    assert str(thing) == text


def test_who_is_random() -> None:
    """A jitter of nothing is none."""
    assert RetryPolicy(backoff=[1], jitter="full").is_random
    assert not RetryPolicy(backoff=[1], jitter=Jitter("additive", 0)).is_random
    assert not RetryPolicy(backoff=[1], jitter="none").is_random
    assert RetryPolicy(backoff=[1], jitter="none").is_exact
    assert not RetryPolicy(backoff=[(1, 2)]).is_exact
    assert not RetryPolicy().is_exact
    assert RetryPolicy().wait_range(1) is None
