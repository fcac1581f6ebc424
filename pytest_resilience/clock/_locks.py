"""Locks, in virtual time. Condition, Event, Semaphore, Barrier, Queue, Future are made of them."""

from __future__ import annotations

import _thread
import contextlib
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from pytest_resilience.clock._here import (
    conducting,
    due_after,
    party_of,
    seconds_until,
)
from pytest_resilience.clock._outliving import move_end
from pytest_resilience.clock._parties import Party, Reason
from pytest_resilience.clock._polling import note_look, note_nothing, note_park, note_state
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's

if TYPE_CHECKING:
    from pytest_resilience.clock._conductor import Conductor

real_allocate_lock = _thread.allocate_lock
real_is_set = threading.Event.is_set
real_wait = threading.Event.wait


class Lock:
    """threading.Lock, whose waits a virtual clock can see."""

    __slots__ = ("__weakref__", "_real", "_waiters")

    def __init__(self) -> None:
        self._real = real_allocate_lock()
        self._waiters: deque[Party] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As threading.Lock's."""
        if timeout != -1 and (not blocking or timeout < 0):
            return self._real.acquire(blocking, timeout)  # Refuses, in its own words.
        if self._take(False):
            return True
        conductor = conducting()
        if conductor is None:
            return self._take(blocking, timeout)
        if not blocking or timeout == 0:
            note_look(conductor)
            return False
        return self._wait(conductor, None if timeout == -1 else timeout)

    def _take(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it, and say so, in one step.

        Python runs no handler of a signal between the two, as it would after a plain call:
        Ctrl-C must not leave a lock taken of which nobody knows.
        """
        [taken] = map(self._real.acquire, (blocking,), (timeout,))
        return taken

    def _wait(self, conductor: Conductor, timeout: float | None) -> bool:
        party = party_of(conductor)
        due = due_after(conductor, timeout)
        what = "a lock" if timeout is None else f"a lock, event or queue ({timeout!r} s)"
        while True:
            try:
                self._waiters.append(party)
                # Only now: a release before it was in the queue would have woken nobody.
                there = not self._real.locked()
                reason = Reason.WOKEN if there else conductor.park(party, what, due)
            except BaseException:
                self._pass_on(party)
                raise
            finally:
                self._forget(party)
            if reason is Reason.STOPPED:
                move_end(conductor)
            if self._take(False):
                try:
                    note_park(conductor, party, reason)
                except BaseException:
                    self.release()
                    raise
                return True
            if reason is Reason.DUE:
                return False
            if reason is Reason.STOPPED:
                left = seconds_until(conductor, due)
                return self._take(True, -1 if left is None else left)

    def _forget(self, party: Party) -> None:
        with contextlib.suppress(ValueError):  # Taken out by who woke it.
            self._waiters.remove(party)

    def _pass_on(self, party: Party) -> None:
        """Interrupted: whoever has woken this one has woken nobody else."""
        if party not in self._waiters and not self._real.locked():
            self._wake_next()

    def release(self) -> None:
        """As threading.Lock's."""
        self._real.release()
        if self._waiters:
            self._wake_next()

    def _wake_next(self) -> None:
        while self._waiters:
            try:
                party = self._waiters.popleft()
            except IndexError:  # pragma: no cover -- another thread was quicker
                return
            if party.conductor.active:
                party.conductor.wake(party)
                return

    def locked(self) -> bool:
        """As threading.Lock's."""
        return not note_state(there=not self._real.locked())

    def _is_owned(self) -> bool:
        """Condition asks this instead of trying to acquire it, which would be a look."""
        return self._real.locked()

    def _at_fork_reinit(self) -> None:
        self._real = real_allocate_lock()
        self._waiters.clear()

    __enter__ = acquire

    def __exit__(self, *_: object) -> None:
        self._real.release()  # Not by way of release(): a signal may come before it begins.
        if self._waiters:
            self._wake_next()

    acquire_lock = acquire
    release_lock = release
    locked_lock = locked

    def __repr__(self) -> str:
        state = "locked" if self._real.locked() else "unlocked"
        return f"<{state} lock under a virtual clock at {id(self):#x}>"


def rlock(*args: Any, **kwargs: Any) -> Any:
    """threading.RLock: the standard library's own Python version, made of a `Lock`."""
    return threading._PyRLock(*args, **kwargs)  # type: ignore[attr-defined]  # there since 3.2


def is_set(self: threading.Event) -> bool:
    """Event.is_set: one that is asked in a loop is waited for."""
    return note_state(there=real_is_set(self))


def event_wait(self: threading.Event, timeout: float | None = None) -> bool:
    """Event.wait: made of locks, but for who waits for no time at all, again and again."""
    set_ = real_wait(self, timeout)
    if timeout == 0 and not set_:
        note_nothing(self)
    return set_
