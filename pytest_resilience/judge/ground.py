"""What is found out before the battery: the undisturbed call, and what is tried again at all."""

from __future__ import annotations

from collections import Counter

from pytest_resilience import faults
from pytest_resilience.checks import calls
from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Call
from pytest_resilience.checks.requests import may_be_repeated
from pytest_resilience.judge.stage import Stage
from pytest_resilience.plan import FaultLike
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["FAULTS", "claimed_fault", "first_call", "standard_fault"]

FAULTS: dict[str, faults.Fault] = {
    "refused": faults.down(3600),
    "read-timeout": faults.timeout(close_after=7200),
    "reset": faults.reset_peer(),
    "truncated": faults.limit_data(),
    "bad-json": faults.malformed_json(),
}
"""How each failure of a policy is brought about."""

USUAL = (503, 429, 500, 502, 504)


def first_call(stage: Stage, policy: RetryPolicy) -> tuple[Call, list[Finding]]:
    """An undisturbed call, and what is wrong with it already."""
    call, found = _first_call(stage, policy)
    return _first_call(stage, policy) if found and stage.is_doubtful else (call, found)


def _first_call(stage: Stage, policy: RetryPolicy) -> tuple[Call, list[Finding]]:
    stage.begin()
    call = stage.call()
    seen = stage.observe("undisturbed", call)
    found = calls.undisturbed(seen, policy)
    if call.never_returned:
        stage.renew()
    stage.usual = dict(Counter((attempt.method, attempt.target) for attempt in call.trace))
    return call, [_named(finding) for finding in found]


def _named(finding: Finding) -> Finding:
    return Finding(finding.code, finding.sentence, finding.evidence, "undisturbed")


def standard_fault(stage: Stage, policy: RetryPolicy, first: Call) -> FaultLike | None:
    """A fault after which this client should try again, or was seen to."""
    if policy.limit == 1:
        return None
    repeats = may_be_repeated(first, policy)
    claimed = claimed_fault(policy) if repeats else None
    if claimed is not None:
        return claimed
    candidates: tuple[FaultLike, ...] = (503, FAULTS["reset"], FAULTS["read-timeout"])
    for fault in candidates:
        if _tries_again(stage, fault):
            return fault
    says = policy.statuses is not None or policy.failures is not None or not repeats
    return None if policy.attempts is None or says else 503


def claimed_fault(policy: RetryPolicy) -> FaultLike | None:
    """The first of the usual faults that it claims to retry; None when it does not say."""
    if policy.statuses:
        usual = [status for status in USUAL if policy.retries_status(status)]
        return (*usual, *policy.statuses)[0]
    named = [FAULTS[name] for name in ("reset", "read-timeout") if policy.retries_failure(name)]
    return named[0] if named else None


def _tries_again(stage: Stage, fault: FaultLike) -> bool:
    stage.begin()
    stage.fail(fault, times=2)
    call = stage.call()
    if call.never_returned:
        stage.renew()
    # aiohttp sends once more by itself, and at once, what met a reset.
    return len(call.tries) > 2 or any(call.waits_ns) or (len(call.tries) > 1 and fault == 503)
