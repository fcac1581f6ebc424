"""Calls again what failed and may work in a moment, after ever longer waits."""

import functools
import logging
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

import requests

from gds_vault.failures import UnusableSettings
from gds_vault.text import one_line

logger = logging.getLogger("gds_vault.vault")

P = ParamSpec("P")
T = TypeVar("T")

LONGEST_DELAY = threading.TIMEOUT_MAX  # What the system can wait.

# requests derives these from RequestException as well, but the next attempt would be
# built from the same address and headers.
MISCONFIGURED = (
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.URLRequired,
    UnusableSettings,
)


def is_transient(failure: BaseException) -> bool:
    """Whether the same call may work in a moment.

    An HTTP answer does so when it says 429 or 5xx. No answer at all always does,
    except where the request could not even be built.
    """
    if isinstance(failure, requests.HTTPError) and failure.response is not None:
        status = failure.response.status_code
        return status == 429 or 500 <= status <= 599
    return not isinstance(failure, MISCONFIGURED)


def retry_with_backoff(
    max_retries: int = 3,
    initial_delay: float = 1.0,
    max_delay: float = 32.0,
    backoff_factor: float = 2.0,
    retriable_exceptions: tuple[type[Exception], ...] = (requests.RequestException,),
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate a function so that failures which may pass are tried again.

    Retry n comes `min(initial_delay * backoff_factor ** (n - 1), max_delay)` seconds
    after the failure before it; nothing is waited for after the last attempt, whose
    exception is raised as it is. Of the retriable exceptions those are raised at once
    that no repetition can cure: an HTTP answer other than 429 and 5xx, and a request
    that could not be built. Retry-After is not looked at: the schedule is this formula.

    Do not put one decorated function inside another: their attempts would multiply.

    Args:
        max_retries: Further attempts after the first one, so 3 means 4 attempts.
        initial_delay: Seconds before the first retry.
        max_delay: The longest wait, in seconds.
        backoff_factor: By how much each wait is longer than the one before.
        retriable_exceptions: Everything else is raised at once.

    Raises:
        ValueError: When a number is negative, endless (which only max_delay may be) or not
            a number, or when something other than exceptions is to be retried.
    """
    if not isinstance(max_retries, int) or isinstance(max_retries, bool) or max_retries < 0:
        raise ValueError(f"max_retries must be a whole number from 0, not {max_retries!r}")
    _check_seconds(initial_delay=initial_delay, max_delay=max_delay, backoff_factor=backoff_factor)
    if not _can_be_caught(retriable_exceptions):
        raise ValueError(
            f"retriable_exceptions must be a tuple of exceptions, not {retriable_exceptions!r}"
        )

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        name = getattr(function, "__name__", type(function).__name__)

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            delays = _delays(max_retries, initial_delay, max_delay, backoff_factor)
            for attempt, delay in enumerate(delays, start=1):
                try:
                    return function(*args, **kwargs)
                except retriable_exceptions as exc:
                    if not is_transient(exc):
                        raise
                    logger.warning(
                        "%s attempt %d failed: %s. Retrying in %ss...",
                        *(name, attempt, one_line(str(exc).strip()), delay),
                    )
                # Outside of the handler, or the next failure would drag this one along.
                time.sleep(delay)
            try:
                return function(*args, **kwargs)
            except retriable_exceptions as exc:
                if is_transient(exc):
                    logger.error(  # noqa: TRY400 - a traceback is many lines
                        "%s failed after %d attempts: %s",
                        *(name, max_retries + 1, one_line(str(exc).strip())),
                    )
                raise

        return call

    return decorate


def _delays(count: int, initial: float, longest: float, factor: float) -> Iterator[float]:
    delay = float(initial)
    for _ in range(count):
        yield float(min(delay, longest, LONGEST_DELAY))
        delay *= factor  # ends at infinity, where factor ** n would raise OverflowError


def _check_seconds(**values: float) -> None:
    for name, value in values.items():
        longest = math.inf if name == "max_delay" else sys.float_info.max
        if not isinstance(value, int | float) or not 0 <= value <= longest:
            raise ValueError(f"{name} must be a number from 0, not {value!r}")


def _can_be_caught(value: object) -> bool:
    kinds = value if isinstance(value, tuple) else (value,)
    return all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds)
