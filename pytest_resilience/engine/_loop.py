"""The loop: one thread that waits for sockets, timers and calls from other threads.

*Problem.* A virtual clock may move only when nothing can happen without it, so it must be
able to ask the server "is anything left to do?" and get an answer that is true, not nearly
true. A general event loop cannot tell: bytes it has read but not handled are nowhere to be
seen, and accept, registration and first read are separate turns of it.

*Solution.* This loop handles what the poll reported, in full, before it polls again. So a
poll that finds nothing, with no call waiting, means: nothing is left to do. `call_when_idle`
runs a callback at just that moment.
"""

from __future__ import annotations

import _thread
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from pytest_resilience.engine._bell import Bell
from pytest_resilience.engine._poller import READ, Poll, poller
from pytest_resilience.engine._timers import LONGEST_POLL, Callback, RealTimer, RealTimers
from pytest_resilience.engine._watchdog import Watchdog, complaint
from pytest_resilience.errors import (
    ServerError,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)

T = TypeVar("T")

IDLE_ROUNDS = 1_000
"""After so many busy turns an idle callback runs all the same, so that nobody waits for ever."""


LOOK = 0.5
"""Seconds after which whoever waits for the loop looks whether it still moves."""


class Loop:
    """Runs callbacks on its own thread, from `start` to `stop`."""

    def __init__(self, on_error: Callable[[BaseException], object]) -> None:
        self._on_error = on_error
        self._poller = poller()
        self._bell: Bell | None = Bell(os.pipe())
        self._handlers: dict[int, Callable[[int], object]] = {}
        self._fresh: set[int] = set()
        """Added in this turn, whose poll did not ask for them."""
        self._soon: deque[Callback] = deque()
        self._idle: deque[tuple[int, Callback]] = deque()
        self._timers = RealTimers()
        self._turn = 0
        self.conductor: Callable[[], float] | None = None
        """Asked when a poll has found nothing and no call waits; says how long to poll next:
        0 not at all, -1 until something comes. A virtual clock moves time here."""
        self._running = False
        self._ended = False
        self._handling = _thread.allocate_lock()  # held but for the poll
        self._holder: int | None = None
        """The other thread that holds it, in `between`."""
        self._watchdog = Watchdog()
        self.given_up = False
        """Its thread is blocked in somebody's handler: what is to be done is done without it."""
        self._thread = threading.Thread(
            target=self._run, name="pytest-resilience-engine", daemon=True
        )
        self.add(self._bell.fd, self._hush, READ)

        self.at_fork: set[Callable[[], object]] = set()
        """Called in a forked child, where this loop has no thread."""
        self.at_giving_up: set[Callable[[], object]] = set()
        """Called when its thread is given up, with whatever locks that thread holds."""

    def start(self) -> None:
        """Start the thread."""
        self._running = True
        self._thread.start()

    def stop(self) -> None:
        """End the thread; with it go its descriptors."""
        self.call_soon_threadsafe(self._end)
        if not self.on_thread:
            self._thread.join()

    def _end(self) -> None:
        self._running = False

    def forget_in_child(self) -> None:
        """In a forked child: let go of what is the parent's; calls still run, at once."""
        self._handling = _thread.allocate_lock()
        self._soon.clear()
        self._idle.clear()
        self._timers.clear()
        self._give_back()
        # What watches a descriptor in here would watch it for the parent.
        self._handlers.clear()
        for forget in tuple(self.at_fork):
            forget()

    def _give_back(self) -> None:
        self._ended = True
        self._poller.close()
        self._bell = None

    @property
    def on_thread(self) -> bool:
        """Whether the caller runs on the loop's thread."""
        return _thread.get_ident() == self._thread.ident

    # Called from any thread

    def call_soon_threadsafe(self, callback: Callback) -> None:
        """Run the callback on the loop's thread, soon."""
        self._soon.append(callback)
        self._wake()

    def call_when_idle(self, callback: Callback) -> None:
        """Run the callback on the loop's thread when nothing is left to do.

        Under ceaseless traffic it runs after a thousand turns all the same.
        """
        self._idle.append((self._turn, callback))
        self._wake()

    def run(self, function: Callable[[], T]) -> T:
        """Run the function on the loop's thread and return what it returns."""
        return self._wait_for(self.call_soon_threadsafe, function)

    def between(self, function: Callable[[], T]) -> T:
        """Run the function between two turns of the loop, and return what it returns.

        It runs on the calling thread if it can, since to wait for another one costs more than
        all that there is to do.

        Raises:
            ServerError: The loop is blocked; the function has run all the same.
        """
        if self._mine or self.given_up:
            return function()
        try:
            self._await_turn()
        except ServerError:
            function()
            raise
        with self._handling:
            # Nothing before it that a signal handler, which may come in here too, could run after.
            self._holder = _thread.get_ident()
            try:
                # A conductor has to be asked again after each change.
                if self._running and self.conductor is None:
                    return self._here(function)
            finally:
                self._holder = None
        return self.run(function)

    @property
    def _mine(self) -> bool:
        """Whether the caller keeps the loop from its next turn: then it cannot wait for it."""
        return _thread.get_ident() in {self._thread.ident, self._holder}

    def _here(self, function: Callable[[], T]) -> T:
        next_due = self._timers.first
        try:
            return function()
        finally:
            # The poll that is on waits for no later timer, and asks no conductor.
            if self._timers.first != next_due or self.conductor is not None:
                self._wake()

    def _await_turn(self) -> None:
        """Return when nothing was being handled a moment ago."""
        while self._handling.locked():
            if self._handling.acquire(timeout=LOOK):
                self._handling.release()
                return
            self.check()

    def check(self) -> None:
        """Give the loop up if it is blocked; to be asked by who waits for it, now and then.

        Raises:
            ServerError: It is; the text shows in which line.
        """
        thread = self._thread
        if self.given_up or self._holder is not None or not self._handling.locked():
            return
        if thread.native_id is not None and self._watchdog.is_blocked(self._turn, thread.native_id):
            self.given_up = True
            self._running = False  # When the handler comes back after all, that is the end.
            for renew in tuple(self.at_giving_up):
                renew()
            raise ServerError(complaint(thread.ident))

    def settle(self) -> None:
        """Return when the loop has handled all that has reached it.

        Raises:
            ServerError: It is blocked.
        """
        if self._mine or self.given_up:
            return
        self._await_turn()
        if not self._is_settled():
            self._wait_for(self.call_when_idle, lambda: None)

    def _is_settled(self) -> bool:
        """Whether there is nothing to do, as far as another thread can see: mostly it is so."""
        with self._handling:
            self._holder = _thread.get_ident()
            try:
                return (
                    self._running
                    and not self._ended  # as in a forked child
                    and self.conductor is None
                    and not self._soon
                    and not self._timers.heap
                    and self._poller.is_quiet()
                )
            finally:
                self._holder = None

    def _wait_for(self, call: Callable[[Callback], object], function: Callable[[], T]) -> T:
        if self.on_thread or self.given_up:
            return function()
        # A raw lock: threading's classes may be under a virtual clock, this wait never is.
        done = _thread.allocate_lock()
        done.acquire()
        outcome: list[T] = []
        errors: list[BaseException] = []

        def job() -> None:
            if errors:
                return  # Nobody waits any more.
            try:
                outcome.append(function())
            except BaseException as error:  # noqa: BLE001 -- handed to the caller's thread
                errors.append(error)
            finally:
                done.release()

        call(job)
        while not done.acquire(timeout=LOOK):
            try:
                self.check()
            except ServerError as error:
                errors.append(error)
                function()
                break
        if errors:
            raise errors[0]
        return outcome[0]

    def nudge(self) -> None:
        """Let the loop poll once more, so that it asks its conductor again."""
        self._wake()

    def _wake(self) -> None:
        bell = self._bell
        if bell is not None:
            bell.ring()
        if self._ended:  # Asked after what is to be done was put down: else the loop does it.
            self._run_leftovers()

    # Called on the loop's thread

    def add(self, fd: int, handler: Callable[[int], object], events: int) -> None:
        """Call the handler with the events whenever one of them is there. On any thread.

        One that another thread adds may be called for nothing, by what the poll that is on says
        of a descriptor that had the number before.
        """
        self._handlers[fd] = handler
        self._fresh.add(fd)
        self._poller.register(fd, events)
        if isinstance(self._poller, Poll) and not self.on_thread:
            self._wake()  # poll(2) looks at what is registered when it begins.

    def change(self, fd: int, events: int) -> None:
        """Watch for other events on this descriptor."""
        self._poller.modify(fd, events)

    def remove(self, fd: int, handler: Callable[[int], object] | None = None) -> None:
        """Stop watching; call it before the descriptor is closed.

        With a handler: only if it is still the one that is called.
        """
        if handler is None or self._handlers.get(fd) is handler:
            del self._handlers[fd]
            if not self._ended:
                self._poller.unregister(fd)

    def call_at_real(self, when_ns: int, callback: Callback) -> RealTimer:
        """Run the callback once the system's monotonic clock has reached ``when_ns``."""
        return self._timers.add(when_ns, callback)

    def _run(self) -> None:
        while self._running:
            self._turn += 1
            events = self._poll()
            with self._handling:
                self._handle(events)
        self._give_back()
        self._run_leftovers()

    def _handle(self, events: list[tuple[int, int]]) -> None:
        self._fresh.clear()
        for fd, mask in events:
            handler = self._handlers.get(fd)
            if handler is None or fd in self._fresh:
                continue  # Removed in this turn, and may be another one's by now.
            try:
                handler(mask)
            except BaseException as error:  # noqa: BLE001 -- see _guarded
                self._on_error(error)
        if self._timers.heap:
            self._timers.run_due(self._guarded)
        quiet = not events and not self._soon
        for _ in range(len(self._soon)):
            self._guarded(self._soon.popleft())
        if self._idle and (quiet or self._turn - self._idle[0][0] > IDLE_ROUNDS):
            self._guarded(self._idle.popleft()[1])

    def _run_leftovers(self) -> None:
        """Nobody may wait for a loop that has ended: calls still run, on whatever thread."""
        while self._soon or self._idle:
            try:
                callback = self._soon.popleft() if self._soon else self._idle.popleft()[1]
            except IndexError:
                continue  # Another thread was quicker.
            self._guarded(callback)

    def _poll(self) -> list[tuple[int, int]]:
        wait = self._patience()
        conductor = self.conductor
        if wait == 0 or conductor is None:
            return self._poller.poll(wait)
        events = self._poller.poll(0)
        if events or self._soon:
            return events
        try:
            advice = conductor()
        except BaseException as error:  # noqa: BLE001 -- see _guarded
            self._on_error(error)
            advice = 1.0
        if self._soon or self._idle:
            advice = 0
        if advice >= 0:
            advice = min(advice, LONGEST_POLL)  # It is asked again, and a poll takes no more.
            wait = advice if wait < 0 else min(wait, advice)
        return self._poller.poll(wait)

    def _patience(self) -> float:
        """Seconds the poll may wait: 0 when there is work, -1 when only a socket can wake it."""
        if self._soon or self._idle:
            return 0
        return self._timers.patience()

    def _guarded(self, callback: Callback) -> None:
        try:
            callback()
        except BaseException as error:  # noqa: BLE001 -- one bad callback must not end every server
            self._on_error(error)

    def _hush(self, _: int) -> None:
        assert self._bell is not None
        self._bell.hush()
