"""Three read timeouts of 30 s in each retry library: each lasts exactly, and so do its waits."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable

import aiohttp
import aiohttp_retry
import backoff
import botocore.config
import botocore.session
import google.api_core.retry
import httpx
import httpx_retries
import opnieuw
import pytest
import requests
import requests.adapters
import retrying
import stamina
import tenacity
import urllib3

from pytest_resilience import FakeServer, VirtualClock, faults

EXPONENTIAL = tenacity.wait_exponential(multiplier=1)
HTTPX = httpx_retries.Retry(total=5, backoff_factor=0.5, backoff_jitter=0)


def get(server: FakeServer) -> str:
    return requests.get(server.url, timeout=30).text


async def aget(server: FakeServer) -> str:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        return (await client.get(server.url)).text


async def aiohttp_get(server: FakeServer) -> str:
    limit = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(timeout=limit) as session, session.get(server.url) as answer:
        return await answer.text()


def by_urllib3_retry(server: FakeServer) -> str:
    with requests.Session() as session:
        retry = urllib3.Retry(total=5, backoff_factor=1)
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retry))
        return session.get(server.url, timeout=30).text


def by_httpx_retries(server: FakeServer) -> str:
    transport = httpx_retries.RetryTransport(retry=HTTPX)
    with httpx.Client(transport=transport, trust_env=False, timeout=30) as client:
        return client.get(server.url).text


async def by_httpx_retries_async(server: FakeServer) -> str:
    transport = httpx_retries.RetryTransport(retry=HTTPX)
    async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=30) as client:
        return (await client.get(server.url)).text


async def by_aiohttp_retry(server: FakeServer) -> str:
    options = aiohttp_retry.ExponentialRetry(4, start_timeout=0.5, exceptions={TimeoutError})
    limit = aiohttp.ClientTimeout(total=30)
    async with (
        aiohttp_retry.RetryClient(retry_options=options, timeout=limit) as client,
        client.get(server.url) as answer,
    ):
        return await answer.text()


def by_google_api_core(server: FakeServer) -> str:
    retry = google.api_core.retry.Retry(
        predicate=lambda error: isinstance(error, requests.Timeout), initial=1, timeout=None
    )
    return retry(get)(server)


def by_botocore(mode: str) -> Callable[[FakeServer], object]:
    def ride(server: FakeServer) -> None:
        client = botocore.session.Session().create_client(
            "sqs",
            region_name="eu-west-1",
            endpoint_url=server.url,
            aws_access_key_id="a",
            aws_secret_access_key="b",
            config=botocore.config.Config(
                read_timeout=30, retries={"mode": mode, "max_attempts": 5}
            ),
        )
        random.seed(1)
        client.list_queues()
        client.close()

    return ride


def drawn(*most: float) -> list[float]:
    """What random.seed(1) draws from 0 to each of these."""
    generator = random.Random(1)
    return [generator.uniform(0, high) for high in most]


def in_asyncio(ride: Callable[[FakeServer], object]) -> Callable[[FakeServer], object]:
    async def run(server: FakeServer) -> object:
        return await ride(server)  # type: ignore[misc]  # all of them are coroutine functions

    return lambda server: asyncio.run(run(server))


RETRIED = (requests.Timeout, httpx.TimeoutException, TimeoutError)
RIDES: dict[str, tuple[Callable[[FakeServer], object], list[float]]] = {
    "tenacity": (tenacity.Retrying(wait=EXPONENTIAL).wraps(get), [1, 2, 4]),
    "tenacity with an event": (
        lambda server: tenacity.Retrying(
            wait=EXPONENTIAL, sleep=tenacity.sleep_using_event(threading.Event())
        )(get, server),
        [1, 2, 4],
    ),
    "tenacity and httpx": (
        in_asyncio(tenacity.AsyncRetrying(wait=EXPONENTIAL).wraps(aget)),
        [1, 2, 4],
    ),
    "tenacity and aiohttp": (
        in_asyncio(tenacity.AsyncRetrying(wait=EXPONENTIAL).wraps(aiohttp_get)),
        [1, 2, 4],
    ),
    "stamina": (stamina.retry(on=RETRIED, wait_jitter=0, timeout=None)(get), [0.1, 0.2, 0.4]),
    "stamina and httpx": (
        in_asyncio(stamina.retry(on=RETRIED, wait_jitter=0, timeout=None)(aget)),
        [0.1, 0.2, 0.4],
    ),
    "backoff": (backoff.on_exception(backoff.expo, RETRIED, jitter=None)(get), [1, 2, 4]),
    "backoff, full jitter": (backoff.on_exception(backoff.expo, RETRIED)(get), drawn(1, 2, 4)),
    "urllib3 through requests": (by_urllib3_retry, [0, 2, 4]),
    "httpx-retries": (by_httpx_retries, [1, 2, 4]),
    "httpx-retries, asyncio": (in_asyncio(by_httpx_retries_async), [1, 2, 4]),
    "aiohttp-retry": (in_asyncio(by_aiohttp_retry), [1, 2, 4]),
    "google-api-core": (by_google_api_core, drawn(1, 2, 4)),
    "botocore, legacy": (by_botocore("legacy"), drawn(1, 2, 4)),
    "botocore, standard": (by_botocore("standard"), drawn(0.05, 0.1, 0.2)),
    "botocore, adaptive": (by_botocore("adaptive"), drawn(0.05, 0.1, 0.2)),
    "retrying": (retrying.retry(wait_exponential_multiplier=1000)(get), [2, 4, 8]),
    "opnieuw": (
        opnieuw.retry(
            retry_on_exceptions=RETRIED,
            max_calls_total=4,
            retry_window_after_first_call_in_seconds=7_000,
        )(get),
        drawn(1_000, 2_000, 4_000),
    ),
}


@pytest.mark.parametrize("library", RIDES)
def test_three_read_timeouts(library: str, clock: VirtualClock) -> None:
    """Each attempt comes 30 s and one wait after the one before, to the nanosecond."""
    ride, waits = RIDES[library]
    nanoseconds = [0]
    for wait in waits:
        nanoseconds.append(nanoseconds[-1] + 30_000_000_000 + round(wait * 1e9))

    with FakeServer() as server:
        server.fail(faults.timeout(), times=3)
        random.seed(1)
        ride(server)

        assert server.trace.times == [moment / 1e9 for moment in nanoseconds]
