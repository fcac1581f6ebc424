"""Which attempt meets which fault.

A plan is a list of rules, asked in the order in which they were written. The first rule
that an attempt matches, and that is not used up, decides; an attempt that no rule wants
is answered normally.
"""

from __future__ import annotations

import difflib
import inspect
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Final, TypeAlias

from pytest_resilience.clock import new_rlock
from pytest_resilience.errors import PlanError
from pytest_resilience.faults import OK, Fault, _check, status
from pytest_resilience.faults.compose import Ok, is_fault
from pytest_resilience.faults.connection import NeverRead
from pytest_resilience.records import Attempt

__all__ = ["FOREVER", "Decision", "FaultLike", "Plan", "Rule"]

FOREVER: Final = float("inf")
"""For ``times=``: the rule is never used up."""

FaultLike: TypeAlias = Fault | int | str


@dataclass(frozen=True, slots=True)
class Match:
    """Which attempts a rule is about; None matches any."""

    method: str | None = None
    path: str | None = None
    header: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    when: Callable[[Attempt], bool] | None = None

    def __call__(self, attempt: Attempt) -> bool:
        """Whether this attempt is one of them."""
        if self.method is not None and attempt.method != self.method:
            return False
        if self.path is not None and not fnmatchcase(attempt.path, self.path):
            return False
        if self.header and not self._headers_match(attempt):
            return False
        if self.body is not None and self.body not in attempt.body:
            return False
        return self.when is None or bool(self.when(attempt))

    def _headers_match(self, attempt: Attempt) -> bool:
        headers = attempt.headers
        return all(
            any(fnmatchcase(value, glob) for value in headers.all(name))
            for name, glob in self.header.items()
        )

    @property
    def anything(self) -> bool:
        """Whether it matches every attempt there can be."""
        return self == Match()

    def __str__(self) -> str:
        words = [self.method or "", self.path or ""]
        words += [f"{name}: {glob}" for name, glob in self.header.items()]
        words.append("" if self.body is None else f"body with {self.body!r}")
        words.append("" if self.when is None else "when " + _name_of(self.when))
        return " ".join(word for word in words if word)


def _name_of(function: Callable[..., object]) -> str:
    return getattr(function, "__qualname__", type(function).__name__)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a plan says of one attempt."""

    fault: Fault = OK
    random: Random = field(default_factory=Random)
    note: str = ""

    @property
    def label(self) -> str | None:
        """The fault's name for the trace; None when nothing goes wrong."""
        return None if isinstance(self.fault, Ok) else self.fault.label


NOTHING = Decision()
USED_UP = Decision(note="the plan is used up: answered normally")


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
        random: Random,
        between: tuple[float, float] | None,
        after: int,
    ) -> None:
        self.faults = faults
        self.times = times
        self.match = match
        self.probability = probability
        self.between = between
        self.after = after
        self.random = random
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

    def decide(self, attempt: Attempt, elapsed: float) -> Decision | None:
        """What this attempt meets, USED_UP, or None when the rule leaves it alone."""
        if not self._open(elapsed) or not self.match(attempt):
            return None
        if self.used_up:
            return USED_UP
        fault = self.faults[self.met % len(self.faults)]
        wants = getattr(fault, "wants", None)
        if wants is not None and not wants(attempt):
            return None
        self.seen += 1
        if self.seen <= self.after:
            return None
        if self.probability is not None and self.random.random() >= self.probability:
            return None
        self.met += 1
        return Decision(fault, self.random)

    def _open(self, elapsed: float) -> bool:
        return self.between is None or self.between[0] <= elapsed < self.between[1]

    def __str__(self) -> str:
        words = [", ".join(fault.label for fault in self.faults)]
        if self.times == FOREVER:
            words.append("forever" if self.probability is None and not self.between else "")
        elif self.times != 1:
            words.append(f"x{int(self.times)}")
        words.append("" if self.probability is None else f"with probability {self.probability:g}")
        if self.between:
            words.append(f"between {self.between[0]:g} and {self.between[1]:g} s")
        words.append(f"after {self.after} requests" if self.after else "")
        words.append(f"on {self.match}" if not self.match.anything else "")
        return " ".join(word for word in words if word)

    def __repr__(self) -> str:
        return f"<Rule {self}: met {self.met}>"


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
        # Guards the two above and the counters of the rules. A predicate runs under it
        # and may write a rule itself, so it can be taken again.
        self._lock = new_rlock()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules, in the order in which they are asked."""
        with self._lock:
            return tuple(self._rules)

    def forget_in_child(self) -> None:
        """In a forked child, where whoever held the lock may not exist."""
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
        match = _checked_match(method, path, header, body, when)
        checked = tuple(_checked_fault(fault) for fault in faults)
        if not checked:
            raise PlanError("fail() wants a fault: a status such as 503, or one of faults.*")
        if any(isinstance(f, NeverRead) for f in checked):
            _check_at_accept(checked, match)
        window = None if between is None else _checked_window(between)
        chance = None if probability is None else _checked_probability(probability)
        with self._lock:
            self._drawn += 1
            stream = f"{self.seed}/{self._drawn}" if seed is None else _checked_seed(seed)
            rule = Rule(
                checked,
                times=_checked_times(times, endless=chance is not None or window is not None),
                match=match,
                probability=chance,
                random=Random(stream),
                between=window,
                after=_check.whole("after", after),
            )
            self._rules.append(rule)
        return rule

    def decide(self, attempt: Attempt, elapsed: float) -> Decision:
        """What this attempt meets, ``elapsed`` seconds after the server's start."""
        return self._ask(attempt, elapsed, at_accept=False) if self._rules else NOTHING

    def decide_at_accept(self, attempt: Attempt, elapsed: float) -> Decision:
        """What a new connection meets before it has said anything."""
        return self._ask(attempt, elapsed, at_accept=True) if self._rules else NOTHING

    def _ask(self, attempt: Attempt, elapsed: float, *, at_accept: bool) -> Decision:
        otherwise = NOTHING
        with self._lock:
            for rule in tuple(self._rules):
                if isinstance(rule.faults[0], NeverRead) is not at_accept:
                    continue
                decision = rule.decide(attempt, elapsed)
                if decision is USED_UP:
                    otherwise = USED_UP
                elif decision is not None:
                    return decision
        return otherwise


