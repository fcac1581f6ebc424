"""Waits that are a matter of chance: within bounds, growing, and not the same for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.given_up import as_given_up
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.checks.words import SLACK_NS, came_after, nanoseconds, wanted, within
from pytest_resilience.policy.backoff import Backoff, Jitter, Range
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["CALLS", "drawn", "not_too_long", "spread"]

SECOND = 1_000_000_000

CALLS = 64
"""As many outages tell chance from a habit: what follows is only said of so many draws.

A client that draws evenly, or whole seconds only, is accused once in 10**16 runs: in each of five
places all draws are the same with a probability of 2**-63 at most, and within some half of their
bounds with one of 64 * 2**-63; and the last wait never exceeds the bound of the first, when that is
half of its own, with one of 2**-64. Who never draws less than a tenth of a wait, as some do, is
accused once in 10**13 runs.
"""


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
    sham = None if same or growth or bounds else _hardly_random(seen, calls, policy)
    yield from (finding for finding in (same, growth, bounds, sham) if finding is not None)


def not_too_long(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """One outage that is as long as it tries: its last waits, which few retries do not reach.

    Too short may be what a deadline has cut.
    """
    call = as_given_up(seen.call, policy)
    bounds = _ranges(call, policy) if policy.is_random else []
    for place, (_, longest) in enumerate(bounds):
        if call.waits_ns[place] > nanoseconds(longest) + SLACK_NS:
            yield _beyond(seen, call, place, policy)
            return


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
    if any(call.waits_ns != first for call in calls) or len(calls) < CALLS:
        return None
    inside = all(within(wait, bounds) for wait, bounds in zip(first, ranges, strict=False))
    if all(low == high for low, high in ranges) or not inside:
        return None
    if not _are_chance(policy, ranges):
        return None
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


def _are_chance(policy: RetryPolicy, ranges: Sequence[Range]) -> bool:
    """Bounds alone say where a wait lies, and not that it is a matter of chance."""
    return policy.is_random or any(low == 0 for low, _ in ranges)


def _is_round(waits: Sequence[int]) -> bool:
    """Whether these are numbers that a person has written, to the millisecond."""
    return all(wait % 1_000_000 == 0 for wait in waits)


def _hardly_random(seen: Observation, calls: Sequence[Call], policy: RetryPolicy) -> Finding | None:
    """Each wait by itself: only the first may be drawn, or all of them within a hair."""
    # Who adds to a wait, or takes from it, in place of both, may call that proportional, too.
    wide = 0.25 if getattr(policy.jitter, "kind", "") == "proportional" else 0.5
    for place in range(max(len(call.waits_ns) for call in calls)):
        bounds = [_bounds_of_chance(call, policy, place) for call in calls]
        drawn = [
            (call.waits_ns[place], low, high)
            for call, (low, high) in zip(calls, bounds, strict=True)
            if high > low
        ]
        if len(drawn) < CALLS:
            continue
        waits = [wait for wait, _, _ in drawn]
        shares = [(wait / SECOND - low) / (high - low) for wait, low, high in drawn]
        spread = max(shares) - min(shares)
        if max(waits) - min(waits) <= SLACK_NS:
            what = f"was always the same: {waits[0] / SECOND:.3f} s"
        elif spread < wide:
            what = f"always lay within the same {spread:.0%} of its bounds"
        else:
            continue
        sentence = f"wait {place + 1} of {len(drawn)} calls {what}"
        return Finding("jitter-missing", sentence, seen.evidence(calls[0].trace))
    return None


def _bounds_of_chance(call: Call, policy: RetryPolicy, place: int) -> Range:
    """Between which a wait is drawn evenly; one moment twice where that cannot be told.

    Many draw first, and then cut what was drawn at the cap, at the least, or at the end of all
    time: waits that are cut may well be the same. What is claimed to come at once may do so, and
    what is drawn within a millisecond may be rounded.
    """
    backoff, chance, ranges = policy.backoff, policy.jitter, _ranges(call, policy)
    if not isinstance(backoff, Backoff) or not isinstance(chance, Jitter) or len(ranges) <= place:
        return 0.0, 0.0
    shortest, longest = backoff.range(place + 1)
    low, high = ranges[place]
    endless, before = replace(backoff, cap=None), call.waits[place - 1] if place else None
    uncut = replace(chance, least=0).range(endless.range(place + 1), backoff=endless, before=before)
    is_cut = uncut != (low, high) or high > (backoff.cap or high)
    is_even = 0 < shortest == longest and high - low > 0.001
    if is_cut or not is_even or _may_be_cut_short(call, policy, place):
        return 0.0, 0.0
    return low, high


def _may_be_cut_short(call: Call, policy: RetryPolicy, place: int) -> bool:
    """Whether a deadline or a budget may come before the end of the longest waits up to here."""
    over = call.tries[place].ended_ns or 0
    on_attempts = (over - call.started_ns) / SECOND - sum(call.waits[:place])
    at_most = sum(high for _, high in _ranges(call, policy)[: place + 1]) + on_attempts
    ends = [end for end in (policy.deadline, policy.budget) if end is not None]
    return at_most > min(ends, default=at_most)


def _not_growing(seen: Observation, calls: Sequence[Call], policy: RetryPolicy) -> Finding | None:
    longest = max(calls, key=lambda call: len(call.waits_ns))
    ranges = _ranges(longest, policy)
    if len(ranges) < 2 or not _are_chance(policy, ranges) or ranges[-1][1] < 2 * ranges[0][1]:
        return None
    if getattr(policy.jitter, "kind", "") == "decorrelated":
        return None  # Its waits may well stay short.
    if _may_be_cut_short(longest, policy, len(ranges) - 1):
        return None
    later = [call.waits_ns[len(ranges) - 1] for call in calls if len(call.waits_ns) >= len(ranges)]
    if len(later) < CALLS or max(later) > nanoseconds(ranges[0][1]):
        return None
    sentence = (
        f"wait {len(ranges)} of {len(later)} calls was never longer than "
        f"{max(later) / SECOND:.3f} s, where up to {ranges[-1][1]:.3f} s are claimed"
    )
    return Finding("jitter-not-growing", sentence, seen.evidence(longest.trace))


def _out_of_bounds(seen: Observation, calls: Sequence[Call], policy: RetryPolicy) -> Finding | None:
    for call in calls:
        for place, bounds in enumerate(_ranges(call, policy)):
            if not within(call.waits_ns[place], bounds):
                return _beyond(seen, call, place, policy)
    return None


def _beyond(seen: Observation, call: Call, place: int, policy: RetryPolicy) -> Finding:
    wait, later = call.waits_ns[place], call.tries[place + 1]
    code = "jitter-out-of-bounds"
    if _would_be_right_without_cap(policy, place, call.waits):
        code = "cap-ignored"
    came = came_after(later, call.tries[place], wait)
    sentence = f"{came}, wanted {wanted(_ranges(call, policy)[place])}"
    marks = {later.number: "out of bounds"}
    return Finding(code, sentence, seen.evidence(call.trace, marks=marks))


def _would_be_right_without_cap(policy: RetryPolicy, place: int, waits: Sequence[float]) -> bool:
    if not isinstance(policy.backoff, Backoff) or policy.backoff.cap is None:
        return False
    endless = replace(policy, backoff=replace(policy.backoff, cap=None))
    bounds = endless.wait_range(place + 1, waits[place - 1] if place else None)
    return bounds is not None and within(nanoseconds(waits[place]), bounds)
