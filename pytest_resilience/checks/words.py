"""Figures as people read them."""

from __future__ import annotations

from pytest_resilience.policy.backoff import Range
from pytest_resilience.records import Attempt

__all__ = ["SLACK_NS", "came_after", "count", "kind", "nanoseconds", "wanted", "within"]

SECOND = 1_000_000_000

SLACK_NS = 1_000
"""A client's own sums in floating point may be off by this much in virtual time."""


def nanoseconds(seconds: float) -> int:
    """Whole nanoseconds; what is too long to count is longer than anything seen."""
    return round(min(seconds, 1e12) * SECOND)


def within(wait_ns: int, bounds: Range) -> bool:
    """Whether a wait is between two bounds in seconds."""
    low, high = bounds
    return nanoseconds(low) - SLACK_NS <= wait_ns <= nanoseconds(high) + SLACK_NS


def count(number: int, noun: str = "attempt") -> str:
    """``1 attempt``, ``2 attempts``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def came_after(later: Attempt, earlier: Attempt, wait_ns: int) -> str:
    """``attempt 3 came 4.000 s after attempt 2``, counted from the end of the earlier one."""
    after = "" if earlier.ended_ns in (None, earlier.started_ns) else "the end of "
    return (
        f"attempt {later.number} came {wait_ns / SECOND:.3f} s after {after}"
        f"attempt {earlier.number}"
    )


def wanted(bounds: Range) -> str:
    """``2.000 s``, or ``1.000 to 2.000 s``."""
    low, high = bounds
    return f"{low:.3f} s" if low == high else f"{low:.3f} to {high:.3f} s"


def kind(error: BaseException | None) -> str:
    """An exception by its kind alone: its text may say anything, a secret too."""
    if error is None:
        return "nothing"
    cls = type(error)
    if cls.__module__ == "builtins":
        return cls.__qualname__
    return f"{cls.__module__}.{cls.__qualname__}"
