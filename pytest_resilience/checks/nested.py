"""Whether attempts are the product of two retries, one around the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Observation
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["multiplied"]


def multiplied(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """More attempts than claimed, in rounds that begin again like the first one."""
    count, limit = len(seen.call.tries), policy.limit
    if limit is None or count <= limit:
        return
    size = _round(seen.call.waits_ns, count, limit)
    if size:
        rounds = count // size
        sentence = f"it made {count} attempts, {rounds} times {size}, wanted {limit}"
        starts = {
            attempt.number: f"round {place // size + 1}"
            for place, attempt in enumerate(seen.call.tries)
            if place % size == 0
        }
        yield Finding("nested-retries", sentence, seen.evidence(marks=starts))


def _round(waits: Sequence[int], count: int, limit: int) -> int:
    """How many attempts there are in a round; 0 when they come in none."""
    for size in range(2, count // 2 + 1):
        if count % size == 0 and limit in (size, count // size) and _alike(waits, size):
            return size
    # Random waits repeat nothing, but a product of the number that is claimed tells.
    return limit if count == limit * limit and limit > 1 else 0


def _alike(waits: Sequence[int], size: int) -> bool:
    """Whether each round has the waits of the first, and its own wait before it differs."""
    rounds = [waits[start : start + size - 1] for start in range(0, len(waits), size)]
    between = waits[size - 1 :: size]
    return all(one == rounds[0] for one in rounds) and any(
        wait not in rounds[0] for wait in between
    )
