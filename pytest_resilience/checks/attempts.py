"""How often a client tries, and what it does after the last time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.given_up import as_given_up, resent
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.checks.words import SLACK_NS, count
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["exhausted", "last_is_last", "out_of_time", "survived"]

SECOND = 1_000_000_000


def exhausted(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """In an outage that outlasts it: exactly as many attempts as it claims."""
    call, wanted = as_given_up(seen.call, policy), policy.limit
    if wanted is None or call.never_returned:
        return
    came = counts(call, policy)
    if wanted in came:
        return
    if max(came) < wanted:
        if out_of_time(call, policy):
            return
        sentence = f"it gave up after {count(max(came))}, wanted {wanted}"
        yield Finding("too-few-attempts", sentence, seen.evidence(call.trace))
        return
    marks = {attempt.number: "one too many" for attempt in call.tries[wanted:]}
    evidence = seen.evidence(call.trace, marks=marks)
    block = _repeated_block(call.waits_ns)
    if block is None and len(call.tries) == wanted * wanted > 1:
        block = wanted  # Random waits repeat nothing, but the square of the claim tells.
    if block is not None:
        rounds = len(call.tries) // block
        sentence = f"it made {count(max(came))}, {rounds} rounds of {block}, wanted {wanted}"
        yield Finding("nested-retries", sentence, evidence)
        return
    yield Finding("too-many-attempts", f"it made {count(min(came))}, wanted {wanted}", evidence)


def survived(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """In an outage that ends in time: one attempt more than there were failures."""
    call = seen.call
    # Of requests that are made at once each may have met some of them.
    failures = sum(attempt.failed for attempt in (call.trace if call.returned else call.tries))
    planned = int(seen.number("failures"))
    if call.never_returned or policy.limit is None or policy.limit <= planned:
        return
    if failures < planned or (call.error is not None and len(call.tries) == failures):
        if out_of_time(call, policy):
            return
        sentence = (
            f"it gave up after {count(len(call.tries))} in an outage of {planned}, "
            f"wanted {planned + 1}"
        )
        yield Finding("too-few-attempts", sentence, seen.evidence(call.trace))


def last_is_last(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """When it has given up, it comes back at once."""
    call = as_given_up(seen.call, policy)
    tail = call.tail_ns - seen.baseline.tail_ns
    failed = bool(call.trace) and call.tries[-1].failed
    if not failed or call.never_returned or tail <= SLACK_NS:
        return
    if policy.deadline is None and isinstance(call.error, TimeoutError):
        return  # A timeout around all of it has cut a wait short.
    number = call.tries[-1].number
    sentence = f"it came back {tail / SECOND:.3f} s after its last attempt, attempt {number}"
    marks = {number: f"{tail / SECOND:.3f} s until it came back"}
    code = "wait-after-last-attempt" if policy.deadline is None else "futile-wait"
    yield Finding(code, sentence, seen.evidence(call.trace, marks=marks))


def counts(call: Call, policy: RetryPolicy) -> set[int]:
    """How many attempts it made; two numbers where the transport may have sent by itself."""
    tries = call.tries
    if policy.resends is False:
        return {len(tries)}
    return {len(tries), len(tries) - len(resent(call))}


def out_of_time(call: Call, policy: RetryPolicy) -> bool:
    """Whether a deadline or a budget was the reason to stop.

    No further wait would have fitted, or not the attempt behind it, if it lasted as long as
    the ones before.
    """
    if policy.deadline is None and policy.budget is None:
        return False
    following = policy.wait_range(max(1, len(call.tries)), call.waits[-1] if call.waits else None)
    longest = following[1] if following else 0.0
    spent = sum(call.waits)
    following_ends = (call.seconds or 0) + longest + _longest_attempt(call)
    late = policy.deadline is not None and following_ends >= policy.deadline
    return late or (policy.budget is not None and spent + longest >= policy.budget)


def _longest_attempt(call: Call) -> float:
    lasted = [a.ended_ns - a.started_ns for a in call.tries if a.ended_ns is not None]
    return max(lasted, default=0) / SECOND


def _repeated_block(waits: list[int]) -> int | None:
    """How many attempts an inner loop makes, when one is repeated by an outer one.

    The sign is a schedule that begins anew: blocks of equal waits, that somewhere fall.
    """
    attempts = len(waits) + 1
    if all(before <= after for before, after in itertools.pairwise(waits)):
        return None
    for block in range(2, attempts // 2 + 1):
        if attempts % block == 0:
            rounds = [waits[start : start + block - 1] for start in range(0, attempts, block)]
            if all(inner == rounds[0] for inner in rounds):
                return block
    return None
