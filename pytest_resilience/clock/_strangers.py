"""Threads from before the clock, which may be given work at any moment.

*Problem.* A pool made before the clock waits for work in C, where nobody sees it. Between
the moment at which somebody gives it work and its first covered call it runs unseen, and
time must not move meanwhile. But a thread that polls by itself would hold it up for ever.

*Solution.* The kernel counts each thread's context switches. One that is asleep and has
not moved since it was last known to idle has nothing to do. Of those that have, it tells
for how long they have been awake: one that works hardly rests, one that polls hardly works.
"""

from __future__ import annotations

import threading
from collections.abc import Container

from pytest_resilience.clock import _kernel
from pytest_resilience.clock._kernel import Moves
from pytest_resilience.clock._rests import Rests

IDLE_NS = 12_000_000
"""Real time of sleep without a move after which a thread idles. One that waits for the
interpreter's lock wakes every 5 ms (sys.getswitchinterval)."""
MOST = 6
"""So many times the patience is the most real time for which any is waited for."""
OURS = "pytest-resilience"


_remembered: dict[int, tuple[Moves | None, int]] = {}
"""What was known of them when a clock stopped, so that the next one has not to wait again."""


class Strangers:
    """The threads that are there now and are none of ours."""

    def __init__(self, mine: int) -> None:
        ours = {t.native_id for t in threading.enumerate() if t.name.startswith(OURS)}
        others = _kernel.threads() - ours - {mine}
        self._known = {number: _remembered.get(number, (None, 0)) for number in others}
        _remembered.clear()
        self._asked_of: set[int] = set()
        """Those who were busy when it was first asked whether all idle, and are still."""
        self._rests = Rests()

    def __bool__(self) -> bool:
        return bool(self._known)

    def add(self, native_id: int) -> None:
        """One that was seen and is no more: blocked in C, where it may be given work."""
        self._known.setdefault(native_id, (None, 0))

    def idle(self, now_real_ns: int, parties: Container[int | None]) -> bool:
        """Whether none of them has anything to do; parties speak for themselves."""
        busy = self._busy(now_real_ns, parties)
        self._asked_of.intersection_update(busy)
        if not self._asked_of:
            self._asked_of.update(busy)
            self._rests = Rests()
        if busy:
            self._rests.look(
                now_real_ns, {native_id: self._known[native_id][0] for native_id in busy}
            )
        return not busy

    def _busy(self, now_real_ns: int, parties: Container[int | None]) -> list[int]:
        return [
            native_id
            for native_id in list(self._known)
            if native_id not in parties and not self._idles(native_id, now_real_ns)
        ]

    def _idles(self, native_id: int, now_real_ns: int) -> bool:
        moves = _kernel.moves_of(native_id)
        if moves is None:
            del self._known[native_id]  # It has ended.
            return True
        known, since = self._known[native_id]
        if moves != known or not moves.asleep:
            self._known[native_id] = (moves, now_real_ns)
            return False
        return now_real_ns - since >= IDLE_NS

    def remember(self) -> None:
        """Let the next clock know what this one knows."""
        _remembered.update(self._known)

    def give_up(self, grace_ns: int, patience_ns: int) -> list[str]:
        """Wait no longer for those that have not come to rest, nor worked; their names.

        Args:
            grace_ns: Real time for which those are waited for who sleep and wake.
            patience_ns: Processor time for which those are waited for who compute.
        """
        rests = self._rests
        if (
            rests.real_ns < grace_ns
            and rests.computed_ns < patience_ns
            and rests.watched_ns < MOST * patience_ns
        ):
            return []
        restless = sorted(self._asked_of)
        self._asked_of.clear()
        for native_id in restless:
            del self._known[native_id]
        names = {thread.native_id: thread.name for thread in threading.enumerate()}
        return [names.get(native_id, f"number {native_id}") for native_id in restless]
