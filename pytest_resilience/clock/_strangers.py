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
OURS = "pytest-resilience"


class Strangers:
    """The threads that are there now and are none of ours."""

    def __init__(self, mine: int) -> None:
        ours = {t.native_id for t in threading.enumerate() if t.name.startswith(OURS)}
        self._known: dict[int, tuple[Moves | None, int]] = dict.fromkeys(
            _kernel.threads() - ours - {mine}, (None, 0)
        )

    def __bool__(self) -> bool:
        return bool(self._known)

    def idle(self, now_real_ns: int, parties: Container[int]) -> bool:
        """Whether none of them has anything to do; parties speak for themselves."""
        idle = [
            self._idles(native_id, now_real_ns)
            for native_id in list(self._known)
            if native_id not in parties
        ]
        return all(idle)

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
