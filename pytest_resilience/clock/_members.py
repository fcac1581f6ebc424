"""Who takes part in virtual time, and how each of them stands.

A thread takes part from its start, or from its first covered call if it was there before
the clock. It runs, or waits, or is out of sight. Whoever ends its wait lets it be due at this
very moment, so it is never forgotten, and runs in its turn.
"""

from __future__ import annotations

import _thread
import itertools
from collections import deque
from collections.abc import Callable

from pytest_resilience.clock import _pictures
from pytest_resilience.clock._dues import CLIENT, Due, Dues
from pytest_resilience.clock._pace import Pace
from pytest_resilience.clock._parties import Party, Reason, Standing
from pytest_resilience.clock._progress import Progress
from pytest_resilience.clock._strangers import Strangers
from pytest_resilience.clock._watchers import Engine


class Members:
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
            # Those here in the same step: in between nobody would run, and time could move.
            for joiner in joiners:
                if joiner.conductor is self:
                    self._summon(joiner)
        for joiner in joiners:
            if joiner.conductor is not self:  # One of a later clock's.
                joiner.conductor.wake(joiner)
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

    # How they stand

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

    def throw(self, ident: int, error: BaseException) -> bool:
        """End the wait of a thread with this error; False when it does not wait."""
        with self.lock:
            party = self.parties.get(ident)
            if party is None or party.standing is not Standing.WAITING:
                return False
            party.error = error
            self.rouse(party, Reason.WOKEN)
            return True

    def _push(self, party: Party, when_ns: int, reason: Reason) -> Due:
        return self.dues.push(
            when_ns,
            self.now_ns,
            CLIENT,
            party.number,
            lambda: self.rouse(party, reason),
            yields=party.standing is Standing.RUNNING,
        )

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

    def note_event(self) -> None:
        """Something happens that is no party's own timer; under the lock."""
        self.progress.note_event(self.now_ns)
        self.stirs += 1

    def picture(self) -> str:
        """Who waits for what since when, and where: a few lines a thread."""
        lines = []
        with self.lock:
            for party in sorted(self.parties.values(), key=lambda p: p.number):
                lines.append(f"  {party.describe()}")
                details = (_pictures.place(party.ident), *_pictures.tasks(party.ident))
                lines += [f"    {detail}" for detail in details if detail]
        return "\n".join(lines)
