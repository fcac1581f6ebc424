"""What was seen of a client in one scenario: its calls, and what the server saw of them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_resilience.records import Attempt, Trace

__all__ = ["Call", "Observation"]

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the client, from outside. Times are on the clock of its trace."""

    started_ns: int
    ended_ns: int | None
    """None when it never came back."""
    value: object = None
    """What it returned, when it did."""
    error: BaseException | None = None
    """What it raised, when it did."""
    trace: Trace = field(default_factory=Trace)
    """The attempts that the server saw from its start to its end."""
    thread: int = 0
    """Which of several calls at once it is, from 0."""
    usual: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How often each method and target is asked for when nothing goes wrong."""

    @property
    def returned(self) -> bool:
        """Whether it came back with a value."""
        return self.ended_ns is not None and self.error is None

    @property
    def never_returned(self) -> bool:
        """Whether it never came back."""
        return self.ended_ns is None

    @property
    def seconds(self) -> float | None:
        """How long it took; None when it never came back."""
        return None if self.ended_ns is None else (self.ended_ns - self.started_ns) / SECOND

    @property
    def tries(self) -> Trace:
        """The attempts at the first request that failed, up to the one that worked.

        A call may make other requests before, between and after: a login, a lookup.
        """
        failed = [attempt for attempt in self.trace if attempt.failed]
        if not failed:
            return self.trace[:1]
        first = self._tries_of(failed[0])
        if len(first) > 1 or failed[0].status in (401, 403, 407):
            return first
        # Who goes on as if nothing had happened, and tries another one again, can do without it.
        others = map(self._tries_of, failed[1:])
        return next((other for other in others if len(other) > 1), first)

    def _tries_of(self, failed: Attempt) -> Trace:
        found: list[Attempt] = []
        for attempt in self.trace:
            if attempt.number >= failed.number and self._is_again(attempt, failed, found):
                found.append(attempt)
                if not attempt.failed:
                    break
        return Trace(found, seed=self.trace.seed)

    def _is_again(self, attempt: Attempt, failed: Attempt, found: list[Attempt]) -> bool:
        """Whether it is the same request once more, and not one that is made beside it."""
        if (attempt.method, attempt.path) != (failed.method, failed.path):
            return False
        alike = self.usual.get((failed.method, failed.target), 0)
        if not alike or len(self._targets(failed)) == alike == 1:
            return True  # The only one of its path; its query may be another one each time.
        if attempt.target != failed.target:
            return False
        return alike == 1 or not found or attempt.started_ns > found[-1].started_ns

    def _targets(self, failed: Attempt) -> list[str]:
        """What is usually asked for under the same path."""
        return [
            target
            for method, target in self.usual
            if method == failed.method and target.partition("?")[0] == failed.path
        ]

    @property
    def waits_ns(self) -> list[int]:
        """Nanoseconds from the end of each try to the start of the next."""
        tries = self.tries
        return [
            max(
                0,
                after.started_ns
                - (before.started_ns if before.ended_ns is None else before.ended_ns),
            )
            for before, after in itertools.pairwise(tries)
        ]

    @property
    def waits(self) -> list[float]:
        """The same in seconds."""
        return [wait / SECOND for wait in self.waits_ns]

    @property
    def tail_ns(self) -> int:
        """Nanoseconds from the end of its last attempt to its own end."""
        ends = [a.started_ns if a.ended_ns is None else a.ended_ns for a in self.trace]
        if self.ended_ns is None or not ends:
            return 0
        return max(0, self.ended_ns - max(ends))


@dataclass(frozen=True, slots=True)
class Observation:
    """One scenario, played to its end."""

    scenario: str
    calls: tuple[Call, ...]
    """In the order in which they began."""
    trace: Trace
    """Everything that the server saw in the scenario."""
    baseline: Call
    """The same call, undisturbed."""
    lines: tuple[object, ...] = ()
    """What was logged, as lines of a recorder."""
    thread_errors: tuple[BaseException, ...] = ()
    """What threads of the client died of."""
    task_errors: tuple[BaseException, ...] = ()
    """What its tasks died of that nobody ever waited for."""
    ended_process: str = ""
    """How the client tried to end the process; empty when it did not."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """What a scenario has noted for its own judgement."""

    @property
    def call(self) -> Call:
        """The last call, which is the only one in most scenarios."""
        return self.calls[-1]

    def number(self, fact: str) -> float:
        """A fact that is a number; 0 when it was not noted."""
        value = self.facts.get(fact, 0)
        return value if isinstance(value, int | float) else 0

    def evidence(
        self, trace: Trace | None = None, marks: Mapping[int, str] | None = None
    ) -> tuple[str, ...]:
        """The table of attempts, a line each, with remarks at the end of some.

        Args:
            trace: Only these attempts; all when it is None.
            marks: Remarks by the number of the attempt.
        """
        shown = self.trace if trace is None else trace
        rows = shown.table().splitlines()
        for place, attempt in enumerate(shown):
            if marks and attempt.number in marks:
                rows[place] += f"   <- {marks[attempt.number]}"
        return tuple(rows) or ("no attempt reached the server",)
