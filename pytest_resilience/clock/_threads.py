"""Threads, in virtual time: each takes part from its start, and begins in its turn."""

from __future__ import annotations

import contextlib
import threading
import weakref
from typing import TYPE_CHECKING

from pytest_resilience.clock._here import (
    conducting,
    due_after,
    in_real_time,
    party_of,
    seconds_until,
)
from pytest_resilience.clock._parties import Party, Reason
from pytest_resilience.clock._polling import note_look, note_state
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's

if TYPE_CHECKING:
    from pytest_resilience.clock._conductor import Conductor

real_start = threading.Thread.start
real_bootstrap = threading.Thread._bootstrap_inner  # type: ignore[attr-defined]  # private, and the only place
real_join = threading.Thread.join
real_is_alive = threading.Thread.is_alive

parties: dict[threading.Thread, Party] = {}
"""Threads that were started under a virtual clock and have not ended."""
_ended: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
"""Those that have, or are about to as soon as the interpreter sees to it."""


def start(self: threading.Thread) -> None:
    """Thread.start: the new thread takes part, and begins when it is its turn."""
    conductor = conducting()
    if conductor is None or self._started.is_set():  # type: ignore[attr-defined]  # private
        real_start(self)
        return
    me = party_of(conductor)
    party = conductor.expect(self.name)
    parties[self] = party
    me.excused = True  # It waits until the thread is there, which takes no time.
    try:
        with in_real_time():
            real_start(self)
    except BaseException:
        # Ctrl-C, when it is there: it goes on by itself.
        if not self._started.is_set():  # type: ignore[attr-defined]  # pragma: no branch
            conductor.abandon(party)
            parties.pop(self, None)
        raise
    finally:
        me.excused = False


def bootstrap(self: threading.Thread) -> None:  # pragma: no cover -- before a thread is traced
    """Thread._bootstrap_inner: enter and leave virtual time around the thread's life."""
    party = parties.get(self)
    if party is None:
        _bootstrap_unexpected(self)
        return
    conductor = party.conductor
    conductor.enter(party)
    run = self.run

    def run_in_turn() -> None:
        del self.run  # the attribute set below
        conductor.begin(party)
        run()

    self.run = run_in_turn  # type: ignore[method-assign]  # for this thread, until it begins
    try:
        real_bootstrap(self)
    finally:
        _ended.add(self)
        parties.pop(self, None)
        conductor.leave(party)


def _bootstrap_unexpected(self: threading.Thread) -> None:  # pragma: no cover -- as above
    """Say in real time that the thread is there; what it runs is in virtual time.

    The engine's thread may have started it, for an application that blocks. It waits until the
    thread is there, and cannot give anybody a turn meanwhile.
    """
    run = self.run
    saying = contextlib.ExitStack()

    def run_in_virtual_time() -> None:
        del self.run  # the attribute set below
        saying.close()
        run()

    self.run = run_in_virtual_time  # type: ignore[method-assign]  # until it begins
    with saying:
        saying.enter_context(in_real_time())
        real_bootstrap(self)


def join(self: threading.Thread, timeout: float | None = None) -> None:
    """Thread.join."""
    conductor, other = conducting(), parties.get(self)
    if conductor is None or other is None or self is threading.current_thread():
        real_join(self, timeout)  # Raises, if it is the calling thread.
        return
    me = party_of(conductor)
    if timeout is not None and timeout <= 0 and not conductor.others_are_due():
        note_look(conductor)
        return
    due = due_after(conductor, None if timeout is None else max(0, timeout))
    while True:
        with other.conductor.lock:
            ended = self not in parties
            if not ended:
                other.joiners.append(me)
        if ended:
            break
        reason = conductor.park(me, f"thread {self.name!r} to end", due)
        if reason is Reason.DUE:
            note_look(conductor)
            return
        if reason is Reason.STOPPED:
            real_join(self, seconds_until(conductor, due))
            return
    _see_off(conductor, self)


def _see_off(conductor: Conductor, thread: threading.Thread) -> None:
    """Wait for one that has left virtual time, and is gone as soon as the kernel sees to it."""
    me = party_of(conductor)
    me.behind = thread.native_id
    try:
        with in_real_time():
            real_join(thread)
    finally:
        me.behind = None


def is_alive(self: threading.Thread) -> bool:
    """Thread.is_alive: one whose end is polled for is waited for."""
    conductor = conducting()
    if conductor is not None and self in _ended and self is not threading.current_thread():
        _see_off(conductor, self)
    return not note_state(there=not real_is_alive(self))
