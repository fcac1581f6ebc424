"""What a clock is, and which one is in force."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Protocol

from pytest_resilience.clock import _real


class Timer(Protocol):
    """A callback that is due later."""

    def cancel(self) -> None:
        """Forget the callback; nothing happens when it has run already."""


class Scheduler(Protocol):
    """A loop that can run callbacks on its own thread."""

    def call_soon_threadsafe(self, callback: Callable[[], object]) -> None:
        """Run the callback on the loop's thread, soon; callable from any thread."""

    def call_at_real(self, when_ns: int, callback: Callable[[], object]) -> Timer:
        """Run it when the system's monotonic clock says so; on the loop's thread only."""


class Clock(Protocol):
    """The time of servers and fakes: to read, and to be woken by."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since an origin of no meaning; it never goes back."""

    def time_ns(self) -> int:
        """Nanoseconds since the epoch: the wall clock."""

    def monotonic(self) -> float:
        """Seconds since an origin of no meaning."""

    def time(self) -> float:
        """Seconds since the epoch."""

    def call_at(self, when_ns: int, loop: Scheduler, callback: Callable[[], object]) -> Timer:
        """Run the callback on the loop's thread once `monotonic_ns` has reached ``when_ns``.

        Called on the loop's own thread.
        """


_in_force: list[Clock] = []


def current_clock() -> Clock:
    """The clock in force: the innermost `use_clock`, otherwise real time."""
    return _in_force[-1] if _in_force else _real.REAL


@contextlib.contextmanager
def use_clock(clock: Clock) -> Iterator[Clock]:
    """Put a clock in force for every server and fake that was not given one of its own."""
    _in_force.append(clock)
    try:
        yield clock
    finally:
        _in_force.remove(clock)
