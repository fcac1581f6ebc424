"""Exact schedules of attempts, through every client: equal, not nearly."""

from __future__ import annotations

import asyncio
import errno
import http.client
import logging
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

import aiohttp
import httpx
import pytest
import requests
import urllib3

from pytest_resilience import FakeServer, VirtualClock, faults

Get = Callable[[FakeServer, float], int]


def by_requests(server: FakeServer, timeout: float) -> int:
    return requests.get(server.url, timeout=timeout).status_code


def by_urllib3(server: FakeServer, timeout: float) -> int:
    with urllib3.PoolManager() as pool:
        return pool.request("GET", server.url, timeout=timeout, retries=False).status


def by_http_client(server: FakeServer, timeout: float) -> int:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=timeout)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def by_httpx(server: FakeServer, timeout: float) -> int:
    return httpx.get(server.url, timeout=timeout, trust_env=False).status_code


def by_socket(server: FakeServer, timeout: float) -> int:
    with socket.create_connection((server.host, server.port), timeout) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        data = b""
        while piece := sock.recv(1000):
            data += piece
        return int(data[9:12])


def by_socket_file(server: FakeServer, timeout: float) -> int:
    with socket.create_connection((server.host, server.port), timeout) as sock:
        sock.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        with sock.makefile("rb") as file:
            return int(file.readline()[9:12])


AGet = Callable[[FakeServer, float], Awaitable[int]]


async def by_async_httpx(server: FakeServer, timeout: float) -> int:
    async with httpx.AsyncClient(timeout=timeout, trust_env=False) as client:
        return (await client.get(server.url)).status_code


async def by_aiohttp(server: FakeServer, timeout: float) -> int:
    limit = aiohttp.ClientTimeout(total=timeout)
    async with (
        aiohttp.ClientSession(timeout=limit) as session,
        session.get(server.url) as response,
    ):
        await response.read()
        return response.status


async def by_streams(server: FakeServer, timeout: float) -> int:
    async with asyncio.timeout(timeout):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        try:
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return int((await reader.readuntil(b"\r\n"))[9:12])
        finally:
            writer.close()


FAILURES = (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError, httpx.HTTPError)


def ride(get: Get, server: FakeServer, timeout: float = 30) -> None:
    """Four attempts with waits of 1, 2 and 4 seconds, as most people write it."""
    for wait in (1, 2, 4, None):
        try:
            if get(server, timeout) == 200:
                return
        except (*FAILURES, requests.RequestException) as error:
            if wait is None:
                raise AssertionError("four attempts were not enough") from error
        assert wait is not None
        time.sleep(wait)


async def ride_async(get: AGet, server: FakeServer, timeout: float = 30) -> None:
    for wait in (1, 2, 4, None):
        try:
            if await get(server, timeout) == 200:
                return
        except (*FAILURES, aiohttp.ClientError, TimeoutError) as error:
            if wait is None:
                raise AssertionError("four attempts were not enough") from error
        assert wait is not None
        await asyncio.sleep(wait)


def run(get: AGet) -> Get:
    def call(server: FakeServer, timeout: float) -> int:
        return asyncio.run(_once(get, server, timeout))

    return call


async def _once(get: AGet, server: FakeServer, timeout: float) -> int:
    return await get(server, timeout)


SYNC: dict[str, Get] = {
    "requests": by_requests,
    "urllib3": by_urllib3,
    "http.client": by_http_client,
    "httpx": by_httpx,
    "socket": by_socket,
    "socket file": by_socket_file,
}
ASYNC: dict[str, AGet] = {
    "httpx async": by_async_httpx,
    "aiohttp": by_aiohttp,
    "asyncio streams": by_streams,
}
CLIENTS = [*SYNC, *ASYNC]


def ride_with(name: str, server: FakeServer, timeout: float = 30) -> None:
    if name in SYNC:
        ride(SYNC[name], server, timeout)
    else:
        asyncio.run(ride_async(ASYNC[name], server, timeout))


def once_with(name: str, server: FakeServer, timeout: float) -> int:
    return (SYNC.get(name) or run(ASYNC[name]))(server, timeout)


