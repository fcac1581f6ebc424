"""Decides when virtual time moves. The heart of the virtual clock.

*Problem.* Virtual time may move only when nothing can happen without it. Something can
happen while a client's thread runs, while the server has something to do, or while bytes
are on their way between the two, and all three have to be false at one moment.

*Solution.* A thread that waits *parks* here: it says what for and until when, and sleeps
on a lock of its own. Whoever ends its wait lets it be due at this very moment, so it is
never forgotten. Sockets are watched by the engine's loop, in the same poll as the server's
own, and that loop calls `conduct` when its poll has found nothing. At that moment the
server is idle and no watched socket is readable; if no thread runs, and `_links` finds no
byte under way, nothing can happen: the next due is due, time moves there if it has to, and
the one party concerned runs. One at a time, in one order, so a run is repeatable.
"""

from __future__ import annotations

import _thread
import itertools
import time
from collections import deque
from collections.abc import Callable

from pytest_resilience.clock import _kernel, _links
from pytest_resilience.clock._dues import CLIENT, SERVER, Due, Dues
from pytest_resilience.clock._pace import Pace
from pytest_resilience.clock._parties import Party, Reason, Standing
from pytest_resilience.clock._real import real_monotonic_ns, real_process_time_ns
from pytest_resilience.clock._strangers import IDLE_NS, Strangers
from pytest_resilience.clock._watchers import Engine, Watcher, Watchers
from pytest_resilience.errors import ClockError

SECOND = 1_000_000_000
real_sleep = time.sleep
TURN_NS = 20_000_000
"""Real time for which all who run must be blocked before somebody else takes a turn."""
TURN_CPU_NS = 1_000_000_000
"""Processor time after which one that runs and runs is taken to spin for somebody else.

Long enough for a first request that imports half of its client, traced by coverage."""
TURN_LOST_NS = 3_000_000_000
"""Real time after which a turn passes on whatever the kernel says; only order is lost."""
ADOPTED_GRACE_NS = 50_000_000
"""The same as the grace, for a thread from before the clock: it goes back to its idling."""
ODD_NS = 1_000_000_000
"""Real time after which bytes that are still under way are taken to be lost."""


