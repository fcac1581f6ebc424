"""The system's time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_resilience.clock._base import Scheduler, Timer

# Bound here, so that replacing the names in the time module does not touch us.
real_monotonic_ns = time.monotonic_ns
real_time_ns = time.time_ns
real_process_time_ns = time.process_time_ns
real_thread_time_ns = time.thread_time_ns
new_lock = threading.Lock
new_rlock = threading.RLock

SECOND = 1_000_000_000


class RealClock:
    """The system's clocks, as they are."""

    def monotonic_ns(self) -> int:
        """Nanoseconds of the system's monotonic clock."""
        return real_monotonic_ns()

    def time_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return real_time_ns()

    def monotonic(self) -> float:
        """Seconds of the system's monotonic clock."""
        return real_monotonic_ns() / SECOND

    def time(self) -> float:
        """Seconds since the epoch."""
        return real_time_ns() / SECOND

    def call_at(self, when_ns: int, loop: Scheduler, callback: Callable[[], object]) -> Timer:
        """Let the loop run the callback when the system's monotonic clock says so."""
        return loop.call_at_real(when_ns, callback)


REAL = RealClock()
