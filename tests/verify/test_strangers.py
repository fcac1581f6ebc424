"""Clients whose habits a judge may mistake for a fault, and faults that hide behind a habit."""

from __future__ import annotations

import asyncio
import functools
import itertools
import random
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import certifi
import httpx
import pytest
import requests

from pytest_resilience import Backoff, FakeServer, ResilienceError, RetryPolicy, verify
from pytest_resilience.judge.authorities import read_late

Call = Callable[[str], Any]
STATUSES = (429, 500, 502, 503, 504)
CLAIM: dict[str, Any] = {
    "statuses": STATUSES,
    "failures": ["refused", "read-timeout", "reset"],
    "timeout": 5,
}
EXACT = RetryPolicy(**CLAIM, backoff=[1, 2, 4])
SILENCE = RetryPolicy(failures=["read-timeout"], backoff=[1, 2, 4.5], timeout=5)
FULL = RetryPolicy(**CLAIM, attempts=4, backoff=Backoff(1), jitter="full")


def passes(error: Exception) -> bool:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code in STATUSES
    return isinstance(error, requests.ConnectionError | requests.Timeout)


def get(url: str, *, timeout: Any = 5) -> Any:
    response = requests.get(url, timeout=timeout)
    response.raise_for_status()
    return response.json()


def loop(
    url: str,
    waits: Callable[[int], float] = lambda n: 2**n,
    *,
    attempts: int = 4,
    ask: Call = get,
    again: Callable[[Exception], bool] = passes,
) -> Any:
    for n in range(attempts):
        try:
            return ask(url)
        except requests.RequestException as error:
            if not again(error) or n == attempts - 1:
                raise
        time.sleep(waits(n))
    raise AssertionError


# Correct


def paced() -> Call:
    """Lets its callers begin one after the other."""
    lock, last = threading.Lock(), [0.0]

    def call(url: str) -> Any:
        with lock:
            last[0] = max(time.monotonic(), last[0] + 0.2)
            pause = last[0] - time.monotonic()
        time.sleep(pause)
        return loop(url)

    return call


def one_at_a_time() -> Call:
    lock = threading.Lock()

    def call(url: str) -> Any:
        with lock:
            return loop(url)

    return call


def only_timeouts(url: str) -> Any:
    return loop(url, lambda n: (1, 2, 4.5)[n], again=lambda e: isinstance(e, requests.Timeout))


