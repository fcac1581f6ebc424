"""For how long threads that are never all at rest have slept, and for how long they have worked."""

from __future__ import annotations

import _thread
from collections.abc import Mapping

from pytest_resilience.clock import _kernel
from pytest_resilience.clock._kernel import Moves
from pytest_resilience.clock._real import real_process_time_ns

STEP_NS = 12_000_000
"""A look counts for so much real time at most: what was before it may have been long ago."""
BUSY_STEP_NS = 120_000_000
"""The same for what was computed, since a thread that computes makes whoever looks wait."""


class Rests:
    """Real time from look to look, without what a busy machine takes of it.

    Who looks counts as well: those who need the interpreter meanwhile wait for it.
    """

    def __init__(self) -> None:
        self.watched_ns = 0
        """From the first look to the last."""
        self.real_ns = 0
        """Of that, when none of them was awake or ready to run."""
        self.computed_ns = 0
        """Of processor time, of the whole process."""
        self._before: tuple[int, int, dict[int, int]] | None = None

    def look(self, now_real_ns: int, moves: Mapping[int, Moves | None]) -> None:
        """Look at these threads, by their numbers, of which so much is known by now."""
        awake = {n: _kernel.awake_ns(n) or 0 for n in (*moves, _thread.get_native_id())}
        now = now_real_ns, real_process_time_ns(), awake
        before, self._before = self._before, now
        if before is None or before[0] == now_real_ns:
            return
        took = now_real_ns - before[0]
        counted = min(took, STEP_NS)
        self.watched_ns += counted
        self.computed_ns += (now[1] - before[1]) * min(took, BUSY_STEP_NS) // took
        # One that is awake right now may wait for a processor, which is only counted later.
        if all(m is not None and m.asleep for m in moves.values()):
            woke = sum(ns - before[2].get(n, ns) for n, ns in awake.items())
            self.real_ns += counted - woke * counted // took
