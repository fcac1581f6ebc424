"""Waiting, in virtual time: sleep, locks and all that is built on them, threads, selectors.

Each function here stands in for one of the standard library's while a virtual clock is on,
and does what that one does. Where the clock is off, or the wait is none, it *is* that one.
"""

from __future__ import annotations

import _thread
import queue
import select
import selectors
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from pytest_resilience.clock import _current
from pytest_resilience.clock._parties import Party, Reason
from pytest_resilience.clock._real import real_monotonic_ns as real_now
from pytest_resilience.errors import ClockError

if TYPE_CHECKING:
    from pytest_resilience.clock._conductor import Conductor

SECOND = 1_000_000_000

real_sleep = time.sleep
real_allocate_lock = _thread.allocate_lock
real_start = threading.Thread.start
real_bootstrap = threading.Thread._bootstrap_inner  # type: ignore[attr-defined]  # private, and the only place
real_join = threading.Thread.join
real_select = select.select
real_poll = getattr(select, "poll", None)
real_epoll_select = selectors.DefaultSelector.select


def conducting() -> Conductor | None:
    """The conductor, if virtual time applies to the calling thread."""
    conductor = _current.conductor
    if conductor is None or not conductor.active or conductor.engine.on_thread:
        return None
    return conductor


def party_of(conductor: Conductor) -> Party:
    """The calling thread's record."""
    return conductor.me(lambda: threading.current_thread().name)


def due_after(conductor: Conductor, seconds: float | None) -> int | None:
    """The virtual moment so many seconds from now; whole nanoseconds, so that it is exact."""
    return None if seconds is None else conductor.now_ns + max(0, round(seconds * SECOND))


# Sleep


def sleep(seconds: float, /) -> None:
    """time.sleep: returns at exactly now + seconds of virtual time."""
    conductor = _current.conductor
    if conductor is None or not conductor.active:
        real_sleep(seconds)
        return
    if conductor.engine.on_thread:
        raise ClockError(
            "a fake's handler called time.sleep: it runs on the server's own thread and must "
            "not wait; plan faults.latency(seconds) instead"
        )
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    sleep_until(conductor, due_after(conductor, seconds) or 0, f"time.sleep({seconds!r})")


def sleep_until(conductor: Conductor, due_ns: int, what: str) -> None:
    """Return when virtual time has reached this moment; the rest in real time if it stops."""
    party = party_of(conductor)
    while True:
        reason = conductor.park(party, what, due_ns)
        if reason is Reason.DUE:
            return
        if reason is Reason.STOPPED:
            real_sleep(max(0, due_ns - conductor.now_ns) / SECOND)
            return


# Locks: Condition, Event, Semaphore, Barrier, Queue and Future are all made of them


class Lock:
    """threading.Lock, whose waits a virtual clock can see."""

    __slots__ = ("__weakref__", "_real", "_waiters")

    def __init__(self) -> None:
        self._real = real_allocate_lock()
        self._waiters: deque[Party] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As threading.Lock's."""
        if self._real.acquire(False):
            if not blocking and timeout != -1:
                self._real.release()
                raise ValueError("can't specify a timeout for a non-blocking call")
            return True
        conductor = conducting()
        if conductor is None or not blocking or timeout == 0:
            return self._real.acquire(blocking, timeout)
        if timeout < 0 and timeout != -1:
            raise ValueError("timeout value must be a non-negative number")
        return self._wait(conductor, None if timeout == -1 else timeout)

    def _wait(self, conductor: Conductor, timeout: float | None) -> bool:
        party = party_of(conductor)
        due = due_after(conductor, timeout)
        what = "a lock" if timeout is None else f"a lock, event or queue ({timeout!r} s)"
        while True:
            self._waiters.append(party)
            try:
                # Only now: a release before it was in the queue would have woken nobody.
                if self._real.acquire(False):
                    return True
                if timeout is None and party.adopted:
                    return self._wait_outside(conductor, party)
                reason = conductor.park(party, what, due)
            finally:
                self._forget(party)
            if self._real.acquire(False):
                return True
            if reason is Reason.DUE:
                return False
            if reason is Reason.STOPPED:
                left = -1.0 if due is None else max(0, due - conductor.now_ns) / SECOND
                return self._real.acquire(True, left)

    def _wait_outside(self, conductor: Conductor, party: Party) -> bool:
        """A thread from before the clock idles: it takes no part until it has work again."""
        conductor.leave(party)
        return self._real.acquire()

    def _forget(self, party: Party) -> None:
        try:
            self._waiters.remove(party)
        except ValueError:
            pass  # Taken out by who woke it.

    def release(self) -> None:
        """As threading.Lock's."""
        self._real.release()
        while self._waiters:
            try:
                party = self._waiters.popleft()
            except IndexError:
                return
            conductor = _current.conductor
            if conductor is not None:
                conductor.wake(party)
                return

    def locked(self) -> bool:
        """As threading.Lock's."""
        return self._real.locked()

    def _at_fork_reinit(self) -> None:
        self._real = real_allocate_lock()
        self._waiters.clear()

    __enter__ = acquire

    def __exit__(self, *_: object) -> None:
        self.release()

    acquire_lock = acquire
    release_lock = release
    locked_lock = locked

    def __repr__(self) -> str:
        state = "locked" if self.locked() else "unlocked"
        return f"<{state} lock under a virtual clock at {id(self):#x}>"


