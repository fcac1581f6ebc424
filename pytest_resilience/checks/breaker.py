"""Circuit breakers: whether they open, probe, and know whose fault a failure is."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Observation
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["counts_mistakes", "half_opens", "lets_through", "opens", "probes", "stays_open"]


def opens(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """After as many failed calls as it claims, the next call asks nobody."""
    if policy.breaker is None or not seen.call.trace:
        return
    sentence = (
        f"it still asked after {len(seen.calls) - 1} calls that failed, "
        f"and opens after {policy.breaker.opens_after}"
    )
    yield Finding("breaker-never-opens", sentence, seen.evidence(marks=_late(seen)))


def half_opens(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """It was open; its time is over and the server well: a call asks."""
    if policy.breaker is None or not seen.facts["opened"] or seen.call.trace:
        return
    sentence = f"it was asked after {policy.breaker.stays_open:g} s, and let nothing through"
    yield Finding("breaker-never-half-opens", sentence, seen.evidence())


def stays_open(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """It was open, and asks nobody before its time is over."""
    early = seen.facts.get("early")
    if policy.breaker is None or not seen.facts["opened"] or early is None:
        return
    sentence = (
        f"it asked again after {early:g} s, and stays open for {policy.breaker.stays_open:g} s"
    )
    asked = seen.calls[-2].trace
    marks = {attempt.number: "should not have come" for attempt in asked}
    yield Finding("breaker-lets-all-through", sentence, seen.evidence(marks=marks))


def lets_through(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Its time is over and its probe fails: it is open again, at once."""
    if policy.breaker is None or not seen.facts["opened"] or not seen.calls[-2].trace:
        return
    if seen.call.trace:
        sentence = "its probe failed, and it let the next call through all the same"
        yield Finding("breaker-lets-all-through", sentence, seen.evidence(marks=_late(seen)))


def probes(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Its time is over, and many call at once: as many get through as it claims."""
    if policy.breaker is None or policy.breaker.probes is None or not seen.facts["opened"]:
        return
    came = seen.call.trace
    first = [attempt for attempt in came if attempt.started_ns == came[0].started_ns]
    if len(first) > policy.breaker.probes:
        sentence = f"it let {len(first)} calls through at once, wanted {policy.breaker.probes}"
        yield Finding("breaker-lets-all-through", sentence, seen.evidence())


def counts_mistakes(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Many calls were refused with 404, which is the caller's fault; the next one asks."""
    # One that was open before says nothing of mistakes.
    if policy.breaker is not None and seen.calls[0].trace and not seen.call.trace:
        sentence = f"{len(seen.calls) - 1} answers of 404 opened it, and the server is well"
        yield Finding("breaker-counts-client-errors", sentence, seen.evidence())


def _late(seen: Observation) -> dict[int, str]:
    return {attempt.number: "should not have come" for attempt in seen.call.trace}
