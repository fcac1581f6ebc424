"""Decides when virtual time moves. The heart of the virtual clock.

*Problem.* Virtual time may move only when nothing can happen without it. Something can
happen while a client's thread runs, while the server has something to do, or while bytes
are on their way between the two, and all three have to be false at one moment.

*Solution.* A thread that waits *parks* here: it says what for and until when, and sleeps
on a lock of its own. Whoever ends its wait marks it as running before it wakes up, so the
count of running threads is never too low. Sockets are watched by the engine's loop, in the
same poll as the server's own, and that loop calls `conduct` when its poll has found nothing.
At that moment the server is idle and no watched socket is readable; if no thread runs, and
`_links` finds no byte under way, nothing can happen: time moves to the next due, and the
one party that is due runs. One at a time, in order of due and age, so a run is repeatable.
"""

from __future__ import annotations

import _thread
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol

from pytest_resilience.clock import _links
from pytest_resilience.clock._base import Scheduler
from pytest_resilience.clock._parties import HAS_PROC, Party, Reason, Standing
from pytest_resilience.clock._real import real_monotonic_ns
from pytest_resilience.errors import ClockError

SECOND = 1_000_000_000
real_sleep = time.sleep
SERVER, CLIENT = 0, 1
TURN_NS = 20_000_000
"""Real time after which a due that needs no time to pass is no longer held back for order."""


class Due:
    """Something that happens at a moment of virtual time."""

    __slots__ = ("fire", "when_ns")

    def __init__(self, when_ns: int, fire: Callable[[], object] | None) -> None:
        self.when_ns = when_ns
        self.fire = fire

    def cancel(self) -> None:
        """Let it not happen."""
        self.fire = None


class Engine(Scheduler, Protocol):
    """What the conductor needs of the engine's loop."""

    conductor: Callable[[], float] | None

    @property
    def on_thread(self) -> bool:
        """Whether the caller runs on the loop's thread."""

    def nudge(self) -> None:
        """Let the loop poll once more, so that it asks its conductor again."""

    def add(self, fd: int, handler: Callable[[int], object], events: int) -> None:
        """Call the handler when the descriptor is ready."""

    def change(self, fd: int, events: int) -> None:
        """Watch for other events."""

    def remove(self, fd: int, handler: Callable[[int], object] | None = None) -> None:
        """Stop watching, if it is this handler that watches."""


