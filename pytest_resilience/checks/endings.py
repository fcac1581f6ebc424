"""How a call ends that could not succeed: what the caller gets to know."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator, ValuesView

from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Observation
from pytest_resilience.checks.retried import PROGRAMMING, chain
from pytest_resilience.checks.values import says_no
from pytest_resilience.checks.words import kind
from pytest_resilience.errors import shown
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["cancelled", "cause_kept", "interrupted", "told"]

OF_TRANSPORTS = frozenset(
    {
        "aiohttp",
        "anyio",
        "asyncio",
        "botocore",
        "builtins",
        "concurrent",
        "google",
        "grpc",
        "h11",
        "http",
        "httpcore",
        "httplib2",
        "httpx",
        "niquests",
        "pycurl",
        "requests",
        "socket",
        "ssl",
        "trio",
        "urllib",
        "urllib3",
    }
)
"""Top-level packages whose exceptions are themselves what went wrong underneath."""

HINTS = (
    "connect",
    "reset",
    "refused",
    "abort",
    "timeout",
    "timed out",
    "closed",
    "disconnect",
    "peer",
)
"""Words by which a text tells what went wrong underneath."""


def told(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A call that failed raises what its caller expects.

    What is claimed to be raised in the end is for who has given up. A request that was refused
    for good may be told in another way, but not by a mistake in the client's own code.
    """
    call = seen.call
    stopped = call.error is not None and not isinstance(call.error, Exception)
    if call.never_returned or stopped or not call.trace or not call.tries[-1].failed:
        return
    evidence = seen.evidence(call.trace)
    if call.error is None:
        yield from _returned(seen, policy, evidence)
    elif policy.expected and not (seen.facts.get("refused") and len(call.tries) == 1):
        if not _expected(call.error, policy.expected):
            names = " or ".join(map(_name, policy.expected))
            sentence = f"it raised {kind(call.error)}, wanted {names}"
            yield Finding("unexpected-exception", sentence, evidence)
    elif (
        type(call.error).__module__ == "builtins"
        and kind(call.error) in PROGRAMMING
        and not _raised_in_a_library(call.error)
    ):
        sentence = f"it raised a {kind(call.error)} of its own code"
        yield Finding("unexpected-exception", sentence, evidence)


def _name(expected: type[BaseException] | str) -> str:
    return expected if isinstance(expected, str) else expected.__name__


def _raised_in_a_library(error: BaseException) -> bool:
    """google-api-core, say, trips over error bodies that are not Google's."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and "site-packages" in frames[-1].filename


def _returned(
    seen: Observation, policy: RetryPolicy, evidence: tuple[str, ...]
) -> Iterator[Finding]:
    value, good = seen.call.value, seen.baseline.value
    if _is_error_body(value, seen):
        sentence = "it returned the body of the error as if it were an answer"
        yield Finding("error-returned", sentence, evidence)
    elif policy.raises is not None or (
        _is_nothing(value) and not _is_nothing(good) and not says_no(value, good)
    ):
        what = shown(value) if _is_nothing(value) else f"a {type(value).__name__}"
        sentence = f"it failed and returned {what}, wanted an exception"
        yield Finding("error-swallowed", sentence, evidence)


def _is_nothing(value: object, depth: int = 4) -> bool:
    """None and what is empty, or has nothing but that in it.

    A number may be a status, an object a response, and a False within it how it tells.
    """
    parts = value.values() if isinstance(value, dict) else value
    if isinstance(parts, list | tuple | set | ValuesView):
        return depth > 0 and all(one is not False and _is_nothing(one, depth - 1) for one in parts)
    return value is None or value is False or (isinstance(value, str | bytes) and not value)


def _is_error_body(value: object, seen: Observation) -> bool:
    body = seen.facts.get("error_body")
    if not isinstance(body, str) or not body.strip():
        return False
    if isinstance(value, bytes | bytearray):
        return bytes(value).strip() == body.strip().encode()
    if isinstance(value, str):
        return value.strip() == body.strip()
    try:
        return isinstance(value, dict | list) and value == json.loads(body)
    except ValueError:
        return False


def _expected(error: BaseException, wanted: tuple[type[BaseException] | str, ...]) -> bool:
    names = {
        name
        for cls in type(error).__mro__
        for name in (cls.__name__, cls.__qualname__, f"{cls.__module__}.{cls.__qualname__}")
    }
    tops = {f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}" for cls in type(error).__mro__}
    return any(
        one in names or one in tops if isinstance(one, str) else isinstance(error, one)
        for one in wanted
    )


def cause_kept(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """An exception of the client's own leads to what went wrong underneath."""
    error = seen.call.error
    if error is None or not isinstance(error, Exception) or _of_transport(error):
        return
    suppressed = error.__cause__ is None and error.__suppress_context__
    if not suppressed and any(_of_transport(one) for one in list(chain(error))[1:]):
        return
    if policy.raises is None:
        # Nobody has said what an exception of this client's must tell. What was cut off
        # on purpose, and is not in its text either, is lost all the same.
        told = any(hint in str(error).lower() for hint in HINTS)
        if told or not suppressed:
            return
    how = "raised from None" if suppressed else "without a cause"
    sentence = f"a {kind(error)} came {how}, so nobody learns that the connection was reset"
    yield Finding("cause-lost", sentence, seen.evidence(seen.call.trace))


def _of_transport(error: BaseException) -> bool:
    return any(
        cls.__module__.partition(".")[0] in OF_TRANSPORTS
        for cls in type(error).__mro__
        if cls not in (Exception, BaseException, object, RuntimeError, ValueError)
    )


def interrupted(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Ctrl-C ends the call, and is not made into something else."""
    if not seen.facts.get("interrupted"):
        return
    call = seen.call
    if isinstance(call.error, KeyboardInterrupt) or call.never_returned:
        return
    how = "returned" if call.error is None else f"raised {kind(call.error)}"
    sentence = f"it was interrupted by Ctrl-C and {how}, wanted KeyboardInterrupt"
    yield Finding("interrupt-swallowed", sentence, seen.evidence(call.trace))


def cancelled(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A task that is cancelled ends, and says so."""
    outcome = seen.facts.get("outcome", "cancelled")
    if outcome not in ("cancelled", "done"):
        sentence = f"its task was cancelled {seen.facts['when']} and {outcome}"
        yield Finding("cancellation-swallowed", sentence, seen.evidence(seen.call.trace))
