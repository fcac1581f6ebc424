"""Decides when virtual time moves. The heart of the virtual clock.

*Problem.* Virtual time may move only when nothing can happen without it. Something can
happen while a client's thread runs, while the server has something to do, or while bytes
are on their way between the two, and all three have to be false at one moment.

*Solution.* Every thread that waits says so (`_gathering`). Sockets are watched by the
engine's loop, in the same poll as the server's own, and that loop calls `conduct` when its
poll has found nothing. At that moment the server is idle and no watched socket is readable;
if no thread runs, and `_links` finds no byte under way, nothing can happen: the next due is
due, time moves there if it has to, and the one party concerned runs. One at a time, in one
order, so a run is repeatable.
"""

from __future__ import annotations

import sys
import time

from pytest_resilience.clock import _links, _moments, _outliving, _pictures
from pytest_resilience.clock._gathering import Gathering
from pytest_resilience.clock._parties import Party, Reason, Standing
from pytest_resilience.clock._real import SECOND, real_monotonic_ns
from pytest_resilience.clock._strangers import IDLE_NS
from pytest_resilience.clock._vigil import Vigil
from pytest_resilience.clock._watchers import Engine
from pytest_resilience.errors import (
    ClockError,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)

real_sleep = time.sleep
ODD_NS = 2_500_000_000
"""Real time after which bytes that are still under way are taken to be lost.

A client that found the queue of a server full is heard a second later (tcp(7), SYN retries)."""
TREADMILL = 6
"""So many times the patience a test may go on in which nothing but timers end waits."""


