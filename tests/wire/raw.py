"""A client made of one socket: it says what it is told to and reports all that comes back."""

from __future__ import annotations

import contextlib
import enum
import select
import socket
import struct
import time
from dataclasses import dataclass
from typing import Self

from pytest_resilience import Attempt, FakeServer, Outcome

LONG = 20.0
"""Seconds after which something that must come is missing. Never waited for when all is well."""
SHORT = 0.03
"""Seconds of silence that count as "nothing more comes"."""

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"


class End(enum.Enum):
    """How the other end has ended the connection."""

    FIN = "in order"
    RST = "reset"
    OPEN = "not at all"


@dataclass(frozen=True)
class Seen:
    """All that came."""

    data: bytes
    end: End

    @property
    def head(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[0]

    @property
    def body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]

    @property
    def status(self) -> int:
        return int(self.data[9:12])


class Raw:
    """One connection to a server."""

    def __init__(self, server: FakeServer) -> None:
        self.sock = socket.create_connection((server.host, server.port), LONG)
        self._server = server
        self._come = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> Self:
        self.sock.sendall(data)
        return self

    def reset(self) -> None:
        """Leave with a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def exactly(self, size: int) -> bytes:
        """So many bytes; fewer only when the connection ends before."""
        while len(self._come) < size and self._receive():
            pass
        taken, self._come = self._come[:size], self._come[size:]
        return taken

    def until(self, mark: bytes) -> bytes:
        """All up to and including this mark."""
        while mark not in self._come and self._receive():
            pass
        before, found, self._come = self._come.partition(mark)
        return before + found

    def _receive(self) -> bool:
        more = self.sock.recv(1 << 20)
        self._come += more
        return bool(more)

    def keep(self, size: int) -> None:
        """Read so many bytes more, or fewer; they are what comes first later on."""
        self._come += self.sock.recv(size)

    def answer(self) -> Seen:
        """One answer with a Content-Length, or without a body."""
        head = self.until(b"\r\n\r\n")
        fields = dict(
            line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line
        )
        body = self.exactly(int(fields.get(b"content-length", b"0")))
        return Seen(head + body, End.OPEN)

    def rest(self) -> Seen:
        """All that comes until the other end ends the connection."""
        return self._collect(LONG)

    def silence(self) -> Seen:
        """All that comes until nothing more does; the server has handled all that was sent."""
        _ = self._server.trace
        return self._collect(SHORT)

    def _collect(self, patience: float) -> Seen:
        data, self._come = self._come, b""
        while self.readable(patience):
            try:
                more = self.sock.recv(1 << 20)
            except ConnectionResetError:
                return Seen(data, End.RST)
            if not more:
                return Seen(data, End.FIN)
            data += more
        return Seen(data, End.OPEN)

    def readable(self, patience: float) -> bool:
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(patience * 1000))

    @property
    def error(self) -> int:
        """SO_ERROR: what the kernel has heard of this connection and not told yet."""
        return self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def has_ipv6() -> bool:
    """Whether this machine does."""
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


class Noise:
    """Gets in the way of what a server's one connection is to say next, when called at first.

    It is called on the server's thread, as a predicate or an observer of attempts.
    """

    def __init__(self, server: FakeServer) -> None:
        self._server = server
        self.size = 0

    def __call__(self, _: Attempt) -> bool:
        if not self.size:
            assert self._server._listener is not None
            (connection,) = self._server._listener.connections
            sock = getattr(connection.sock, "_sock", connection.sock)  # Below TLS.
            with contextlib.suppress(BlockingIOError):
                while True:
                    self.size += sock.send(b"x" * 65536)
        return True


def talk(server: FakeServer, request: bytes = GET) -> Seen:
    """Send one request on a connection of its own; all that comes until the other end ends it."""
    with Raw(server) as raw:
        return raw.send(request).rest()


def ask(server: FakeServer, request: bytes = GET) -> Seen:
    """Send one request on a connection of its own; one answer."""
    with Raw(server) as raw:
        return raw.send(request).answer()


def ended(server: FakeServer, number: int = 1) -> Attempt:
    """This attempt, once it is there and has ended."""
    patience = time.monotonic() + LONG
    while len(trace := server.trace) < number or trace[number - 1].outcome is Outcome.PENDING:
        assert time.monotonic() < patience, trace
        time.sleep(0.001)
    return trace[number - 1]
