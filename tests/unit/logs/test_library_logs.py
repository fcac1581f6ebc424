"""What retry libraries log by themselves keeps a contract that says so."""

from __future__ import annotations

import logging
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
import structlog
import tenacity

from pytest_resilience import FakeServer, LogContract, RetryPolicy, verify

LOG = logging.getLogger("tests.logs.library")


def get(url: str) -> str:
    """The body of one answer."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        error.close()  # It is an answer as well, with its connection.
        raise


def found(call: Callable[[str], object], contract: LogContract, statuses: list[int]) -> list[str]:
    """The codes of what the log scenarios find."""
    policy = RetryPolicy(attempts=3, statuses=statuses, logs=contract)
    only = ["log-of-no-failure", "log-of-1", "log-of-2", "log-of-an-outage"]
    with FakeServer() as server:
        return verify(call, policy, server, only=only).codes


@tenacity.retry(
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_exponential(multiplier=1),
    before_sleep=tenacity.before_sleep_log(LOG, logging.INFO),
    after=tenacity.after_log(LOG, logging.DEBUG),
    reraise=True,
)
def by_tenacity(url: str) -> str:
    """A client whose retries tenacity logs."""
    return get(url)


def test_tenacity() -> None:
    """`before_sleep_log` tells the delay."""
    contract = LogContract(
        logger="tests.logs.library",
        retry=r"^Retrying .* in (?P<delay>[\d.]+) seconds as it raised HTTPError",
        retry_level="INFO",
        failure_level=None,
    )

    assert found(by_tenacity, contract, [503]) == []


def test_tenacity_that_claims_more() -> None:
    """What it does not say is found: the number of the attempt, and an error in the end."""
    contract = LogContract(
        logger="tests.logs.library",
        retry=r"^Retrying .* in (?P<delay>[\d.]+) seconds",
        retry_level="INFO",
        attempt="attempt",
        failure="",
    )

    assert set(found(by_tenacity, contract, [503])) == {"retry-logged-wrong", "failure-not-logged"}


def test_stamina() -> None:
    """Its events have the number of the retry and the delay, rounded, in fields."""
    stamina = pytest.importorskip("stamina")
    client = stamina.retry(on=OSError, attempts=3, wait_initial=1.0, wait_jitter=0.0)(get)
    contract = LogContract(
        logger="stamina",
        retry=r"^stamina\.retry_scheduled$",
        attempt="retry_num",
        delay="wait_for",
        failure_level=None,
    )
    structlog.reset_defaults()

    assert found(client, contract, [503]) == []