class Conductor:
    """Parties, dues and the present moment of one virtual clock.

    Args:
        grace: Real seconds for which a thread must be blocked where nobody can see it
            before time no longer waits for it.
        patience: Real seconds without any progress after which the clock gives up and
            says who waits for what.
    """

    def __init__(self, engine: Engine, now_ns: int, grace: float, patience: float) -> None:
        self.engine = engine
        self.now_ns = now_ns
        self.active = True
        # Guards all that follows, and every party. It may be entered twice: the garbage
        # collector runs other people's finalizers at any moment, and they wake others.
        self.lock = _thread.RLock()
        self.parties: dict[int, Party] = {}
        self.running: set[Party] = set()
        self.jobs = 0
        """Handed to a worker of the server's and not yet begun."""
        self.jumps = 0
        self.slept_ns = 0
        self.reports: list[str] = []
        self.patience_ns = round(patience * SECOND)
        self._grace_ns = round(grace * SECOND)
        self._dues = Dues()
        self._pace = Pace()
        self._later: deque[Party] = deque()
        """Woken by a finalizer in the middle of our own work."""
        self._numbers = itertools.count(1)
        self._progress_real_ns = real_monotonic_ns()
        self._progress_cpu_ns = 0
        self._odd_since_real_ns: int | None = None
        self._look_real_ns = 0
        self._changes = 0
        self._changes_seen = -1
        self._asleep = False
        """The engine polls without an end, because only others can set something off."""
        self._owner: Party | None = None
        self._watchers = Watchers(engine, self._ready)
        self._strangers = Strangers(_thread.get_native_id())
        self._adopted: set[int | None] = set()
        """Those of them that are parties, and speak for themselves."""

    # Parties

    def join(self, name: str) -> Party:
        """Let the calling thread take part; it is running."""
        party = self._party(name)
        party.enter()
        with self.lock:
            self._admit(party)
            if self._owner is None:
                self._owner = party
        return party

    def _party(self, name: str, *, adopted: bool = False) -> Party:
        return Party(self, next(self._numbers), name, adopted=adopted)

    def _admit(self, party: Party) -> None:
        """Enter it in the table; who had this thread's identity before has ended."""
        assert party.ident is not None
        former = self.parties.get(party.ident)
        if former is not None and former is not party:
            self._resign(former)
        self.parties[party.ident] = party
        if party.adopted:
            self._adopted.add(party.native_id)
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

    def enter(self, party: Party) -> None:
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
            self._resign(party)

    def leave(self, party: Party) -> None:
        """The thread takes part no longer: it has ended."""
        with self.lock:
            if party.ident is not None and self.parties.get(party.ident) is party:
                del self.parties[party.ident]
            self._resign(party)
            joiners, party.joiners = party.joiners, []
        for joiner in joiners:
            joiner.conductor.wake(joiner)  # It may be one of a later clock's.
        self._nudge_if_idle()

    def _resign(self, party: Party) -> None:
        self._changes += 1
        self.running.discard(party)
        self._adopted.discard(party.native_id)
        self._pace.drop(party)
        party.standing = Standing.OVER
        self._cancel(party)

    def _nudge_if_idle(self) -> None:
        """Let the engine ask us when it is our turn, or when it would never ask again."""
        if not self.running or self._asleep:
            self._asleep = False
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
        if watch is not None:
            with self.lock:
                self._watchers.watch(party, *watch)
        try:
            if self._sit_down(party, what, due_ns, paced=paced):
                self._nudge_if_idle()
                party.baton.acquire()
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
        return party.reason

    def _sit_down(self, party: Party, what: str, due_ns: int | None, *, paced: bool) -> bool:
        with self.lock:
            if not self.active:
                party.reason = Reason.STOPPED
                return False
            self.see(party)
            if party.pending:
                party.pending = False
                party.reason = Reason.WOKEN
                return False
            party.what = what
            party.since_ns = self.now_ns
            if due_ns is not None:
                party.due = self._push(party, due_ns, Reason.DUE)
            if paced:
                self._pace.keep(party, self.now_ns)
            party.standing = Standing.WAITING
            self._changes += 1
            self.running.discard(party)
            return True

    def _get_up(self, party: Party) -> None:
        with self.lock:
            if party.standing is Standing.WAITING:
                self._rouse(party, Reason.WOKEN)
            self.running.add(party)
            party.baton.acquire(blocking=False)

    def see(self, party: Party) -> None:
        """A thread that was given up as unseen shows itself again."""
        if party.standing is Standing.UNSEEN:
            with self.lock:
                party.standing = Standing.RUNNING
                self.running.add(party)

    def wake(self, party: Party) -> None:
        """End the party's wait, when it is its turn. From any thread."""
        if self.lock._is_owned():  # type: ignore[attr-defined]
            self._later.append(party)
            self.engine.nudge()
            return
        with self.lock:
            self._summon(party)
        self._nudge_if_idle()

    def _summon(self, party: Party) -> None:
        if party.standing is not Standing.WAITING:
            party.pending = party.standing is not Standing.OVER
        elif party.summons is None:
            party.summons = self._push(party, self.now_ns, Reason.WOKEN)

    def _push(self, party: Party, when_ns: int, reason: Reason) -> Due:
        return self._dues.push(
            when_ns,
            self.now_ns,
            CLIENT,
            party.number,
            lambda: self._rouse(party, reason),
            yields=party.standing is Standing.RUNNING,
        )

    def _rouse(self, party: Party, reason: Reason) -> None:
        if party.standing is not Standing.WAITING:
            return
        self.running.add(party)
        party.standing = Standing.RUNNING
        party.reason = reason
        self._cancel(party)
        self._pace.drop(party)
        self._note_progress(real_monotonic_ns())
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
            self._pace.keep(party, self.now_ns)
            party.standing = Standing.OUTSIDE
            self._changes += 1
            self.running.discard(party)
        self._nudge_if_idle()
        return True

    def step_in(self, party: Party) -> None:
        """It is back."""
        with self.lock:
            self._pace.drop(party)
            if party.standing is Standing.OUTSIDE:
                self.running.add(party)
                party.standing = Standing.RUNNING

    # Dues

    def call_at(self, when_ns: int, callback: Callable[[], object]) -> Due:
        """Run the callback on the engine's thread at this virtual moment."""

        def fire() -> None:
            self.engine.call_soon_threadsafe(callback)

        with self.lock:
            return self._dues.push(when_ns, self.now_ns, SERVER, 0, fire)

    def others_are_due(self) -> bool:
        """Whether somebody else is to run at this very moment."""
        with self.lock:
            due = self._dues.next()
            return due is not None and due.when_ns <= self.now_ns

    # Conducting: on the engine's thread, when its poll has found nothing

    def conduct(self) -> float:
        """Move time if it may move. Returns real seconds to wait before asking again.

        0 says that something has been set off; -1, that only others can set something off.
        """
        with self.lock:
            wait = self._conduct()
            self._asleep = wait < 0
            return wait

    def _conduct(self) -> float:
        if not self.active:
            return -1
        while self._later:
            self._summon(self._later.popleft())
        now_real = real_monotonic_ns()
        due = self._dues.next()
        if self.running or self.jobs:
            return self._while_running(due, now_real)
        if not self._still(now_real):
            return 0
        if due is None:
            return self._while_stuck(now_real)
        if due.when_ns > self.now_ns:
            wait = self._held_back(due.when_ns, now_real)
            if wait > 0:
                return wait
            self.now_ns = due.when_ns
            self.jumps += 1
        self._note_progress(now_real)
        self._dues.fire()
        return 0

    def _note_progress(self, now_real: int) -> None:
        self._progress_real_ns = now_real
        self._progress_cpu_ns = real_process_time_ns()

    def _held_back(self, when_ns: int, now_real: int) -> float:
        """Real seconds for which those who are out of our sight hold time back."""
        if self._strangers and not self._strangers.idle(now_real, self._adopted):
            for name in self._strangers.give_up(now_real, self._grace_ns, self._adopted):
                self.reports.append(
                    f"thread {name!r}, from before the clock, never comes to rest; "
                    "virtual time goes on without it"
                )
            return IDLE_NS / 4 / SECOND
        return self._pace.wait(when_ns, now_real) / SECOND

    def _while_running(self, due: Due | None, now_real: int) -> float:
        if due is None and self._nobody_waits():
            return -1
        if due is not None and due.when_ns <= self.now_ns:
            return self._turn(now_real)
        return self._look_for_unseen(now_real)

    def _turn(self, now_real: int) -> float:
        """Something needs no time to pass and waits only until those who run wait.

        Who spins, or is blocked, until that very thing has happened must not hold it back.
        """
        waited = now_real - self._progress_real_ns
        if waited >= TURN_NS and (
            not _kernel.HAS_PROC
            or waited >= TURN_LOST_NS
            or real_process_time_ns() - self._progress_cpu_ns >= TURN_CPU_NS
            or self._all_are_blocked(now_real)
        ):
            self._note_progress(now_real)
            self._dues.fire()
            return 0
        return TURN_NS / 8 / SECOND

    def _all_are_blocked(self, now_real: int) -> bool:
        blocked = [party.blocked_for(now_real) for party in self.running]  # Looks at each.
        return all(real_ns >= TURN_NS / 2 for real_ns in blocked)

    def _nobody_waits(self) -> bool:
        return all(p.standing is not Standing.WAITING for p in self.parties.values())

    def _look_for_unseen(self, now_real: int) -> float:
        """Give up on threads that are blocked where nobody can see it; a look now and then."""
        if not _kernel.HAS_PROC:
            return -1
        left = self._look_real_ns - now_real
        if left > 0:
            return left / SECOND
        self._look_real_ns = now_real + self._grace_ns // 8
        for party in list(self.running):
            self._look_at(party, now_real)
        return 0 if not self.running and not self.jobs else self._grace_ns / SECOND / 8

    def _look_at(self, party: Party, now_real: int) -> None:
        assert party.native_id is not None
        blocked = party.blocked_for(now_real)
        if party.moves is None and not _kernel.exists(party.native_id):
            self._resign(party)  # A thread from before the clock has ended.
        elif party.adopted and blocked >= min(ADOPTED_GRACE_NS, self._grace_ns):
            self._lose(party)
        elif blocked >= self._grace_ns:
            self._lose(party)
            self.reports.append(
                f"thread {party.name!r} was blocked for {self._grace_ns / SECOND:g} real "
                "seconds where nobody can see it; virtual time went on without it"
            )
        elif party.adopted and now_real - self._progress_real_ns >= 4 * self._grace_ns:
            # It polls by itself, in real time, as it did before the clock.
            self._lose(party)
        elif self._spins() and self._somebody_sleeps():
            self._lose(party)
            self.reports.append(
                f"thread {party.name!r} has computed for {self.patience_ns / SECOND:g} "
                "seconds without a wait; virtual time went on without it"
            )

    def _lose(self, party: Party) -> None:
        party.standing = Standing.UNSEEN
        self.running.discard(party)
        self._changes += 1

    def _spins(self) -> bool:
        return real_process_time_ns() - self._progress_cpu_ns >= self.patience_ns

    def _somebody_sleeps(self) -> bool:
        return any(p.due is not None for p in self.parties.values())

    def _still(self, now_real: int) -> bool:
        """Whether nothing has changed since before the poll that has just found nothing.

        The order matters. What a thread did after that poll, or a byte that arrived after
        it, was not seen by it. So whatever has changed is taken note of, and only the next
        poll's finding nothing counts.
        """
        changes, self._changes_seen = self._changes_seen, self._changes
        if changes == self._changes and not _links.touched():
            self._odd_since_real_ns = None
            return True
        if _links.touched() and not _links.quiet():
            self._wait_for_links(now_real)
        return False

    def _wait_for_links(self, now_real: int) -> None:
        """Bytes are under way. What stays odd for a second is no longer waited for."""
        if self._odd_since_real_ns is None:
            self._odd_since_real_ns = now_real
        if now_real - self._odd_since_real_ns < ODD_NS:
            real_sleep(0.000_02)
            return
        self._odd_since_real_ns = None
        self.reports.append(f"took a connection as quiet that is not: {_links.give_up()}")

    def _while_stuck(self, now_real: int) -> float:
        """Nothing runs and nothing is due: only the world outside can help now."""
        owner = self._owner
        if owner is None or owner.standing is not Standing.WAITING or self._pace:
            return -1
        left = self.patience_ns - (now_real - self._progress_real_ns)
        if left > 0:
            return left / SECOND
        owner.error = ClockError(
            f"nothing has moved for {self.patience_ns / SECOND:g} real seconds, and nothing "
            f"is due: virtual time cannot go on\n{self.picture()}"
        )
        self._rouse(owner, Reason.WOKEN)
        return 0

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
                    self._rouse(party, Reason.STOPPED)
            # Threads that have not begun yet are in no table of threads.
            self._dues.fire_all()
