"""HTTPS: the same server, faults and trace, under TLS."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import requests
import trustme
import urllib3

from pytest_resilience import (
    OK,
    Fake,
    FakeServer,
    Outcome,
    PlanError,
    ResilienceError,
    ServerError,
    engine,
    faults,
    route,
)
from tests.wire.raw import Noise, ended

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = (
    b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"
)
BIG = bytes(range(256)) * 8192
LONG = 20.0


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """One that speaks TLS, with a certificate of its own."""
    with FakeServer(tls=True) as running:
        yield running
    assert engine.take_errors() == []


class Client:
    """A TLS client that sees the TCP connection as well."""

    def __init__(self, server: FakeServer, *, receive_buffer: int = 0) -> None:
        self.raw = socket.socket()
        self.raw.settimeout(LONG)
        if receive_buffer:
            self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.raw.connect((server.host, server.port))
        self._come, self._go = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context(cafile=server.ca_file)
        self.tls = context.wrap_bio(self._come, self._go, server_hostname="127.0.0.1")
        self.ended = ""
        self._do(self.tls.do_handshake)

    def _do(self, step: Any, *arguments: Any) -> Any:
        while True:
            try:
                return step(*arguments)
            except ssl.SSLWantReadError:
                self._flush()
                self._receive()
            finally:
                self._flush()

    def _flush(self) -> None:
        if self._go.pending:
            self.raw.sendall(self._go.read())

    def _receive(self) -> None:
        data = self.raw.recv(65536)
        if data:
            self._come.write(data)
        else:
            self._come.write_eof()

    def send(self, data: bytes) -> None:
        """Say it, in as many records as it takes."""
        while data:
            data = data[self._do(self.tls.write, data) :]

    def some(self) -> bytes:
        """What comes first."""
        data: bytes = self._do(self.tls.read, 65536)
        return data

    def skip(self, size: int) -> None:
        """So many bytes below TLS, of what has not been read yet."""
        while size:
            size -= len(self.raw.recv(min(size, 65536)))

    def rest(self) -> bytes:
        """All that comes until the end; `ended` says how that was."""
        come = b""
        try:
            while data := self._do(self.tls.read, 65536):
                come += data
            self.ended = "close_notify"
        except ssl.SSLEOFError:
            self.ended = "FIN"
        except ConnectionResetError:
            self.ended = "RST"
        return come

    def send_and_say_goodbye(self, data: bytes) -> None:
        """The data and the close_notify in one segment."""
        self.tls.write(data)
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self._flush()

    def close(self) -> None:
        """Leave."""
        self.raw.close()


def test_a_request_that_comes_with_the_goodbye(server: FakeServer) -> None:
    """It is answered, whatever the client does next."""
    client = Client(server)
    client.send_and_say_goodbye(GET)
    came = client.some()
    client.close()

    assert came.startswith(b"HTTP/1.1 200 OK\r\n")
    assert server.trace.statuses == [200]


# --- clients -----------------------------------------------------------------------------


def test_requests(server: FakeServer) -> None:
    """It trusts the server by its ca_file, and keeps the connection."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = server.ca_file
        answers = [session.get(server.url).json() for _ in range(2)]

    assert server.url.startswith("https://127.0.0.1:")
    assert answers == [{"ok": True}] * 2
    assert [attempt.reused for attempt in server.trace] == [False, True]


def test_urllib3_httpx_and_http_client(server: FakeServer) -> None:
    """So do the others."""
    context = ssl.create_default_context(cafile=server.ca_file)
    with urllib3.PoolManager(ca_certs=server.ca_file) as pool:
        one = pool.request("GET", server.url).status
    two = httpx.get(server.url, verify=context).status_code
    connection = http.client.HTTPSConnection(server.host, server.port, context=context)
    connection.request("GET", "/")
    three = connection.getresponse().status
    connection.close()

    assert (one, two, three) == (200, 200, 200)


async def fetch(server: FakeServer) -> int:
    context = ssl.create_default_context(cafile=server.ca_file)
    async with aiohttp.ClientSession() as session, session.get(server.url, ssl=context) as answer:
        return answer.status


def test_aiohttp(server: FakeServer) -> None:
    """An asynchronous client gets its answer, too."""
    import asyncio

    assert asyncio.run(fetch(server)) == 200


def test_ipv6() -> None:
    """The certificate is for the address that the server listens on."""
    with FakeServer(host="::1", tls=True) as server:
        assert requests.get(server.url, verify=server.ca_file).status_code == 200


