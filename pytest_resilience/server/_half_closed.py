"""Clients that have said all that they want to say, or can say nothing: are they still there?

*Problem.* A FIN does not tell whether a client has closed its socket, or only its sending side and
still wants its answer (httpwg/http-core#431). gunicorn, werkzeug and waitress answer it. But they
find out late that a client has gone, and a trace should say it when it happens.

*Solution.* Client and server are on one machine, whose kernel knows both ends (sock_diag(7)).
Of a client that it does not know, in another container say, and under TLS, where the goodbye is
said in TLS, a FIN counts as its leaving. One that has been half-closed sends nothing when it goes,
so the kernel is asked again now and then.

So it is where nobody reads: the FIN of a client that leaves in the middle of an upload waits
behind bytes for which there is no room. A virtual clock knows when that is so, and has us look
before it moves time.
"""

from __future__ import annotations

import _socket
import socket
import struct
from typing import TYPE_CHECKING

from pytest_resilience.clock import REAL, links

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_resilience.engine._loop import Loop
    from pytest_resilience.server.connection import Connection

LOOK_AGAIN_NS = 10_000_000
AT_ONCE = 32
"""Of more clients than these it is looked less often: to ask takes some 10 us each."""

# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h, net/sock.h
NETLINK: int | None = getattr(socket, "AF_NETLINK", None)
NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
REQUEST = 1
EVERY = 0xFFFFFFFF
INET_DIAG_SHUTDOWN = 8
RECEIVES_NO_MORE = 1
HEADERS = 16 + 72
"""Bytes of struct nlmsghdr and struct inet_diag_msg, which come before the attributes."""


class HalfClosed:
    """Those of one server. Lives on the loop's thread."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._clients: dict[Connection, Callable[[object], bool]] = {}
        """And how to tell that one has gone."""
        self._looks_again = False

    def __bool__(self) -> bool:
        return bool(self._clients)

    def add(self, connection: Connection) -> None:
        """Look after this one, whose FIN has come, until it ends."""
        self._look_after(connection, lambda sock: not listens(sock))

    def add_unread(self, connection: Connection) -> None:
        """Look after this one, which is not read, until it ends or is read again."""
        self._look_after(connection, has_gone)

    def _look_after(self, connection: Connection, gone: Callable[[object], bool]) -> None:
        self._clients[connection] = gone
        links.tell_of_orphans(self.look)
        if not self._looks_again:
            self._looks_again = True
            wait = LOOK_AGAIN_NS * (1 + len(self._clients) // AT_ONCE)
            self._loop.call_at_real(REAL.monotonic_ns() + wait, self._look_again)

    def discard(self, connection: Connection) -> None:
        """It has ended, or is read again."""
        self._clients.pop(connection, None)
        if not self._clients:
            links.tell_no_more(self.look)

    def look(self) -> None:
        """Part with those that have gone meanwhile."""
        for connection, gone in tuple(self._clients.items()):
            if gone(connection.sock):
                connection.lost()

    def _look_again(self) -> None:
        self._looks_again = False
        self.look()
        for connection, gone in tuple(self._clients.items()):
            self._look_after(connection, gone)


def listens(sock: object) -> bool:
    """Whether the client at the other end of this socket is known to receive what is sent."""
    return isinstance(sock, socket.socket) and _asked(sock) & RECEIVES_NO_MORE == 0


def has_gone(sock: object) -> bool:
    """Whether the client at the other end is known to receive nothing any more."""
    plain = getattr(sock, "plain", sock)  # Under TLS.
    bits = _asked(plain) if isinstance(plain, socket.socket) else EVERY
    return bits != EVERY and bits & RECEIVES_NO_MORE != 0


def _asked(sock: socket.socket) -> int:
    """As `_shut_down`; all bits where nobody tells, or the connection is gone."""
    if NETLINK is None:
        return EVERY
    try:
        return _shut_down(sock)
    except OSError:
        return EVERY


def _shut_down(sock: socket.socket) -> int:
    """Which directions of the other end are shut down: both of them if it is closed.

    The kernel notes it before it sends the FIN.
    """
    assert NETLINK is not None
    # Under whatever has been put in the place of socket's: nobody is to see this one.
    asking = _socket.socket(NETLINK, _socket.SOCK_DGRAM, NETLINK_SOCK_DIAG)
    try:
        asking.sendto(_question(sock), (0, 0))
        answer = asking.recv(8192, _socket.MSG_DONTWAIT)
    finally:
        asking.close()
    (kind,) = struct.unpack_from("=H", answer, 4)
    return _attribute(answer, INET_DIAG_SHUTDOWN) if kind == SOCK_DIAG_BY_FAMILY else EVERY


def _question(sock: socket.socket) -> bytes:
    """About the one socket at the other end."""
    ends = (sock.getpeername(), sock.getsockname())
    ports = struct.pack("!HH", *(end[1] for end in ends))
    hosts = b"".join(socket.inet_pton(sock.family, end[0]).ljust(16, b"\0") for end in ends)
    wanted = struct.pack("=BBBxI", sock.family, socket.IPPROTO_TCP, 0, EVERY)
    body = wanted + ports + hosts + struct.pack("=III", 0, EVERY, EVERY)
    return struct.pack("=IHHII", 16 + len(body), SOCK_DIAG_BY_FAMILY, REQUEST, 0, 0) + body


def _attribute(message: bytes, wanted: int) -> int:
    """Its value, a byte; all bits of one that is not there."""
    at = HEADERS
    while at < len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        if kind == wanted:
            return message[at + 4]
        at += (length + 3) // 4 * 4
    return EVERY
