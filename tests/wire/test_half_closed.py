"""Clients that shut down their sending side and wait for the answer."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from pytest_resilience import Attempt, FakeServer, Outcome, VirtualClock, faults
from pytest_resilience.server import _half_closed
from tests.wire.apps import ManualClock, app_of
from tests.wire.raw import GET, End, Raw, Seen, ended, has_ipv6


def kernel_tells() -> bool:
    with FakeServer(app_of(), blocking=False) as server, Raw(server) as raw:
        raw.send(GET).answer()
        (connection,) = server._started().connections
        return _half_closed.listens(connection.sock)


pytestmark = pytest.mark.skipif(not kernel_tells(), reason="the kernel does not tell (sock_diag)")
HOSTS = ["127.0.0.1", "::1"] if has_ipv6() else ["127.0.0.1"]


def finished(server: FakeServer, requests: bytes = GET) -> Raw:
    """A client that has sent this, and its FIN."""
    raw = Raw(server).send(requests)
    raw.sock.shutdown(socket.SHUT_WR)
    return raw


@pytest.fixture
def go() -> Iterator[threading.Event]:
    """Whatever waits for it goes on after the test."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("host", HOSTS)
def test_it_has_its_answer_from_a_worker(go: threading.Event, host: str) -> None:
    """As gunicorn and werkzeug do it; requests that lay before its FIN are answered, too."""

    def app(environ: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", [("Content-Length", "6")])
        go.wait()
        yield b"answer"

    with FakeServer(app, host=host) as server, finished(server, GET * 2) as client:
        assert client.silence() == Seen(b"", End.OPEN)
        assert server.trace.statuses == [None]
        go.set()
        seen = client.rest()

    assert (seen.data.count(b"answer"), seen.end) == (2, End.FIN)
    assert [attempt.outcome for attempt in server.trace] == [Outcome.ANSWERED] * 2


def test_it_has_an_answer_that_is_late() -> None:
    """A fault delays it, or drips it."""
    clock = ManualClock()
    with FakeServer(app_of(b"body"), clock=clock) as server:
        server.fail(faults.stall(at=0.5, resume_after=5))
        with finished(server) as client:
            assert client.silence().body == b"bo"
            clock.advance(5)
            assert client.rest() == Seen(b"dy", End.FIN)


def test_an_answer_larger_than_the_buffers() -> None:
    """It waits for room like any other."""
    app = app_of(bytes(30_000_000))
    with FakeServer(app, blocking=False) as server, finished(server) as client:
        _ = server.trace
        assert len(client.rest().body) == 30_000_000


@pytest.mark.parametrize("fault", [faults.timeout(), faults.stall(), faults.never_read()])
def test_one_that_leaves_later_is_gone(fault: faults.Fault) -> None:
    """The next trace says so, although its leaving sends nothing."""
    with FakeServer(app_of(), blocking=False) as server:
        server.fail(fault)
        with finished(server) as client:
            client.silence()
            before = server.trace[0].outcome
        after = server.trace[0].outcome
        assert (before, after) == (Outcome.PENDING, Outcome.GONE)
        assert server._started().connections == set()


def test_one_that_leaves_later_is_noticed_soon() -> None:
    """By itself; one that stays is looked after again."""
    gone = threading.Event()

    def observer(attempt: Attempt) -> None:
        if attempt.outcome is Outcome.GONE:
            gone.set()

    with FakeServer(app_of(), blocking=False) as server:
        server.journal.observer = observer
        server.fail(faults.timeout(), times=3)
        with finished(server) as stays, finished(server) as stays_too:
            with finished(server) as leaves:
                leaves.silence()
            assert gone.wait(20)
            assert stays.silence() == stays_too.silence() == Seen(b"", End.OPEN)


def test_one_that_resets_is_gone() -> None:
    """A reset is heard, whatever was said before."""
    with FakeServer(app_of(), blocking=False) as server:
        server.fail(faults.timeout())
        client = finished(server)
        client.silence()
        client.reset()
        assert server.trace[0].outcome is Outcome.GONE


@pytest.mark.parametrize(
    ("name", "value"),
    [("NETLINK", None), ("NETLINK", 9999), ("INET_DIAG_SHUTDOWN", 200)],
)
def test_where_nobody_tells_it_is_gone(
    monkeypatch: pytest.MonkeyPatch, name: str, value: int | None
) -> None:
    """On other systems, or where the kernel keeps it to itself."""
    monkeypatch.setattr(_half_closed, name, value)
    with FakeServer(app_of(), blocking=False) as server:
        server.fail(faults.timeout())
        with finished(server) as client:
            assert client.rest() == Seen(b"", End.FIN)
        assert ended(server).outcome is Outcome.GONE


def test_a_client_that_the_kernel_does_not_know() -> None:
    """Such as one in a container of its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", 9))
        assert not _half_closed.listens(sock)


def test_in_virtual_time() -> None:
    """Its waits are as exact as any, whether it gets an answer or leaves."""
    with VirtualClock() as clock, FakeServer(app_of()) as server:
        server.fail(faults.latency(5), faults.timeout())
        with finished(server) as client:
            assert client.answer().status == 200
        with finished(server) as client:
            client.sock.settimeout(30)
            with pytest.raises(TimeoutError):
                client.sock.recv(1)

        assert clock.now == 35
        assert [attempt.outcome for attempt in server.trace] == [Outcome.ANSWERED, Outcome.GONE]
        assert clock.reports == ()


LARGE = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n" + b"x" * 10_000


def stuffed(raw: Raw) -> Raw:
    """A client that has more to say than there is room for."""
    raw.sock.settimeout(0)
    with contextlib.suppress(BlockingIOError, ssl.SSLWantWriteError):
        while True:
            raw.sock.send(b"P" * 65_536)
    return raw


@pytest.mark.parametrize("tls", [False, True])
def test_one_that_cannot_say_that_it_leaves(*, tls: bool) -> None:
    """Its FIN waits behind what nobody reads; the next trace says it all the same."""
    with FakeServer(app_of(), blocking=False, tls=tls) as server:
        server.fail(faults.timeout())
        with Raw(server) as client:
            if tls:
                context = ssl.create_default_context(cafile=server.ca_file)
                client.sock = context.wrap_socket(client.sock, server_hostname=server.host)
            stuffed(client.send(GET))
            before = server.trace[0].outcome
        after = server.trace[0].outcome
        assert (before, after) == (Outcome.PENDING, Outcome.GONE)
        assert server._started().connections == set()


def test_one_that_is_read_again_is_answered() -> None:
    """What was held back for a while is looked after no longer."""
    clock = ManualClock()
    with FakeServer(app_of(b"body"), blocking=False, clock=clock) as server:
        server.fail(faults.latency(5))
        with Raw(server) as client:
            thread = threading.Thread(target=client.send, args=(GET + LARGE * 60,))
            thread.start()
            while not server._started().half_closed:
                pass
            clock.advance(5)
            answers = {client.answer().body for _ in range(61)}
            thread.join()
            assert not server._started().half_closed

    assert answers == {b"body"}
    assert len(server.trace) == 61


@pytest.mark.parametrize("size", [10, 1_000_000, 32_000_000])
def test_an_upload_that_is_never_read_in_virtual_time(size: int) -> None:
    """Its client leaves at the moment at which it gives up, however much of it lies there."""
    with VirtualClock() as clock, FakeServer(app_of(), blocking=False) as server:
        server.fail(faults.never_read(), times=2)
        for seconds in (5, 7):
            with pytest.raises(requests.RequestException):
                requests.post(server.url, data=b"x" * size, timeout=seconds)
            clock.advance(1)

        assert [(a.outcome, a.at, a.ended) for a in server.trace] == [
            (Outcome.GONE, 0, 5),
            (Outcome.GONE, 6, 13),
        ]
        assert clock.reports == ()


def test_an_upload_whose_end_nobody_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel keeps it to itself, time goes on, and the attempt stays open."""
    monkeypatch.setattr(_half_closed, "NETLINK", None)
    with VirtualClock() as clock, FakeServer(app_of(), blocking=False) as server:
        server.fail(faults.never_read())
        with pytest.raises(requests.RequestException):
            requests.post(server.url, data=b"x" * 1_000_000, timeout=5)
        clock.advance(60)

        assert (server.trace[0].outcome, clock.now) == (Outcome.PENDING, 65)