def rlock(*args: Any, **kwargs: Any) -> Any:
    """threading.RLock: the standard library's own Python version, made of a `Lock`."""
    return threading._PyRLock(*args, **kwargs)  # type: ignore[attr-defined]  # there since 3.2


SimpleQueue: Any = queue._PySimpleQueue  # type: ignore[attr-defined]  # the standard library's own


# Threads


def start(self: threading.Thread) -> None:
    """Thread.start: the new thread takes part, and begins when it is its turn."""
    conductor = conducting()
    if conductor is None or self._started.is_set():  # type: ignore[attr-defined]  # private
        real_start(self)
        return
    party_of(conductor)
    party = conductor.expect(self.name)
    parties[self] = party
    try:
        real_start(self)
    except BaseException:
        conductor.abandon(party)
        parties.pop(self, None)
        raise


parties: dict[threading.Thread, Party] = {}


def bootstrap(self: threading.Thread) -> None:
    """Thread._bootstrap_inner: enter and leave virtual time around the thread's life."""
    party, conductor = parties.get(self), _current.conductor
    if party is None or conductor is None:
        parties.pop(self, None)
        real_bootstrap(self)
        return
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
        parties.pop(self, None)
        conductor.leave(party)


def join(self: threading.Thread, timeout: float | None = None) -> None:
    """Thread.join."""
    conductor, other = conducting(), parties.get(self)
    if conductor is None or other is None:
        real_join(self, timeout)
        return
    me = party_of(conductor)
    if other is me:
        real_join(self, timeout)  # Raises, as it should.
        return
    due = due_after(conductor, None if timeout is None else max(0, timeout))
    while self in parties:
        with conductor.lock:
            other.joiners.append(me)
        if self not in parties:
            break
        reason = conductor.park(me, f"thread {self.name!r} to end", due)
        if reason is Reason.DUE:
            return
        if reason is Reason.STOPPED:
            left = None if due is None else max(0, due - conductor.now_ns) / SECOND
            real_join(self, left)
            return
    real_join(self)


# Selectors, select and poll


def wait_for_fd(
    conductor: Conductor, fd: int, events: int, due_ns: int | None, what: str
) -> Reason:
    """Park until the descriptor is ready, or the moment has come. WOKEN may be a false alarm."""
    return conductor.park(party_of(conductor), what, due_ns, (fd, events))


def selector_select(self: Any, timeout: float | None = None) -> Any:
    """Selector.select of every selector that is made of a descriptor (epoll, kqueue)."""
    conductor = conducting()
    if conductor is None or (timeout is not None and timeout <= 0):
        if conductor is not None:
            note_poll(conductor)
        return real_epoll_select(self, timeout)
    due = due_after(conductor, timeout)
    while True:
        ready = real_epoll_select(self, 0)
        if ready:
            return ready
        reason = wait_for_fd(conductor, self.fileno(), select.POLLIN, due, "an event loop's I/O")
        if reason is Reason.DUE:
            return real_epoll_select(self, 0)
        if reason is Reason.STOPPED:
            left = None if due is None else max(0, due - conductor.now_ns) / SECOND
            return real_epoll_select(self, left)