def test_an_application_knows_the_scheme() -> None:
    """What a fake makes of its own address is https."""

    class Where(Fake):
        @route("GET", "/")
        def where(self, request: Any) -> Any:
            return {"url": request.url}

    with Where(tls=True) as where:
        assert requests.get(where.url, verify=where.ca_file).json() == {"url": f"{where.url}/"}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_that_waits_for_our_goodbye(server: FakeServer, version: ssl.TLSVersion) -> None:
    """It is told one when it has said its own, on a kept connection or while it waits."""
    server.fail(OK, faults.timeout())
    for waits in (False, True):
        context = ssl.create_default_context(cafile=server.ca_file)
        context.maximum_version = version
        with (
            socket.create_connection((server.host, server.port), LONG) as sock,
            context.wrap_socket(sock, server_hostname="127.0.0.1") as client,
        ):
            client.sendall(GET)
            if not waits:
                client.recv(65536)
            assert len(server.trace) == 1 + waits  # Its request has been read by now.
            client.unwrap().close()

    assert [attempt.outcome for attempt in server.trace] == [Outcome.ANSWERED, Outcome.GONE]


# --- what goes wrong before HTTP -----------------------------------------------------------


def test_a_client_that_does_not_trust_it(server: FakeServer) -> None:
    """Its alert is in the trace, in words."""
    context = ssl.create_default_context()
    with (
        pytest.raises(ssl.SSLCertVerificationError),
        socket.create_connection((server.host, server.port), LONG) as sock,
    ):
        context.wrap_socket(sock, server_hostname="127.0.0.1")

    (attempt,) = server.trace
    assert attempt.note == "TLS: tlsv1 alert unknown ca"
    assert attempt.outcome is Outcome.CUT


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (GET, "TLS: http request"),
        (b"\x00" * 50, "TLS: "),
        (b"\x16\x03\x01\x00\x02\x01\x00", "the client left within the TLS handshake"),
    ],
)
def test_what_is_no_tls(server: FakeServer, data: bytes, why: str) -> None:
    """Plain HTTP, or anything else, is answered with an alert and a FIN, and recorded."""
    with socket.create_connection((server.host, server.port), LONG) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass

    assert [attempt.note.startswith(why) for attempt in server.trace] == [True]


HELLO_HALF = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100)


@pytest.mark.parametrize(
    ("leave", "note", "outcome"),
    [
        ("FIN", "the client left within the TLS handshake", Outcome.GONE),
        ("RST", "the client reset the connection within the TLS handshake", Outcome.GONE),
        ("stop", "the server ended the connection within the TLS handshake", Outcome.CUT),
    ],
)
def test_a_handshake_that_breaks_off(leave: str, note: str, outcome: Outcome) -> None:
    """Bytes of half a handshake are in the trace, whoever ends the connection, and how."""
    with FakeServer(tls=True) as server:
        sock = socket.create_connection((server.host, server.port), LONG)
        sock.sendall(HELLO_HALF)
        assert len(server.trace) == 0  # All that has come is read by now.
        if leave == "RST":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if leave != "stop":
            sock.close()
        trace = server.trace
    sock.close()

    assert [(a.note, a.outcome) for a in trace or server.trace] == [(note, outcome)]


def test_garbage_in_the_middle_of_an_attempt(server: FakeServer) -> None:
    """What is no record, while an answer is awaited, ends the attempt and the connection."""
    server.fail(faults.timeout())
    client = Client(server)
    client.send(GET)
    assert [attempt.fault for attempt in server.trace] == ["timeout"]
    client.raw.sendall(b"\x00" * 50)
    while client.raw.recv(65536):
        pass
    client.close()

    assert [attempt.outcome for attempt in server.trace] == [Outcome.CUT]


def test_a_client_that_says_nothing(server: FakeServer) -> None:
    """A connection without a handshake leaves nothing in the trace."""
    socket.create_connection((server.host, server.port), LONG).close()

    assert len(server.trace) == 0


# --- faults ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "body", "ended"),
    [
        (faults.reset_peer(), b"", "RST"),
        (faults.reset_peer(when="body"), b'{"ok":', "RST"),
        (faults.empty_reply(), b"", "close_notify"),
        (faults.limit_data(at=6), b'{"ok":', "close_notify"),
        (
            faults.status(503),
            b'{"message": "Service Unavailable", "status": 503}\n',
            "close_notify",
        ),
    ],
    ids=lambda value: getattr(value, "label", None),
)
def test_faults_are_true_under_tls(
    server: FakeServer, fault: faults.Fault, body: bytes, ended: str
) -> None:
    """A reset is a reset of the TCP connection; an end in order is one of TLS."""
    server.fail(fault)
    client = Client(server)
    client.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    come = client.rest()
    client.close()

    assert (come.partition(b"\r\n\r\n")[2], client.ended) == (body, ended)
    assert server.trace.faults == [fault.label]


def test_never_read(server: FakeServer) -> None:
    """A server that accepts and never reads leaves the client in its handshake."""
    server.fail(faults.never_read())
    with socket.create_connection((server.host, server.port), LONG) as sock:
        sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            ssl.create_default_context(cafile=server.ca_file).wrap_socket(
                sock, server_hostname="127.0.0.1"
            )

    assert server.trace.faults == ["never_read"]


def test_down(server: FakeServer) -> None:
    """Going down resets TLS connections as well."""
    client = Client(server)
    client.send(GET)
    assert client.tls.version() == "TLSv1.3"
    server.down()
    client.rest()
    client.close()

    assert client.ended == "RST"