@pytest.mark.parametrize("name", CLIENTS)
def test_three_errors(name: str, clock: VirtualClock, server: FakeServer) -> None:
    """503, 503, 503, ok: attempts at exactly 0, 1, 3, 7."""
    server.fail(503, times=3)

    ride_with(name, server)

    assert server.trace.statuses == [503, 503, 503, 200]
    assert server.trace.times == [0, 1, 3, 7]
    assert server.trace.waits == [1, 2, 4]
    assert clock.now == 7


@pytest.mark.parametrize("name", CLIENTS)
def test_three_read_timeouts(name: str, clock: VirtualClock, server: FakeServer) -> None:
    """Three timeouts of 30 s with waits of 1, 2 and 4: attempts at exactly 0, 31, 63, 97."""
    server.fail(faults.timeout(), times=3)

    ride_with(name, server)

    assert server.trace.times == [0, 31, 63, 97]
    assert server.trace.waits == [1, 2, 4]
    assert clock.now == 97


@pytest.mark.parametrize("name", CLIENTS)
def test_a_delay_within_the_timeout(name: str, clock: VirtualClock, server: FakeServer) -> None:
    """A delay of 5 s under a timeout of 30: an answer at exactly 5."""
    server.fail(faults.latency(5))

    assert once_with(name, server, 30) == 200
    assert clock.now == 5


@pytest.mark.parametrize("name", CLIENTS)
def test_a_delay_beyond_the_timeout(name: str, clock: VirtualClock, server: FakeServer) -> None:
    """A delay of 30 s under a timeout of 5: a timeout at exactly 5."""
    server.fail(faults.latency(30))

    with pytest.raises((*FAILURES, TimeoutError, requests.Timeout)):
        once_with(name, server, 5)
    assert clock.now == 5


@pytest.mark.parametrize("name", SYNC)
def test_a_delay_as_long_as_the_timeout(name: str, clock: VirtualClock, server: FakeServer) -> None:
    """Of an answer and a timeout at one moment the answer comes first."""
    server.fail(faults.latency(5))

    assert once_with(name, server, 5) == 200
    assert clock.now == 5


@pytest.mark.parametrize("timeout", [0.067, 0.1 + 0.2, 1.07, 4.28])
@pytest.mark.parametrize("name", SYNC)
def test_a_timeout_that_is_rounded_up(
    name: str, timeout: float, clock: VirtualClock, server: FakeServer
) -> None:
    """Python makes a nanosecond more of these; the moment is the one that was meant."""
    server.fail(faults.latency(60))

    with pytest.raises((*FAILURES, TimeoutError, requests.Timeout)):
        once_with(name, server, timeout)
    assert clock.now == round(timeout, 3)


async def ask_in_time(server: FakeServer, reading: Callable[[asyncio.StreamReader], Any]) -> bytes:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        return cast("bytes", await reading(reader))
    finally:
        writer.close()


async def by_asyncio_timeout(server: FakeServer) -> bytes:
    async def reading(reader: asyncio.StreamReader) -> bytes:
        async with asyncio.timeout(5):
            return await reader.readline()

    return await ask_in_time(server, reading)


async def by_wait_for(server: FakeServer) -> bytes:
    return await ask_in_time(server, lambda reader: asyncio.wait_for(reader.readline(), 5))


async def by_httpx_in_time(server: FakeServer) -> bytes:
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        return (await client.get(server.url)).content


async def by_aiohttp_total(server: FakeServer) -> bytes:
    limit = aiohttp.ClientTimeout(total=5, ceil_threshold=10)
    async with aiohttp.ClientSession(timeout=limit) as session, session.get(server.url) as answer:
        return await answer.read()


@pytest.mark.parametrize(
    ("way", "in_time"),
    [
        (by_asyncio_timeout, False),
        (by_wait_for, sys.version_info < (3, 12)),
        (by_httpx_in_time, True),
        (by_aiohttp_total, False),
    ],
)
def test_asyncio_handles_an_answer_and_a_timeout_in_one_turn(
    way: Callable[[FakeServer], Coroutine[Any, Any, bytes]],
    *,
    in_time: bool,
    clock: VirtualClock,
    server: FakeServer,
) -> None:
    """Which of them wins is up to whoever has set the timeout."""
    server.fail(faults.latency(5))

    if in_time:
        assert asyncio.run(way(server))
    else:
        with pytest.raises(TimeoutError):
            asyncio.run(way(server))
    assert clock.now == 5


