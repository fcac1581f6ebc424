"""What nobody reads holds nothing up: where bytes wait for room, nothing is under way."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pytest
import requests

from pytest_resilience import FakeServer, VirtualClock, faults
from pytest_resilience.clock import _links, _orphans

from .conftest import within

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def much(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """More than a socket holds that nobody reads."""
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"x" * 10_000_000]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(much, blocking=False) as server:
        yield server


def test_an_answer(clock: VirtualClock, server: FakeServer) -> None:
    """An answer that is left unread, and read later."""
    with requests.get(server.url, stream=True, timeout=5) as response:
        time.sleep(10)
        assert len(response.content) == 10_000_000
    assert clock.now == 10


def test_an_end_behind_what_nobody_reads(clock: VirtualClock, server: FakeServer) -> None:
    """A server that has ended its connection, whose FIN cannot come before the bytes."""
    server.fail(faults.limit_data(at=1_000_000))
    requests.get(server.url, stream=True, timeout=5)
    time.sleep(10)
    assert clock.now == 10


def test_a_client_that_gives_up(clock: VirtualClock, server: FakeServer) -> None:
    """One that has closed its socket, when the server reads nothing of what it has sent."""
    server.fail(faults.never_read())
    with socket.create_connection((server.host, server.port), timeout=5) as sock:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n"
        with pytest.raises(TimeoutError):
            sock.sendall(head + bytes(10_000_000))
    time.sleep(10)
    assert clock.now == 15


def test_drips(clock: VirtualClock, server: FakeServer) -> None:
    """The kernel is not waited for, which says 40 ms later that it has what nobody reads."""
    server.fail(faults.slicer(100, 0.001), times=1)
    with within(8):
        requests.get(server.url, stream=True, timeout=5)
        time.sleep(5)
    assert clock.now == 5.001


def test_a_thread_that_makes_an_answer(clock: VirtualClock) -> None:
    """It waits until its client reads, and goes on then."""

    def pieces(environ: WSGIEnvironment, start: StartResponse) -> Iterator[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        yield from [bytes(100_000)] * 100

    with FakeServer(pieces) as server, requests.get(server.url, stream=True, timeout=5) as response:
        time.sleep(10)
        assert len(response.content) == 10_000_000
    assert clock.now == 10


@contextlib.contextmanager
def connection() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of one that is known."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        with socket.create_connection(address) as client, listening.accept()[0] as accepted:
            _links.connect(client, address[1])
            _links.serve(_links._keys[client], accepted)
            try:
                yield client, accepted
            finally:
                _links.unserve(_links._keys[client])
                _links.forget_all()


def fill(sender: socket.socket) -> None:
    """Send as much as there is room for."""
    sender.settimeout(0)
    with contextlib.suppress(BlockingIOError):
        while True:
            sender.send(bytes(100_000))


@pytest.mark.parametrize("reader", [0, 1])
def test_room_that_is_made(reader: int) -> None:
    """Nobody says that there is room again, so it is looked at."""
    with connection() as ends:
        fill(ends[1 - reader])
        while not _links.quiet():
            time.sleep(0.001)
        ends[reader].recv(100_000_000)
        assert _links.stirred()


def test_a_socket_that_is_none_of_those_closed() -> None:
    """Nothing waits where no socket is."""
    assert not _orphans.waits_for_room(1, 1)
