"""Broken and mended: what is retried, how long an attempt may last, and how a call ends."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import operator
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import requests
import tenacity

from pytest_resilience import FOREVER, Backoff
from tests.verify.zoo.correct_by_hand import Busy, Refused, ServiceError, ask
from tests.verify.zoo.correct_libraries import TLS, TRANSIENT
from tests.verify.zoo.kit import STATUSES, broken, mended

THREE: dict[str, Any] = {"attempts": 3, "waits": (1, 2), "retry_after": False}
PLAIN: dict[str, Any] = {**THREE, "malformed": False}


def retried(url: str, statuses: Any, errors: Any = TRANSIENT, **more: Any) -> Any:
    """Three attempts, and what is worth another is given."""
    more.setdefault("timeout", 5)
    for wait in (1, 2, None):
        try:
            response = requests.get(url, **more)
            if response.status_code not in statuses or wait is None:
                response.raise_for_status()
                return response.json()
        except errors:
            if wait is None:
                raise
        time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


# What is retried


@broken("client-error-retried", **PLAIN)
def every_status_from_400(url: str) -> Any:
    return retried(url, range(400, 600))


@broken("client-error-retried", **PLAIN)
@tenacity.retry(
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_exponential(),
    retry=tenacity.retry_if_exception_type(requests.RequestException),
    reraise=True,
)
def tenacity_on_any_request_exception(url: str) -> Any:
    response = requests.get(url, timeout=5)
    response.raise_for_status()
    return response.json()


@mended("client-error-retried", **PLAIN)
def only_what_passes(url: str) -> Any:
    return retried(url, STATUSES)


@broken("not-implemented-retried", **PLAIN)
def every_status_from_500(url: str) -> Any:
    return retried(url, {429, *range(500, 600)})


@mended("not-implemented-retried", **PLAIN)
def all_but_501(url: str) -> Any:
    return retried(url, STATUSES)


@broken("programming-error-retried", **PLAIN)
def retries_its_own_mistakes(url: str) -> Any:
    for wait in (1, 2, None):
        try:
            said = ask(url)
            return {**said}["ok" if isinstance(said, dict) else 0]
        except Refused:
            raise
        except Exception:
            if wait is None:
                raise
            time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@mended("programming-error-retried", **THREE)
def retries_only_what_is_busy(url: str) -> Any:
    for wait in (1, 2, None):
        try:
            return ask(url)
        except Busy:
            if wait is None:
                raise
            time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@broken("status-not-retried", **PLAIN)
def forgets_429(url: str) -> Any:
    return retried(url, {500, 502, 503, 504})


@broken("status-not-retried", **PLAIN)
def forgets_503(url: str) -> Any:
    return retried(url, {429, 500, 502, 504})


@mended("status-not-retried", **PLAIN)
def forgets_no_status(url: str) -> Any:
    return retried(url, STATUSES)


@broken("failure-not-retried", **PLAIN)
def forgets_resets(url: str) -> Any:
    return retried(url, STATUSES, requests.Timeout)


@broken("failure-not-retried", **PLAIN)
def forgets_timeouts(url: str) -> Any:
    return retried(
        url, STATUSES, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
    )


@broken("failure-not-retried", **PLAIN)
def forgets_truncated_answers(url: str) -> Any:
    return retried(url, STATUSES, (requests.ConnectionError, requests.Timeout))


@broken("failure-not-retried", **THREE, malformed=True)
def forgets_malformed_answers(url: str) -> Any:
    return retried(url, STATUSES)


@broken("failure-not-retried", **PLAIN)
def wraps_before_the_decorator_sees_it(url: str) -> Any:
    @tenacity.retry(
        stop=tenacity.stop_after_attempt(3),
        wait=tenacity.wait_exponential(),
        retry=tenacity.retry_if_exception_type((Busy, *TRANSIENT)),
        reraise=True,
    )
    def once() -> Any:
        try:
            response = requests.get(url, timeout=5)
        except requests.RequestException as error:
            raise ServiceError("no answer") from error
        if response.status_code in STATUSES:
            raise Busy("busy")
        response.raise_for_status()
        return response.json()

    return once()


@mended("failure-not-retried", **THREE)
def forgets_no_failure(url: str) -> Any:
    return retries_only_what_is_busy(url)


# How long it may last


@broken("no-timeout", **PLAIN)
def requests_without_timeout(url: str) -> Any:
    return retried(url, STATUSES, timeout=None)


@broken("no-timeout")
def urllib_without_timeout(url: str) -> bytes:
    with urllib.request.urlopen(url) as response:  # noqa: S310 -- it is http
        return bytes(response.read())


@broken("no-timeout")
async def httpx_timeout_none(url: str) -> Any:
    async with httpx.AsyncClient(timeout=None, trust_env=False, verify=TLS) as client:
        return (await client.get(url)).raise_for_status().json()


@mended("no-timeout", **PLAIN)
def requests_with_timeout(url: str) -> Any:
    return retried(url, STATUSES)


@broken("only-connect-timeout", **PLAIN)
def requests_with_half_a_timeout(url: str) -> Any:
    return retried(url, STATUSES, timeout=(3, None))


@broken("only-connect-timeout")
def http_client_until_connected(url: str) -> bytes:
    where = url.removeprefix("http://").partition("/")[0]
    connection = http.client.HTTPConnection(where, timeout=5)
    with contextlib.closing(connection):
        connection.connect()
        connection.sock.settimeout(None)
        connection.request("GET", "/")
        answer = connection.getresponse()
        if answer.status >= 400:
            raise ServiceError(str(answer.status))
        return answer.read()


@mended("only-connect-timeout", **PLAIN)
def requests_with_both_timeouts(url: str) -> Any:
    return retried(url, STATUSES, timeout=(3, 10))


@broken("no-total-timeout", attempts=1, total_timeout=10)
def between_bytes_only(url: str) -> Any:
    response = requests.get(url, timeout=10)
    response.raise_for_status()
    return response.json()


@broken("no-total-timeout", attempts=1, total_timeout=10)
async def httpx_between_bytes_only(url: str) -> Any:
    async with httpx.AsyncClient(timeout=10, trust_env=False, verify=TLS) as client:
        return (await client.get(url)).raise_for_status().json()


@mended("no-total-timeout", attempts=1, total_timeout=10)
async def httpx_in_a_total_timeout(url: str) -> Any:
    async with (
        asyncio.timeout(10),
        httpx.AsyncClient(timeout=10, trust_env=False, verify=TLS) as client,
    ):
        return (await client.get(url)).raise_for_status().json()


@broken("wrong-timeout", attempts=1, timeout=10)
def milliseconds_for_seconds(url: str) -> Any:
    return requests_once(url, 10_000)


@broken("wrong-timeout", attempts=1, timeout=10)
def shorter_than_it_says(url: str) -> Any:
    return requests_once(url, 1)


@mended("wrong-timeout", attempts=1, timeout=10)
def as_long_as_it_says(url: str) -> Any:
    return requests_once(url, 10)


def requests_once(url: str, timeout: float) -> Any:
    response = requests.get(url, timeout=timeout)
    response.raise_for_status()
    return response.json()


DEADLINE: dict[str, Any] = {
    "attempts": 6,
    "waits": (1, 2, 4, 8, 16),
    "deadline": 20,
    "retry_after": False,
}


@broken("deadline-overrun", **DEADLINE)
def looks_at_the_clock_only_before_it_asks(url: str) -> Any:
    ends = time.monotonic() + 20
    for number in range(6):
        try:
            return ask(url, timeout=15)
        except Busy:
            if number == 5 or time.monotonic() > ends:
                raise
            time.sleep(2**number)
    raise AssertionError("the last attempt returns or raises")


@broken("futile-wait", **DEADLINE)
def sleeps_until_it_is_too_late(url: str) -> Any:
    ends = time.monotonic() + 20
    for number in range(6):
        left = ends - time.monotonic()
        if left <= 0:
            break
        try:
            return ask(url, timeout=min(5, left))
        except Busy as error:
            last = error
            time.sleep(min(2**number, max(0, ends - time.monotonic())))
    raise last


def before_the_deadline(url: str) -> Any:
    ends = time.monotonic() + 20
    for number in range(6):
        try:
            return ask(url, timeout=min(5, ends - time.monotonic()))
        except Busy:
            if number == 5 or time.monotonic() + 2**number >= ends:
                raise
            time.sleep(2**number)
    raise AssertionError("the last attempt returns or raises")


mended("deadline-overrun", **DEADLINE)(before_the_deadline)
mended("futile-wait", **DEADLINE)(before_the_deadline)


BUDGET: dict[str, Any] = {"attempts": 5, "waits": (1, 2, 4, 8), "budget": 5, "retry_after": False}


def within_a_budget(url: str, longest: Callable[[float, float], float]) -> Any:
    """As long as what was waited for, and would be, is within it."""
    spent = 0.0
    for delay in (1, 2, 4, 8):
        try:
            return ask(url)
        except Busy:
            if longest(spent, delay) > 5:
                raise
            time.sleep(delay)
            spent += delay
    return ask(url)


@broken("budget-overrun", **BUDGET)
def has_spent_it_before_it_looks(url: str) -> Any:
    return within_a_budget(url, lambda spent, _: spent)


@broken("budget-overrun", **{**BUDGET, "attempts": FOREVER, "waits": Backoff(1, cap=60)})
def looks_at_no_budget(url: str) -> Any:
    delay = 1
    while True:
        try:
            return ask(url)
        except Busy:
            time.sleep(delay)
            delay = min(2 * delay, 60)


@mended("budget-overrun", **BUDGET)
def looks_ahead(url: str) -> Any:
    return within_a_budget(url, operator.add)


# How it ends


@broken("error-swallowed", **THREE)
def returns_none(url: str) -> Any:
    try:
        return retries_only_what_is_busy(url)
    except ServiceError:
        return None


@broken("error-swallowed", **PLAIN)
def returns_none_after_its_loop(url: str) -> Any:
    for wait in (1, 2, None):
        with contextlib.suppress(requests.RequestException):
            response = requests.get(url, timeout=5)
            if response.status_code not in STATUSES:
                response.raise_for_status()
                return response.json()
        if wait is not None:
            time.sleep(wait)
    return None


@mended("error-swallowed", **THREE)
def raises_in_the_end(url: str) -> Any:
    return retries_only_what_is_busy(url)


@broken("error-returned", **PLAIN)
def returns_the_error_body(url: str) -> Any:
    for wait in (1, 2, None):
        try:
            response = requests.get(url, timeout=5)
            if response.status_code not in STATUSES or wait is None:
                return response.json()
        except TRANSIENT:
            if wait is None:
                raise
        time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@broken("error-returned", **PLAIN)
async def aiohttp_returns_the_error_body(url: str) -> Any:
    limit = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=limit) as session:
        for wait in (1, 2, None):
            try:
                async with session.get(url) as response:
                    said = await response.text()
                    if response.status not in STATUSES or wait is None:
                        return said
            except (aiohttp.ClientError, TimeoutError):
                if wait is None:
                    raise
            await asyncio.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@mended("error-returned", **PLAIN)
def raises_for_status(url: str) -> Any:
    return retried(url, STATUSES)


RAISES: dict[str, Any] = {"attempts": 1, "raises": ServiceError}


@broken("cause-lost", **RAISES)
def from_none(url: str) -> Any:
    try:
        return requests_once(url, 5)
    except requests.RequestException:
        raise ServiceError("it did not work") from None


@broken("cause-lost", **RAISES)
def raised_after_the_except(url: str) -> Any:
    try:
        return requests_once(url, 5)
    except requests.RequestException as error:
        text = str(error)
    raise ServiceError(text)


@mended("cause-lost", **RAISES)
def from_the_cause(url: str) -> Any:
    try:
        return requests_once(url, 5)
    except requests.RequestException as error:
        raise ServiceError("it did not work") from error


@broken("unexpected-exception", **RAISES)
def lets_the_librarys_error_out(url: str) -> Any:
    return requests_once(url, 5)


@broken("unexpected-exception", attempts=3, waits=(1, 2), raises=requests.RequestException)
@tenacity.retry(
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_exponential(),
    retry=tenacity.retry_if_exception_type(requests.RequestException),
)
def retry_error_of_tenacity(url: str) -> Any:
    response = requests.get(url, timeout=5)
    response.raise_for_status()
    return response.json()


@mended("unexpected-exception", **RAISES)
def raises_its_own_error(url: str) -> Any:
    return from_the_cause(url)


@broken("interrupt-swallowed", **PLAIN)
def bare_except(url: str) -> Any:
    for wait in (1, 2, None):
        try:
            return ask(url)
        except Refused:
            raise
        except:  # noqa: E722 -- the bug
            if wait is None:
                raise
        with contextlib.suppress(BaseException):
            time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@broken("interrupt-swallowed", **THREE)
def interrupt_becomes_an_error(url: str) -> Any:
    try:
        return retries_only_what_is_busy(url)
    except Busy:
        raise
    except BaseException as error:
        raise ServiceError("it did not work") from error


@broken("interrupt-swallowed", **PLAIN)
def sleeps_through_it(url: str) -> Any:
    for wait in (1, 2, None):
        try:
            return ask(url)
        except Busy:
            if wait is None:
                raise
        with contextlib.suppress(KeyboardInterrupt):  # the bug
            time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@mended("interrupt-swallowed", **THREE)
def except_exception(url: str) -> Any:
    return retries_only_what_is_busy(url)


async def aonce(url: str) -> Any:
    async with httpx.AsyncClient(trust_env=False, timeout=5, verify=TLS) as client:
        response = await client.get(url)
    if response.status_code in STATUSES:
        raise Busy("busy")
    return response.raise_for_status().json()


@broken("cancellation-swallowed", **PLAIN)
async def cancellation_is_retried(url: str) -> Any:
    for wait in (1, 2, None):
        try:
            return await aonce(url)
        except (Busy, httpx.TransportError, asyncio.CancelledError):
            if wait is None:
                raise
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@broken("cancellation-swallowed", **PLAIN)
async def cancellation_becomes_none(url: str) -> Any:
    try:
        return await cancellation_passes(url)
    except asyncio.CancelledError:
        return None


@mended("cancellation-swallowed", **PLAIN)
async def cancellation_passes(url: str) -> Any:
    for wait in (1, 2, None):
        try:
            return await aonce(url)
        except (Busy, httpx.TransportError):
            if wait is None:
                raise
        await asyncio.sleep(wait)
    raise AssertionError("the last attempt returns or raises")
