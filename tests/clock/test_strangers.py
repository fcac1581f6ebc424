"""Threads from before the clock: those that work are waited for, those that never rest are not."""

# Lambdas do one thing after another by returning a tuple of what nobody looks at.
# mypy: disable-error-code="func-returns-value"

from __future__ import annotations

import concurrent.futures
import threading
import time
from typing import TYPE_CHECKING

from pytest_resilience import VirtualClock
from pytest_resilience.clock import _conductor, _here, _kernel, _rests, _strangers

if TYPE_CHECKING:
    import pytest


def test_a_stranger_that_never_rests() -> None:
    """A thread from before the clock that works for itself is waited for, and then reported."""
    stop: list[bool] = []

    def restless() -> None:
        while not stop:
            _conductor.real_sleep(0.001)

    thread = threading.Thread(target=restless, name="restless")
    thread.start()
    try:
        with VirtualClock(grace=0.05) as clock:
            time.sleep(5)
            assert clock.now == 5
            (report,) = clock.reports
    finally:
        stop.append(True)
        thread.join()
    assert report.startswith("thread 'restless', from before the clock, never comes to rest")


def strangers_of(monkeypatch: pytest.MonkeyPatch, *numbers: int) -> _strangers.Strangers:
    """Threads from before the clock that want a processor and get none."""
    monkeypatch.setattr(_kernel, "threads", lambda: set(numbers))
    monkeypatch.setattr(_kernel, "moves_of", lambda number: _kernel.Moves("R", "1", "1"))
    monkeypatch.setattr(_rests, "real_process_time_ns", lambda: 0)
    return _strangers.Strangers(0)


def test_a_stranger_without_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that a busy machine does not let run, perhaps only to end, is waited for longer."""
    strangers = strangers_of(monkeypatch, 7)
    given_up = []
    for now_real_ns in (0, 0, 50, 100, 599, 600):
        assert not strangers.idle(now_real_ns, set())
        given_up.append(strangers.give_up(50, 100))

    assert given_up == [[], [], [], [], [], ["number 7"]]


def test_a_stranger_that_moves_when_another_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a grace of its own."""
    strangers = strangers_of(monkeypatch, 7, 8)
    for now_real_ns, others in ((0, {8}), (600, set())):
        assert not strangers.idle(now_real_ns, others)

    assert strangers.give_up(50, 100) == ["number 7"]
    assert not strangers.idle(700, set())
    assert strangers.give_up(50, 100) == []


def compute() -> None:
    """For longer than the grace of a test, without a call that is covered."""
    sum(sum(range(1_000)) for _ in range(10_000))


def test_work_of_a_pool_from_before_the_clock() -> None:
    """A thread from before the clock that computes is waited for: its answer is in time."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        with VirtualClock(grace=0.1) as clock:
            for job in (compute, lambda: (time.time(), compute())):
                pool.submit(job).result(timeout=10)
                compute()
            assert clock.now == 0
            assert clock.reports == ()


def test_a_stranger_that_ends() -> None:
    """It is nobody's business any more, whether it had taken part or not."""
    go, gone = threading.Event(), threading.Event()
    thread = threading.Thread(target=go.wait)
    thread.start()
    strangers = _strangers.Strangers(0)
    assert strangers
    go.set()
    thread.join()
    while _kernel.exists(thread.native_id or 0):
        pass
    with VirtualClock() as clock:
        pool = threading.Thread(target=lambda: (time.sleep(1), gone.set()))
        with _here.in_real_time():
            pool.start()  # As if it had been there before.
        time.sleep(5)
        assert gone.is_set()
        assert clock.now == 5
    pool.join()


def test_a_spinner_from_before_the_clock() -> None:
    """A thread that polls by itself, as it did before, is no reason for time to stand still."""
    stop: list[bool] = []
    ready = threading.Event()

    def spin() -> None:
        while not stop:
            time.monotonic()
            ready.set()

    thread = threading.Thread(target=spin)
    thread.start()
    ready.wait()
    try:
        with VirtualClock(grace=0.02, patience=0.1) as clock:
            time.sleep(5)
            assert clock.now >= 5
    finally:
        stop.append(True)
        thread.join()


def test_a_spinner_that_has_taken_part() -> None:
    """A thread from before the clock that has waited once, and then spins, holds nothing back."""
    stop: list[bool] = []
    go, ready = threading.Event(), threading.Event()

    def spin() -> None:
        go.wait()
        time.sleep(1)
        ready.set()
        while not stop:
            pass

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        with VirtualClock(grace=0.02, patience=1) as clock:
            go.set()
            ready.wait()
            time.sleep(5)
            assert clock.now == 6
    finally:
        stop.append(True)
        thread.join()
