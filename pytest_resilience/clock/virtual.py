"""`VirtualClock`: minutes of backoff and timeouts in milliseconds, exactly."""

from __future__ import annotations

import contextlib
import math
import numbers
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pytest_resilience.clock import (
    _arrivals,
    _counting,
    _current,
    _foreign,
    _interrupts,
    _links,
    _locks,
    _readers,
    _references,
    _rivals,
)
from pytest_resilience.clock._base import Scheduler, Timer, use_clock
from pytest_resilience.clock._conductor import Conductor
from pytest_resilience.clock._early import EarlyReaders
from pytest_resilience.clock._real import new_rlock, real_monotonic_ns, real_time_ns
from pytest_resilience.clock._sleep import sleep_until
from pytest_resilience.errors import (
    ClockError,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)

if TYPE_CHECKING:
    from pytest_resilience.engine._loop import Loop

SECOND = 1_000_000_000

_on: list[VirtualClock] = []


def _is_time(seconds: object) -> bool:
    return isinstance(seconds, numbers.Real) and -math.inf < seconds < math.inf  # type: ignore[operator]  # they are compared, too


class VirtualClock:
    """A clock that moves only when nothing can happen without it.

    ::

        with VirtualClock() as clock:
            time.sleep(3600)          # returns at once
            assert clock.now == 3600

    While it is on, time stands still as long as a client's thread runs, a server has
    something to do, or bytes are on their way between the two. When all of them wait, it
    jumps to the next thing that is due: the end of a sleep, of a timeout, of a server's
    delay. See ``COVERED`` for what is covered.

    Args:
        grace: Real seconds for which a thread must be blocked where nobody can see it (in
            a C library, a subprocess, a lock from before the clock) before time goes on
            without it. `reports` says so when it happened.
        patience: Real seconds without any progress, and with nothing due, after which the
            waiting test fails with a picture of who waits for what.

    It cannot move time inside C code that sleeps by itself, nor in another process.
    Sockets to anything but our servers take real time.

    Raises:
        ValueError: What is given is no number of seconds.
        ClockError: On start, when another clock is in the way: a second virtual clock,
            freezegun, time-machine, looptime, uvloop, eventlet or gevent.
    """

    def __init__(self, *, grace: float = 0.25, patience: float = 5.0) -> None:
        if not _is_time(grace) or grace < 0:
            raise ValueError(f"grace={grace!r} is not allowed: wanted seconds, 0 or more")
        if not _is_time(patience) or patience <= 0:
            raise ValueError(f"patience={patience!r} is not allowed: wanted seconds, more than 0")
        self._grace = grace
        self._patience = patience
        self._conductor: Conductor | None = None
        self._stack = contextlib.ExitStack()
        self._epochs = _readers.Epochs(0, 0)
        self.start_ns = 0

    # What it says

    def __repr__(self) -> str:
        on = self._conductor is not None and self._conductor.active
        return f"<VirtualClock at {self.now} s{'' if on else ', not on'}>"

    @property
    def now(self) -> float:
        """Virtual seconds since it was switched on."""
        return self._now_ns / SECOND

    @property
    def slept(self) -> float:
        """Virtual seconds spent in sleeps, of all threads and tasks added up.

        time.sleep, asyncio.sleep, trio.sleep and anyio's count; waiting for an answer, an
        event or a timer does not. Who sleeps in ten threads at once for a second, sleeps ten.
        """
        return self._conductor.slept_ns / SECOND if self._conductor else 0.0

    @property
    def reports(self) -> tuple[str, ...]:
        """What could not be known for sure: threads that time did not wait for."""
        return tuple(self._conductor.reports) if self._conductor else ()

    @property
    def _now_ns(self) -> int:
        return self._conductor.now_ns if self._conductor else 0

    def advance(self, seconds: float) -> None:
        """Let this much time pass; everything that falls due meanwhile happens in order.

        It blocks its thread, as time.sleep does: a task that lets time pass for other tasks of
        its loop awaits ``asyncio.sleep(seconds)``.

        Raises:
            ClockError: The clock is not on.
            ValueError: It is no number of seconds, or a negative one: time does not go back.
        """
        if not _is_time(seconds):
            raise ValueError(f"advance({seconds!r}): wanted a number of seconds")
        if seconds < 0:
            raise ValueError(f"advance({seconds!r}): time does not go back")
        conductor = self._running()
        if conductor.engine.on_thread:
            raise ClockError(
                "a fake's handler called advance: it runs on the server's own thread and must "
                "not wait; plan faults.latency(seconds) instead"
            )
        due = conductor.now_ns + round(seconds * SECOND)
        sleep_until(conductor, due, f"advance({seconds!r})")

    def _running(self) -> Conductor:
        if self._conductor is None or not self._conductor.active:
            raise ClockError("the virtual clock is not on: use it in a with block")
        return self._conductor

    # The clock of servers and fakes

    def monotonic_ns(self) -> int:
        """Nanoseconds since it was switched on."""
        return self._now_ns

    def time_ns(self) -> int:
        """Nanoseconds since the epoch; it starts at a whole second, so that it is exact."""
        return self._epochs.wall_ns + self._now_ns

    def monotonic(self) -> float:
        """Seconds since it was switched on."""
        return self._now_ns / SECOND

    def time(self) -> float:
        """Seconds since the epoch."""
        return self.time_ns() / SECOND

    def call_at(self, when_ns: int, loop: Scheduler, callback: Callable[[], object]) -> Timer:
        """Run the callback on the engine's thread at this virtual moment."""
        return self._running().call_at(when_ns, callback)

    # On and off

    def __enter__(self) -> Self:
        """Switch it on, for the whole process."""
        if _on:
            raise ClockError(
                "a virtual clock is on already, and one process has one time: go by that one "
                "(current_clock() is it), or take away what switched it on: a block, the fixture "
                "virtual_clock, its marker, or the setting resilience_virtual_clock"
            )
        _rivals.refuse_active()
        try:
            with _interrupts.deferred():
                self._switch_on()
        except BaseException:
            self._switch_off()  # A signal has come, when it was on.
            raise
        return self

    def _switch_on(self) -> None:
        from pytest_resilience import engine

        loop = engine.acquire()
        with contextlib.ExitStack() as undo:
            undo.callback(_release, loop)
            # Whole seconds, so that sums with whole seconds are exact in floating point.
            wall = real_time_ns() // SECOND * SECOND
            self._epochs = _readers.Epochs(wall, real_monotonic_ns() // SECOND * SECOND)
            conductor = self._conductor = Conductor(loop, 0, self._grace, self._patience)
            conductor.epoch_ns = self._epochs.monotonic_ns
            conductor.join(threading.current_thread().name)
            _on.append(self)
            undo.callback(_on.remove, self)
            undo.enter_context(use_clock(self))
            undo.callback(_links.forget_all)
            undo.callback(_foreign.forget_all)
            _readers.show(self._epochs)
            _current.conductor = conductor
            undo.callback(setattr, _current, "conductor", None)
            undo.callback(_set_conductor, loop, None)
            _set_conductor(loop, conductor.conduct)
            undo.callback(conductor.stop)
            _patch(undo)
            self._stack = undo.pop_all()

    def _switch_off(self) -> None:
        with _interrupts.deferred():
            self._stack.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        """Switch it off; every wait that lasts goes on in real time."""
        try:
            self._switch_off()
        except BaseException:
            self._switch_off()  # A signal may have come before it had begun.
            raise


def _release(loop: Loop) -> None:
    from pytest_resilience import engine

    with _interrupts.let_in():
        engine.release(loop)


def _set_conductor(loop: Loop, conduct: Callable[[], float] | None) -> None:
    """Let the loop ask this conductor. It may be busy, and Ctrl-C must reach who waits for it."""

    def put() -> None:
        loop.conductor = conduct

    try:
        with _interrupts.let_in():
            loop.between(put)
    except BaseException:
        loop.call_soon_threadsafe(put)
        raise


_functions: _references.References | None = None


def _patch(undo: contextlib.ExitStack) -> None:
    """Put every stand-in in place, and promise to take it away."""
    # After rivals: eventlet has replaced sockets.
    from pytest_resilience.clock import _selecting, covered

    global _functions  # noqa: PLW0603 -- its list of places is what makes the next start cheap
    if _functions is None:
        _functions = _references.References(
            [
                _references.Substitution(
                    f.real, f.stand_in, users_only=f.users_only, spared=f.spared
                )
                for f in covered.FUNCTIONS
            ],
            covered.FUNCTIONS,
            EarlyReaders(),
        )
    undo.callback(_functions.restore)
    _functions.replace()
    _counting.count_sleeps(undo.callback)
    _selecting.see_into_trio(undo.callback)
    attributes = _Attributes(covered.METHODS)
    undo.callback(attributes.restore)
    for _, owner, attribute, stand_in in covered.ATTRIBUTES:
        attributes.set(owner, attribute, stand_in)
    _keep_off_rivals(undo)
    undo.enter_context(_arrivals.awaited(covered.SPARED, _give_real_lock, _give_lock))
    for _, cls, attribute, function in covered.CLASS_METHODS:
        undo.callback(_references.set_on_type, cls, attribute, cls.__dict__[attribute])
        _references.set_on_type(cls, attribute, classmethod(function))


def _keep_off_rivals(undo: contextlib.ExitStack) -> None:
    """Let nobody else set the time, nor start when it is imported from now on."""
    attributes = _Attributes()
    undo.callback(attributes.restore)

    def keep_off(module: str | None = None) -> None:
        for owner, attribute, stand_in in _rivals.starters(module):
            attributes.set(owner, attribute, stand_in)

    keep_off()
    undo.enter_context(_arrivals.awaited(_rivals.NAMES, _rivals.refuse_import, keep_off))


def _give_real_lock(_: str) -> None:
    """A module is about to be imported whose locks must be those written in C."""
    threading.RLock = new_rlock


def _give_lock(_: str) -> None:
    """It has been."""
    threading.RLock = _locks.rlock  # type: ignore[assignment]


_MISSING = object()


class _Attributes:
    """Sets attributes, and puts back what was there, the latest first."""

    def __init__(self, lists: Iterable[object] = ()) -> None:
        """Take what of ours holds the values as well."""
        self._before: list[tuple[Any, str, Any, Any]] = []
        self._lists = lists

    def set(self, owner: Any, name: str, value: Any) -> None:
        """Put this there."""
        self._before.append((owner, name, owner.__dict__.get(name, _MISSING), value))
        setattr(owner, name, value)

    def restore(self) -> None:
        """Put back all that was there."""
        replaced = []
        while self._before:
            owner, name, real, value = self._before.pop()
            stood = getattr(owner, name, None) is value
            if real is not _MISSING:
                setattr(owner, name, real)
            elif stood or name in owner.__dict__:
                delattr(owner, name)
            if not stood:  # Who has replaced it is going to put it back.
                replaced.append(_references.Substitution(value, getattr(owner, name)))
        if replaced:
            _references.Back(replaced, self._lists).replace()