async def only_timeouts_of_aiohttp(url: str) -> Any:
    """They end at whole seconds, so it matters when an attempt begins."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as session:
        for wait in (1, 2, 4.5, None):
            try:
                async with session.get(url, raise_for_status=True) as response:
                    return await response.json()
            except TimeoutError:
                if wait is None:
                    raise
                await asyncio.sleep(wait)
    raise AssertionError


def is_well(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


class GaveUpError(Exception):
    """Raised in the end."""


class RefusedError(Exception):
    """Raised for what no repetition cures."""


def own_errors(url: str) -> Any:
    try:
        return loop(url)
    except requests.RequestException as error:
        status = 0 if error.response is None else error.response.status_code
        refused = 400 <= status < 500 and status != 429
        raise (RefusedError if refused else GaveUpError)(url) from error


def drip(url: str) -> Any:
    """Looks at the clock whenever a piece has come."""
    ends = time.monotonic() + 20
    body = b""
    with requests.get(url, timeout=5, stream=True) as response:
        response.raise_for_status()
        for chunk in response.iter_content(1):
            body += chunk
            if time.monotonic() > ends:
                raise TimeoutError(url)
    return body


def stops_between_attempts(url: str) -> Any:
    """As ``tenacity.stop_after_delay`` does: what is under way at the end may end."""
    ends = time.monotonic() + 12
    while True:
        try:
            return get(url)
        except requests.RequestException as error:
            if not passes(error) or time.monotonic() + 1 >= ends:
                raise
        time.sleep(1)


@pytest.mark.parametrize(
    ("client", "policy", "only"),
    [
        pytest.param(paced(), EXACT, "outage-for-several-threads", id="paced"),
        pytest.param(one_at_a_time(), EXACT, "outage-for-several-threads", id="one-at-a-time"),
        pytest.param(only_timeouts, SILENCE, None, id="only-timeouts"),
        pytest.param(
            only_timeouts_of_aiohttp, SILENCE, "outage-for-several-threads", id="whole-seconds"
        ),
        pytest.param(is_well, RetryPolicy(attempts=1, timeout=5), None, id="health-check"),
        pytest.param(own_errors, RetryPolicy(raises=GaveUpError, timeout=5), None, id="refused"),
        pytest.param(
            own_errors, RetryPolicy(raises="GaveUpError"), "outage-without-end", id="by-its-name"
        ),
        pytest.param(
            drip, RetryPolicy(attempts=1, total_timeout=20, timeout=5), "slow-drip", id="drip"
        ),
        pytest.param(
            stops_between_attempts,
            RetryPolicy(deadline=12, timeout=5, statuses=STATUSES),
            "silence",
            id="stops-between-attempts",
        ),
        pytest.param(
            stops_between_attempts,
            RetryPolicy(deadline=12),
            "silence",
            id="stops-and-claims-no-timeout",
        ),
        pytest.param(
            lambda url: loop(url, lambda n: (1.5, 3)[n], attempts=3),
            RetryPolicy(backoff=[(1, 2), (2, 4)], statuses=STATUSES),
            "many-outages",
            id="bounds-without-chance",
        ),
        pytest.param(
            lambda url: loop(url, lambda n: min(2**n, 2) + random.random()),
            RetryPolicy(attempts=4, backoff=Backoff(1, cap=2), jitter="additive"),
            "many-outages",
            id="jitter-on-top-of-the-cap",
        ),
    ],
)
def test_nothing_is_found_on_a_correct_client(
    client: Call, policy: RetryPolicy, only: str | None
) -> None:
    """A habit is no fault."""
    verdict = verify(client, policy, only=only)

    assert verdict.codes == [], verdict


# Broken


def goes_round() -> Call:
    waits = itertools.cycle([1, 2, 4])
    return functools.partial(loop, waits=lambda _: next(waits))


def fifteen_seconds(url: str) -> Any:
    """Each attempt has longer than the rest of the time."""
    return loop(url, attempts=2, ask=functools.partial(get, timeout=15))


@pytest.mark.parametrize(
    ("client", "policy", "only", "codes"),
    [
        pytest.param(
            goes_round(),
            EXACT,
            ["two-outages-in-a-row"],
            ["backoff-kept-between-calls"],
            id="state-that-goes-round",
        ),
        pytest.param(
            lambda url: loop(url, lambda n: 2**n + random.uniform(0.1, 1)),
            EXACT,
            ["outage-without-end", "two-outages-in-a-row"],
            ["wrong-schedule"],
            id="jitter-that-is-not-claimed",
        ),
        pytest.param(
            lambda url: loop(url, again=lambda e: passes(e) and "refused" not in str(e)),
            EXACT,
            ["refused-then-ok"],
            ["failure-not-retried"],
            id="refused",
        ),
        pytest.param(
            lambda url: loop(url, lambda n: random.uniform(0, 2**n), attempts=7),
            RetryPolicy(attempts=7, backoff=Backoff(1, cap=4), jitter="full"),
            ["many-outages"],
            ["cap-ignored"],
            id="cap-with-jitter",
        ),
        pytest.param(
            lambda url: loop(url, lambda _: 60 - time.time() % 60, attempts=2),
            RetryPolicy(attempts=2, backoff=Backoff(60), jitter="full"),
            ["many-outages", "outage-for-many-clients"],
            ["herd"],
            id="full-minute",
        ),
        pytest.param(
            lambda url: loop(url, attempts=3),
            EXACT,
            ["outage-without-end", "outage-for-several-threads"],
            ["too-few-attempts"],
            id="and-no-threads",
        ),
        pytest.param(
            lambda url: loop(url, attempts=3),
            EXACT,
            ["outage-for-several-threads"],
            [],
            id="no-matter-of-threads",
        ),
        pytest.param(
            fifteen_seconds,
            RetryPolicy(deadline=14, statuses=STATUSES),
            ["silence"],
            ["deadline-overrun"],
            id="an-attempt-beyond-the-deadline",
        ),
        pytest.param(
            fifteen_seconds,
            RetryPolicy(deadline=20, timeout=5, statuses=STATUSES),
            ["silence"],
            ["wrong-timeout", "deadline-overrun"],
            id="two-attempts-beyond-the-deadline",
        ),
    ],
)
def test_a_fault_is_found_behind_a_habit(
    client: Call, policy: RetryPolicy | None, only: list[str] | None, codes: list[str]
) -> None:
    """Each by its own code, and nothing that only follows from it."""
    verdict = verify(client, policy, only=only)

    assert verdict.codes == codes, verdict


def test_a_connect_timeout_is_known_though_its_connection_is_kept() -> None:
    """The call that meets the silence connects nowhere any more."""
    with httpx.Client(timeout=httpx.Timeout(None, connect=3)) as client:
        verdict = verify(lambda url: client.get(url).raise_for_status().json(), only="silence")

    assert verdict.codes == ["only-connect-timeout"]


# Hosts that do not answer

UNCONNECTED = RetryPolicy(attempts=4, backoff=[1, 2, 4], timeout=5, failures=["connect"])


def patient(url: str) -> Any:
    """Reading has a timeout, connecting has none."""
    with httpx.Client(timeout=httpx.Timeout(5, connect=None)) as client:
        return client.get(url).raise_for_status().json()


async def late(url: str) -> Any:
    """Its timer may be a little late, as aiohttp's, which go by whole seconds."""
    for wait in (1, 2, 4, None):
        try:
            async with asyncio.timeout(5.5), httpx.AsyncClient(timeout=None) as client:
                return (await client.get(url)).json()
        except TimeoutError:
            if wait is None:
                raise
            await asyncio.sleep(wait)
    raise AssertionError


