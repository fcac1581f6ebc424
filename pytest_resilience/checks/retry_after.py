"""Retry-After: honoured in every form, within bounds, and forgotten afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Observation
from pytest_resilience.checks.words import SLACK_NS, came_after, kind, nanoseconds, wanted, within
from pytest_resilience.policy.backoff import Backoff, Jitter, Range
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["bounded", "forgotten", "honoured", "survived", "zero"]

SECOND = 1_000_000_000
STRAY = (
    "ArithmeticError",
    "AttributeError",
    "IndexError",
    "KeyError",
    "OverflowError",
    "TypeError",
    "UnboundLocalError",
    "ValueError",
)
"""Builtin exceptions that only a parser's mistake lets out."""


def honoured(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """The wait is what the answer asked for."""
    call, said = seen.call, seen.number("said")
    crashed = list(survived(seen, policy))
    if crashed or call.never_returned:
        yield from crashed
        return
    if not call.waits_ns:
        sentence = f"an answer with Retry-After: {seen.facts['text']} was not tried again"
        yield Finding("status-not-retried", sentence, seen.evidence(call.trace))
        return
    wait = call.waits_ns[0]
    least = said - 1 if seen.facts.get("date") else said  # A date has whole seconds.
    if within(wait, (least, said + _jitter(policy, said))):
        return
    came = came_after(call.tries[1], call.tries[0], wait)
    sentence = f"{came}, wanted {said:.3f} s (Retry-After: {seen.facts['text']}{_hint(wait, said)})"
    marks = {call.tries[1].number: "too early" if wait < nanoseconds(said) else "too late"}
    code = "retry-after-ignored" if _is_ignored(wait, seen, policy) else "retry-after-misread"
    yield Finding(code, sentence, seen.evidence(call.trace, marks=marks))


def _is_ignored(wait: int, seen: Observation, policy: RetryPolicy) -> bool:
    """Whether the wait has nothing to do with what the answer asked for."""
    said, schedule = seen.number("said"), policy.wait_range(1)
    if wait == 0:
        return not seen.facts.get("date")
    if schedule is not None:
        return within(wait, schedule)
    # Nobody has said how it waits else. A date that it cannot read is misread.
    shorter = [said / unit for unit in (1000, 60)]
    misread = any(within(wait, (one, one)) for one in shorter)
    return not seen.facts.get("date") and wait < nanoseconds(said) and not misread


def zero(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """No wait, or the usual one: an answer that says "now" allows both."""
    call, schedule = seen.call, policy.wait_range(1)
    crashed = list(survived(seen, policy))
    yield from crashed
    if crashed or not call.waits_ns or schedule is None:
        return
    wait = call.waits_ns[0]
    if not within(wait, (0.0, max(1.0, schedule[1]))):
        came = came_after(call.tries[1], call.tries[0], wait)
        sentence = f"{came} (Retry-After: {seen.facts['text']})"
        yield Finding("retry-after-misread", sentence, seen.evidence(call.trace))


def survived(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A value that cannot be read is no reason for a stray exception."""
    call = seen.call
    error, text = call.error, seen.facts["text"]
    if error is not None and type(error).__module__ == "builtins" and kind(error) in STRAY:
        sentence = f"Retry-After: {text} ended the call with a {kind(error)}"
        yield Finding("retry-after-crash", sentence, seen.evidence(call.trace))
        return
    if policy.unreadable_retry_after is None or not seen.facts.get("unreadable"):
        return
    again, schedule = bool(call.waits_ns), policy.wait_range(1)
    if policy.unreadable_retry_after == "raise" and again:
        sentence = f"Retry-After: {text} was tried again, wanted an error"
        yield Finding("retry-after-misread", sentence, seen.evidence(call.trace))
    elif policy.unreadable_retry_after == "backoff":
        if not again:
            sentence = f"Retry-After: {text} ended the call with {kind(error)}"
            yield Finding("retry-after-crash", sentence, seen.evidence(call.trace))
        elif schedule is not None and not within(call.waits_ns[0], schedule):
            came = came_after(call.tries[1], call.tries[0], call.waits_ns[0])
            sentence = f"{came}, wanted {wanted(schedule)} (Retry-After: {text} cannot be read)"
            yield Finding("retry-after-misread", sentence, seen.evidence(call.trace))


def bounded(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A server cannot make it wait for as long as it likes."""
    call = seen.call
    cap = policy.retry_after_cap if policy.retry_after_cap is not None else policy.deadline
    longest = max([*call.waits_ns, call.tail_ns])
    if cap is None or longest <= nanoseconds(cap + _jitter(policy, cap)) + SLACK_NS:
        return
    sentence = (
        f"it waited {longest / SECOND:.0f} s because of Retry-After: {seen.facts['text']}, "
        f"wanted {cap:g} s at most"
    )
    yield Finding("retry-after-unbounded", sentence, seen.evidence(call.trace))


def forgotten(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """It counts for one wait, and not for those after later failures."""
    said = seen.number("said")
    for call, place in ((seen.calls[0], 1), (seen.calls[-1], 0)):
        if len(call.waits_ns) <= place:
            continue
        wait = call.waits_ns[place]
        usual = [policy.wait_range(retry) for retry in (place, place + 1) if retry]
        if any(bounds is not None and within(wait, bounds) for bounds in usual):
            continue
        if within(wait, (said, said + _jitter(policy, said))):
            later = call.tries[place + 1]
            came = came_after(later, call.tries[place], wait)
            sentence = f"{came}, as an earlier answer had asked for (Retry-After: {said:g})"
            marks = {later.number: "remembered"}
            evidence = seen.evidence(marks=marks)
            yield Finding("retry-after-remembered", sentence, evidence)
            return


def _jitter(policy: RetryPolicy, said: float) -> float:
    """By how much chance may lengthen it: some add their jitter to what the server said."""
    jitter, backoff = policy.jitter, policy.backoff
    if not isinstance(jitter, Jitter) or not jitter.is_random or not isinstance(backoff, Backoff):
        return 0.0
    bounds: Range = jitter.range((said, said), backoff=Backoff(said), before=said)
    usual = policy.wait_range(1) or (0.0, 0.0)
    return max(bounds[1] - said, usual[1])


def _hint(wait: int, said: float) -> str:
    if abs(wait - nanoseconds(said / 1000)) <= SLACK_NS:
        return ", read as milliseconds"
    off = round((wait - nanoseconds(said)) / SECOND)
    if off and off % 900 == 0:
        return ", read in a local time zone"
    return ""
