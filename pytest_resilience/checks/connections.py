"""Connections: given back, closed, and dispensable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Observation
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["Held", "given_back", "given_up", "stale"]


@dataclass(frozen=True, slots=True)
class Held:
    """What a client held after several calls that met a failure each."""

    counts: Sequence[int]
    """How many connections were open after each call, garbage collected."""
    responses: int
    """How many responses more were open and not read after some of these calls."""
    exhausted: str
    """How a call ended that found no connection; empty when there was none."""
    warnings: Sequence[str]
    """What Python said of things that were thrown away and not closed."""

    @property
    def grew(self) -> bool:
        """Whether each call has left one more."""
        return len(self.counts) > 2 and self.counts[-1] - self.counts[0] >= len(self.counts) - 2


def given_back(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Calls that failed, one after the other, hold no more connections than one of them."""
    held = cast("Held", seen.facts["held"])
    calls = len(seen.calls)
    if held.exhausted:
        sentence = f"after {calls} calls it got no connection any more: {held.exhausted}"
        yield Finding("pool-exhausted", sentence, seen.evidence()[-8:])
    left = f"{held.counts[-1]} connections were open after {len(held.counts)} calls"
    said = tuple(dict.fromkeys(held.warnings))
    if not (held.grew or held.exhausted or said):
        return  # A pool may hold as many as there were calls at once before.
    if held.responses > 1 or any("response" in line.lower() for line in said):
        sentence = f"{left}, with responses that nobody has read or closed"
        yield Finding("response-not-closed", sentence, (*seen.evidence()[-8:], *said))
    elif not held.exhausted:
        yield Finding("connection-leaked", left, (*seen.evidence()[-8:], *said))


def given_up(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """The same of calls that waited in vain; what the collector closes is closed."""
    held = seen.facts.get("held")
    if isinstance(held, Held):
        facts = {"held": replace(held, warnings=())}
        yield from given_back(replace(seen, facts=facts), policy)


def stale(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A kept connection that the server has closed meanwhile costs a retry, not the call."""
    met = [a for a in seen.call.trace if a.fault == "stale_connection"]
    if met and seen.call.error is not None and len(seen.call.trace) == len(met):
        sentence = "a kept connection was closed by the server, and the call failed"
        marks = {attempt.number: "on a kept connection" for attempt in met}
        yield Finding("stale-connection-not-retried", sentence, seen.evidence(marks=marks))
