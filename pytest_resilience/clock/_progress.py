"""When something has last happened, by the clocks that nobody can stop."""

from __future__ import annotations

from pytest_resilience.clock._real import real_monotonic_ns, real_process_time_ns

DAY_NS = 86_400_000_000_000


class Progress:
    """What the patience is measured by. Guarded by the conductor's lock.

    *Something* is a thread that goes on. An *event* is more: somebody was woken by another
    thread, by a socket or by the server, and not by its own timer.
    """

    __slots__ = ("_event_ns", "_event_real_ns", "cpu_ns", "real_ns")

    def __init__(self) -> None:
        self._event_ns = 0
        self.note()
        self._event_real_ns = self.real_ns

    def note(self) -> None:
        """Something happens now."""
        self.real_ns = real_monotonic_ns()
        self.cpu_ns = real_process_time_ns()

    def note_event(self, now_ns: int) -> None:
        """And it is an event."""
        self._event_real_ns = real_monotonic_ns()
        self._event_ns = now_ns

    def is_a_treadmill(self, now_ns: int, now_real_ns: int, patience_ns: int) -> bool:
        """Whether nothing but timers has moved anybody, for so long and for more than a day."""
        return now_ns - self._event_ns > DAY_NS and now_real_ns - self._event_real_ns >= patience_ns

    def computed_ns(self) -> int:
        """Processor time of the whole process since something happened."""
        return real_process_time_ns() - self.cpu_ns
