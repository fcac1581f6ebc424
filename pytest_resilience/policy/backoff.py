"""How long a client says it waits: a backoff, and the jitter on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's
from pytest_resilience.policy import _check

__all__ = ["Backoff", "Jitter", "Range"]

Range: TypeAlias = tuple[float, float]
"""The shortest and the longest wait that are right; one moment twice when it is exact."""

TOO_MANY = 64
"""Powers beyond this one are as good as endless."""
LONGEST = 1e15
"""Seconds that are as good as endless, where the numbers of a machine would end."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """The wait before each retry, without its jitter.

    ::

        Backoff(1, factor=2, cap=30)      # 1, 2, 4, 8, 16, 30, 30, ...
        Backoff(2, factor=2, first=0)     # 0, 2, 4, 8, ...: urllib3's
        Backoff(1, factor=1)              # 1, 1, 1, ...
        Backoff(1, factor=1, step=1)      # 1, 2, 3, ...
        Backoff.of(1, 2, (4, 5))          # 1, 2, and then 4 to 5

    Args:
        initial: Seconds before the first retry.
        factor: By how much each wait is longer than the one before.
        cap: No wait is longer; None for no cap.
        first: The wait before the first retry, when it is not ``initial``, which then
            comes before the second.
        step: Seconds that each wait has more than the one before.
        waits: The waits one by one, each a number or a ``(shortest, longest)``. Nothing
            else may be said beside it.
    """

    initial: float = 1.0
    factor: float = 2.0
    cap: float | None = None
    first: float | None = None
    step: float = 0.0
    waits: tuple[Range, ...] | None = None

    def __post_init__(self) -> None:
        _check.seconds("backoff.initial", self.initial)
        if not _check.is_number(self.factor) or self.factor < 0:
            _check.refuse("backoff.factor", self.factor, "a number, 0 or more")
        _check.optional_seconds("backoff.cap", self.cap)
        _check.seconds("backoff.step", self.step)
        if self.first is not None:
            _check.seconds("backoff.first", self.first)
        for name in ("initial", "first"):
            least = getattr(self, name)
            if self.cap is not None and least is not None and self.cap < least:
                _check.refuse(
                    "backoff.cap", self.cap, f"at least backoff.{name}, which is {least!r}"
                )
        if self.waits is not None:
            object.__setattr__(self, "waits", _ranges(self.waits))

    @classmethod
    def of(cls, *waits: float | Range) -> Backoff:
        """Exactly these waits, each a number or a ``(shortest, longest)``."""
        return cls(waits=_ranges(waits))

    def range(self, retry: int) -> Range:
        """How long the wait before this retry is; 1 is the first retry."""
        if self.waits is not None:
            return self.waits[min(retry, len(self.waits)) - 1] if self.waits else (0.0, 0.0)
        if self.first is not None:
            if retry == 1:
                return self.first, self.first
            retry -= 1
        power = min(retry - 1, TOO_MANY)
        try:
            wait = self.initial * self.factor**power + self.step * (retry - 1)
        except OverflowError:
            wait = LONGEST
        wait = min(wait, LONGEST if self.cap is None else self.cap)
        return wait, wait

    @property
    def is_exact(self) -> bool:
        """Whether each wait is one number."""
        return self.waits is None or all(low == high for low, high in self.waits)

    def __str__(self) -> str:
        if self.waits is not None:
            return ", ".join(_text(low, high) for low, high in self.waits) + " s"
        shown = ", ".join(f"{self.range(retry)[0]:g}" for retry in (1, 2, 3))
        cap = "" if self.cap is None else f" up to {self.cap:g}"
        return f"{shown}, ...{cap} s"


def _text(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _ranges(waits: Iterable[object]) -> tuple[Range, ...]:
    return tuple(_range(f"backoff.waits[{place}]", wait) for place, wait in enumerate(waits))


def _range(where: str, wait: object) -> Range:
    allowed = "a number of seconds, or (shortest, longest)"
    if isinstance(wait, tuple | list):
        if len(wait) != 2:
            _check.refuse(where, wait, allowed)
        low, high = (_check.seconds(where, bound) for bound in wait)
        if high < low:
            _check.refuse(where, wait, f"{allowed} with the shortest first")
        return low, high
    exact = _check.seconds(where, wait)
    return exact, exact


@dataclass(frozen=True, slots=True)
class Jitter:
    """What chance makes of each wait, so that clients do not come back in step.

    ::

        Jitter("full")                 # 0 to the wait
        Jitter("equal")                # half of the wait to the wait
        Jitter("additive", 1)          # the wait to the wait + 1 s, the cap to the cap + 1 s
        Jitter("proportional", 0.25)   # a quarter less to a quarter more
        Jitter("decorrelated")         # initial to three times the wait before, within the cap

    Args:
        kind: One of these, or ``"none"``.
        amount: Seconds for additive (1 if not said), a share for proportional (0.5).
        least: No wait is shorter than this, in seconds.
    """

    kind: str = "none"
    amount: float | None = None
    least: float = 0.0

    KINDS: ClassVar = ("none", "full", "equal", "additive", "proportional", "decorrelated")
    AMOUNTS: ClassVar = {"additive": 1.0, "proportional": 0.5}

    def __post_init__(self) -> None:
        if self.kind not in self.KINDS:
            _check.refuse("jitter", self.kind, ", ".join(self.KINDS))
        _check.seconds("jitter.least", self.least)
        if self.amount is None:
            return
        if self.kind not in self.AMOUNTS:
            wanted = f"no amount for {self.kind}; additive and proportional have one"
            _check.refuse("jitter.amount", self.amount, wanted)
        _check.seconds("jitter.amount", self.amount)
        if self.kind == "proportional" and self.amount > 1:
            _check.refuse("jitter.amount", self.amount, "a share from 0 to 1")

    @property
    def is_random(self) -> bool:
        """Whether two clients should wait differently."""
        return self.kind != "none" and self.amount != 0

    def range(self, wait: Range, *, backoff: Backoff, before: float | None) -> Range:
        """What it makes of a wait.

        Args:
            wait: The backoff's.
            backoff: For its cap and initial wait.
            before: The wait before this one in seconds; None for the first.
        """
        low, high = wait
        amount = self.AMOUNTS.get(self.kind, 0.0) if self.amount is None else self.amount
        if self.kind == "full":
            low = 0.0
        elif self.kind == "equal":
            low = low / 2
        elif self.kind == "additive":
            high = high + amount
        elif self.kind == "proportional":
            low, high = low * (1 - amount), high * (1 + amount)
        elif self.kind == "decorrelated":
            last = backoff.initial if before is None else max(before, backoff.initial)
            low, high = backoff.initial, 3 * last
            if backoff.cap is not None:
                low, high = min(low, backoff.cap), min(high, backoff.cap)
        return max(low, self.least), max(high, self.least)

    def __str__(self) -> str:
        return self.kind if self.amount is None else f"{self.kind} {self.amount:g}"