@pytest.mark.parametrize("name", CLIENTS)
def test_refused_for_a_while(name: str, clock: VirtualClock, server: FakeServer) -> None:
    """A server that is down for 5 s is up for the attempt at 7."""
    server.down(5)

    ride_with(name, server)

    assert [attempt.at for attempt in server.trace] == [7]


def test_a_server_that_is_down_for_a_moment_refuses_without_delay(
    clock: VirtualClock, server: FakeServer
) -> None:
    """Its port is ours though nobody listens: knocking there takes no time, not even real time."""
    moments = []
    for _ in range(50):
        server.down(0.000_001)
        began = clock.now
        with socket.socket() as sock:
            sock.settimeout(5)
            refused = sock.connect_ex((server.host, server.port))
        moments.append((refused, clock.now - began))
        time.sleep(1)

    assert moments == [(errno.ECONNREFUSED, 0)] * 50


@pytest.mark.parametrize("name", CLIENTS)
def test_an_outage_window(name: str, clock: VirtualClock, server: FakeServer) -> None:
    """Errors between 0 and 3 s end at exactly 3."""
    server.fail(503, between=(0, 3))

    ride_with(name, server)

    assert server.trace.statuses == [503, 503, 200]
    assert server.trace.times == [0, 1, 3]


@pytest.mark.parametrize(
    ("rate", "seconds"), [(10, 3.4), (17, 2), (6.8, 5), (3, 11.333333333), (0.7, 48.571428571)]
)
def test_bandwidth(clock: VirtualClock, server: FakeServer, rate: float, seconds: float) -> None:
    """A body of 34 bytes takes as long as it says, to the nanosecond."""
    server.fail(faults.bandwidth(rate))

    assert by_requests(server, 30) == 200
    assert clock.now == seconds


def test_an_idle_connection_that_is_reset(clock: VirtualClock, server: FakeServer) -> None:
    """A kept connection that the server drops after a second is gone at 2 and not at 0.5."""
    server.fail(faults.reset_idle(1))
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)

    def get() -> None:
        connection.request("GET", "/")
        connection.getresponse().read()

    get()
    time.sleep(2)
    with pytest.raises(OSError, match=r"reset|Broken pipe"):
        get()
    connection.close()
    assert clock.now == 2


def test_a_date_as_retry_after(clock: VirtualClock, server: FakeServer) -> None:
    """Retry-After as a date is a date of the virtual wall clock: urllib3 waits exactly so long."""
    server.fail(faults.status(503, retry_after=faults.http_date(120)))
    retry = urllib3.Retry(total=1, status_forcelist=[503])

    with urllib3.PoolManager(retries=retry) as pool:
        pool.request("GET", server.url)

    assert server.trace.times == [0, 120]


def test_log_records_carry_virtual_time(
    clock: VirtualClock, server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    """So a log and a trace line up."""
    caplog.set_level(logging.INFO)
    logging.info("before")
    time.sleep(60)
    logging.info("after")

    before, after = (record.created for record in caplog.records)
    assert after - before == 60


def test_a_body_that_is_never_read(clock: VirtualClock, server: FakeServer) -> None:
    """A write timeout: a huge body to a server that does not read fails at exactly 5."""
    server.fail(faults.never_read())

    with pytest.raises((requests.Timeout, requests.ConnectionError)):
        requests.post(server.url, data=bytes(50_000_000), timeout=5)

    assert clock.now == 5


def test_a_queue_that_is_full(clock: VirtualClock) -> None:
    """A connect timeout: a server of ours that accepts nobody more lets 5 virtual seconds pass."""
    from pytest_resilience.clock import links

    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        address = listening.getsockname()
        links.listen(address, listening)
        try:
            with socket.create_connection(address), socket.socket() as sock:
                with pytest.raises(TimeoutError):
                    socket.create_connection(address, timeout=5)
                sock.settimeout(6)
                assert sock.connect_ex(address) == errno.EAGAIN
        finally:
            links.unlisten(address)
    assert clock.now == 11


def test_the_example_of_the_readme(clock: VirtualClock, server: FakeServer) -> None:
    """`slept` is what the client has spent in sleeps, `now` all that has passed."""
    server.fail(faults.timeout(), 503)

    ride(by_requests, server)

    assert clock.slept == 3
    assert clock.now == 33
