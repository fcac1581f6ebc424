"""Call again after a passing failure, waiting 1, 2, 4, ... seconds in between.

Two functions with one behaviour: ``retry_with_tenacity`` (recommended) and
``retry_with_custom_backoff``, which shows that it takes no library. What is
retried is ``gemini_errors.is_retryable``. The last failure is raised as it is.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
)

from gemini_errors import is_retryable
from logging_config import get_logger
from redaction import preview

T = TypeVar("T")

MAX_DELAY = 10.0
LONGEST_DELAY = threading.TIMEOUT_MAX  # What the system can wait.
EXCEPTION_LENGTH = 250

log = get_logger("tweet_generator.retry")


def retry_with_tenacity(
    fn: Callable[[], T],
    max_attempts: int = 3,
    base_delay: float = 1.0,
    max_delay: float = MAX_DELAY,
) -> T:
    """What ``fn()`` returns, called up to ``max_attempts`` times in all.

    Raises:
        Exception: Whatever the last call raised.
        ValueError: ``max_attempts`` below 1 or a delay that is no time.
    """
    _check(max_attempts, base_delay=base_delay, max_delay=max_delay)

    def before_sleep(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        _log_retry(state.attempt_number, max_attempts, state.upcoming_sleep, error)

    retrying = Retrying(
        stop=stop_after_attempt(max_attempts),
        wait=wait_exponential(multiplier=base_delay, max=max_delay),
        retry=retry_if_exception(is_retryable),
        before_sleep=before_sleep,
        reraise=True,
    )
    result = retrying(fn)
    _log_success(int(retrying.statistics["attempt_number"]))
    return result


def retry_with_custom_backoff(
    fn: Callable[[], T], max_attempts: int = 3, base_delay: float = 1.0
) -> T:
    """As ``retry_with_tenacity`` with its default ``max_delay``, without tenacity."""
    _check(max_attempts, base_delay=base_delay)
    attempt, delay = 1, min(float(base_delay), MAX_DELAY)
    while True:
        try:
            result = fn()
        except Exception as error:
            if attempt >= max_attempts or not is_retryable(error):
                raise
            _log_retry(attempt, max_attempts, delay, error)
        else:
            _log_success(attempt)
            return result
        # Outside the handler: the next failure must not be chained to this one.
        time.sleep(delay)
        attempt, delay = attempt + 1, min(delay * 2, MAX_DELAY)


def check_attempts(name: str, attempts: int) -> None:
    """Refuse a number of attempts that makes no sense, by the name its caller gave it.

    Raises:
        ValueError: It is below 1, or no whole number.
    """
    if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, not {attempts!r}")


def _check(max_attempts: int, **delays: float) -> None:
    check_attempts("max_attempts", max_attempts)
    for name, delay in delays.items():
        if not isinstance(delay, int | float) or not 0 <= delay <= LONGEST_DELAY:
            raise ValueError(
                f"{name} must be a number of seconds from 0 to {LONGEST_DELAY:.0f}, not {delay!r}"
            )


def _log_retry(attempt: int, max_attempts: int, delay: float, error: BaseException | None) -> None:
    log.warning(
        "Retry attempt",
        attempt=attempt,
        max_attempts=max_attempts,
        delay_seconds=float(delay),
        exception=preview(str(error) or type(error).__name__, EXCEPTION_LENGTH),
    )


def _log_success(final_attempt: int) -> None:
    if final_attempt > 1:
        log.info("Retry succeeded", final_attempt=final_attempt)
