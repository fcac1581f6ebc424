"""Where one thread hands over to another, and what may come between: load, signals, forks."""

# Lambdas do one thing after another by returning a tuple of what nobody looks at.
# mypy: disable-error-code="func-returns-value"

from __future__ import annotations

import _thread
import importlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import requests

from pytest_resilience import ClockError, FakeServer, VirtualClock
from pytest_resilience.clock import _conductor, _here, _threads
from pytest_resilience.clock._parties import Party, Standing


@pytest.fixture
def on_signal() -> Iterator[Callable[[Callable[[], object]], object]]:
    """Let something be called in the middle of whatever the main thread does."""
    old = signal.getsignal(signal.SIGUSR1)
    yield lambda call: signal.signal(signal.SIGUSR1, lambda *_: call())
    signal.signal(signal.SIGUSR1, old)


def in_thread(function: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=function)
    thread.start()
    return thread


def test_a_signal_handler_that_waits_within_a_wake_up(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds nobody up who wakes the loop as well."""
    real_write = os.write
    handlers = [lambda: time.sleep(3)]

    def write(fd: int, data: bytes) -> int:
        if handlers and threading.current_thread() is threading.main_thread():
            handlers.pop()()
        return real_write(fd, data)

    monkeypatch.setattr(os, "write", write)
    time.sleep(10)

    assert not handlers
    assert clock.now == 10


def test_a_signal_handler_that_waits(
    clock: VirtualClock, on_signal: Callable[[Callable[[], object]], object]
) -> None:
    """It waits within the wait of its thread, and both end at their moments."""
    seen: list[float] = []
    on_signal(lambda: (seen.append(clock.now), time.sleep(3), seen.append(clock.now)))
    in_thread(lambda: (time.sleep(1), os.kill(os.getpid(), signal.SIGUSR1), time.sleep(1)))
    time.sleep(10)

    assert seen == [1, 4]
    assert clock.now == 10


def test_a_signal_handler_that_waits_when_its_wait_has_ended(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither wait takes the end of the other one for its own."""
    real_sit = Party.sit
    handlers = [lambda: time.sleep(3)]

    def sit_down_late(party: Party) -> None:
        while party.standing is Standing.WAITING:
            _conductor.real_sleep(0.001)
        if handlers:
            handlers.pop()()
        real_sit(party)

    monkeypatch.setattr(Party, "sit", sit_down_late)
    time.sleep(10)
    monkeypatch.undo()

    assert clock.now == 13


def test_a_signal_handler_that_raises(
    clock: VirtualClock, on_signal: Callable[[Callable[[], object]], object]
) -> None:
    """It ends the wait, and leaves nothing behind that would end the next one."""

    def interrupt() -> None:
        raise InterruptedError

    on_signal(interrupt)
    thread = in_thread(lambda: (time.sleep(1), os.kill(os.getpid(), signal.SIGUSR1)))
    with pytest.raises(InterruptedError):
        time.sleep(10)
    thread.join()
    time.sleep(20)

    assert clock.now == 21


def test_a_thread_that_is_slow_to_start(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine too busy to start a thread changes nothing about whose turn it is."""
    real_start = _threads.real_start
    order: list[str] = []
    event = threading.Event()
    first = in_thread(lambda: (event.wait(), order.append("first")))
    time.sleep(1)

    def slowly(thread: threading.Thread) -> None:
        _conductor.real_sleep(0.3)
        real_start(thread)

    monkeypatch.setattr(_threads, "real_start", slowly)
    event.set()
    second = in_thread(lambda: order.append("second"))
    order.append("main")
    first.join()
    second.join()

    assert order == ["main", "first", "second"]


def test_a_thread_that_cannot_start(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for its turn."""

    def not_one_more(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_threads, "real_start", not_one_more)
    with pytest.raises(RuntimeError):
        in_thread(lambda: None)
    time.sleep(5)

    assert clock.now == 5


def test_a_fork_while_another_thread_holds_the_lock() -> None:
    """The child, in which that thread does not exist, leaves the clock all the same."""
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        assert clock._conductor is not None
        with clock._conductor.lock:
            held.set()
            release.wait(20)

    child = -1
    thread = threading.Thread(target=hold)  # From before the clock: it waits in real time.
    with VirtualClock() as clock:
        with _here.in_real_time():
            real_start(thread)
        while not real_is_set(held):
            _conductor.real_sleep(0.001)
        child = os.fork()
        if child:
            release.set()
            thread.join()
            time.sleep(5)
            assert clock.now == 5
    if child == 0:
        os._exit(17)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 17


real_start = threading.Thread.start
real_is_set = threading.Event.is_set


def test_a_treadmill() -> None:
    """Who waits for what never comes, beside a heart that beats for ever, fails with a picture."""
    with VirtualClock(patience=0.05) as clock:
        stop = threading.Event()

        def beat() -> None:
            while not stop.wait(3600):
                pass

        heart = in_thread(beat)
        with pytest.raises(ClockError) as error:
            threading.Event().wait()
        stop.set()  # Else its last hour would be a real one.
        assert clock.now > 86_400
    heart.join()
    assert "nothing but timers has ended a wait for 0.3 real seconds" in str(error.value)
    assert "'MainThread' waits for a lock, since t=0.000" in str(error.value)


def test_a_main_thread_in_c_that_all_wait_for(capsys: pytest.CaptureFixture[str]) -> None:
    """No exception reaches it there: the picture is printed, and is a report."""
    lock = _thread.allocate_lock()
    lock.acquire()
    with VirtualClock(grace=0.02, patience=0.1) as clock:
        event = threading.Event()
        in_thread(event.wait)
        assert not lock.acquire(timeout=1.5)
        reports = clock.reports
        event.set()

    said = capsys.readouterr().err
    assert "nothing has moved for 0.1 real seconds" in said
    assert "thread 'MainThread' is blocked where nobody can see it" in said
    assert len(reports) == 2


def test_a_worker_that_is_slow_to_begin(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that the server's worker has not begun yet is waited for, however long it takes."""
    jobs = importlib.import_module("pytest_resilience.clock._jobs")
    real_call = jobs.Job.__call__

    def slowly(job: object, before_leaving: Callable[[], object]) -> None:
        _conductor.real_sleep(0.1)
        real_call(job, before_leaving)

    monkeypatch.setattr(jobs.Job, "__call__", slowly)

    def app(environ: object, start: Callable[[str, list[tuple[str, str]]], object]) -> list[bytes]:
        start("204 No Content", [])
        return []

    with FakeServer(app) as server:
        assert requests.get(server.url, timeout=0.05).status_code == 204
    assert clock.now == 0
