"""Callbacks that are due at moments of real time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

from pytest_resilience.clock import REAL

Callback = Callable[[], object]

LONGEST_POLL = 3_600.0
"""Seconds: the kernel takes milliseconds in an int, so it cannot wait for 25 days in one go."""


class RealTimer:
    """A callback due at a moment of real time."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callback | None) -> None:
        self.callback = callback

    def cancel(self) -> None:
        """Forget the callback."""
        self.callback = None


class RealTimers:
    """Those of one loop."""

    def __init__(self) -> None:
        self.heap: list[tuple[int, int, RealTimer]] = []
        """The next one first; empty where there is none, as its loop asks at each turn."""
        self._order = itertools.count()

    @property
    def first(self) -> list[tuple[int, int, RealTimer]]:
        """The next one, if there is one: another one than before means another wait."""
        return self.heap[:1]

    def add(self, when_ns: int, callback: Callback) -> RealTimer:
        """Run the callback once the system's monotonic clock has reached ``when_ns``."""
        timer = RealTimer(callback)
        heapq.heappush(self.heap, (when_ns, next(self._order), timer))
        return timer

    def clear(self) -> None:
        """Forget all of them."""
        self.heap.clear()

    def patience(self) -> float:
        """Seconds until the next one; -1 if there is none."""
        while self.heap and self.heap[0][2].callback is None:
            heapq.heappop(self.heap)
        if not self.heap:
            return -1
        return min(max(0, self.heap[0][0] - REAL.monotonic_ns()) / 1e9, LONGEST_POLL)

    def run_due(self, run: Callable[[Callback], object]) -> None:
        """Let this function run those whose moment has come."""
        now = REAL.monotonic_ns()
        while self.heap and self.heap[0][0] <= now:
            callback = heapq.heappop(self.heap)[2].callback
            if callback is not None:
                run(callback)
