"""Correct clients built on the retry libraries that people use."""

from __future__ import annotations

import random
import ssl
from typing import Any

import aiohttp
import aiohttp_retry
import anyio
import backoff
import botocore.config
import botocore.session
import google.api_core.exceptions
import google.api_core.retry
import httpx
import httpx_retries
import hvac
import opnieuw
import requests
import requests.adapters
import retrying
import stamina
import tenacity
import trio
import urllib3

from pytest_resilience import FOREVER
from pytest_resilience.policy.backoff import Backoff
from tests.verify.zoo.kit import STATUSES, Client, correct

TRANSIENT = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)

TLS = ssl.create_default_context()
"""Made once: it takes longer than all the rest of a client."""


class Busy(Exception):
    """The service asks to come back."""


def fetch(url: str) -> Any:
    """One attempt with requests: what is worth another one is Busy, a cut or a timeout."""
    response = requests.get(url, timeout=(3.05, 10))
    if response.status_code in STATUSES:
        raise Busy(f"{response.status_code} from {url}")
    response.raise_for_status()
    return response.json()


async def afetch(url: str) -> Any:
    """The same with httpx."""
    async with httpx.AsyncClient(trust_env=False, timeout=10, verify=TLS) as client:
        response = await client.get(url)
    if response.status_code in STATUSES:
        raise Busy(f"{response.status_code} from {url}")
    return response.raise_for_status().json()


URLLIB3 = urllib3.Retry(total=4, backoff_factor=1, status_forcelist=STATUSES)


@correct(urllib3=URLLIB3, body_failures=False, timeout=10)
def requests_with_an_adapter(url: str) -> Any:
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=URLLIB3))
        response = session.get(url, timeout=(3.05, 10))
        response.raise_for_status()
        return response.json()


@correct(urllib3=URLLIB3, timeout=3)
def urllib3_alone(url: str) -> Any:
    with urllib3.PoolManager(retries=URLLIB3, timeout=urllib3.Timeout(3, 10)) as pool:
        response = pool.request("GET", url)
        if response.status != 200:
            raise RuntimeError(f"status {response.status}")
        return response.json()


@correct(factory=True, urllib3=URLLIB3, body_failures=False)
def a_session_that_is_kept() -> Client:
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(max_retries=URLLIB3))

    def call(url: str) -> Any:
        response = session.get(url, timeout=(3.05, 10))
        response.raise_for_status()
        return response.json()

    return call


STOP = tenacity.stop_after_attempt(4)
WAIT = tenacity.wait_exponential(multiplier=1, max=10)


@correct(attempts=4, waits=(1, 2, 4), retry_after=False, malformed=False)
@tenacity.retry(
    retry=tenacity.retry_if_exception_type((Busy, *TRANSIENT)), stop=STOP, wait=WAIT, reraise=True
)
def tenacity_decorated(url: str) -> Any:
    return fetch(url)


@correct(attempts=4, waits=(1, 2, 4), retry_after=False, malformed=False)
@tenacity.retry(
    retry=tenacity.retry_if_exception_type((Busy, httpx.TransportError)),
    stop=STOP,
    wait=WAIT,
    reraise=True,
)
async def tenacity_async(url: str) -> Any:
    return await afetch(url)


@correct(attempts=4, waits=(1, 2, 4), retry_after=False, malformed=False)
def tenacity_with_a_loop(url: str) -> Any:
    for attempt in tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((Busy, *TRANSIENT)),
        stop=tenacity.stop_after_attempt(4),
        wait=tenacity.wait_exponential(multiplier=1, max=10),
    ):
        with attempt:
            return fetch(url)
    raise AssertionError("tenacity raises by itself")


@correct(attempts=4, waits=(1, 2, 4), retry_after=False, malformed=False, timeout=10)
@tenacity.retry(
    retry=tenacity.retry_if_exception_type((Busy, *TRANSIENT)),
    stop=STOP | tenacity.stop_after_delay(20),
    wait=WAIT,
    reraise=True,
)
def tenacity_with_a_limit_of_time(url: str) -> Any:
    return fetch(url)


@correct(attempts=4, waits=(1, 2, 4), retry_after=False, malformed=False)
@backoff.on_exception(backoff.expo, (Busy, *TRANSIENT), max_tries=4, max_time=22, jitter=None)
def backoff_with_a_limit_of_time(url: str) -> Any:
    return fetch(url)


@correct(attempts=5, waits=(1, 2, 4, 8), jitter="full", retry_after=False, malformed=False)
@tenacity.retry(
    retry=tenacity.retry_if_exception_type((Busy, *TRANSIENT)),
    stop=tenacity.stop_after_attempt(5),
    wait=tenacity.wait_random_exponential(multiplier=1, max=10),
    reraise=True,
)
def tenacity_with_full_jitter(url: str) -> Any:
    return fetch(url)