class Watcher:
    """One descriptor, and the parties that wait for it; usually one."""

    def __init__(self, conductor: Conductor, fd: int) -> None:
        self._conductor = conductor
        self._fd = fd
        self._armed = 0
        self._handler = self._ready  # One object: the engine compares it by identity.
        self.parties: dict[Party, int] = {}

    def arm(self) -> None:
        """Watch for what the parties want, and for nothing when there is none."""
        wanted = 0
        for events in self.parties.values():
            wanted |= events
        if wanted == self._armed:
            return
        engine = self._conductor.engine
        try:
            if self._armed == 0:
                engine.add(self._fd, self._handler, wanted)
            elif wanted == 0:
                engine.remove(self._fd, self._handler)
            else:
                engine.change(self._fd, wanted)
        except (KeyError, OSError, ValueError):
            pass  # Closed meanwhile; who waits for a closed descriptor waits for its due.
        self._armed = wanted

    def _ready(self, _: int) -> None:
        self._conductor.ready(self)


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
        self.lock = _thread.allocate_lock()  # guards all that follows, and every party
        self.parties: dict[int, Party] = {}
        self.running = 0
        self.jobs = 0
        """Handed to a worker of the server's and not yet begun."""
        self.jumps = 0
        self.reports: list[str] = []
        self._grace_ns = round(grace * SECOND)
        self._patience_ns = round(patience * SECOND)
        self._dues: list[tuple[int, int, int, int, Due]] = []
        self._order = itertools.count()
        self._numbers = itertools.count(1)
        self._progress_real_ns = real_monotonic_ns()
        self._unquiet_real_ns: int | None = None
        self._look_real_ns = 0
        self._changes = 0
        self._changes_seen = -1
        self._owner: Party | None = None
        self._watchers: dict[int, Watcher] = {}

    # Parties

    def join(self, name: str) -> Party:
        """Let the calling thread take part; it is running."""
        party = Party(next(self._numbers), name, adopted=False)
        party.enter()
        with self.lock:
            self._admit(party)
            if self._owner is None:
                self._owner = party
        return party

    def _admit(self, party: Party) -> None:
        assert party.ident is not None
        self.parties[party.ident] = party
        self.running += party.standing is Standing.RUNNING

    def me(self, name: Callable[[], str]) -> Party:
        """The calling thread's record; a thread that was there before the clock is adopted."""
        party = self.parties.get(_thread.get_ident())
        if party is None:
            party = Party(next(self._numbers), name(), adopted=True)
            party.enter()
            with self.lock:
                self._admit(party)
        return party

    def expect(self, name: str) -> Party:
        """A record for a thread about to be started: it is due to begin now, in its turn."""
        party = Party(next(self._numbers), name, adopted=False)
        with self.lock:
            party.standing = Standing.WAITING
            party.what = "its turn to begin"
            party.since_ns = self.now_ns
            party.due = self._push(self.now_ns, CLIENT, party.number, None)
            party.due.fire = lambda: self._wake(party, Reason.DUE)
        return party

    def enter(self, party: Party) -> None:
        """The expected thread is here, called on that thread."""
        party.enter()
        assert party.ident is not None
        with self.lock:
            self.parties[party.ident] = party

    def begin(self, party: Party) -> None:
        """Wait for the turn of an expected thread."""
        party.baton.acquire()

    def abandon(self, party: Party) -> None:
        """The expected thread could not be started."""
        with self.lock:
            if party.due is not None:
                party.due.cancel()
            self._resign(party)

    def leave(self, party: Party) -> None:
        """The thread takes part no longer: it has ended, or idles outside of our sight."""
        with self.lock:
            if party.ident is not None and self.parties.get(party.ident) is party:
                del self.parties[party.ident]
            self._resign(party)
            joiners, party.joiners = party.joiners, []
            for joiner in joiners:
                self._wake(joiner, Reason.WOKEN)
            idle = self.running == 0
        if idle:
            self.engine.nudge()

    def _resign(self, party: Party) -> None:
        self._changes += 1
        self.running -= party.standing is Standing.RUNNING
        party.standing = Standing.OVER

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
        party = Party(next(self._numbers), "a worker of the server", adopted=False)
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
    ) -> Reason:
        """Wait until somebody wakes the party, its descriptor is ready, or it is due.

        Wakes may be false alarms: look again, and park again. Called on the party's thread.

        Args:
            party: The calling thread.
            what: What it waits for, for a person to read.
            due_ns: Virtual moment of the end of the wait; None for no end.
            watch: A descriptor and the events to end the wait on.

        Raises:
            ClockError: Nothing can ever end this wait; the text shows who waits for what.
        """
        if watch is not None:
            self._watch(party, watch)
        try:
            self._sit(party, what, due_ns)
            return party.reason
        finally:
            if watch is not None:
                self._unwatch(party, watch[0])

    def _sit(self, party: Party, what: str, due_ns: int | None) -> None:
        with self.lock:
            if not self.active:
                party.reason = Reason.STOPPED
                return
            self._see(party)
            if party.pending:
                party.pending = False
                party.reason = Reason.WOKEN
                return
            party.standing = Standing.WAITING
            party.what = what
            party.since_ns = self.now_ns
            party.reads = 0
            if due_ns is not None:
                party.due = self._push(due_ns, CLIENT, party.number, None)
                party.due.fire = lambda: self._wake(party, Reason.DUE)
            self.running -= 1
            self._changes += 1
            last = self.running == 0
        if last:
            self.engine.nudge()
        try:
            party.baton.acquire()
        except BaseException:  # Ctrl-C: the wait is over, whoever else has ended it meanwhile.
            with self.lock:
                if party.standing is Standing.WAITING:
                    self._rouse(party, Reason.WOKEN)
                party.baton.acquire(False)
            raise
        error, party.error = party.error, None
        if error is not None:
            raise error

    def _see(self, party: Party) -> None:
        """A thread that was given up as unseen shows itself again."""
        if party.standing is Standing.UNSEEN:
            party.standing = Standing.RUNNING
            self.running += 1

    def wake(self, party: Party) -> None:
        """End the party's wait; it counts as running from this moment."""
        with self.lock:
            self._wake(party, Reason.WOKEN)

    def _wake(self, party: Party, reason: Reason) -> None:
        if party.standing is Standing.WAITING:
            self._rouse(party, reason)
        elif party.standing is not Standing.OVER:
            party.pending = True

    def _rouse(self, party: Party, reason: Reason) -> None:
        party.standing = Standing.RUNNING
        party.reason = reason
        self.running += 1
        self._progress_real_ns = real_monotonic_ns()
        if party.due is not None:
            party.due.cancel()
            party.due = None
        party.baton.release()

    def _watch(self, party: Party, watch: tuple[int, int]) -> None:
        fd, events = watch
        with self.lock:
            watcher = self._watchers.get(fd)
            if watcher is None:
                watcher = self._watchers[fd] = Watcher(self, fd)
            watcher.parties[party] = events
            watcher.arm()

    def _unwatch(self, party: Party, fd: int) -> None:
        with self.lock:
            watcher = self._watchers.get(fd)
            if watcher is None:
                return
            watcher.parties.pop(party, None)
            watcher.arm()
            if not watcher.parties:
                del self._watchers[fd]

    def ready(self, watcher: Watcher) -> None:
        """A watched descriptor is ready: its parties run again. On the engine's thread."""
        with self.lock:
            for party in watcher.parties:
                self._wake(party, Reason.WOKEN)
            watcher.parties.clear()
            watcher.arm()

    # Dues

    def call_at(self, when_ns: int, callback: Callable[[], object]) -> Due:
        """Run the callback on the engine's thread at this virtual moment."""
        with self.lock:
            return self._push(when_ns, SERVER, 0, lambda: self.engine.call_soon_threadsafe(callback))

    def _push(
        self, when_ns: int, kind: int, number: int, fire: Callable[[], object] | None
    ) -> Due:
        due = Due(when_ns, fire)
        heapq.heappush(self._dues, (when_ns, kind, number, next(self._order), due))
        return due

    def _next(self) -> Due | None:
        while self._dues:
            due = self._dues[0][4]
            if due.fire is not None:
                return due
            heapq.heappop(self._dues)
        return None

    # Conducting: on the engine's thread, when its poll has found nothing

    def conduct(self) -> float:
        """Move time if it may move. Returns real seconds to wait before asking again.

        0 says that something has been set off; -1, that only others can set something off.
        """
        with self.lock:
            if not self.active:
                return -1
            now_real = real_monotonic_ns()
            due = self._next()
            if self.running > 0 or self.jobs > 0:
                return self._while_running(due, now_real)
            if not self._still(now_real):
                return 0
            if due is None:
                return self._while_stuck(now_real)
            if due.when_ns > self.now_ns:
                self.now_ns = due.when_ns
                self.jumps += 1
            self._fire(now_real)
            return 0

    def _fire(self, now_real: int) -> None:
        due = heapq.heappop(self._dues)[4]
        self._progress_real_ns = now_real
        fire, due.fire = due.fire, None
        assert fire is not None
        fire()

    def _while_running(self, due: Due | None, now_real: int) -> float:
        if due is not None and due.when_ns <= self.now_ns:
            # It waits only for its turn. A thread that spins until another does something
            # must not hold it back for ever.
            waited = now_real - self._progress_real_ns
            if waited >= TURN_NS:
                self._fire(now_real)
                return 0
            return (TURN_NS - waited) / SECOND
        if not HAS_PROC or (due is None and self._nobody_waits()):
            return -1
        return self._look_for_unseen(now_real)

    def _nobody_waits(self) -> bool:
        return all(p.standing is not Standing.WAITING for p in self.parties.values())

    def _look_for_unseen(self, now_real: int) -> float:
        """Give up on threads that are blocked where nobody can see it; a look now and then."""
        left = self._look_real_ns - now_real
        if left > 0:
            return left / SECOND
        self._look_real_ns = now_real + self._grace_ns // 8
        for party in list(self.parties.values()):
            if party.standing is not Standing.RUNNING:
                continue
            if party.blocked_since(now_real) >= self._grace_ns:
                party.standing = Standing.UNSEEN
                self.running -= 1
                self.reports.append(
                    f"thread {party.name!r} was blocked for {self._grace_ns / SECOND:g} real "
                    "seconds where nobody can see it; virtual time went on without it"
                )
        return 0 if self.running == 0 and self.jobs == 0 else self._grace_ns / SECOND / 8

    def _still(self, now_real: int) -> bool:
        """Whether nothing has changed since before the poll that has just found nothing.

        The order matters. What a thread did after that poll, or a byte that arrived after
        it, was not seen by it. So whatever has changed is taken note of, and only the next
        poll's finding nothing counts.
        """
        changes, self._changes_seen = self._changes_seen, self._changes
        if changes == self._changes and not _links.touched():
            self._unquiet_real_ns = None
            return True
        if _links.touched() and not _links.quiet():
            self._wait_for_links(now_real)
        return False

    def _wait_for_links(self, now_real: int) -> None:
        """Bytes are under way. What stays odd for 50 ms is no longer waited for."""
        if self._unquiet_real_ns is None:
            self._unquiet_real_ns = now_real
        if now_real - self._unquiet_real_ns < 50_000_000:
            real_sleep(0.000_02)
            return
        self._unquiet_real_ns = None
        self.reports.append(f"took a connection as quiet that is not: {_links.give_up()}")

    def _while_stuck(self, now_real: int) -> float:
        """Nothing runs and nothing is due: only the world outside can help now."""
        owner = self._owner
        if owner is None or owner.standing is not Standing.WAITING:
            return -1
        left = self._patience_ns - (now_real - self._progress_real_ns)
        if left > 0:
            return left / SECOND
        owner.error = ClockError(
            f"nothing has moved for {self._patience_ns / SECOND:g} real seconds, and nothing "
            f"is due: virtual time cannot go on\n{self.picture()}"
        )
        self._rouse(owner, Reason.WOKEN)
        return 0

    def picture(self) -> str:
        """Who waits for what since when, a line a thread."""
        lines = []
        for party in sorted(self.parties.values(), key=lambda p: p.number):
            text = f"  thread {party.name!r} is {party.standing.value}"
            if party.standing is Standing.WAITING:
                text = f"  thread {party.name!r} waits for {party.what}"
                text += f", since t={party.since_ns / SECOND:.3f}"
                if party.due is not None:
                    text += f", until t={party.due.when_ns / SECOND:.3f}"
            lines.append(text)
        return "\n".join(lines)

    # The end

    def stop(self) -> None:
        """Time goes back to being real: every wait goes on in real time from here."""
        with self.lock:
            self.active = False
            for party in list(self.parties.values()):
                if party.standing is Standing.WAITING:
                    self._rouse(party, Reason.STOPPED)
            # Threads that have not begun yet are in no table of threads.
            for *_, due in self._dues:
                fire, due.fire = due.fire, None
                if fire is not None:
                    fire()
            self._dues.clear()
