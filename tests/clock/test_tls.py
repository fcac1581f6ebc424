"""Timeouts and delays of TLS connections to our servers, in virtual time."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import aiohttp
import httpx
import pytest
import requests
import trustme
import urllib3

from pytest_resilience import FakeServer, VirtualClock, faults
from pytest_resilience.clock import _here

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def secure(clock: VirtualClock) -> Iterator[FakeServer]:
    """A server that speaks TLS, in virtual time."""
    with FakeServer(tls=True) as running:
        yield running


def test_three_read_timeouts_over_tls(secure: FakeServer, clock: VirtualClock) -> None:
    """Three timeouts of 30 s with waits of 1, 2 and 4, then an answer: it takes exactly 97."""
    secure.fail(faults.timeout(), times=3)
    with urllib3.PoolManager(ca_certs=secure.ca_file) as pool:
        for wait in (1, 2, 4, None):
            try:
                assert pool.request("GET", secure.url, timeout=30, retries=False).status == 200
            except urllib3.exceptions.ReadTimeoutError:
                assert wait is not None
                time.sleep(wait)

    assert secure.trace.times == [0, 31, 63, 97]
    assert clock.now == 97


def test_a_delay_over_tls(secure: FakeServer, clock: VirtualClock) -> None:
    """An answer after 5 s under a timeout of 30 comes at exactly 5, and on a kept connection."""
    secure.fail(faults.latency(5), faults.latency(7))
    with requests.Session() as session:
        session.trust_env = False
        session.verify = secure.ca_file
        assert session.get(secure.url, timeout=30).status_code == 200
        assert clock.now == 5
        assert session.get(secure.url, timeout=30).status_code == 200

    assert clock.now == 12
    assert [attempt.reused for attempt in secure.trace] == [False, True]


def test_a_timeout_that_is_rounded_up_over_tls(secure: FakeServer, clock: VirtualClock) -> None:
    """Python makes 1.07 a nanosecond more, and it is not set to more whenever OpenSSL is asked."""
    secure.fail(faults.latency(60), times=5)
    with requests.Session() as session:
        session.trust_env = False
        session.verify = secure.ca_file
        for _ in range(5):
            with pytest.raises(requests.Timeout):
                session.get(secure.url, timeout=1.07)

    assert clock.now == 5.35


def test_a_stall_over_tls(secure: FakeServer, clock: VirtualClock) -> None:
    """A body that stalls under a timeout of 5 is given up at exactly 5."""
    secure.fail(faults.stall(at=0.5))
    context = ssl.create_default_context(cafile=secure.ca_file)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(secure.url, verify=context, timeout=5)

    assert clock.now == 5


def test_a_handshake_that_hangs(secure: FakeServer, clock: VirtualClock) -> None:
    """A server that accepts and never reads holds a handshake up for the timeout, exactly."""
    secure.fail(faults.never_read())
    context = ssl.create_default_context(cafile=secure.ca_file)
    with (
        socket.create_connection((secure.host, secure.port), 9) as sock,
        pytest.raises(TimeoutError),
    ):
        context.wrap_socket(sock, server_hostname="127.0.0.1")

    assert clock.now == 9


def test_room_to_send_over_tls(clock: VirtualClock) -> None:
    """A write timeout of 5 ends at exactly 5 while nobody reads, and not when somebody does."""
    authority = trustme.CA()
    here, there = (ssl.SSLContext(p) for p in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER))
    authority.configure_trust(here)
    authority.issue_cert("127.0.0.1").configure_cert(there)
    left, right = socket.socketpair()

    def read_late() -> None:
        with there.wrap_socket(right, server_side=True) as tls:
            time.sleep(9)
            while tls.recv(100_000) != b"end":
                pass

    reader = threading.Thread(target=read_late)
    reader.start()
    with here.wrap_socket(left, server_hostname="127.0.0.1") as tls:
        tls.settimeout(5)
        with pytest.raises(TimeoutError, match="write operation timed out"):
            tls.sendall(bytes(5_000_000))
        assert clock.now == 5
        tls.sendall(bytes(5_000_000))
        assert clock.now == 9
        tls.sendall(b"end")
        reader.join()


def test_a_drip_over_tls(secure: FakeServer, clock: VirtualClock) -> None:
    """Slow bytes come at their seconds, one record each."""
    secure.fail(faults.bandwidth(1))
    context = ssl.create_default_context(cafile=secure.ca_file)
    with (
        socket.create_connection((secure.host, secure.port)) as sock,
        context.wrap_socket(sock, server_hostname="127.0.0.1") as tls,
    ):
        tls.sendall(REQUEST)
        come = b""
        while not come.endswith(b'{"ok": true}'):
            come += tls.recv(100)

    assert clock.now == 12


async def timed_out(server: FakeServer) -> float:
    context = ssl.create_default_context(cafile=server.ca_file)
    loop = asyncio.get_running_loop()
    began = loop.time()
    limit = aiohttp.ClientTimeout(total=4)
    async with aiohttp.ClientSession(timeout=limit) as session:
        with pytest.raises(TimeoutError):
            await session.get(server.url, ssl=context)
        took = loop.time() - began
    # aiohttp does not wait until TLS has said goodbye, which asyncio gives 30 s.
    await asyncio.sleep(60)
    return took


def test_asyncio_over_tls(secure: FakeServer, clock: VirtualClock) -> None:
    """A loop's TLS transport is given up at exactly its timeout."""
    secure.fail(faults.timeout())

    assert asyncio.run(timed_out(secure)) == 4


def test_much_over_tls(clock: VirtualClock) -> None:
    """Megabytes are no timeout, however many records they are."""
    body = bytes(4_000_000)

    def much(environ: object, start_response: object) -> list[bytes]:
        start_response("200 OK", [])  # type: ignore[operator]  # as PEP 3333 has it
        return [body]

    with FakeServer(much, blocking=False, tls=True) as server:
        answer = requests.get(server.url, verify=server.ca_file, timeout=1)

    assert answer.content == body
    assert clock.now == 0


def test_real_time_over_tls(secure: FakeServer) -> None:
    """A thread whose time is real has its calls made as they are."""
    with _here.in_real_time():
        assert requests.get(secure.url, verify=secure.ca_file, timeout=20).status_code == 200


def test_somebody_else_s_tls(clock: VirtualClock) -> None:
    """A handshake that a foreign server owes takes real time, and its timeout as well."""
    context = ssl.create_default_context()
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname(), timeout=0.05) as plain,
    ):
        began = time.clock_gettime(time.CLOCK_MONOTONIC)
        with pytest.raises(TimeoutError):
            context.wrap_socket(plain, server_hostname="localhost")
        assert time.clock_gettime(time.CLOCK_MONOTONIC) - began >= 0.05