class Conductor(Gathering):
    """Moves the time of those who gather here.

    Args:
        engine: The loop that asks, on its own thread.
        now_ns: The first moment.
        grace: Real seconds for which a thread must be blocked where nobody can see it
            before time no longer waits for it.
        patience: Real seconds without any progress after which the clock gives up and
            says who waits for what.
    """

    def __init__(self, engine: Engine, now_ns: int, grace: float, patience: float) -> None:
        super().__init__(engine, now_ns, round(patience * SECOND))
        self.jumps = 0
        self._grace_ns = round(grace * SECOND)
        self._vigil = Vigil(self, self._grace_ns)
        self._odd_since_real_ns: int | None = None
        self._changes_seen = -1
        self._shown = False

    def conduct(self) -> float:
        """Move time if it may move. Returns real seconds to wait before asking again.

        0 says that something has been set off; -1, that only others can set something off.
        Called on the engine's thread, when its poll has found nothing.
        """
        with self.lock:
            wait = self._conduct()
            self.asleep = wait < 0
            return wait

    def _conduct(self) -> float:
        if not self.active:
            return -1
        self.wake_those_of_finalizers()
        now_real = real_monotonic_ns()
        due = self.dues.next()
        if self.running or self.jobs:
            return self._vigil.watch(due, now_real)
        if not self._still(now_real):
            return 0
        return self._while_stuck(now_real) if due is None else self._go_on_to(due.when_ns, now_real)

    def _go_on_to(self, when_ns: int, now_real: int) -> float:
        """Nothing can happen before this moment: let the thing happen that is due then."""
        if when_ns > self.now_ns:
            if self.idlers and self.stir_idlers():
                return 0
            wait = self._held_back(when_ns, now_real)
            if wait > 0:
                return wait
            if self._is_a_treadmill(now_real):
                return 0
            _moments.end()
            self.now_ns = when_ns
            self.jumps += 1
        self.progress.note()
        self.dues.fire()
        return 0

    def _is_a_treadmill(self, now_real: int) -> bool:
        """Whether the test has failed because nothing but timers ends anybody's wait."""
        limit_ns = TREADMILL * self.patience_ns
        return self.progress.is_a_treadmill(self.now_ns, now_real, limit_ns) and self._fail(
            f"nothing but timers has ended a wait for {limit_ns / SECOND:g} real seconds: "
            "this goes on for ever"
        )

    def _held_back(self, when_ns: int, now_real: int) -> float:
        """Real seconds for which those who are out of our sight hold time back."""
        if self.strangers and not self.strangers.idle(now_real, self.adopted):
            for name in self.strangers.give_up(self._grace_ns, self.patience_ns):
                self.reports.append(
                    f"thread {name!r}, from before the clock, never comes to rest; "
                    "virtual time goes on without it"
                )
            return IDLE_NS / 4 / SECOND
        return self.pace.wait(when_ns, now_real) / SECOND

    def _still(self, now_real: int) -> bool:
        """Whether nothing has changed since before the poll that has just found nothing.

        The order matters. What a thread did after that poll, or a byte that arrived after
        it, was not seen by it. So whatever has changed is taken note of, and only the next
        poll's finding nothing counts.
        """
        changes, self._changes_seen = self._changes_seen, self.changes
        if changes == self.changes and not _links.touched() and not _links.stirred():
            self._odd_since_real_ns = None
            return True
        if _links.touched():
            self.note_event()
            if not _links.quiet():
                self._wait_for_links(now_real)
        return False

    def _wait_for_links(self, now_real: int) -> None:
        """Bytes are under way. What stays odd for too long is no longer waited for."""
        if self._odd_since_real_ns is None:
            self._odd_since_real_ns = now_real
        if now_real - self._odd_since_real_ns < ODD_NS:
            real_sleep(0.000_02)
            return
        self._odd_since_real_ns = None
        self.reports.append(f"took a connection as quiet that is not: {_links.give_up()}")

    def _while_stuck(self, now_real: int) -> float:
        """Nothing runs and nothing is due: only the world outside can help now."""
        if self.owner is None or self.owner.standing is Standing.OVER or self.pace:
            return -1
        left = self.patience_ns - (now_real - self.progress.real_ns)
        if left > 0:
            return left / SECOND
        failed = self._fail(
            f"nothing has moved for {self.patience_ns / SECOND:g} real seconds, and nothing "
            "is due: virtual time cannot go on"
        )
        return 0 if failed else -1

    def give_up_hope(self, party: Party, still_ns: int, hopeless_ns: int) -> None:
        """Fail, if it polls and polls for what nobody brings about.

        Args:
            party: The calling thread.
            still_ns: Real time in which nobody else has moved.
            hopeless_ns: Real time in which nothing has been due whenever it looked.

        Raises:
            ClockError: It is the test itself that polls.
        """
        if still_ns >= self.patience_ns:
            why = (
                f"nothing has moved for {self.patience_ns / SECOND:g} real seconds, and nothing is"
            )
        elif hopeless_ns >= TREADMILL * self.patience_ns:
            seconds = TREADMILL * self.patience_ns / SECOND
            why = f"for {seconds:g} real seconds nothing has been"
        else:
            return
        why += " due: what is polled for cannot come"
        with self.lock:
            if party is not self.owner:
                self._fail(why)
                return
            text = self._story(why)
        raise ClockError(text)

    def _story(self, why: str) -> str:
        """Its first line stands alone, in pytest's summary."""
        owner = self.owner
        who = (owner.describe(), _pictures.place(owner.ident)) if owner is not None else ()
        return f"{why}; {', '.join(filter(None, who))}\n{self.picture()}"

    def _fail(self, why: str) -> bool:
        """Let the test that has switched the clock on fail; False when it cannot be reached."""
        text, owner = self._story(why), self.owner
        if owner is not None and owner.standing is Standing.WAITING:
            owner.error = ClockError(text)
            self.rouse(owner, Reason.WOKEN)
            return True
        if not self._shown:  # It is blocked in C, where no exception reaches it.
            self._shown = True
            self.reports.append(text)
            sys.stderr.write(f"pytest-resilience: {text}\n")
        return False

    def stop(self) -> None:
        """Time goes back to being real: every wait goes on in real time from here."""
        _moments.end()
        with self.lock:
            loops = list(self.loops)
        _outliving.move_timers(self, loops)
        _outliving.move_trio(self)
        super().stop()
        self.strangers.remember()