@correct(attempts=4, waits=((0.1, 1.1), (0.2, 1.2), (0.4, 1.4)), retry_after=False, malformed=False)
@stamina.retry(on=(Busy, *TRANSIENT), attempts=4)
def stamina_decorated(url: str) -> Any:
    return fetch(url)


@correct(attempts=4, waits=((0.1, 1.1), (0.2, 1.2), (0.4, 1.4)), retry_after=False, malformed=False)
async def stamina_async(url: str) -> Any:
    async for attempt in stamina.retry_context(on=(Busy, httpx.TransportError), attempts=4):
        with attempt:
            return await afetch(url)
    raise AssertionError("stamina raises by itself")


@correct(attempts=4, waits=((0, 1), (0, 2), (0, 4)), retry_after=False, malformed=False)
@backoff.on_exception(backoff.expo, (Busy, *TRANSIENT), max_tries=4)
def backoff_decorated(url: str) -> Any:
    return fetch(url)


@correct(attempts=4, waits=(1, 2, 4), retry_after=False, malformed=False)
@backoff.on_exception(backoff.expo, (Busy, httpx.TransportError), max_tries=4, jitter=None)
async def backoff_async(url: str) -> Any:
    return await afetch(url)


HTTPX_RETRIES = httpx_retries.Retry(total=4, backoff_factor=0.5, backoff_jitter=0)
ITS_STATUSES = (429, 502, 503, 504)


@correct(attempts=5, waits=(1, 2, 4, 8), body_failures=False, statuses=ITS_STATUSES)
def httpx_with_httpx_retries(url: str) -> Any:
    transport = httpx_retries.RetryTransport(httpx.HTTPTransport(verify=TLS), HTTPX_RETRIES)
    with httpx.Client(transport=transport, trust_env=False, timeout=10, verify=TLS) as client:
        return client.get(url).raise_for_status().json()


@correct(attempts=5, waits=(1, 2, 4, 8), body_failures=False, statuses=ITS_STATUSES)
async def httpx_with_httpx_retries_async(url: str) -> Any:
    transport = httpx_retries.RetryTransport(httpx.AsyncHTTPTransport(verify=TLS), HTTPX_RETRIES)
    async with httpx.AsyncClient(
        transport=transport, trust_env=False, timeout=10, verify=TLS
    ) as client:
        return (await client.get(url)).raise_for_status().json()


@correct(
    attempts=4,
    waits=(1, 2, 4),
    resends=True,
    retry_after=False,
    failures=(),
)
async def aiohttp_with_aiohttp_retry(url: str) -> Any:
    options = aiohttp_retry.ExponentialRetry(
        attempts=4, start_timeout=0.5, statuses=set(STATUSES), retry_all_server_errors=False
    )
    limit = aiohttp.ClientTimeout(total=10)
    async with (
        aiohttp_retry.RetryClient(retry_options=options, timeout=limit) as client,
        client.get(url) as response,
    ):
        response.raise_for_status()
        return await response.json()


@correct(attempts=3, waits=(0.2, 0.4), resends=True, failures=(), statuses=("5xx",))
async def aiohttp_retry_as_it_comes(url: str) -> Any:
    async with (
        aiohttp_retry.RetryClient(timeout=aiohttp.ClientTimeout(total=10)) as client,
        client.get(url) as response,
    ):
        response.raise_for_status()
        return await response.json()


def is_transient(error: Exception) -> bool:
    return isinstance(error, (Busy, *TRANSIENT))


@correct(
    backoff=Backoff(1, cap=60),
    jitter="full",
    attempts=FOREVER,
    deadline=120,
    retry_after=False,
    malformed=False,
)
def google_api_core_decorated(url: str) -> Any:
    retry = google.api_core.retry.Retry(predicate=is_transient, initial=1, multiplier=2)
    return retry(fetch)(url)


@correct(attempts=FOREVER, deadline=60, retry_after=False, malformed=False)
async def google_api_core_async(url: str) -> Any:
    def predicate(error: Exception) -> bool:
        return isinstance(error, (Busy, httpx.TransportError))

    retry = google.api_core.retry.AsyncRetry(predicate=predicate, timeout=60)
    return await retry(afetch)(url)


BOTOCORE = botocore.session.Session()


def botocore_client(url: str, mode: str) -> Any:
    return BOTOCORE.create_client(
        "dynamodb",
        region_name="eu-west-1",
        endpoint_url=url,
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=botocore.config.Config(
            retries={"mode": mode, "total_max_attempts": 4}, connect_timeout=3, read_timeout=10
        ),
    )


