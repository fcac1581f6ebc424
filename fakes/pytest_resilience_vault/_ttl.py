"""How long a token may live (sdk/framework/lease.go, CalculateTTL)."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_resilience_vault._errors import Refused, one_of
from pytest_resilience_vault._times import in_short_go

DEFAULT_TTL = 768 * 3600
"""Default and maximum lease time in seconds: 32 days (vault/core.go)."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for and configured; zeros where nothing was, all in seconds."""

    increment: float = 0
    ttl: float = 0
    max_ttl: float = 0
    period: float = 0
    explicit_max_ttl: float = 0
    default: float = DEFAULT_TTL
    longest: float = DEFAULT_TTL
    """Of the mount."""


def granted(wish: Wish, started: float, now: float) -> tuple[float, list[str]]:
    """Seconds from now, and the warnings of what was cut.

    Raises:
        Refused: The longest time is over already.
    """
    warnings: list[str] = []
    limits = [wish.longest, wish.max_ttl, wish.explicit_max_ttl]
    longest = min(limit for limit in limits if limit > 0)
    if wish.period > 0:
        ttl = wish.period
        if ttl > longest:
            warnings.append(_cut("period", ttl, longest))
            ttl = longest
        most = wish.explicit_max_ttl
    else:
        ttl = wish.increment or wish.ttl or wish.default
        most = longest
    if most:
        left = int(started) - int(now) + most
        if left <= 0:
            raise Refused(500, one_of("past the max TTL, cannot renew"))
        if ttl > left:
            warnings.append(_cut("TTL", ttl, left))
            ttl = left
    return ttl, warnings


def _cut(what: str, wanted: float, longest: float) -> str:
    return (
        f'{what} of "{in_short_go(wanted)}" exceeded the effective max_ttl of'
        f' "{in_short_go(longest)}"; {what} value is capped accordingly'
    )
