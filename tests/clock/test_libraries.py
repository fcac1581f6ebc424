"""Real retry libraries, none patched: the exact schedule each one promises, over real sockets."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import aiohttp_retry
import backoff
import botocore.config
import botocore.session
import circuitbreaker
import google.api_core.exceptions
import google.api_core.retry
import httpx
import httpx_retries
import hvac
import opnieuw
import pybreaker
import pytest
import requests
import requests.adapters
import retrying
import stamina
import tenacity
import urllib3

from pytest_resilience import FOREVER, FakeServer, VirtualClock, faults
from pytest_resilience_gemini import Gemini
from pytest_resilience_vault import Vault


def get(server: FakeServer) -> int:
    response = requests.get(server.url, timeout=30)
    response.raise_for_status()
    return response.status_code


async def aget(server: FakeServer) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(server.url)).raise_for_status().status_code


EXPONENTIAL = tenacity.wait_exponential(multiplier=1)


def test_tenacity(clock: VirtualClock, server: FakeServer) -> None:
    """wait_exponential: 1, 2, 4."""
    server.fail(503, times=3)

    assert tenacity.Retrying(wait=EXPONENTIAL)(get, server) == 200
    assert server.trace.times == [0, 1, 3, 7]


def test_tenacity_async(clock: VirtualClock, server: FakeServer) -> None:
    """The same in asyncio."""
    server.fail(503, times=3)

    assert asyncio.run(tenacity.AsyncRetrying(wait=EXPONENTIAL)(aget, server)) == 200
    assert server.trace.times == [0, 1, 3, 7]


def test_tenacity_with_an_event(clock: VirtualClock, server: FakeServer) -> None:
    """sleep_using_event waits on an Event that may be set to stop it."""
    server.fail(503, times=3)
    sleep = tenacity.sleep_using_event(threading.Event())

    assert tenacity.Retrying(wait=EXPONENTIAL, sleep=sleep)(get, server) == 200
    assert server.trace.times == [0, 1, 3, 7]


def test_tenacity_stops_after_a_delay(clock: VirtualClock, server: FakeServer) -> None:
    """Its stop condition reads time.monotonic."""
    server.fail(503, times=FOREVER)

    with pytest.raises(tenacity.RetryError):
        tenacity.Retrying(wait=tenacity.wait_fixed(2), stop=tenacity.stop_after_delay(5))(
            get, server
        )
    assert server.trace.times == [0, 2, 4, 6]


def test_stamina(clock: VirtualClock, server: FakeServer) -> None:
    """Without jitter: 0.1, 0.2, 0.4."""
    server.fail(503, times=3)
    for attempt in stamina.retry_context(on=requests.RequestException, wait_jitter=0):
        with attempt:
            get(server)

    assert server.trace.waits == [0.1, 0.2, 0.4]


def test_stamina_async(clock: VirtualClock, server: FakeServer) -> None:
    """The same in asyncio."""

    async def ride() -> None:
        async for attempt in stamina.retry_context(on=httpx.HTTPError, wait_jitter=0):
            with attempt:
                await aget(server)

    server.fail(503, times=3)
    asyncio.run(ride())
    assert server.trace.waits == [0.1, 0.2, 0.4]


def test_backoff(clock: VirtualClock, server: FakeServer) -> None:
    """expo without jitter: 1, 2, 4; it reads datetime.now."""
    server.fail(503, times=3)
    decorate = backoff.on_exception(
        backoff.expo, requests.RequestException, jitter=None, max_time=60
    )

    assert decorate(get)(server) == 200
    assert server.trace.times == [0, 1, 3, 7]


def test_backoff_gives_up_in_time(clock: VirtualClock, server: FakeServer) -> None:
    """max_time is a deadline by datetime.now: the last wait is cut to it."""
    server.fail(503, times=FOREVER)
    decorate = backoff.on_exception(
        backoff.expo, requests.RequestException, jitter=None, max_time=10
    )

    with pytest.raises(requests.HTTPError):
        decorate(get)(server)
    assert server.trace.times == [0, 1, 3, 7, 10]


def test_backoff_async(clock: VirtualClock, server: FakeServer) -> None:
    """The same in asyncio."""
    server.fail(503, times=3)
    decorate = backoff.on_exception(backoff.expo, httpx.HTTPError, jitter=None)

    assert asyncio.run(decorate(aget)(server)) == 200
    assert server.trace.times == [0, 1, 3, 7]


def test_urllib3_retry_through_requests(clock: VirtualClock, server: FakeServer) -> None:
    """Its first wait is 0, then the factor doubles: 0, 2, 4."""
    server.fail(503, times=3)
    retry = urllib3.Retry(total=5, backoff_factor=1, status_forcelist=[503])

    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retry))
        assert session.get(server.url).status_code == 200
    assert server.trace.waits == [0, 2, 4]


def test_urllib3_retry_after(clock: VirtualClock, server: FakeServer) -> None:
    """Seconds, and a date."""
    server.fail(
        faults.status(429, retry_after=7), faults.status(503, retry_after=faults.http_date(60))
    )

    with urllib3.PoolManager(retries=urllib3.Retry(5)) as pool:
        assert pool.request("GET", server.url).status == 200
    assert server.trace.waits == [7, 60]


def test_httpx_retries(clock: VirtualClock, server: FakeServer) -> None:
    """Without jitter the factor doubles from the first wait on: 1, 2, 4."""
    server.fail(503, times=3)
    retry = httpx_retries.Retry(total=5, backoff_factor=0.5, backoff_jitter=0)

    with httpx.Client(
        transport=httpx_retries.RetryTransport(retry=retry), trust_env=False
    ) as client:
        assert client.get(server.url).status_code == 200
    assert server.trace.waits == [1, 2, 4]


def test_httpx_retries_async(clock: VirtualClock, server: FakeServer) -> None:
    """The same in asyncio."""
    retry = httpx_retries.Retry(total=5, backoff_factor=0.5, backoff_jitter=0)

    async def ride() -> int:
        transport = httpx_retries.RetryTransport(retry=retry)
        async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
            return (await client.get(server.url)).status_code

    server.fail(503, times=3)
    assert asyncio.run(ride()) == 200
    assert server.trace.waits == [1, 2, 4]


def test_aiohttp_retry(clock: VirtualClock, server: FakeServer) -> None:
    """ExponentialRetry from 0.5: 1, 2, 4."""

    async def ride() -> int:
        options = aiohttp_retry.ExponentialRetry(attempts=4, start_timeout=0.5)
        async with (
            aiohttp_retry.RetryClient(retry_options=options) as client,
            client.get(server.url) as response,
        ):
            return response.status

    server.fail(503, times=3)
    assert asyncio.run(ride()) == 200
    assert server.trace.times == [0, 1, 3, 7]


async def aiohttp_times_out(server: FakeServer, loop_seconds: float, total: float) -> None:
    await asyncio.sleep(loop_seconds)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=total)) as session:
        with pytest.raises(TimeoutError):
            await session.get(server.url)


@pytest.mark.parametrize(("total", "ends"), [(4.5, 5), (5, 6), (30, 31)])
def test_aiohttp_rounds_timeouts_up(
    total: float, ends: float, clock: VirtualClock, server: FakeServer
) -> None:
    """From 5 s on its timeouts end at a whole second of the loop's clock, not exactly.

    aiohttp/helpers.py, TimeoutHandle: a timeout that begins at 0.5 and lasts 30 ends at 31.
    """
    server.fail(faults.timeout())
    asyncio.run(aiohttp_times_out(server, 0.5, total))

    assert clock.now == ends


def api_core_predicate(error: Exception) -> bool:
    return isinstance(error, requests.HTTPError)


def test_google_api_core(clock: VirtualClock, server: FakeServer) -> None:
    """Waits are drawn from 0 to a maximum that doubles; seeded, they are exact."""
    server.fail(503, times=3)
    random.seed(1)
    drawn = [random.uniform(0, most) for most in (1, 2, 4)]
    random.seed(1)
    retry = google.api_core.retry.Retry(
        predicate=api_core_predicate, initial=1, multiplier=2, maximum=60
    )

    assert retry(get)(server) == 200
    assert server.trace.waits == [round(wait, 9) for wait in drawn]


def test_google_api_core_deadline(clock: VirtualClock, server: FakeServer) -> None:
    """It has no limit of attempts, only a deadline by time.monotonic."""
    server.fail(503, times=FOREVER)
    retry = google.api_core.retry.Retry(predicate=api_core_predicate, timeout=60)

    with pytest.raises(google.api_core.exceptions.RetryError):
        retry(get)(server)
    assert clock.now <= 60


async def _await(it: Awaitable[int]) -> int:
    return await it


def test_google_api_core_async(clock: VirtualClock, server: FakeServer) -> None:
    """The same in asyncio."""

    def is_error(error: Exception) -> bool:
        return isinstance(error, httpx.HTTPError)

    server.fail(503, times=3)
    random.seed(1)
    drawn = [random.uniform(0, most) for most in (1, 2, 4)]
    random.seed(1)
    retry = google.api_core.retry.AsyncRetry(predicate=is_error, initial=1, multiplier=2)

    assert asyncio.run(_await(retry(aget)(server))) == 200
    assert server.trace.waits == [round(wait, 9) for wait in drawn]


BOTOCORE = {
    # DynamoDB's own: 50 ms, doubled.
    "legacy": [0.05, 0.1, 0.2],
    # A random part of 1, 2 and 4 seconds; random.seed(3) draws 0.23796..., 0.54422..., 0.36995...
    "standard": [0.237964627, 1.088458451, 1.479820666],
    # Its limiter waits for a token, half a one a second, on a Condition. It counts tokens by
    # time.time(), whose floats are 240 ns apart, so it is a few hundred nanoseconds off.
    "adaptive": pytest.approx([2, 2, 2], abs=1e-6),
}


@pytest.mark.parametrize("mode", BOTOCORE)
def test_botocore(mode: str, clock: VirtualClock, server: FakeServer) -> None:
    """A throttled call, in each of its retry modes."""
    throttled = faults.status(
        400,
        body=b'{"__type": "ThrottlingException", "message": "slow down"}',
        headers={"Content-Type": "application/x-amz-json-1.0"},
    )
    server.fail(throttled, times=3)
    client = botocore.session.Session().create_client(
        "dynamodb",
        region_name="eu-west-1",
        endpoint_url=server.url,
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=botocore.config.Config(retries={"mode": mode, "max_attempts": 5}),
    )
    random.seed(3)
    client.list_tables()
    client.close()

    assert server.trace.waits == BOTOCORE[mode]


def test_retrying(clock: VirtualClock, server: FakeServer) -> None:
    """wait_exponential in milliseconds: 2, 4, 8; it reads time.time."""
    server.fail(503, times=3)
    decorate = retrying.retry(wait_exponential_multiplier=1000, stop_max_delay=60_000)

    assert decorate(get)(server) == 200
    assert server.trace.waits == [2, 4, 8]


def test_opnieuw(clock: VirtualClock, server: FakeServer) -> None:
    """Waits are drawn from 0 to a maximum that doubles, so that all fit into its window."""
    server.fail(503, times=3)
    random.seed(5)
    drawn = [random.uniform(0, most) for most in (10, 20, 40)]
    random.seed(5)
    decorate = opnieuw.retry(
        retry_on_exceptions=requests.RequestException,
        max_calls_total=4,
        retry_window_after_first_call_in_seconds=70,
    )

    assert decorate(get)(server) == 200
    assert server.trace.waits == [round(wait, 9) for wait in drawn]


def test_hvac(clock: VirtualClock) -> None:
    """Its adapter retries with urllib3's Retry; the secret's ttl passes in virtual time."""
    retry = urllib3.Retry(total=3, backoff_factor=1, status_forcelist=[503], raise_on_status=False)
    with Vault() as vault, requests.Session() as session:
        vault.put("secret/myapp", {"password": "s3cr3t"})
        vault.fail(503, times=3)
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retry))
        client = hvac.Client(vault.url, token=vault.root_token, session=session)

        answer = client.secrets.kv.v2.read_secret_version("myapp", raise_on_deleted_version=True)
        assert answer["data"]["data"] == {"password": "s3cr3t"}
        assert vault.trace.waits == [0, 2, 4]


def genai_client(gemini: Gemini) -> Any:
    from google import genai

    return genai.Client(
        api_key=gemini.api_key,
        http_options=genai.types.HttpOptions(
            base_url=gemini.url,
            retry_options=genai.types.HttpRetryOptions(
                attempts=4, initial_delay=1, exp_base=2, jitter=0
            ),
        ),
    )


def test_google_genai(clock: VirtualClock) -> None:
    """Google's own client: with no jitter 1, 2, 4."""
    with Gemini() as gemini:
        gemini.say("hello")
        gemini.fail(503, times=3)
        client = genai_client(gemini)
        answer = client.models.generate_content(model="gemini-2.5-flash", contents="hi")
        client.close()

        assert answer.text == "hello"
        assert gemini.trace.waits == [1, 2, 4]


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
def test_google_genai_async(clock: VirtualClock) -> None:
    """The same in asyncio."""

    async def ask(gemini: Gemini) -> str | None:
        client = genai_client(gemini)
        try:
            answer = await client.aio.models.generate_content(
                model="gemini-2.5-flash", contents="hi"
            )
        finally:
            await client.aio.aclose()
            client.close()
        text: str | None = answer.text
        return text

    with Gemini() as gemini:
        gemini.say("hello")
        gemini.fail(503, times=3)

        assert asyncio.run(ask(gemini)) == "hello"
        assert gemini.trace.waits == [1, 2, 4]


