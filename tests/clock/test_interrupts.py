"""Ctrl-C, or an alarm, while the clock is switched on or off: no half of it stays."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pytest_resilience import ClockError, VirtualClock
from pytest_resilience.clock import _counting, _interrupts, _links, _references, virtual

real_sleep = [time.sleep]


@pytest.fixture(autouse=True)
def alarm() -> Iterator[None]:
    """A second signal whose handler raises, as pytest-timeout's does."""

    def fail(*_: object) -> None:
        raise ValueError("alarm")

    old = signal.signal(signal.SIGALRM, fail)
    yield
    assert signal.getsignal(signal.SIGALRM) is fail
    signal.signal(signal.SIGALRM, old)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def then(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, act: Callable[[], object]) -> None:
    """After this function of the clock's, let something happen, once."""
    real = getattr(owner, name)

    def call(*args: Any) -> Any:
        result = real(*args)
        monkeypatch.setattr(owner, name, real)
        act()
        return result

    monkeypatch.setattr(owner, name, call)


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def is_real_again() -> None:
    assert [time.sleep] == real_sleep
    with VirtualClock() as clock:
        time.sleep(5)
        assert clock.now == 5


@pytest.mark.parametrize(
    ("owner", "name"), [(_references.References, "replace"), (_counting, "count_sleeps")]
)
def test_while_it_is_switched_on(owner: object, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exception comes when the clock is on, and switches it off."""
    then(monkeypatch, owner, name, ctrl_c)
    with pytest.raises(KeyboardInterrupt), VirtualClock():
        raise AssertionError("the block began")
    is_real_again()


@pytest.mark.parametrize(
    ("owner", "name"), [(_references.References, "restore"), (_links, "forget_all")]
)
def test_while_it_is_switched_off(
    owner: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exception comes when everything is back."""
    then(monkeypatch, owner, name, ctrl_c)
    with pytest.raises(KeyboardInterrupt), VirtualClock() as clock:
        time.sleep(5)
    assert clock.now == 5
    is_real_again()


def test_before_it_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exception comes before the first line that does something, which is then done."""

    def interrupted() -> Any:
        monkeypatch.setattr(_interrupts, "deferred", real)
        raise KeyboardInterrupt

    real = _interrupts.deferred
    with pytest.raises(KeyboardInterrupt), VirtualClock():
        monkeypatch.setattr(_interrupts, "deferred", interrupted)
    is_real_again()


def test_several_at_once() -> None:
    """Each is handled, and every handler is back, though the others raise."""

    def both_at_once() -> None:
        with _interrupts.deferred():
            ctrl_c()
            signal.raise_signal(signal.SIGALRM)

    with pytest.raises((KeyboardInterrupt, ValueError)) as caught:
        both_at_once()
    both = {type(caught.value), type(caught.value.__context__)}
    assert both == {KeyboardInterrupt, ValueError}


def test_a_handler_that_was_set_meanwhile() -> None:
    """It stays."""
    with _interrupts.deferred():
        before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGUSR2, lambda *_: None)
        mine = signal.getsignal(signal.SIGUSR2)
    assert signal.signal(signal.SIGUSR2, signal.SIG_DFL) is mine
    assert signal.signal(signal.SIGUSR1, before) is signal.SIG_IGN


def test_a_handler_that_is_replaced_meanwhile() -> None:
    """The new one is kept, not the one from before."""
    old = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with _interrupts.deferred():
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        assert signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGUSR1, old)


def test_an_engine_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for it while the clock is switched can be interrupted at once."""

    class Busy:
        conductor: object = None
        later: list[Callable[[], None]] = []  # noqa: RUF012 -- one test's

        def between(self, function: Callable[[], None]) -> None:
            ctrl_c()
            raise AssertionError("it went on waiting")

        def call_soon_threadsafe(self, function: Callable[[], None]) -> None:
            self.later.append(function)

    loop: Any = Busy()
    with pytest.raises(KeyboardInterrupt), _interrupts.deferred():
        virtual._set_conductor(loop, lambda: 1.0)
    loop.later[0]()
    assert loop.conductor() == 1.0


def test_on_another_thread() -> None:
    """Handlers run on the main thread only, and are left alone by the others."""
    seen: list[object] = []

    def run() -> None:
        with VirtualClock() as clock, _interrupts.deferred(), _interrupts.let_in():
            seen.append(signal.getsignal(signal.SIGINT))
            time.sleep(5)
            seen.append(clock.now)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler, 5]


def test_a_clock_that_is_refused_is_no_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error on the way leaves nothing either."""

    def broken(*_: object) -> None:
        raise ClockError("broken")

    monkeypatch.setattr(_counting, "count_sleeps", broken)
    with pytest.raises(ClockError, match="broken"):
        VirtualClock().__enter__()
    monkeypatch.undo()
    is_real_again()


class Handler:
    """Raises where Python would run the handler of a signal: at the nth such place."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, frame: object, event: str, arg: object) -> None:
        if event in ("call", "c_return"):
            self.left -= 1
            if not self.left:
                sys.setprofile(None)
                raise KeyboardInterrupt


def interrupted(number: int, function: Callable[[], object]) -> bool:
    """Whether the function had so many such places."""
    sys.setprofile(Handler(number))
    try:
        function()
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(None)
    return False


@pytest.mark.parametrize("kind", ["Lock", "RLock"])
def test_while_a_lock_is_taken(kind: str) -> None:
    """It is not left taken, nor is whoever waits for it as well forgotten."""

    def hold() -> None:
        with lock:
            time.sleep(5)

    def then_take() -> None:
        lock.acquire(timeout=60)
        taken.append(clock.now)

    taken: list[float] = []
    with VirtualClock() as clock:
        for number in range(1, 100):  # pragma: no branch -- there are fewer
            lock = getattr(threading, kind)()
            threads = [threading.Thread(target=run) for run in (hold, then_take)]
            threads[0].start()
            time.sleep(1)
            there = interrupted(number, lock.acquire)
            threads[1].start()
            if not there:
                lock.release()
            threads[1].join()
            assert taken.pop() == 5 * number
            if not there:
                break
