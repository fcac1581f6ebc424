"""Answers that are not whole, or not what they should be, and are taken all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Observation
from pytest_resilience.checks.values import (
    holds_error,
    is_raw,
    is_response,
    lacks,
    plain,
    says_no,
)
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["ended_early", "malformed", "truncated"]


def truncated(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Content-Length announced more than came."""
    yield from _accepted("truncated-accepted", "an answer that broke off", seen, policy)


def ended_early(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A chunked body, or a stream of events, that ended before its end."""
    yield from _accepted("short-stream-accepted", "a stream that ended early", seen, policy)


def malformed(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A status of 200, and a body that is no JSON.

    A client that hands on bodies as they came, or falls back to the response as hvac does,
    leaves it to its caller to look into them, unless it claims that it validates them.
    """
    if not policy.validates and (is_raw(seen.baseline.value) or is_response(seen.call.value)):
        return
    yield from _accepted("malformed-accepted", "an answer that was no JSON", seen, policy, _differs)


def _differs(value: object, whole: object) -> bool:
    return bool(value != whole) and lacks(value, whole)


def _accepted(
    code: str,
    what: str,
    seen: Observation,
    policy: RetryPolicy,
    is_less: Callable[[object, object], bool] = lacks,
) -> Iterator[Finding]:
    call = seen.call
    if not call.returned or not call.trace or not call.trace[-1].failed:
        return  # It raised, or went on until an answer was whole.
    if holds_error(call.value):
        return  # It says so to a caller who looks.
    value, whole = plain(call.value), plain(seen.baseline.value)
    if says_no(value, whole) and policy.raises is None:
        return
    if (value is None or value is False) and value is not whole:
        # It says "nothing came" to a caller who looks: another finding.
        if whole is not None:
            sentence = f"{what} made it return {value!r}, and no exception"
            yield Finding("error-swallowed", sentence, seen.evidence())
    elif is_less(value, whole):
        sentence = f"{what} was taken for a good one"
        yield Finding(code, sentence, (*seen.evidence(), *_values(value, whole)))


def _values(value: object, whole: object) -> tuple[str, str]:
    return f"returned: {_shape(value)}", f"undisturbed: {_shape(whole)}"


def _shape(value: object) -> str:
    """A value without its contents, which may be secret."""
    if isinstance(value, str | bytes):
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, dict):
        return f"dict of {len(value)}"
    if isinstance(value, list):
        return f"list of {len(value)}"
    return type(value).__name__