def fails(server: FakeServer, call: Callable[[FakeServer], int]) -> None:
    with pytest.raises(requests.HTTPError):
        call(server)


def test_circuitbreaker(clock: VirtualClock, server: FakeServer) -> None:
    """It opens after two failures and lets one call through again at exactly 30 s."""
    server.fail(503, times=2)
    call = circuitbreaker.circuit(
        failure_threshold=2, recovery_timeout=30, expected_exception=requests.HTTPError
    )(get)
    fails(server, call)
    fails(server, call)
    time.sleep(29.999)
    with pytest.raises(circuitbreaker.CircuitBreakerError):
        call(server)
    time.sleep(0.001)

    assert call(server) == 200
    assert server.trace.times == [0, 0, 30]


def test_pybreaker(clock: VirtualClock, server: FakeServer) -> None:
    """The same by datetime.now."""
    server.fail(503, times=2)
    breaker = pybreaker.CircuitBreaker(fail_max=2, reset_timeout=30)
    fails(server, lambda s: breaker.call(get, s))
    with pytest.raises(pybreaker.CircuitBreakerError):
        breaker.call(get, server)
    time.sleep(29.999)
    with pytest.raises(pybreaker.CircuitBreakerError):
        breaker.call(get, server)
    time.sleep(0.001)

    assert breaker.call(get, server) == 200
    assert server.trace.times == [0, 0, 30]
