"""Claims read off the objects of retry libraries: urllib3, tenacity, stamina.

What an object says is claimed, and nothing else: which exceptions a predicate retries is not
known to anybody but itself. What cannot be read is refused by name.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from pytest_resilience.answers import RETRY_AFTER
from pytest_resilience.errors import (
    PolicyError,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)
from pytest_resilience.policy._check import FOREVER
from pytest_resilience.policy.backoff import Backoff, Range

__all__ = ["stamina_claims", "tenacity_claims", "urllib3_claims"]

MANY = 20
"""How many waits are read off an object that knows no end."""

MOST = 1000
"""Attempts that somebody may mean; beyond, waits are neither read nor tried one by one."""

Claims = dict[str, Any]
Reader = Callable[[Any], Claims]


def _refuse(what: str, value: object, wanted: str) -> PolicyError:
    return PolicyError(f"{what}={value!r} cannot be read as a claim: wanted {wanted}")


def _reading(what: str) -> Callable[[Reader], Reader]:
    """What is odd within an object is said in a line, and not where it is tripped over."""

    def guard(read: Reader) -> Reader:
        @functools.wraps(read)
        def guarded(source: Any) -> Claims:  # noqa: ANN401 -- an object of any library
            try:
                return read(source)
            except PolicyError:
                raise
            except Exception as error:
                kind = f"{type(source).__name__}, whose parts make no sense ({error})"
                raise PolicyError(f"{what}: cannot be read as a claim: {kind}") from error

        return guarded

    return guard


def _few(what: str, attempts: int) -> int:
    if attempts > MOST:
        raise _refuse(what, attempts, f"at most {MOST} attempts, or no limit")
    return attempts


# urllib3


@_reading("retry")
def urllib3_claims(retry: Any) -> Claims:  # noqa: ANN401 -- urllib3 is not required
    """Of a ``urllib3.Retry``."""
    if not hasattr(retry, "status_forcelist") or not hasattr(retry, "get_backoff_time"):
        raise _refuse("retry", retry, "a urllib3.Retry")
    total = _few("retry.total", _total(retry))
    claims: Claims = {"attempts": total + 1, "statuses": list(retry.status_forcelist or ())}
    claims["failures"] = [
        name
        for names, field in ((("connect", "refused"), "connect"), (READ, "read"))
        for name in names
        if total and getattr(retry, field) not in (0, False)
    ]
    if retry.allowed_methods:
        claims["methods"] = sorted(retry.allowed_methods)
    if total:
        claims["backoff"] = Backoff(waits=tuple(_urllib3_wait(retry, n) for n in range(total)))
    told = set(RETRY_AFTER).intersection(retry.status_forcelist or RETRY_AFTER)
    if not retry.respect_retry_after_header:
        claims["retry_after"] = False
    elif told <= retry.RETRY_AFTER_STATUS_CODES:  # A class of one's own may know fewer.
        claims["retry_after"] = True
        claims["retry_after_cap"] = getattr(retry, "retry_after_max", None)
    return claims


READ = ("read-timeout", "reset", "stale")


def _total(retry: Any) -> int:  # noqa: ANN401 -- the same
    total = 0 if retry.total is False else retry.total
    if not isinstance(total, int):
        raise _refuse("retry.total", retry.total, "a number, which bounds all kinds of failures")
    for field in ("connect", "read", "status", "other"):
        own = getattr(retry, field, None)
        if own not in (None, 0, False) and own < total:
            raise _refuse(f"retry.{field}", own, f"None, or no less than total, which is {total}")
    return total


def _urllib3_wait(retry: Any, place: int) -> Range:  # noqa: ANN401 -- the same
    """urllib3/util/retry.py, get_backoff_time: nothing at first, then factor * 2 ** n."""
    if place == 0:
        return 0.0, 0.0
    low = retry.backoff_factor * 2.0**place
    bounds = [min(low + extra, retry.backoff_max) for extra in (0, retry.backoff_jitter)]
    return bounds[0], bounds[1]


# tenacity


@_reading("fn")
def tenacity_claims(retrying: Any) -> Claims:  # noqa: ANN401 -- tenacity is not required
    """Of a ``tenacity.Retrying``, or of a function that it decorates."""
    retrying = getattr(retrying, "retry", None) if inspect.isroutine(retrying) else retrying
    if not hasattr(retrying, "stop") or not hasattr(retrying, "wait"):
        raise _refuse("fn", retrying, "a Retrying of tenacity, or a function decorated by it")
    return _limits(_stops(retrying.stop), lambda n: _tenacity_wait(retrying.wait, n))


def _limits(stops: Claims, wait: Callable[[int], Range]) -> Claims:
    """Attempts and waits, where a limit of time may come before that of attempts."""
    attempts, seconds = stops.get("attempts", FOREVER), stops.get("seconds", FOREVER)
    count = MANY if attempts == FOREVER else _few("attempts", int(attempts)) - 1
    waits = tuple(wait(retry) for retry in range(1, count + 1))
    if sum(high for _, high in waits) >= seconds:
        attempts, waits = FOREVER, waits or ((0.0, 0.0),)
    claims: Claims = {"attempts": attempts}
    if waits:
        claims["backoff"] = Backoff(waits=waits)
    if "deadline" in stops:
        claims["deadline"] = stops["deadline"]
    return claims


def _stops(stop: Any) -> Claims:  # noqa: ANN401 -- the same
    name = type(stop).__name__
    if name == "stop_any":
        found: Claims = {}
        for part in stop.stops:
            for key, value in _stops(part).items():
                found[key] = min(value, found.get(key, FOREVER))
        return found
    if name == "_stop_never":
        return {}
    if name == "stop_after_attempt":
        return {"attempts": stop.max_attempt_number}
    if name == "stop_after_delay":  # The last attempt may well begin later: no deadline.
        return {"seconds": stop.max_delay}
    if name == "stop_before_delay":
        return {"seconds": stop.max_delay, "deadline": stop.max_delay}
    raise _refuse("stop", stop, "stop_after_attempt, stop_after_delay or stop_before_delay")


def _tenacity_wait(wait: Any, retry: int) -> Range:  # noqa: ANN401 -- the same
    """How short and how long; tenacity/wait.py says it for each."""
    reader = WAITS.get(type(wait).__name__)
    if reader is None:
        raise _refuse("wait", type(wait).__name__, f"one of {', '.join(WAITS)}")
    low, high = reader(wait, retry)
    return max(float(low), 0.0), max(float(high), 0.0)


def _power(wait: Any, retry: int, factor: float) -> float:  # noqa: ANN401 -- the same
    try:
        return float(min(wait.max, factor * wait.exp_base ** (retry - 1)))
    except OverflowError:
        return float(wait.max)


def _exponential(wait: Any, retry: int) -> Range:  # noqa: ANN401 -- the same
    exact = max(0, wait.min, _power(wait, retry, wait.multiplier))
    return exact, exact


def _random_exponential(wait: Any, retry: int) -> Range:  # noqa: ANN401 -- the same
    return wait.min, _exponential(wait, retry)[1]


def _exponential_jitter(wait: Any, retry: int) -> Range:  # noqa: ANN401 -- the same
    low = _power(wait, retry, wait.initial)
    return low, min(wait.max, low + wait.jitter)


def _incrementing(wait: Any, retry: int) -> Range:  # noqa: ANN401 -- the same
    exact = min(wait.start + wait.increment * (retry - 1), wait.max)
    return exact, exact


def _sum(parts: Iterable[Range]) -> Range:
    listed = list(parts)
    return sum(low for low, _ in listed), sum(high for _, high in listed)


WAITS: dict[str, Callable[[Any, int], Range]] = {
    "wait_chain": lambda w, n: _tenacity_wait(w.strategies[min(n, len(w.strategies)) - 1], n),
    "wait_combine": lambda w, n: _sum(_tenacity_wait(part, n) for part in w.wait_funcs),
    "wait_exponential": _exponential,
    "wait_exponential_jitter": _exponential_jitter,
    "wait_fixed": lambda w, n: (w.wait_fixed, w.wait_fixed),
    "wait_incrementing": _incrementing,
    "wait_none": lambda w, n: (0.0, 0.0),
    "wait_random": lambda w, n: (w.wait_random_min, w.wait_random_max),
    "wait_random_exponential": _random_exponential,
}


# stamina

PARTS = "_t_kw"
"""Where a context of stamina keeps what it hands to tenacity; it has no public place."""


@_reading("source")
def stamina_claims(source: Any) -> Claims:  # noqa: ANN401 -- stamina is not required
    """Of a function decorated by ``stamina.retry``, a context, or a caller of it."""
    source = getattr(source, "_caller", source)
    said = getattr(source, "_context_kws", None)
    if said is not None:
        names = ("wait_initial", "wait_max", "wait_jitter", "wait_exp_base")
        initial, most, jitter, base = (_seconds(said[name]) for name in names)
        stops = {"attempts": said["attempts"], "seconds": _seconds(said["timeout"])}
    else:
        context = _context(source)
        names = ("_wait_initial", "_wait_max", "_wait_jitter", "_wait_exp_base")
        initial, most, jitter, base = (getattr(context, name) for name in names)
        stops = _stops(getattr(context, PARTS)["stop"])
    stops = {key: value for key, value in stops.items() if value is not None}

    def wait(retry: int) -> Range:
        """stamina/_core.py, _compute_backoff: the cap comes after the jitter."""
        low = initial * base ** (retry - 1)
        return min(most, low), min(most, low + jitter)

    return _limits(stops, wait)


def _context(source: Any) -> Any:  # noqa: ANN401 -- the same
    if inspect.isfunction(source):
        kept = inspect.getclosurevars(source).nonlocals
        source = kept.get("retry_ctx", source)
    if not hasattr(source, "_wait_initial") or not hasattr(source, PARTS):
        wanted = "a function decorated by stamina.retry, a retry_context or a RetryingCaller"
        raise _refuse("source", source, wanted)
    return source


def _seconds(value: Any) -> Any:  # noqa: ANN401 -- a number, a timedelta or None
    return value.total_seconds() if hasattr(value, "total_seconds") else value
