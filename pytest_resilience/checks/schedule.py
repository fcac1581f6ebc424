"""The waits between attempts, against those that the policy claims."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from pytest_resilience.checks.attempts import out_of_time
from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.given_up import as_given_up, without_resent
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.checks.words import SLACK_NS, came_after, count, nanoseconds, wanted, within
from pytest_resilience.policy.backoff import Backoff, Range
from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.records import Trace

__all__ = ["first_wrong", "forgotten", "kept", "of_each_thread"]

SECOND = 1_000_000_000


def kept(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Each wait is the one that is claimed, when none of them is a matter of chance."""
    call = as_given_up(seen.call, policy)
    if not isinstance(policy.backoff, Backoff) or policy.is_random:
        return
    place = first_wrong(call, policy)
    if place is not None and policy.resends is not False:
        # What is sent again by itself is no wait of the client's, who does wait now and then.
        own = without_resent(call)
        own_place = first_wrong(own, policy)
        if own_place is None or any(own.waits_ns):
            call, place = own, own_place
    if place is not None:
        kind = _kind_of(_counted(call, policy), policy.backoff)
        yield _finding(kind, seen, policy, call, place)


def forgotten(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A later outage is waited through like the first, which may have been that of a scenario."""
    alone = seen.facts.get("first")
    first = alone if isinstance(alone, Call) else seen.calls[0]
    for later in seen.calls:
        found = list(_given_up_early(seen, policy, first, later))
        if found:
            yield from found
            return
    by_chance = not policy.is_exact and (
        first_wrong(first, policy) is not None or not _mostly_too_long(seen.calls, policy)
    )
    if by_chance:
        return  # Chance is out of bounds now and then; what is kept never was, and mostly is.
    for later in seen.calls:
        found = list(_carried_over(seen, policy, first, later))
        if found:
            yield from found
            return


def _given_up_early(
    seen: Observation, policy: RetryPolicy, first: Call, later: Call
) -> Iterator[Finding]:
    """Who gives up sooner than he did in the first outage has gone on counting."""
    limit, came = policy.limit, len(later.tries)
    if limit is None or later.error is None or not 0 < came < min(limit, len(first.tries)):
        return
    if later.tries[-1].failed and not out_of_time(later, policy):
        sentence = f"in a later call, it gave up after {count(came)}, wanted {limit}"
        yield Finding("backoff-kept-between-calls", sentence, seen.evidence(later.trace))


def _mostly_too_long(calls: Sequence[Call], policy: RetryPolicy) -> bool:
    """Whether three of four waits are longer than any that is claimed, but for the first call's."""
    longer: list[bool] = []
    for call in calls[1:]:
        waits = _counted(call, policy)
        before = [None, *(wait / SECOND for wait in waits)]
        bounds = [policy.wait_range(n + 1, before[n]) for n in range(len(waits))]
        longer += [
            wait > nanoseconds(at_most[1]) + SLACK_NS
            for wait, at_most in zip(waits, bounds, strict=True)
            if at_most is not None
        ]
    return 4 * sum(longer) >= 3 * len(longer)


def _carried_over(
    seen: Observation, policy: RetryPolicy, first: Call, second: Call
) -> Iterator[Finding]:
    place, before = first_wrong(second, policy), first_wrong(first, policy)
    if place is None or (before is not None and before <= place):
        return  # What was wrong from the first has not been kept.
    found = _finding("backoff-kept-between-calls", seen, policy, second, place)
    yield replace(found, sentence=f"in a later call, {found.sentence}")


def of_each_thread(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Several calls at once try when one alone did, which met the same outage before them.

    Attempts may take their time, and a client may give up too early, alone or not: neither is
    a matter of threads.
    """
    alone, *several = seen.calls
    trace = several[-1].trace
    paths = {(attempt.method, attempt.path) for attempt in trace}
    if not alone.tries or first_wrong(alone, policy) is not None or len(paths) != 1:
        return
    retries = int(seen.number("retries"))
    wanted_at = [attempt.started_ns - alone.tries[0].started_ns for attempt in alone.tries]
    moments = wanted_at[: retries + 1]
    if len(moments) > 1 and moments[-1] == moments[-2]:
        return  # Whose turn it was cannot be told from attempts at one moment.
    if _each_on_its_own(trace, wanted_at, callers=len(several), retries=retries):
        return
    came = [attempt.started_ns - trace[0].started_ns for attempt in trace]
    expected = Counter(map(_rounded, wanted_at * len(several)))
    odd = Counter(map(_rounded, came)) - expected
    marks = {
        attempt.number: "nobody's turn"
        for attempt, moment in zip(trace, came, strict=True)
        if _rounded(moment) in odd
    }
    times = ", ".join(f"{moment / SECOND:g}" for moment in moments)
    sentence = f"{len(several)} calls at once did not each try at {times} s, as one alone does"
    yield Finding("backoff-shared-between-threads", sentence, seen.evidence(trace, marks=marks))


def first_wrong(call: Call, policy: RetryPolicy) -> int | None:
    """Which wait is the first that is not as claimed; None when all are."""
    waits = _counted(call, policy)
    for place, wait in enumerate(waits):
        before = waits[place - 1] / SECOND if place else None
        bounds = policy.wait_range(place + 1, before)
        if bounds is not None and not within(wait, bounds) and not _cut(call, place, wait, policy):
            return place
    return None


def _counted(call: Call, policy: RetryPolicy) -> list[int]:
    """The waits up to the last attempt that it claims: what is beyond is too many anyway."""
    waits = call.waits_ns
    return waits if policy.limit is None else waits[: policy.limit - 1]


def _cut(call: Call, place: int, wait: int, policy: RetryPolicy) -> bool:
    """Whether a wait was shortened to end at the deadline."""
    if policy.deadline is None:
        return False
    at = call.tries[place + 1].started_ns - call.started_ns
    return abs(at - nanoseconds(policy.deadline)) <= SLACK_NS


def _range(policy: RetryPolicy, retry: int, before: float | None = None) -> Range:
    return policy.wait_range(retry, before) or (0.0, math.inf)


def _finding(code: str, seen: Observation, policy: RetryPolicy, call: Call, place: int) -> Finding:
    tries, wait = call.tries, call.waits_ns[place]
    bounds = _range(policy, place + 1, call.waits[place - 1] if place else None)
    later = tries[place + 1]
    came = came_after(later, tries[place], wait)
    nearest = min(max(wait, nanoseconds(bounds[0])), nanoseconds(bounds[1]))
    off = wait - nearest
    mark = f"too {'late' if off > 0 else 'early'} by {abs(off) / SECOND:.3f} s"
    evidence = seen.evidence(call.trace, marks={later.number: mark})
    return Finding(code, f"{came}, wanted {wanted(bounds)}", evidence)


def _kind_of(waits: Sequence[int], backoff: Backoff) -> str:
    """Which of the usual mistakes this is."""
    claimed = [backoff.range(retry) for retry in range(1, len(waits) + 2)]
    if backoff.waits is not None and len(claimed) > len(backoff.waits):
        claimed[-1] = _next(claimed[:-1])
    grows = claimed[0][0] != claimed[-1][0]
    if _breaks_cap(waits, claimed, backoff) or _breaks_last(waits, claimed, backoff):
        return "cap-ignored"
    if len(waits) < 2 or not grows:
        return "wrong-schedule"
    return _shape_of(waits, claimed)


def _shape_of(waits: Sequence[int], claimed: Sequence[Range]) -> str:
    if len({_rounded(wait) for wait in waits}) == 1:
        return "constant-backoff"
    # What follows a list of waits may be more of its last one, when that is a cap.
    if _is_shifted(waits, claimed) or _is_shifted(waits, [*claimed[:-1], claimed[-2]]):
        return "off-by-one-schedule"
    steps = {_rounded(after - before) for before, after in pairwise(waits)}
    # urllib3 alone makes no first wait of a schedule that grows by a factor.
    skips_one = not waits[0] and all(map(within, waits[1:], claimed[1:]))
    linear = len(waits) > 2 and len(steps) == 1 and min(steps) > 0 and not skips_one
    return "linear-backoff" if linear else "wrong-schedule"


def _next(claimed: Sequence[Range]) -> Range:
    """What would follow a list of waits, if it went on as it began."""
    if len(claimed) < 2 or not claimed[-2][0] or not claimed[-2][1]:
        return claimed[-1]
    (low, high), (last_low, last_high) = claimed[-2:]
    return last_low * last_low / low, last_high * last_high / high


def _breaks_cap(waits: Sequence[int], claimed: Sequence[Range], backoff: Backoff) -> bool:
    """Whether all is right until the cap is reached, and goes on growing there."""
    plateau = backoff.cap
    if plateau is None and len(claimed) > 3 and claimed[-2] == claimed[-3] != claimed[0]:
        plateau = claimed[-2][1]
    if plateau is None:
        return False
    wrong = [place for place, wait in enumerate(waits) if not within(wait, claimed[place])]
    return all(
        claimed[place][1] >= plateau and waits[place] > nanoseconds(plateau) for place in wrong
    )


def _breaks_last(waits: Sequence[int], claimed: Sequence[Range], backoff: Backoff) -> bool:
    """Whether a list ends with a wait that is cut, and what came grew as those before."""
    if backoff.waits is None or len(backoff.waits) < 3 or len(waits) != len(backoff.waits):
        return False
    grown = _next(claimed[:-2])
    is_cut = claimed[-2][1] < grown[0]
    begins_right = all(map(within, waits[:-1], claimed))
    return is_cut and begins_right and within(waits[-1], grown)


def _is_shifted(waits: Sequence[int], claimed: Sequence[Range]) -> bool:
    """Whether it is the claimed schedule, begun one wait too late or too early."""
    late = all(within(wait, bounds) for wait, bounds in zip(waits[1:], claimed, strict=False))
    early = all(within(wait, bounds) for wait, bounds in zip(waits, claimed[1:], strict=False))
    return late or early


def _each_on_its_own(trace: Trace, wanted_at: Sequence[int], *, callers: int, retries: int) -> bool:
    """Whether these are the schedules of so many callers, each from its own beginning.

    A client may let its callers begin one after the other, and then the first of them meet
    most of the outage; or let one of them ask for all.
    """
    left = sorted(trace, key=lambda attempt: attempt.started_ns)
    for _ in range(callers):
        if not left:
            break
        last = left[0]
        began = last.started_ns
        for place, at in enumerate(wanted_at):
            due = [one for one in left if abs(one.started_ns - began - at) <= SLACK_NS]
            if not due and last.failed and place <= retries:
                return False
            if not due:
                break
            last = due[0]
            left.remove(last)
    return not left


def _rounded(moment: int) -> int:
    """In microseconds: floating point makes no two moments of one."""
    return round(moment / 1_000)
