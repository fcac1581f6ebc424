"""All that is due at some moment of virtual time, of clients and servers alike, in one order."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

SERVER, CLIENT = 0, 1


class Due:
    """Something that happens at a moment of virtual time."""

    __slots__ = ("_dues", "fire", "when_ns")

    def __init__(self, dues: Dues, when_ns: int, fire: Callable[[], object]) -> None:
        self._dues = dues
        self.when_ns = when_ns
        self.fire: Callable[[], object] | None = fire

    def cancel(self) -> None:
        """Let it not happen."""
        if self.fire is not None:
            self.fire = None
            self._dues.cancelled += 1


class Dues:
    """A heap of dues.

    Of those at one moment the servers' come first, so that an answer that takes as long as
    its client's patience arrives. Then those that were set before that moment, by the age of
    their threads; then those that were set at that very moment (somebody yields, or wakes
    another), a round at a time, so that nobody who yields in a loop starves the others.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, int, int, Due]] = []
        self._order = itertools.count()
        self._round = 0
        self.cancelled = 0

    def push(
        self,
        when_ns: int,
        now_ns: int,
        kind: int,
        number: int,
        fire: Callable[[], object],
        *,
        yields: bool = False,
    ) -> Due:
        """Let something happen at this moment; who yields goes behind all who wait now."""
        due = Due(self, when_ns, fire)
        turn = 0 if when_ns > now_ns else self._round + yields
        heapq.heappush(self._heap, (when_ns, kind, turn, number, next(self._order), due))
        return due

    def next(self) -> Due | None:
        """The one that comes first; it stays."""
        if self.cancelled > 64 and self.cancelled * 2 > len(self._heap):
            # Timeouts that were not needed: most are, and far ahead.
            self._heap = [entry for entry in self._heap if entry[-1].fire is not None]
            heapq.heapify(self._heap)
            self.cancelled = 0
        while self._heap:
            due = self._heap[0][-1]
            if due.fire is not None:
                return due
            heapq.heappop(self._heap)
            self.cancelled -= 1
        return None

    def after(self, now_ns: int) -> int | None:
        """The first moment after this one at which something is due."""
        times = (when_ns for when_ns, *_, due in self._heap if due.fire is not None)
        return min((when_ns for when_ns in times if when_ns > now_ns), default=None)

    def fire(self) -> None:
        """Let the first one happen."""
        due = heapq.heappop(self._heap)[-1]
        self._round += 1
        fire, due.fire = due.fire, None
        if fire is not None:
            fire()

    def fire_all(self) -> None:
        """Let everything happen now."""
        while self._heap:
            self.fire()
