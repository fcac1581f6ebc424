"""One line of a plan, and what it says of an attempt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's
from pytest_resilience.faults import OK, Fault, _check
from pytest_resilience.faults._script import Chance
from pytest_resilience.faults.compose import Ok
from pytest_resilience.plan._match import ANYTHING, Match
from pytest_resilience.records import Attempt, shown

Asked: TypeAlias = Callable[[], Attempt]
"""Makes the value of an attempt when somebody looks at it: most rules are about any attempt."""

FOREVER: Final = float("inf")
"""For ``times=``: the rule is never used up."""


MOST_NAMED = 10
"""Faults of a rule that are named when it is put in words."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a plan says of one attempt."""

    fault: Fault = OK
    chance: Chance = field(default_factory=Chance)
    note: str = ""

    @property
    def label(self) -> str | None:
        """The fault's name for the trace; None when nothing goes wrong."""
        return None if isinstance(self.fault, Ok) else self.fault.label


NOTHING = Decision()
USED_UP = Decision(note="the plan is used up: answered normally")
SPARED = Decision()
"""A rule is about this attempt, leaves it alone, and is not used up: the next may meet it."""


class Rule:
    """One line of a plan, and how often attempts have met it.

    Returned by ``server.fail``. `met` counts the attempts that met it; `unmet` says in
    words what was planned and did not happen, and is empty when all of it did.
    """

    def __init__(
        self,
        faults: tuple[Fault, ...],
        *,
        times: float,
        match: Match,
        probability: float | None,
        chance: Chance,
        between: tuple[float, float] | None,
        after: int,
    ) -> None:
        self.faults = faults
        self.times = times
        self.match = match
        self.probability = probability
        self.between = between
        self.after = after
        self.chance = chance
        self.met = 0
        self.seen = 0

    @property
    def used_up(self) -> bool:
        """Whether every planned fault has been met."""
        return self.met >= len(self.faults) * self.times

    @property
    def unmet(self) -> str:
        """What was planned and never met, in words; empty when nothing is missing."""
        if self.times == FOREVER:
            missing = self.met == 0 and (self.probability is None or self.seen == 0)
            return f"{self}: never met" if missing and self.probability != 0 else ""
        planned = len(self.faults) * int(self.times)
        return "" if self.used_up else f"{self}: met {self.met} of {planned} times"

    def decide(self, attempt: Asked, elapsed: float) -> Decision | None:
        """What this attempt meets, USED_UP, SPARED, or None when it is another's business."""
        if not self._open(elapsed) or not (self.match is ANYTHING or self.match(attempt())):
            return None
        if self.used_up:
            return USED_UP
        fault = self.faults[self.met % len(self.faults)]
        wants = getattr(fault, "wants", None)
        if wants is not None and not wants(attempt()):
            return SPARED
        self.seen += 1
        if self.seen <= self.after:
            return SPARED
        if self.probability is not None and self.chance.random.random() >= self.probability:
            return SPARED
        self.met += 1
        return Decision(fault, self.chance)

    def _open(self, elapsed: float) -> bool:
        return self.between is None or self.between[0] <= elapsed < self.between[1]

    def __str__(self) -> str:
        named = [fault.label for fault in self.faults[:MOST_NAMED]]
        if len(self.faults) > MOST_NAMED:
            named.append(f"and {len(self.faults) - MOST_NAMED} more")
        words = [", ".join(named)]
        if self.times == FOREVER:
            words.append("forever" if self.probability is None and not self.between else "")
        elif self.times != 1:
            words.append(f"x{int(self.times)}")
        words.append("" if self.probability is None else f"with probability {self.probability:g}")
        if self.between:
            words.append(f"between {self.between[0]:g} and {self.between[1]:g} s")
        words.append(f"after {self.after} requests" if self.after else "")
        match = str(self.match)
        words.append(match if not match or match.startswith("when ") else f"on {match}")
        return " ".join(word for word in words if word)

    def __repr__(self) -> str:
        return shown(f"<Rule {self}: met {self.met}>")  # Its header or body may be a secret's.


def checked_times(times: object, *, endless: bool) -> float:
    if times is None:
        return FOREVER if endless else 1
    if isinstance(times, float) and times == FOREVER:
        return FOREVER
    return _check.times("times", times, "FOREVER")


def checked_window(between: object) -> tuple[float, float]:
    wanted = "two numbers of seconds since the server's start, (from, to), from below to"
    if not isinstance(between, tuple | list) or len(between) != 2:
        _check.refuse("between", between, wanted)
    start, end = between
    if not _check.is_number(start) or not (_check.is_number(end) or end == FOREVER):
        _check.refuse("between", between, wanted)
    if not 0 <= start < end:
        _check.refuse("between", between, wanted)
    return float(start), float(end)


def checked_probability(probability: object) -> float:
    if not _check.is_number(probability) or not 0 <= probability <= 1:  # type: ignore[operator]  # a number, just checked
        _check.refuse("probability", probability, "a number from 0 to 1")
    return float(probability)  # type: ignore[arg-type]  # a number, just checked


def checked_seed(seed: object) -> str:
    if isinstance(seed, bool) or not isinstance(seed, int) or abs(seed) > _check.LARGEST:
        _check.refuse("seed", seed, "a whole number of no more than 1,000 digits")
    return str(seed)