def _checked_fault(fault: object) -> Fault:
    if isinstance(fault, int) and not isinstance(fault, bool):
        return status(fault)
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


def _checked_times(times: object, *, endless: bool) -> float:
    if times is None:
        return FOREVER if endless else 1
    if times == FOREVER and isinstance(times, float):
        return FOREVER
    wanted = "a whole number, 1 or more, or FOREVER"
    if isinstance(times, bool) or not isinstance(times, int) or times < 1:
        _check.refuse("times", times, wanted)
    return times


def _checked_match(
    method: object, path: object, header: object, body: object, when: object
) -> Match:
    if method is not None and (not isinstance(method, str) or not _check.TOKEN.fullmatch(method)):
        _check.refuse("method", method, 'a method such as "GET"')
    if path is not None and (not isinstance(path, str) or not path.startswith(("/", "*"))):
        _check.refuse("path", path, 'a path or a glob that starts with "/" or "*"')
    if isinstance(path, str) and "?" in path:
        _check.refuse("path", path, "a path without a query; use when= to look at the query")
    if body is not None and (not isinstance(body, str | bytes) or not body):
        _check.refuse("body", body, "text or bytes to look for in the request's body")
    if when is not None and (not callable(when) or inspect.iscoroutinefunction(when)):
        _check.refuse("when", when, "a plain function of an Attempt that returns True or False")
    return Match(
        method=method.upper() if isinstance(method, str) else None,
        path=path if isinstance(path, str) else None,
        header=_checked_header(header),
        body=body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else None,
        when=when if callable(when) else None,
    )


def _checked_header(header: object) -> dict[str, str]:
    if header is None:
        return {}
    wanted = 'a mapping of header names to globs, such as {"Accept": "*json*"}'
    if not isinstance(header, Mapping):
        _check.refuse("header", header, wanted)
    for name, glob in header.items():
        if (
            not isinstance(name, str)
            or not isinstance(glob, str)
            or not _check.TOKEN.fullmatch(name)
        ):
            _check.refuse("header", header, wanted)
    return dict(header)


def _checked_window(between: object) -> tuple[float, float]:
    wanted = "two numbers of seconds since the server's start, (from, to), from below to"
    if not isinstance(between, tuple | list) or len(between) != 2:
        _check.refuse("between", between, wanted)
    start, end = between
    if not _check.is_number(start) or not (_check.is_number(end) or end == FOREVER):
        _check.refuse("between", between, wanted)
    if not 0 <= start < end:
        _check.refuse("between", between, wanted)
    return float(start), float(end)


def _checked_probability(probability: object) -> float:
    if not _check.is_number(probability) or not 0 <= probability <= 1:  # type: ignore[operator]  # a number, just checked
        _check.refuse("probability", probability, "a number from 0 to 1")
    return float(probability)  # type: ignore[arg-type]  # a number, just checked


def _checked_seed(seed: object) -> str:
    if isinstance(seed, bool) or not isinstance(seed, int):
        _check.refuse("seed", seed, "a whole number")
    return str(seed)


def nearest(name: str, names: list[str]) -> str:
    """A hint for a name that does not exist: the nearest one, or nothing."""
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
