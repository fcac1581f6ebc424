"""The call itself: it asks the server, comes back, and leaves process and threads alive."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Observation
from pytest_resilience.checks.words import kind
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["ended", "undisturbed"]


def undisturbed(seen: Observation, policy: RetryPolicy) -> list[Finding]:
    """What makes judging anything else meaningless."""
    found = list(ended(seen, policy))
    call = seen.call
    if not found and not seen.trace:
        how = "raised " + kind(call.error) if call.error else "returned"
        sentence = f"the call {how} and made no request to the server: is it pointed at it?"
        found.append(Finding("server-never-reached", sentence))
    elif not found and call.error is not None:
        sentence = f"an undisturbed call raised {kind(call.error)}"
        found.append(Finding("unexpected-exception", sentence, seen.evidence()))
    return found


def ended(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Calls that do not come back, end the process, or let a thread die."""
    if seen.ended_process:
        yield Finding(
            "process-ended", f"the call ended the process by {seen.ended_process}", seen.evidence()
        )
        return
    for call in seen.calls:
        if isinstance(call.error, SystemExit):
            sentence = f"the call ended the process by {call.error!r}"
            yield Finding("process-ended", sentence, seen.evidence())
        elif call.never_returned:
            last = seen.trace[-1].at if seen.trace else 0.0
            sentence = f"the call never came back; the last attempt was at t={last:.3f}"
            yield Finding("call-never-returned", sentence, seen.evidence())
    for error in seen.thread_errors:
        sentence = f"a thread of the call died of {kind(error)}, and nobody was told"
        yield Finding("thread-raised", sentence, seen.evidence())
    if all(call.returned for call in seen.calls):  # Else its caller knows that something is wrong.
        for error in seen.task_errors:
            sentence = f"a task of the call died of {kind(error)}, and nobody was told"
            yield Finding("task-raised", sentence, seen.evidence())
