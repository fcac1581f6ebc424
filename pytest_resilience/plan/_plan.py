"""The rules of one server, and which of them decides."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Container, Mapping
from functools import lru_cache
from typing import TypeAlias

from pytest_resilience.clock import new_rlock
from pytest_resilience.errors import (
    PlanError,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)
from pytest_resilience.faults import Fault, _check, status
from pytest_resilience.faults._script import Chance
from pytest_resilience.faults.compose import is_fault
from pytest_resilience.faults.connection import NeverRead
from pytest_resilience.plan._match import Match, checked_match
from pytest_resilience.plan._rule import (
    NOTHING,
    SPARED,
    USED_UP,
    Asked,
    Decision,
    Rule,
    checked_probability,
    checked_seed,
    checked_times,
    checked_window,
)
from pytest_resilience.records import Attempt

FaultLike: TypeAlias = Fault | int | str


class Plan:
    """The rules of one server. Safe to change while the server is running.

    Args:
        seed: Of every random choice: probabilities, latencies, noise. A new one is
            drawn when it is None; `seed` says which.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = secrets.randbits(32) if seed is None else seed
        self._rules: list[Rule] = []
        self._drawn = 0
        self.begins_at_accept = False
        """Whether a rule may be met before there is a request."""
        # Guards what is above and the counters of the rules. A predicate runs under it
        # and may write a rule itself, so it can be taken again.
        self._lock = new_rlock()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules, in the order in which they are asked."""
        with self._lock:
            return tuple(self._rules)

    def renew_lock(self) -> None:
        """Have a new one, where whoever holds it may never give it back."""
        self._lock = new_rlock()

    @property
    def unmet(self) -> list[str]:
        """What was planned and never met, a line a rule."""
        return [line for rule in self.rules if (line := rule.unmet)]

    def clear(self) -> None:
        """Forget every rule; the seed stays, and its stream starts again."""
        with self._lock:
            self._rules.clear()
            self._drawn = 0
            self.begins_at_accept = False

    def forget(self, rules: Container[Rule]) -> None:
        """Forget these rules, and what was drawn for them; others stay as they are."""
        with self._lock:
            kept = [rule for rule in self._rules if rule not in rules]
            self.clear()
            self._rules += kept
            self._drawn = len(kept)
            self.begins_at_accept = any(isinstance(rule.faults[0], NeverRead) for rule in kept)

    def add(
        self,
        *faults: FaultLike,
        times: float | None = None,
        method: str | None = None,
        path: str | None = None,
        header: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        when: Callable[[Attempt], bool] | None = None,
        probability: float | None = None,
        seed: int | None = None,
        between: tuple[float, float] | None = None,
        after: int = 0,
    ) -> Rule:
        """Write a rule; see ``FakeServer.fail`` for the meaning of each argument.

        Raises:
            PlanError: A value cannot be meant; it names the field and what is allowed.
        """
        match = checked_match(method, path, header, body, when)
        checked = tuple(map(_checked_fault, faults))
        if not checked:
            raise PlanError("fail() wants a fault: a status such as 503, or one of faults.*")
        if any(isinstance(f, NeverRead) for f in checked):
            _check_at_accept(checked, match)
        window = None if between is None else checked_window(between)
        chance = None if probability is None else checked_probability(probability)
        with self._lock:
            self._drawn += 1
            stream = f"{self.seed}/{self._drawn}" if seed is None else checked_seed(seed)
            rule = Rule(
                checked,
                times=checked_times(times, endless=chance is not None or window is not None),
                match=match,
                probability=chance,
                chance=Chance(stream),
                between=window,
                after=_check.whole("after", after),
            )
            self._rules.append(rule)
            self.begins_at_accept |= isinstance(checked[0], NeverRead)
        return rule

    def decide(self, attempt: Asked, elapsed: float) -> Decision:
        """What this attempt meets, ``elapsed`` seconds after the server's start."""
        return self._ask(attempt, elapsed, at_accept=False) if self._rules else NOTHING

    def decide_at_accept(self, attempt: Asked, elapsed: float) -> Decision:
        """What a new connection meets before it has said anything."""
        return self._ask(attempt, elapsed, at_accept=True)

    def _ask(self, attempt: Asked, elapsed: float, *, at_accept: bool) -> Decision:
        used_up = spared = False
        with self._lock:
            for rule in tuple(self._rules):
                if isinstance(rule.faults[0], NeverRead) is not at_accept:
                    continue
                decision = rule.decide(attempt, elapsed)
                if decision is USED_UP:
                    used_up = True
                elif decision is SPARED:
                    spared = True
                elif decision is not None:
                    return decision
        return USED_UP if used_up and not spared else NOTHING


_status = lru_cache(64)(status)
"""They are values, and the same few are planned in test after test."""


def _checked_fault(fault: object) -> Fault:
    if isinstance(fault, int) and not isinstance(fault, bool):
        return _status(fault)
    if not is_fault(fault):
        wanted = "a status such as 503, one of faults.*, OK, or the name of a preset"
        if isinstance(fault, type):
            wanted += f"; {fault.__name__} is a class: call it"
        _check.refuse("fail(fault)", fault, wanted)
    return fault


def _check_at_accept(faults: tuple[Fault, ...], match: Match) -> None:
    if not all(isinstance(f, NeverRead) for f in faults):
        _check.refuse("fail(...)", "never_read in a sequence", "a rule of its own for never_read")
    if not match.anything:
        where = "no matching: it is met at accept, before there is a request"
        _check.refuse("never_read with", str(match), where)
