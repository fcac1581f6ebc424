"""How long one attempt may take, and how long a call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate

from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.checks.words import SLACK_NS, nanoseconds
from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.records import Attempt, Trace

__all__ = ["answered_in_time", "bounds_of", "budget", "deadline", "silence"]

SECOND = 1_000_000_000


def silence(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A server that says nothing is given up when the claimed time is over."""
    hold = seen.number("hold")
    failed = _with_ends(seen.call)
    if not failed:
        return
    held = next((a for a in failed if _lasted(a) >= nanoseconds(hold) - SLACK_NS), None)
    if held is not None:
        yield _for_ever(seen, held)
        return
    bounds = bounds_of(policy, is_async=bool(seen.facts.get("is_async")))
    if bounds is None:
        return
    for attempt in failed:
        lasted = _lasted(attempt)
        late = lasted > bounds[1] + SLACK_NS and not _kept_until_the_next(attempt, seen.call.tries)
        if late or lasted < bounds[0] - SLACK_NS:
            claimed = policy.timeout or policy.total_timeout
            sentence = (
                f"attempt {attempt.number} was given up after {lasted / SECOND:.3f} s, "
                f"wanted {claimed:.3f} s"
            )
            yield Finding("wrong-timeout", sentence, seen.evidence(seen.call.trace))
            return


def _with_ends(call: Call) -> list[Attempt]:
    """Attempts that failed; one whose connection nobody has closed ends with what came next."""
    tries = list(call.tries)
    nexts = [*(later.started_ns for later in tries[1:]), call.ended_ns]  # Without tries one more.
    return [
        replace(attempt, ended_ns=after) if attempt.ended_ns is None else attempt
        for attempt, after in zip(tries, nexts, strict=False)
        if attempt.failed
    ]


def _kept_until_the_next(attempt: Attempt, tries: Trace) -> bool:
    """Whether its connection was closed only when it was tried again.

    Then its length may have the wait in it: urllib3's Retry sleeps before it closes
    (urllib3/connectionpool.py, urlopen: retries.sleep() comes before conn.close()). The last
    attempt, behind which nobody waits, tells the timeout exactly.
    """
    later = next((one for one in tries if one.number > attempt.number), None)
    if later is None or attempt.ended_ns is None:
        return False
    return later.started_ns - attempt.ended_ns <= SLACK_NS


def _for_ever(seen: Observation, held: Attempt) -> Finding:
    when = (
        f"attempt {held.number} was still waiting after {_lasted(held) / SECOND:.0f} silent seconds"
    )
    marks = {held.number: "not given up"}
    evidence = seen.evidence(seen.call.trace, marks=marks)
    if seen.facts.get("connect_timeout"):
        return Finding("only-connect-timeout", f"{when}, though connecting has a timeout", evidence)
    return Finding("no-timeout", when, evidence)


def bounds_of(policy: RetryPolicy, *, is_async: bool) -> tuple[int, int] | None:
    """How short and how long an attempt may be; None when nothing is claimed."""
    claimed = [seconds for seconds in (policy.timeout, policy.total_timeout) if seconds]
    if not claimed:
        return None
    low = high = nanoseconds(min(claimed))
    if policy.deadline is not None or policy.timeout is None:
        low = 0  # What is left of the time may be less.
    if is_async and min(claimed) >= 5:
        # aiohttp ends timeouts from 5 s on at a whole second (aiohttp/helpers.py, ceil_timeout).
        high += SECOND
    return low, high


def answered_in_time(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """An attempt ends in time, however steadily bytes drip.

    Who looks at the clock whenever a piece has come, as a client of threads must, learns of
    the time with the next byte.
    """
    claimed = policy.total_timeout
    if claimed is None:
        return
    slack = SECOND if seen.facts.get("is_async") and claimed >= 5 else 0
    slack = max(slack, nanoseconds(seen.number("step")))
    for attempt in seen.call.trace:
        if _lasted(attempt) > nanoseconds(claimed) + slack + SLACK_NS:
            sentence = (
                f"attempt {attempt.number} went on for {_lasted(attempt) / SECOND:.3f} s while a "
                f"byte came every {seen.facts['step']:g} s, wanted {claimed:.3f} s at most"
            )
            marks = {attempt.number: "not given up"}
            evidence = seen.evidence(seen.call.trace, marks=marks)
            yield Finding("no-total-timeout", sentence, evidence)
            return


def budget(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """All waits of a call together are not longer than it claims."""
    call, claimed = seen.call, policy.budget
    if claimed is None:
        return
    for place, spent in enumerate(accumulate(call.waits_ns), 1):
        if spent > nanoseconds(claimed) + place * SLACK_NS:
            over = call.tries[place]
            waited = f"{spent / SECOND:.3f} s"
            sentence = (
                f"it had waited for {waited} in all when attempt {over.number} came, "
                f"wanted {claimed:g} s at most"
            )
            rest = sum(attempt.number <= over.number for attempt in call.trace)
            marks = {over.number: f"{waited} of waits"}
            evidence = seen.evidence(call.trace[:rest], marks=marks)
            yield Finding("budget-overrun", sentence, evidence)
            return


def deadline(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Nothing begins after the deadline, and nothing is waited for that ends after it."""
    call, claimed = seen.call, policy.deadline
    if claimed is None or call.ended_ns is None:
        return
    ends = call.started_ns + nanoseconds(claimed) + SLACK_NS
    late = next((attempt for attempt in call.trace if attempt.started_ns > ends), None)
    if late is not None:
        after = (late.started_ns - call.started_ns) / SECOND
        began = f"attempt {late.number} began {after:.3f} s after the call"
        sentence = f"{began}, wanted {claimed:g} s at most"
        marks = {late.number: "after the deadline"}
        yield Finding("deadline-overrun", sentence, seen.evidence(call.trace, marks=marks))
    elif call.trace and call.ended_ns > ends + _granted(seen, policy):
        took = (call.ended_ns - call.started_ns) / SECOND
        sentence = f"the call took {took:.3f} s, wanted {claimed:g} s at most"
        yield Finding("deadline-overrun", sentence, seen.evidence(call.trace))


def _granted(seen: Observation, policy: RetryPolicy) -> int:
    """How long an attempt may go on after the deadline that it was begun before.

    Most libraries look at the clock between attempts: tenacity, stamina, backoff and
    google-api-core end a call one timeout too late at the worst. But no attempt has longer
    than its own timeout, or than all of them together.
    """
    longest = max(_lasted(attempt) for attempt in seen.call.trace)
    if seen.call.tail_ns > SLACK_NS or longest > nanoseconds(policy.deadline or 0) + SLACK_NS:
        return 0
    bounds = bounds_of(policy, is_async=bool(seen.facts.get("is_async")))
    return longest if bounds is None else min(longest, bounds[1])


def _lasted(attempt: Attempt) -> int:
    return 0 if attempt.ended_ns is None else attempt.ended_ns - attempt.started_ns
