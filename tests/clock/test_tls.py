"""Timeouts of TLS sockets: our servers speak no TLS, so this one stands in for them.

It lives on the engine's loop as they do, and tells the clock of its connections as they do.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pytest_resilience import FakeServer, VirtualClock
from pytest_resilience.clock import current_clock, links
from pytest_resilience.engine import acquire, release

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For 127.0.0.1, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(1))
        .not_valid_after(now + dt.timedelta(1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


class TlsServer:
    """Answers every request after so many seconds, or never."""

    def __init__(self, certificate: Path) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.delays: list[float | None] = []
        self.loop = acquire()
        self.listening = socket.create_server((HOST, 0))
        self.listening.settimeout(0)
        self.port = self.listening.getsockname()[1]
        self.socks: list[socket.socket] = []
        links.listen(self.listening.getsockname())
        self.loop.run(lambda: self.loop.add(self.listening.fileno(), self.accept, 1))

    def accept(self, _: int) -> None:
        sock, client = self.listening.accept()
        sock.settimeout(0)
        link = (client[0], client[1], self.port)
        links.serve(link, sock)
        self.socks.append(sock)
        come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context.wrap_bio(come, go, server_side=True)

        def flush() -> None:
            links.served_sent(link)
            sock.send(go.read())

        def answer() -> None:
            tls.write(ANSWER)
            flush()

        def ready(_: int) -> None:
            try:
                data = sock.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                self.loop.remove(sock.fileno())
                links.unserve(link)
                sock.close()
                return
            come.write(data)
            try:
                tls.do_handshake()
                request = tls.read(65536)
            except ssl.SSLWantReadError:
                request = b""
            flush()
            if request:
                delay = self.delays.pop(0) if self.delays else 0
                if delay is not None:
                    clock = current_clock()
                    due = clock.monotonic_ns() + round(delay * 1e9)
                    clock.call_at(due, self.loop, answer)

        self.loop.add(sock.fileno(), ready, 1)

    def stop(self) -> None:
        links.unlisten(self.listening.getsockname())
        self.loop.run(lambda: self.loop.remove(self.listening.fileno()))
        for sock in [self.listening, *self.socks]:
            sock.close()
        self.loop.settle()
        release(self.loop)


@pytest.fixture
def tls_server(server: FakeServer, certificate: Path) -> Iterator[TlsServer]:
    """Beside a server, which keeps the engine running."""
    made = TlsServer(certificate)
    yield made
    made.stop()


def test_three_read_timeouts_over_tls(
    tls_server: TlsServer, clock: VirtualClock, certificate: Path
) -> None:
    """Three timeouts of 30 s with waits of 1, 2 and 4, then an answer: it takes exactly 97."""
    tls_server.delays = [None, None, None, 0]
    url = f"https://{HOST}:{tls_server.port}/"
    with urllib3.PoolManager(ca_certs=str(certificate)) as pool:
        for wait in (1, 2, 4, None):
            try:
                assert pool.request("GET", url, timeout=30, retries=False).data == b"ok"
            except urllib3.exceptions.ReadTimeoutError:
                assert wait is not None
                time.sleep(wait)

    assert clock.now == 97


def test_a_delay_over_tls(tls_server: TlsServer, clock: VirtualClock, certificate: Path) -> None:
    """An answer after 5 s under a timeout of 30 comes at exactly 5, and on a kept connection."""
    tls_server.delays = [5, 7]
    url = f"https://{HOST}:{tls_server.port}/"
    with urllib3.PoolManager(ca_certs=str(certificate)) as pool:
        assert pool.request("GET", url, timeout=30).data == b"ok"
        assert clock.now == 5
        assert pool.request("GET", url, timeout=30).data == b"ok"
    assert clock.now == 12