@pytest.mark.parametrize(
    ("client", "policy", "codes"),
    [
        (loop, UNCONNECTED, []),
        (
            lambda url: loop(
                url, again=lambda e: passes(e) and not isinstance(e, requests.ConnectTimeout)
            ),
            UNCONNECTED,
            ["failure-not-retried"],
        ),
        (
            lambda url: loop(url, lambda n: n),
            RetryPolicy(attempts=4, backoff=[0, 1, 2], connect_timeout=5, failures=["connect"]),
            [],
        ),
        (patient, UNCONNECTED, ["no-timeout"]),
        (
            lambda url: loop(url, ask=functools.partial(get, timeout=(30, 5))),
            RetryPolicy(attempts=4, backoff=[1, 2, 4], connect_timeout=5, failures=["connect"]),
            ["wrong-timeout"],
        ),
        (lambda url: loop(url, ask=functools.partial(get, timeout=(1, 5))), UNCONNECTED, []),
        (lambda url: loop(url, ask=functools.partial(get, timeout=(30, 5))), UNCONNECTED, []),
        (
            get,
            RetryPolicy(attempts=2, backoff=[4], deadline=9, timeout=5, failures=["connect"]),
            [],
        ),
        (
            functools.partial(get, timeout=None),
            RetryPolicy(attempts=4, failures=["connect"]),
            [],
        ),
        (late, UNCONNECTED, []),
        (
            late,
            RetryPolicy(attempts=4, backoff=[1, 2, 4], connect_timeout=5, failures=["connect"]),
            [],
        ),
    ],
)
def test_a_host_that_does_not_answer(client: Call, policy: RetryPolicy, codes: list[str]) -> None:
    """Connecting hangs until it is given up, and the next attempt gets through."""
    verdict = verify(client, policy, only="connect-then-ok")

    assert verdict.codes == codes, verdict


@pytest.mark.parametrize(
    "policy",
    [
        RetryPolicy(attempts=1, timeout=5, failures=["connect"]),
        RetryPolicy(attempts=3, backoff=[0, 0], timeout=5, failures=["connect"]),
        RetryPolicy(attempts=3, timeout=5, failures=["reset"]),
    ],
)
def test_nobody_is_left_unconnected_in_vain(policy: RetryPolicy) -> None:
    """Where it is not claimed, or nobody would try again later."""
    with pytest.raises(ResilienceError, match="no scenario is named 'connect-then-ok'"):
        verify(loop, policy, only="connect-then-ok")


def test_an_ipv6_host_that_does_not_answer() -> None:
    """It is put out of reach, and back, like any other."""
    with FakeServer(host="::1") as server:
        assert verify(loop, UNCONNECTED, server, only="connect-then-ok").codes == []


# Certificates


def test_a_client_for_each_attempt_is_judged_as_fast_as_one_for_all() -> None:
    """150 of them would read the certificates of all authorities 150 times."""

    def call(url: str) -> Any:
        for wait in (1, 2, 4, None):
            try:
                response = httpx.get(url, timeout=5)
            except httpx.TransportError:
                if wait is None:
                    raise
            else:
                if wait is None or response.status_code not in STATUSES:
                    return response.raise_for_status().json()
            time.sleep(wait)
        raise AssertionError

    began = time.process_time()
    verdict = verify(call, EXACT)

    assert verdict.codes == []
    assert time.process_time() - began < 5


def test_certificates_are_there_for_who_looks() -> None:
    """Read late is read all the same, and what lives on has them."""
    kept: list[ssl.SSLContext] = []
    own = ssl.SSLContext.__dict__.keys()
    before = set(own)

    with read_late():
        kept += [ssl.create_default_context(cafile=certifi.where()) for _ in range(4)]
        in_time = len(kept[2].get_ca_certs())
        del kept[1]
        waiting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        waiting.load_default_certs()
        waiting.load_verify_locations(cadata=Path(certifi.where()).read_text())

    assert in_time == len(kept[0].get_ca_certs()) == len(kept[2].get_ca_certs()) > 50
    assert set(own) == before


def test_certificates_that_are_none_are_refused_at_once() -> None:
    """A file that is not there is the client's mistake, when it makes it."""
    with read_late():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        with pytest.raises(FileNotFoundError):
            context.load_verify_locations("/none/such.pem")
        with pytest.raises(FileNotFoundError):
            context.load_verify_locations("/none/such.pem")
