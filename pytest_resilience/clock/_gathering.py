"""How those who take part in virtual time wait, and for what.

A thread that waits *parks* here: it says what for and until when, and sleeps on a lock of
its own.
"""

from __future__ import annotations

import _thread
import weakref
from collections.abc import Callable
from typing import Any

from pytest_resilience.clock._dues import SERVER, Due, Dues
from pytest_resilience.clock._members import Members
from pytest_resilience.clock._parties import Party, Reason, Standing
from pytest_resilience.clock._watchers import Engine, Watcher, Watchers
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's


class Gathering(Members):
    """Members that wait: for a moment, for one another, for the world outside."""

    def __init__(self, engine: Engine, now_ns: int, patience_ns: int) -> None:
        super().__init__(engine, now_ns, patience_ns)
        self.slept_ns = 0
        self.loops: weakref.WeakSet[Any] = weakref.WeakSet()
        """Loops of asyncio that have run here."""
        self._watchers = Watchers(engine, self._ready)

    # Waiting

    def park(
        self,
        party: Party,
        what: str,
        due_ns: int | None,
        watch: tuple[int, int] | None = None,
        *,
        paced: bool = False,
    ) -> Reason:
        """Wait until somebody wakes the party, its descriptor is ready, or it is due.

        Wakes may be false alarms: look again, and park again. Called on the party's thread.

        Args:
            party: The calling thread.
            what: What it waits for, for a person to read.
            due_ns: Virtual moment of the end of the wait; None for no end.
            watch: A descriptor and the events to end the wait on.
            paced: Whether it is somebody outside of this process who may end the wait, so
                that time must not run away meanwhile.

        Raises:
            ClockError: Nothing can ever end this wait; the text shows who waits for what.
        """
        if self._cuts_in(party):
            try:
                return self.park(party, what, due_ns, watch, paced=paced)
            finally:
                party.baton.release()
        # Not a field of the party's: a signal handler may wait before we have read it.
        outcome = [Reason.WOKEN]
        try:
            if self._sit_down(party, outcome, what, due_ns, watch, paced=paced):
                self._nudge_if_idle()
                party.sit()
        except BaseException:  # Ctrl-C: the wait is over, whoever else has ended it meanwhile.
            self._get_up(party)
            raise
        finally:
            if watch is not None:
                with self.lock:
                    self._watchers.unwatch(party, watch[0])
        error, party.error = party.error, None
        if error is not None:
            raise error
        return outcome[0]

    def _cuts_in(self, party: Party) -> bool:
        """Whether a signal handler waits in the middle of a wait, which ends by a false alarm then.

        Somebody may have ended that wait just now. Its end must not be taken for the end of
        the handler's wait, so the baton is taken back until the handler has waited.
        """
        with self.lock:
            if party.standing is Standing.WAITING:
                self.rouse(party, Reason.WOKEN)
            return party.baton.acquire(blocking=False)

    def _sit_down(
        self,
        party: Party,
        outcome: list[Reason],
        what: str,
        due_ns: int | None,
        watch: tuple[int, int] | None,
        *,
        paced: bool,
    ) -> bool:
        with self.lock:
            if not self.active:
                outcome[0] = Reason.STOPPED
                return False
            self.see(party)
            if party.pending:
                party.pending = False
                return False
            party.outcome = outcome
            party.what = what
            party.since_ns = self.now_ns
            if due_ns is not None:
                party.due = self._push(party, due_ns, Reason.DUE)
            if paced:
                self.pace.keep(party, self.now_ns)
            party.standing = Standing.WAITING
            self.changes += 1
            if party.idles:
                self.idlers.add(party)
                party.looks.stirs = self.stirs
            elif due_ns is None or due_ns > self.now_ns:
                self.stirs += 1
            self.running.discard(party)
            if watch is not None:  # Not before: what is ready ends a wait that has begun.
                self._watchers.watch(party, *watch)
            return True

    def _get_up(self, party: Party) -> None:
        with self.lock:
            if party.standing is Standing.WAITING:
                self.rouse(party, Reason.WOKEN)
            self._cancel(party)
            self.running.add(party)
            party.baton.acquire(blocking=False)

    def _ready(self, watcher: Watcher) -> None:
        """A watched descriptor is ready: its parties run in their turn. On the engine's thread."""
        with self.lock:
            for party in watcher.parties:
                self._summon(party)
            watcher.parties.clear()
            watcher.arm()

    # The world outside

    def step_out(self, party: Party, what: str) -> bool:
        """The calling thread is about to wait for somebody outside, in real time."""
        with self.lock:
            self.see(party)
            if not self.active or party.standing is not Standing.RUNNING:
                return False
            party.what = what
            party.since_ns = self.now_ns
            self.pace.keep(party, self.now_ns)
            party.standing = Standing.OUTSIDE
            self.changes += 1
            self.stirs += 1
            self.running.discard(party)
        self._nudge_if_idle()
        return True

    def step_in(self, party: Party) -> None:
        """It is back."""
        with self.lock:
            self.pace.drop(party)
            self.note_event()
            self.running.add(party)
            party.standing = Standing.RUNNING

    # Dues

    def call_at(self, when_ns: int, callback: Callable[[], object]) -> Due:
        """Run the callback on the engine's thread at this virtual moment."""

        def fire() -> None:
            self.note_event()
            self.engine.call_soon_threadsafe(callback)

        with self.lock:
            return self.dues.push(when_ns, self.now_ns, SERVER, 0, fire)

    # Loops that poll

    def stir_idlers(self) -> bool:
        """Let those who poll in loops look again, if anything has happened since they did."""
        stirred = [party for party in self.idlers if party.looks.stirs != self.stirs]
        for party in stirred:
            party.looks.stirs = self.stirs
            self._cancel(party)
            party.due = self._push(party, self.now_ns, Reason.DUE)
        return bool(stirred)

    def others_are_due(self) -> bool:
        """Whether somebody else is to run at this very moment."""
        with self.lock:
            due = self.dues.next()
            return due is not None and due.when_ns <= self.now_ns

    def prospect(self) -> tuple[int | None, bool]:
        """The next moment at which something is due, and whether anybody waits for the outside."""
        with self.lock:
            return self.dues.after(self.now_ns), self.pace.keeps_others(self.idlers)

    def note_sleep(self, nanoseconds: int) -> None:
        """Somebody has spent so much virtual time in a sleep."""
        with self.lock:
            self.slept_ns += nanoseconds

    # The end

    def stop(self) -> None:
        """Time goes back to being real: every wait goes on in real time from here."""
        with self.lock:
            self.active = False
            for party in list(self.parties.values()):
                if party.standing is Standing.WAITING:
                    self.rouse(party, Reason.STOPPED)
            # Threads that have not begun yet are in no table of threads.
            self.dues.fire_all()

    def forget_in_child(self) -> None:
        """In a forked child: nobody but the calling thread is there, and nobody conducts."""
        self.active = False
        self.lock = _thread.RLock()  # Its holder may not exist here.
        self.dues = Dues()
