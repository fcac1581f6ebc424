"""Pairs of measurements, taken in turn."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One thing measured, beside what it is compared with."""

    name: str
    ours: float
    peer: float
    unit: str
    against: str
    ratio: float
    goal: str
    reached: bool

    def row(self) -> str:
        """A line of the table."""
        values = f"{self.ours:.4g} : {self.peer:.4g} {self.unit} ({self.against})"
        met = "yes" if self.reached else "no"
        return f"| {self.name} | {values} | {self.ratio:.2f} | {self.goal} | {met} |"

    def line(self) -> str:
        """A line for a terminal."""
        mark = "ok " if self.reached else "NO "
        values = f"{self.ours:.4g} : {self.peer:.4g} {self.unit}"
        ratio = f"{self.ratio:>8.2f}x {self.against}"
        return f"{mark} {self.name:<52} {values:<28} {ratio}  goal {self.goal}"


@dataclass(frozen=True)
class Goal:
    """What a ratio, or our own figure, should be."""

    most: float | None = None
    least: float | None = None
    round: Callable[[Iterable[float]], float] | None = None
    """Which of our rounds is held against it in place of the ratio: ``min`` for what a busy
    machine can only make longer, ``max`` for what must not happen even once."""

    def met(self, value: float) -> bool:
        """Whether a value is within it."""
        if self.most is not None and value > self.most:
            return False
        return self.least is None or value >= self.least

    def text(self, unit: str) -> str:
        """The goal in words."""
        word = f" {unit}" if self.round else "x"
        if self.most is not None:
            return f"<= {self.most:g}{word}"
        return "none" if self.least is None else f">= {self.least:g}{word}"


def compare(
    name: str,
    ours: Callable[[], float],
    peer: Callable[[], float],
    *,
    unit: str,
    against: str,
    goal: Goal,
    rounds: int = 7,
) -> Figure:
    """Measure both in turn; the ratio is the median of the rounds' ratios.

    Shown are the medians of both, or the round that the goal is about.
    """
    ours(), peer()  # A round to warm up.
    pairs = [(ours(), peer()) for _ in range(rounds)]
    ratio = statistics.median(a / b for a, b in pairs)
    shown = goal.round or statistics.median
    mine, theirs = shown([a for a, _ in pairs]), shown([b for _, b in pairs])
    value = mine if goal.round else ratio
    return Figure(name, mine, theirs, unit, against, ratio, goal.text(unit), goal.met(value))
