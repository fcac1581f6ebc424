"""Event loops: whether they go on while a client sleeps and waits for the network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Observation
from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.records import Attempt

__all__ = ["awaited", "not_blocked"]

SECOND = 1_000_000_000
SLEEP = re.compile(
    r"coroutine '([\w.<>]*\.)?\w*(sleep|wait|pause|delay|backoff)\w*' was never", re.IGNORECASE
)


def not_blocked(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """While it waited, other tasks of the loop had their turn."""
    stops = seen.facts["stops"]
    if policy.never_blocks is False or not isinstance(stops, Sequence):
        return
    for code, during in (("blocking-io", True), ("blocking-sleep", False)):
        mine = [stop for stop in stops if _in_flight(stop, seen.trace) is during]
        if mine:
            began, ended = mine[0]
            doing = "waited for the network" if during else "slept"
            sentence = (
                f"the event loop stood still for {(ended - began) / SECOND:.3f} s "
                f"from t={began / SECOND:.3f}, while it {doing}"
            )
            yield Finding(code, sentence, seen.evidence())
    for what in _noted("blocked_by", seen)[:1]:
        sentence = f"the event loop stood still, while it waited for {what}"
        yield Finding("blocking-io", sentence, seen.evidence())


def _in_flight(stop: tuple[int, int], attempts: Sequence[Attempt]) -> bool:
    """Whether it stood still for the most part while a request was under way."""
    began, ended = stop
    under_way = sum(
        max(0, min(ended, ended if a.ended_ns is None else a.ended_ns) - max(began, a.started_ns))
        for a in attempts
    )
    return 2 * under_way > ended - began


def awaited(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Python warns of a coroutine that nobody awaited."""
    forgotten = [line.splitlines()[0] for line in _noted("warnings", seen) if SLEEP.search(line)]
    forgotten += [f"coroutine '{name}' was never awaited" for name in _noted("forgotten", seen)]
    if seen.number("alone"):
        forgotten.append("nobody awaited the task of a sleep")
    if forgotten:
        sentence = f"it did not wait: {forgotten[0]}"
        yield Finding("sleep-not-awaited", sentence, seen.evidence())


def _noted(fact: str, seen: Observation) -> list[str]:
    texts = seen.facts.get(fact, ())
    return [str(text) for text in texts] if isinstance(texts, Sequence) else []
