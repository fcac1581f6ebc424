"""Waits that are a matter of chance: within bounds, growing, and not the same for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.checks.words import came_after, nanoseconds, wanted, within
from pytest_resilience.policy.backoff import Backoff, Range
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["drawn", "spread"]

SECOND = 1_000_000_000


def drawn(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Many outages, one after the other: chance is at work, and keeps within its bounds."""
    calls = [call for call in seen.calls if call.waits_ns]
    if not calls:
        return
    if seed := seen.facts.get("seed"):
        sentence = f"{seed}, so each process draws the same waits"
        yield Finding("jitter-same-in-every-process", sentence, seen.evidence(calls[0].trace))
    same = _always_the_same(seen, calls, policy)
    growth = None if same else _not_growing(seen, calls, policy)
    bounds = None if growth else _out_of_bounds(seen, calls, policy)
    yield from (finding for finding in (same, growth, bounds) if finding is not None)


def spread(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Many calls at once, one outage: they do not come back all at the same moment."""
    firsts = Counter((attempt.method, attempt.path) for attempt in seen.trace)
    if not seen.calls or not firsts:
        return
    method, path = firsts.most_common(1)[0][0]
    back = seen.trace.to(method, path)[len(seen.calls) :]
    moments = Counter(attempt.started_ns for attempt in back[: len(seen.calls)])
    if not moments:
        return
    at, together = moments.most_common(1)[0]
    bounds = policy.wait_range(1)
    exact = bounds is not None and bounds[0] == bounds[1]
    if exact or together < 3 or together < len(seen.calls) // 2:
        return
    sentence = (
        f"{together} of {len(seen.calls)} clients that met the same outage came back "
        f"at the same moment, t={at / SECOND:.3f}"
    )
    yield Finding("herd", sentence, seen.evidence())


def _ranges(call: Call, policy: RetryPolicy) -> list[Range]:
    waits = call.waits[: None if policy.limit is None else policy.limit - 1]
    before = [None, *waits]
    found = [policy.wait_range(n + 1, before[n]) for n in range(len(waits))]
    return [bounds for bounds in found if bounds is not None]


def _always_the_same(
    seen: Observation, calls: Sequence[Call], policy: RetryPolicy
) -> Finding | None:
    first = calls[0].waits_ns
    ranges = _ranges(calls[0], policy)
    if any(call.waits_ns != first for call in calls) or len(calls) < 3:
        return None
    inside = all(within(wait, bounds) for wait, bounds in zip(first, ranges, strict=False))
    if all(low == high for low, high in ranges) or not inside:
        return None
    if not policy.is_random and not any(low == 0 for low, _ in ranges):
        return None  # Bounds say where a wait lies, not that it is a matter of chance.
    shown = ", ".join(f"{wait / SECOND:.3f}" for wait in first)
    sentence = f"the waits of {len(calls)} calls were all the same: {shown} s"
    # Where each wait lies in its range tells a plain schedule from dice with a constant seed.
    shares = {
        round((wait / SECOND - low) / (high - low), 6)
        for wait, (low, high) in zip(first, ranges, strict=False)
        if high > low
    }
    dice = len(shares) > 1 and all(0 <= share <= 1 for share in shares) and not _is_round(first)
    code = "jitter-same-in-every-process" if dice else "jitter-missing"
    return Finding(code, sentence, seen.evidence(calls[0].trace))


def _is_round(waits: Sequence[int]) -> bool:
    """Whether these are numbers that a person has written, to the millisecond."""
    return all(wait % 1_000_000 == 0 for wait in waits)


def _not_growing(seen: Observation, calls: Sequence[Call], policy: RetryPolicy) -> Finding | None:
    longest = max(calls, key=lambda call: len(call.waits_ns))
    ranges = _ranges(longest, policy)
    if len(ranges) < 2 or len(calls) < 12 or ranges[-1][1] < 2 * ranges[0][1]:
        return None
    if getattr(policy.jitter, "kind", "") == "decorrelated":
        return None  # Its waits may well stay short.
    later = [call.waits_ns[len(ranges) - 1] for call in calls if len(call.waits_ns) >= len(ranges)]
    if max(later) > nanoseconds(ranges[0][1]):
        return None
    sentence = (
        f"wait {len(ranges)} of {len(later)} calls was never longer than "
        f"{max(later) / SECOND:.3f} s, where up to {ranges[-1][1]:.3f} s are claimed"
    )
    return Finding("jitter-not-growing", sentence, seen.evidence(longest.trace))


def _out_of_bounds(seen: Observation, calls: Sequence[Call], policy: RetryPolicy) -> Finding | None:
    for call in calls:
        for place, bounds in enumerate(_ranges(call, policy)):
            wait, tries = call.waits_ns[place], call.tries
            if not within(wait, bounds):
                came = came_after(tries[place + 1], tries[place], wait)
                code = "jitter-out-of-bounds"
                if _would_be_right_without_cap(policy, place, call.waits):
                    code = "cap-ignored"
                marks = {tries[place + 1].number: "out of bounds"}
                sentence = f"{came}, wanted {wanted(bounds)}"
                evidence = seen.evidence(call.trace, marks=marks)
                return Finding(code, sentence, evidence)
    return None


def _would_be_right_without_cap(policy: RetryPolicy, place: int, waits: Sequence[float]) -> bool:
    if not isinstance(policy.backoff, Backoff) or policy.backoff.cap is None:
        return False
    endless = replace(policy, backoff=replace(policy.backoff, cap=None))
    bounds = endless.wait_range(place + 1, waits[place - 1] if place else None)
    return bounds is not None and within(nanoseconds(waits[place]), bounds)
