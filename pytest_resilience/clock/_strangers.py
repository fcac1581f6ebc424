"""Threads from before the clock, which may be given work at any moment.

*Problem.* A pool made before the clock waits for work in C, where nobody sees it. Between
the moment at which somebody gives it work and its first covered call it runs unseen, and
time must not move meanwhile.

*Solution.* The kernel counts each thread's context switches. One that is asleep and has
not moved since it was last known to idle has nothing to do.
"""

from __future__ import annotations

import threading
from collections.abc import Container

from pytest_resilience.clock import _kernel
from pytest_resilience.clock._kernel import Moves

IDLE_NS = 12_000_000
"""Real time of sleep without a move after which a thread idles. One that waits for the
interpreter's lock wakes every 5 ms (sys.getswitchinterval)."""
STARVED = 10
"""So many graces a thread is waited for that waits for a processor itself."""
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
        self._asked_since_ns: int | None = None
        self._asked_of: dict[int, Moves | None] = {}
        """What those had done who were busy at that time."""

    def __bool__(self) -> bool:
        return bool(self._known)

    def add(self, native_id: int) -> None:
        """One that was seen and is no more: blocked in C, where it may be given work."""
        self._known.setdefault(native_id, (None, 0))

    def idle(self, now_real_ns: int, parties: Container[int | None]) -> bool:
        """Whether none of them has anything to do; parties speak for themselves."""
        busy = self._busy(now_real_ns, parties)
        if not busy:
            self._asked_since_ns = None
        elif self._asked_since_ns is None:
            self._asked_since_ns = now_real_ns
            self._asked_of = {native_id: self._known[native_id][0] for native_id in busy}
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

    def _is_starved(self, native_id: int) -> bool:
        """Whether it is ready to run, perhaps only to end, and has been given no processor."""
        moves = self._known[native_id][0]
        return moves is not None and not moves.asleep and moves == self._asked_of.get(native_id)

    def remember(self) -> None:
        """Let the next clock know what this one knows."""
        _remembered.update(self._known)

    def give_up(self, now_real_ns: int, grace_ns: int, parties: Container[int | None]) -> list[str]:
        """Wait no longer for those that have not come to rest for the whole grace; their names."""
        if self._asked_since_ns is None or now_real_ns - self._asked_since_ns < grace_ns:
            return []
        restless = self._busy(now_real_ns, parties)
        if all(map(self._is_starved, restless)) and (
            now_real_ns - self._asked_since_ns < STARVED * grace_ns
        ):
            return []
        self._asked_since_ns = None
        for native_id in restless:
            del self._known[native_id]
        names = {thread.native_id: thread.name for thread in threading.enumerate()}
        return [names.get(native_id, f"number {native_id}") for native_id in restless]
