"""Who takes part in virtual time, who of them waits, and for what.

A thread that waits *parks* here: it says what for and until when, and sleeps on a lock of
its own. Whoever ends its wait lets it be due at this very moment, so it is never forgotten,
and runs in its turn.
"""

from __future__ import annotations

import _thread
import itertools
from collections import deque
from collections.abc import Callable

from pytest_resilience.clock._dues import CLIENT, SERVER, Due, Dues
from pytest_resilience.clock._pace import Pace
from pytest_resilience.clock._parties import Party, Reason, Standing
from pytest_resilience.clock._progress import Progress
from pytest_resilience.clock._strangers import Strangers
from pytest_resilience.clock._watchers import Engine, Watcher, Watchers


class Gathering:
    """Parties, dues and the present moment of one virtual clock."""

    def __init__(self, engine: Engine, now_ns: int, patience_ns: int) -> None:
        self.engine = engine
        self.now_ns = now_ns
        self.epoch_ns = 0
        """What time.monotonic shows when virtual time is 0."""
        self.patience_ns = patience_ns
        self.active = True
        # Guards all that follows, and every party. It may be entered twice: the garbage
        # collector runs other people's finalizers at any moment, and they wake others.
        self.lock = _thread.RLock()
        self.parties: dict[int, Party] = {}
        self.running: set[Party] = set()
        self.jobs = 0
        """Handed to a worker of the server's and not yet begun."""
        self.slept_ns = 0
        self.reports: list[str] = []
        self.dues = Dues()
        self.pace = Pace()
        self.progress = Progress()
        self.changes = 0
        """Counts all that a poll which began before it cannot have seen."""
        self.stirs = 0
        """Counts all that may be of interest to those who poll in loops."""
        self.idlers: set[Party] = set()
        """Those who do so, and wait until they look again."""
        self.asleep = False
        """The engine polls without an end, because only others can set something off."""
        self.owner: Party | None = None
        self.adopted: set[int | None] = set()
        """Threads from before the clock that are parties, and speak for themselves."""
        self.strangers = Strangers(_thread.get_native_id())
        self._later: deque[Party] = deque()
        """Woken by a finalizer in the middle of our own work."""
        self._numbers = itertools.count(1)
        self._watchers = Watchers(engine, self._ready)

    # Coming and going

    def join(self, name: str) -> Party:
        """Let the calling thread take part, which has switched the clock on; it is running."""
        party = self._party(name)
        party.enter()
        with self.lock:
            self._admit(party)
            self.owner = party
        return party

    def _party(self, name: str, *, adopted: bool = False) -> Party:
        return Party(self, next(self._numbers), name, adopted=adopted)

    def _admit(self, party: Party) -> None:
        """Enter it in the table; who had this thread's identity before has ended."""
        assert party.ident is not None
        former = self.parties.get(party.ident)
        if former is not None and former is not party:
            self.resign(former)
        self.parties[party.ident] = party
        if party.adopted:
            self.adopted.add(party.native_id)
        if party.standing is Standing.RUNNING:
            self.running.add(party)

    def me(self, name: Callable[[], str]) -> Party:
        """The calling thread's record; a thread that was there before the clock is adopted."""
        party = self.parties.get(_thread.get_ident())
        if party is None:
            party = self._party(name(), adopted=True)
            party.enter()
            with self.lock:
                self._admit(party)
        return party

    def expect(self, name: str) -> Party:
        """A record for a thread about to be started: it is due to begin now, in its turn."""
        party = self._party(name)
        with self.lock:
            party.standing = Standing.WAITING
            party.what = "its turn to begin"
            party.since_ns = self.now_ns
            party.due = self._push(party, self.now_ns, Reason.DUE)
        self._nudge_if_idle()
        return party

    def enter(self, party: Party) -> None:  # pragma: no cover -- before a thread is traced
        """The expected thread is here, called on that thread."""
        party.enter()
        with self.lock:
            self._admit(party)

    def begin(self, party: Party) -> None:
        """Wait for the turn of an expected thread."""
        party.baton.acquire()

    def abandon(self, party: Party) -> None:
        """The expected thread could not be started."""
        with self.lock:
            self.resign(party)

    def leave(self, party: Party) -> None:
        """The thread takes part no longer: it has ended."""
        with self.lock:
            assert party.ident is not None
            if self.parties.get(party.ident) is party:  # pragma: no branch -- see _admit
                del self.parties[party.ident]
            self.resign(party)
            joiners, party.joiners = party.joiners, []
        for joiner in joiners:
            joiner.conductor.wake(joiner)  # It may be one of a later clock's.
        self._nudge_if_idle()

    def resign(self, party: Party) -> None:
        """It takes part no longer; under the lock."""
        self.changes += 1
        self.stirs += 1
        self.idlers.discard(party)
        self.running.discard(party)
        self.adopted.discard(party.native_id)
        self.pace.drop(party)
        party.standing = Standing.OVER
        self._cancel(party)

    def _nudge_if_idle(self) -> None:
        """Let the engine ask us when it is our turn, or when it would never ask again."""
        if not self.running or self.asleep:
            self.asleep = False
            self.engine.nudge()

    # Jobs of the server's worker threads

    def expect_job(self) -> None:
        """A worker is about to be given work."""
        with self.lock:
            self.jobs += 1

    def forget_job(self) -> None:
        """It is not given it after all."""
        with self.lock:
            self.jobs -= 1
        self.engine.nudge()

    def begin_job(self) -> Party:
        """The worker begins; called on its thread."""
        party = self._party("a worker of the server")
        party.enter()
        with self.lock:
            self.jobs -= 1
            self._admit(party)
        return party

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
        if party.standing is Standing.WAITING:
            return self._park_within(party, what, due_ns, watch, paced=paced)
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

    def _park_within(
        self,
        party: Party,
        what: str,
        due_ns: int | None,
        watch: tuple[int, int] | None,
        *,
        paced: bool,
    ) -> Reason:
        """A signal handler waits in the middle of a wait, whose end is a false alarm then."""
        self._get_up(party)
        try:
            return self.park(party, what, due_ns, watch, paced=paced)
        finally:
            party.baton.release()

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

    def see(self, party: Party) -> None:
        """A thread that was given up as unseen shows itself again."""
        if party.standing is Standing.UNSEEN:
            with self.lock:
                party.standing = Standing.RUNNING
                self.running.add(party)
                if party.adopted:
                    self.adopted.add(party.native_id)

    def estrange(self, party: Party) -> None:
        """It is blocked in C, as a thread from before the clock may be, and is treated as one."""
        party.adopted = True
        if party.native_id is not None:  # pragma: no branch -- it was seen to be blocked
            self.strangers.add(party.native_id)

    def lose(self, party: Party) -> None:
        """Time no longer waits for this thread, until it shows itself; under the lock."""
        party.standing = Standing.UNSEEN
        self.running.discard(party)
        self.adopted.discard(party.native_id)  # It speaks for itself no longer.
        self.changes += 1
        self.stirs += 1

    def wake(self, party: Party) -> None:
        """End the party's wait, when it is its turn. From any thread."""
        if self.lock._is_owned():  # type: ignore[attr-defined]
            self._later.append(party)
            self.engine.nudge()
            return
        with self.lock:
            self._summon(party)
        self._nudge_if_idle()

    def wake_those_of_finalizers(self) -> None:
        """Those who could not be woken at the time."""
        while self._later:
            self._summon(self._later.popleft())

    def _summon(self, party: Party) -> None:
        self.note_event()
        if party.standing is not Standing.WAITING:
            party.pending = party.standing is not Standing.OVER
        elif party.summons is None:
            party.summons = self._push(party, self.now_ns, Reason.WOKEN)

    def _push(self, party: Party, when_ns: int, reason: Reason) -> Due:
        return self.dues.push(
            when_ns,
            self.now_ns,
            CLIENT,
            party.number,
            lambda: self.rouse(party, reason),
            yields=party.standing is Standing.RUNNING,
        )

    def throw(self, ident: int, error: BaseException) -> bool:
        """End the wait of a thread with this error; False when it does not wait."""
        with self.lock:
            party = self.parties.get(ident)
            if party is None or party.standing is not Standing.WAITING:
                return False
            party.error = error
            self.rouse(party, Reason.WOKEN)
            return True

    def rouse(self, party: Party, reason: Reason) -> None:
        """Let the waiting party run now; under the lock."""
        if party.standing is not Standing.WAITING:
            return
        self.running.add(party)
        party.standing = Standing.RUNNING
        party.outcome[0] = reason
        self._cancel(party)
        self.pace.drop(party)
        self.progress.note()
        if party.idles:
            self.idlers.discard(party)
        elif reason is not Reason.DUE or party.since_ns != self.now_ns:
            self.stirs += 1
        party.baton.release()

    def _cancel(self, party: Party) -> None:
        for due in (party.due, party.summons):
            if due is not None:
                due.cancel()
        party.due = party.summons = None

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

    def note_event(self) -> None:
        """Something happens that is no party's own timer; under the lock."""
        self.progress.note_event(self.now_ns)
        self.stirs += 1

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

    def picture(self) -> str:
        """Who waits for what since when, a line a thread."""
        with self.lock:
            parties = sorted(self.parties.values(), key=lambda p: p.number)
            return "\n".join(f"  {party.describe()}" for party in parties)

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
