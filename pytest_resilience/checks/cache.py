"""Answers that are kept: for how long, errors too, and for whom."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.checks.values import lacks, plain
from pytest_resilience.checks.words import kind
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["errors_kept", "for_another", "is_failure", "kept_too_long", "never_asks"]

BREAKER = re.compile(r"break|circuit|open", re.IGNORECASE)
"""In the name or the text of what a breaker raises that lets nothing through."""


def kept_too_long(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """The answer of the first call, given again when it is older than anybody may want."""
    age = seen.facts["kept_for"]
    if age is None:
        sentence = f"it gave an answer again that was {seen.facts['tried']:g} s old"
        yield Finding("cache-without-expiry", sentence, seen.evidence())
    elif policy.cache is not None and isinstance(age, float) and age > policy.cache:
        sentence = f"it gave an answer again after the {policy.cache:g} s for which it claims to"
        yield Finding("cache-without-expiry", sentence, seen.evidence())


def errors_kept(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A call in an outage, and one after it; the second does not ask and fails as the first."""
    first, second = seen.calls[-2:]
    if first.trace and not second.trace and _same_failure(seen, policy):
        how = "raised the error" if second.error is not None else "returned the error"
        sentence = f"the server was well again; it did not ask, and {how} of the call before"
        yield Finding("error-cached", sentence, seen.evidence())


def _same_failure(seen: Observation, policy: RetryPolicy) -> bool:
    first, second = seen.calls[-2:]
    if first.error is not None and second.error is not None:
        if first.error is second.error:
            return True
        if type(first.error) is type(second.error) and str(first.error) == str(second.error):
            return True
        # A breaker that is open does not ask either, and says so in other words.
        keeps = policy.cache is not None and policy.breaker is None
        return keeps and not BREAKER.search(f"{kind(second.error)} {second.error}")
    if first.error is not None or second.error is not None:
        return False
    return bool(plain(second.value) == plain(first.value)) and is_failure(second, seen.baseline)


def is_failure(call: Call, baseline: Call) -> bool:
    """Whether a call that came back has brought less than an undisturbed one."""
    return call.returned and lacks(plain(call.value), plain(baseline.value))


def never_asks(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """The server is well, a year goes by, and all calls fail without asking it."""
    before, last = seen.calls[-2:]
    how = "returned an error" if last.error is None else f"raised {kind(last.error)}"
    sentence = f"the server has been well for a year; it {how} again and again, and did not ask"
    if _is_kept(before, last):
        yield Finding("error-cached", sentence, seen.evidence())
    elif any("Pool" in cls.__name__ for cls in type(last.error).__mro__):
        yield Finding("pool-exhausted", sentence, seen.evidence())
    elif last.error is not None and BREAKER.search(f"{kind(last.error)} {last.error}"):
        yield Finding("breaker-never-half-opens", sentence, seen.evidence())


def _is_kept(before: Call, last: Call) -> bool:
    """Whether it is one failure; others may be of what a scenario has done to the client."""
    if last.error is None or last.error is before.error:
        return True
    # A kept response makes a new exception each time.
    return type(last.error) is type(before.error) and hasattr(last.error, "response")


def for_another(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Mine, mine again, and another's, who must not be given mine."""
    if len(seen.calls) < 2:
        return
    *_, mine, others = seen.calls
    if not mine.trace and not others.trace and others.returned:
        sentence = "a caller with another credential was given the answer that it had kept"
        yield Finding("cache-ignores-credential", sentence, seen.evidence())
