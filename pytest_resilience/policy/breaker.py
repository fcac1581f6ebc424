"""What a client says of its circuit breaker."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's
from pytest_resilience.policy import _check

__all__ = ["Breaker"]


@dataclass(frozen=True, slots=True)
class Breaker:
    """Stops asking a server that fails, and tries again with a few probes.

    Args:
        opens_after: Failed calls in a row after which nothing is asked any more.
        stays_open: Seconds until a probe is let through.
        probes: How many calls are let through at once when that time is over; None when
            that is not claimed.
    """

    opens_after: int
    stays_open: float
    probes: int | None = None

    def __post_init__(self) -> None:
        for name in ("opens_after", "probes"):
            value = getattr(self, name)
            if value is None and name == "probes":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                _check.refuse(f"breaker.{name}", value, "a whole number, 1 or more")
        _check.seconds("breaker.stays_open", self.stays_open, above=True)