def select_select(
    rlist: Any, wlist: Any, xlist: Any, timeout: float | None = None, /
) -> tuple[list[Any], list[Any], list[Any]]:
    """select.select."""
    conductor = conducting()
    if conductor is None or (timeout is not None and timeout <= 0):
        return real_select(rlist, wlist, xlist, timeout)
    rlist, wlist, xlist = list(rlist), list(wlist), list(xlist)
    watched = [(fd, select.POLLIN) for fd in rlist]
    watched += [(fd, select.POLLOUT) for fd in wlist]
    watched += [(fd, select.POLLPRI) for fd in xlist]
    due = due_after(conductor, timeout)
    with _Several(watched) as fd:
        while True:
            ready = real_select(rlist, wlist, xlist, 0)
            if any(ready):
                return ready
            reason = wait_for_fd(conductor, fd, select.POLLIN, due, "select()")
            if reason is Reason.DUE:
                return real_select(rlist, wlist, xlist, 0)
            if reason is Reason.STOPPED:
                left = None if due is None else max(0, due - conductor.now_ns) / SECOND
                return real_select(rlist, wlist, xlist, left)


class _Several:
    """Several descriptors as one, for as long as a wait lasts."""

    def __init__(self, watched: list[tuple[Any, int]]) -> None:
        self._epoll = select.epoll()
        masks: dict[int, int] = {}
        for thing, events in watched:
            fd = thing if isinstance(thing, int) else thing.fileno()
            masks[fd] = masks.get(fd, 0) | events
        for fd, events in masks.items():
            self._epoll.register(fd, events)

    def __enter__(self) -> int:
        return self._epoll.fileno()

    def __exit__(self, *_: object) -> None:
        self._epoll.close()


class Poll:
    """select.poll(), whose waits a virtual clock can see."""

    def __init__(self) -> None:
        assert real_poll is not None
        self._real: Any = real_poll()
        self._masks: dict[int, int] = {}

    def register(self, fd: Any, eventmask: int = 7) -> None:
        """As poll's."""
        self._real.register(fd, eventmask)
        self._masks[fd if isinstance(fd, int) else fd.fileno()] = eventmask

    def modify(self, fd: Any, eventmask: int) -> None:
        """As poll's."""
        self._real.modify(fd, eventmask)
        self._masks[fd if isinstance(fd, int) else fd.fileno()] = eventmask

    def unregister(self, fd: Any) -> None:
        """As poll's."""
        self._real.unregister(fd)
        self._masks.pop(fd if isinstance(fd, int) else fd.fileno(), None)

    def poll(self, timeout: float | None = None, /) -> Any:
        """As poll's; the timeout is in milliseconds."""
        conductor = conducting()
        if conductor is None or timeout == 0:
            return self._real.poll(timeout)
        endless = timeout is None or timeout < 0
        due = None if endless or timeout is None else due_after(conductor, timeout / 1000)
        with _Several(list(self._masks.items())) as fd:
            while True:
                ready = self._real.poll(0)
                if ready:
                    return ready
                reason = wait_for_fd(conductor, fd, select.POLLIN, due, "poll()")
                if reason is Reason.DUE:
                    return self._real.poll(0)
                if reason is Reason.STOPPED:
                    left = None if due is None else max(0, due - conductor.now_ns) / 1_000_000
                    return self._real.poll(left)


# Loops that look at the clock, or poll, and never wait

READS = 10_000
READS_REAL_NS = 100_000_000
TICK_NS = 1_000_000
TICK_MOST_NS = 1_000_000_000


def note_poll(conductor: Conductor) -> None:
    """Somebody has looked without waiting. Who does nothing else is made to wait a little.

    Ten thousand looks and a tenth of a real second without a single wait: then each further
    thousand counts as a wait of a millisecond, doubled each time up to a second, so that a
    loop that polls until some moment ends. Code that merely reads the clock often waits now
    and then, and never gets here.
    """
    party = conductor.parties.get(_thread.get_ident())
    if party is None:
        return
    party.reads += 1
    if party.reads == 1:
        party.tick_ns = 0
        party.reads_since_ns = real_now()
    elif party.reads >= READS and party.reads % 1000 == 0:
        if real_now() - party.reads_since_ns >= READS_REAL_NS:
            _tick(conductor, party)


def _tick(conductor: Conductor, party: Party) -> None:
    reads, since = party.reads, party.reads_since_ns
    tick = min(TICK_MOST_NS, party.tick_ns * 2 or TICK_NS)
    sleep_until(conductor, conductor.now_ns + tick, "nothing: it polls the clock in a loop")
    party.reads, party.reads_since_ns, party.tick_ns = reads, since, tick