# --- volume ------------------------------------------------------------------------------


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.mark.parametrize("receive_buffer", [0, 4096])
def test_much_both_ways(receive_buffer: int) -> None:
    """Megabytes come whole, to a client that reads little at a time as well."""
    with FakeServer(echo, blocking=False, tls=True) as server:
        client = Client(server, receive_buffer=receive_buffer)
        head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        client.send(head % len(BIG) + BIG)
        come = client.rest()
        client.close()

    assert come.endswith(b"\r\n\r\n" + BIG)
    assert [attempt.outcome for attempt in server.trace] == [Outcome.ANSWERED]


def test_pipelined(server: FakeServer) -> None:
    """Many requests in one record are answered in turn."""
    client = Client(server)
    client.send(GET * 50 + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    come = client.rest()
    client.close()

    assert come.count(b'{"ok": true}') == 51


def test_a_client_that_stops_reading() -> None:
    """An answer that nobody takes is cut when the server stops, and nothing is left."""
    with FakeServer(echo, blocking=False, tls=True) as server:
        client = Client(server, receive_buffer=4096)
        body = BIG * 4
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        while not server.trace[0].sent:
            pass
        server.stop()
        client.close()

    assert [attempt.outcome for attempt in server.trace] == [Outcome.CUT]


def test_a_goodbye_when_there_is_no_room(server: FakeServer) -> None:
    """It waits for what is on its way before it: an end without it is no end in order."""
    noise = Noise(server)
    client = Client(server)
    client.send(GET)
    client.some()  # Behind all that belongs to the handshake.
    server.fail(faults.empty_reply(), when=noise)
    client.send(GET)
    assert [attempt.outcome for attempt in server.trace] == [Outcome.ANSWERED, Outcome.CUT]
    client.skip(noise.size)
    client.rest()
    client.close()

    assert client.ended == "close_notify"


def test_100_continue_when_there_is_no_room() -> None:
    """It is said in full, and the answer after it, too."""
    with FakeServer(echo, blocking=False, tls=True) as server:
        noise = Noise(server)
        client = Client(server)
        client.send(GET)
        client.some()  # Behind all that belongs to the handshake.
        server.journal.observer = noise
        client.send(POST)
        assert server.trace[1].outcome is Outcome.PENDING
        client.skip(noise.size)
        told = client.some()
        client.send(b"hello")
        come = client.rest()
        client.close()

    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert come.startswith(b"HTTP/1.1 200 OK\r\n")
    assert come.endswith(b"\r\n\r\nhello")


def test_a_client_that_leaves_in_the_middle() -> None:
    """What it has got is in the trace, as without TLS."""
    with FakeServer(echo, blocking=False, tls=True) as server:
        client = Client(server, receive_buffer=4096)
        body = BIG * 4
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        come = client.some()
        client.close()
        attempt = ended(server)

    assert come.startswith(b"HTTP/1.1 200 OK\r\n")
    assert (attempt.status, attempt.outcome) == (200, Outcome.GONE)
    assert len(come) <= attempt.sent < len(body)


# --- certificates ------------------------------------------------------------------------


def test_a_context_of_the_users() -> None:
    """A server may ask for a client's certificate, as its context says."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    mine = ssl.create_default_context()
    authority.configure_trust(mine)
    with FakeServer(tls=context) as server:
        with pytest.raises(httpx.TransportError):
            httpx.get(server.url, verify=mine)
        authority.issue_cert("me@example.org").configure_cert(mine)
        assert httpx.get(server.url, verify=mine).status_code == 200
        with pytest.raises(ServerError, match="has no ca_file: make it with tls=True"):
            _ = server.ca_file
    assert [attempt.status for attempt in server.trace][-1] == 200


def test_the_file_goes_with_the_server() -> None:
    """The certificate's file is there as long as the server runs, and made anew with it."""
    server = FakeServer(tls=True)
    for _ in range(2):
        with server:
            path = Path(server.ca_file)
            assert path.read_bytes().startswith(b"-----BEGIN CERTIFICATE-----")
            assert requests.get(server.url, verify=server.ca_file).status_code == 200
        assert not path.exists()


def test_a_busy_port_leaves_no_file() -> None:
    """A server that cannot start leaves no file behind."""
    with FakeServer() as other:
        late = FakeServer(port=other.port, tls=True)
        with pytest.raises(ServerError, match="is busy"):
            late.start()

    assert late.tls_context is None


def test_without_trustme(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install, and what else would do."""
    from pytest_resilience.server import _tls

    _tls._authority.cache_clear()
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(ResilienceError, match=r'pip install "pytest-resilience\[tls\]"'):
        FakeServer(tls=True).start()

    assert engine.running() is None


def test_a_wrong_value() -> None:
    """Anything but a switch or a context is refused where it is written."""
    with pytest.raises(PlanError, match="tls"):
        FakeServer(tls="yes")  # type: ignore[arg-type]  # what a user might write
    with pytest.raises(PlanError, match=r"an ssl\.SSLContext of a server; this one is a client's"):
        FakeServer(tls=ssl.create_default_context())