@correct(
    attempts=4,
    statuses=STATUSES,
    retry_after=False,
    body_failures=False,
    malformed=False,
)
def botocore_legacy(url: str) -> Any:
    client = botocore_client(url, "legacy")
    try:
        return client.list_tables()["ResponseMetadata"]["HTTPStatusCode"]
    finally:
        client.close()


@correct(
    attempts=4,
    statuses=STATUSES,
    retry_after=False,
    body_failures=False,
    malformed=False,
)
def botocore_standard(url: str) -> Any:
    client = botocore_client(url, "standard")
    try:
        return client.list_tables()["ResponseMetadata"]["HTTPStatusCode"]
    finally:
        client.close()


@correct(
    factory=True,
    attempts=4,
    statuses=STATUSES,
    retry_after=False,
    body_failures=False,
    malformed=False,
)
def botocore_with_one_quota_for_all_calls() -> Client:
    kept: list[Any] = []

    def call(url: str) -> Any:
        if not kept:
            kept.append(botocore_client(url, "standard"))
        return kept[0].list_tables()["ResponseMetadata"]["HTTPStatusCode"]

    return call


@correct(urllib3=URLLIB3, body_failures=False)
def hvac_with_an_adapter(url: str) -> Any:
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=URLLIB3))
        client = hvac.Client(url, token="a-token", session=session, timeout=10)
        return client.read("secret/app")


@correct(attempts=4, waits=(2, 4, 8), retry_after=False, malformed=False)
@retrying.retry(  # type: ignore[untyped-decorator]  # it has no types
    retry_on_exception=is_transient, wait_exponential_multiplier=1000, stop_max_attempt_number=4
)
def retrying_decorated(url: str) -> Any:
    return fetch(url)


@correct(attempts=4, retry_after=False, malformed=False)
@opnieuw.retry(
    retry_on_exceptions=(Busy, *TRANSIENT),
    max_calls_total=4,
    retry_window_after_first_call_in_seconds=60,
)
def opnieuw_decorated(url: str) -> Any:
    return fetch(url)


@correct(attempts=4, retry_after=False, malformed=False)
@opnieuw.retry_async(
    retry_on_exceptions=(Busy, httpx.TransportError),
    max_calls_total=4,
    retry_window_after_first_call_in_seconds=60,
)
async def opnieuw_async(url: str) -> Any:
    return await afetch(url)


@correct(attempts=4, waits=(1, 2, 4), retry_after=False, malformed=False)
async def anyio_by_hand(url: str) -> Any:
    for delay in (1, 2, 4, None):
        try:
            with anyio.fail_after(10):
                return await afetch(url)
        except (Busy, httpx.TransportError, TimeoutError):
            if delay is None:
                raise
            await anyio.sleep(delay)
    raise AssertionError("the last attempt returns or raises")


@correct(attempts=4, waits=(1, 2, 4), retry_after=False, malformed=False)
def trio_by_hand(url: str) -> Any:
    async def ride() -> Any:
        for delay in (1, 2, 4, None):
            try:
                return await afetch(url)
            except (Busy, httpx.TransportError):
                if delay is None:
                    raise
                await trio.sleep(delay)
        raise AssertionError("the last attempt returns or raises")

    return trio.run(ride)


@correct(attempts=4, waits=(1, 2, 4), jitter="equal", retry_after=False, resends=True)
async def aiohttp_by_hand(url: str) -> Any:
    limit = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=limit) as session:
        for number in range(4):
            try:
                async with session.get(url) as response:
                    if response.status not in STATUSES:
                        response.raise_for_status()
                        return await response.json()
                    problem: Exception = Busy(response.status)
            except (aiohttp.ClientResponseError, aiohttp.ContentTypeError) as error:
                if error.status >= 300:
                    raise
                problem = error
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                problem = error
            if number == 3:
                raise problem
            most = float(2**number)
            await anyio.sleep(random.uniform(most / 2, most))
    raise AssertionError("the last attempt returns or raises")


@correct(
    attempts=4,
    waits=(1, 2, 4),
    retry_after=False,
    resends=True,
    timeout=10,
    failures=("connect", "refused", "read-timeout", "reset", "truncated"),
)
async def aiohttp_that_sends_once_more(url: str) -> Any:
    limit = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=limit) as session:
        for wait in (1, 2, 4, None):
            problem: Exception
            try:
                async with session.get(url) as response:
                    if response.status not in STATUSES:
                        response.raise_for_status()
                        return await response.json()
                    problem = Busy(response.status)
            except (aiohttp.ClientResponseError, aiohttp.ContentTypeError):
                raise
            except (aiohttp.ClientError, TimeoutError) as error:
                problem = error
            if wait is None:
                raise problem
            await anyio.sleep(wait)
    raise AssertionError("the last attempt returns or raises")
