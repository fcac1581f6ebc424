"""Timeouts of blocking sockets towards our servers, in virtual time.

A call that would block parks first, with the socket watched by the engine's loop. So an
answer ends the wait when it is there, and only an answer that cannot come any more lets
the timeout pass. The real call follows when it no longer blocks. Sockets to anything else
are left alone: their calls take real time, and hold virtual time back while they last.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

from pytest_resilience.clock import _links, _waits
from pytest_resilience.clock._parties import Reason

SECOND = 1_000_000_000
READABLE, WRITABLE = select.POLLIN, select.POLLOUT

Socket = socket.socket


def _wait(sock: Socket, events: int, deadline_ns: int | None = None) -> None:
    """Return when the socket is ready.

    Raises:
        TimeoutError: The socket's timeout has passed in virtual time.
    """
    conductor = _waits.conducting()
    if conductor is None:
        return
    timeout = sock.gettimeout()
    if timeout == 0 or not _links.is_linked(sock):
        return
    due = _waits.due_after(conductor, timeout) if deadline_ns is None else deadline_ns
    what = "an answer" if events == READABLE else "room to send"
    fd = sock.fileno()
    while fd >= 0 and not _ready(fd, events):
        reason = _waits.wait_for_fd(conductor, fd, events, due, what)
        if reason is Reason.STOPPED:
            return
        if reason is Reason.DUE and not _ready(fd, events):
            raise TimeoutError("timed out")


def _ready(fd: int, events: int) -> bool:
    assert _waits.real_poll is not None
    poll = _waits.real_poll()
    poll.register(fd, events)
    return bool(poll.poll(0))


def _reading(name: str) -> Callable[..., Any]:
    real = getattr(Socket, name)

    def call(self: Socket, *args: Any, **kwargs: Any) -> Any:
        _wait(self, READABLE)
        return real(self, *args, **kwargs)

    return _named(call, real, name)


def _named(call: Callable[..., Any], real: Any, name: str) -> Callable[..., Any]:
    call.__name__, call.__qualname__ = name, f"socket.{name}"
    call.__doc__ = real.__doc__
    return call


real_send = Socket.send
real_sendall = Socket.sendall
real_connect = Socket.connect
real_connect_ex = Socket.connect_ex
real_close = Socket._real_close  # type: ignore[attr-defined]  # where close() ends, however it is called
real_detach = Socket.detach


def send(self: Socket, *args: Any) -> int:
    """socket.send."""
    _wait(self, WRITABLE)
    _links.touch(self)
    return real_send(self, *args)


def sendall(self: Socket, data: Any, *flags: int) -> None:
    """socket.sendall: its timeout is one for the whole of it (socket module, 3.5)."""
    conductor = _waits.conducting()
    timeout = self.gettimeout()
    if conductor is None or timeout == 0 or not _links.is_linked(self):
        _links.touch(self)
        real_sendall(self, data, *flags)
        return
    deadline = _waits.due_after(conductor, timeout)
    with memoryview(data) as view, view.cast("B") as left:
        sent = 0
        while sent < len(left):
            _wait(self, WRITABLE, deadline)
            _links.touch(self)
            with _unblocked(self, timeout):
                try:
                    sent += real_send(self, left[sent:], *flags)
                except BlockingIOError:
                    continue


@contextlib.contextmanager
def _unblocked(sock: Socket, timeout: float | None) -> Iterator[None]:
    """A blocking send of a large piece waits for room for all of it; this one never waits."""
    sock.settimeout(0)
    try:
        yield
    finally:
        sock.settimeout(timeout)


def connect(self: Socket, address: Any, /) -> None:
    """socket.connect."""
    conductor = _waits.conducting()
    if conductor is None or not _links.ours(address):
        # An asyncio loop's thread is a party too, and its sockets connect without blocking.
        real_connect(self, address)
        return
    timeout = self.gettimeout()
    due = _waits.due_after(conductor, timeout)
    try:
        if timeout == 0:
            real_connect(self, address)
        else:
            with _unblocked(self, timeout):
                real_connect(self, address)
    except BlockingIOError:
        _links.connect(self, address[1])
        if timeout == 0:
            raise
        _finish_connect(self, due)
    else:
        _links.connect(self, address[1])


def _finish_connect(sock: Socket, due: int | None) -> None:
    _wait(sock, WRITABLE, due)
    error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        import os

        raise OSError(error, os.strerror(error))


def connect_ex(self: Socket, address: Any, /) -> int:
    """socket.connect_ex."""
    if _waits.conducting() is None or not _links.ours(address):
        return real_connect_ex(self, address)
    try:
        connect(self, address)
    except OSError as error:
        if error.errno is None:
            raise
        return error.errno
    return 0


def close(self: Socket, *args: Any) -> None:
    """socket._real_close: the client's FIN is on its way."""
    _links.close(self)
    real_close(self, *args)


def detach(self: Socket) -> int:
    """socket.detach."""
    _links.close(self)
    return real_detach(self)


# TLS: what the record layer holds back is not seen by polling the socket


def _tls(name: str) -> Callable[..., Any]:
    real = getattr(ssl.SSLSocket, name)

    def call(self: ssl.SSLSocket, *args: Any, **kwargs: Any) -> Any:
        timeout = self.gettimeout()
        conductor = _waits.conducting()
        if conductor is None or timeout == 0 or not _links.is_linked(self):
            return real(self, *args, **kwargs)
        deadline = _waits.due_after(conductor, timeout)
        while True:
            _links.touch(self)
            self.settimeout(0)
            try:
                return real(self, *args, **kwargs)
            except ssl.SSLWantReadError:
                events = READABLE
            except ssl.SSLWantWriteError:
                events = WRITABLE
            finally:
                self.settimeout(timeout)
            try:
                _wait(self, events, deadline)
            except TimeoutError:
                raise TimeoutError(f"The {name} operation timed out") from None

    return _named(call, real, name)


def methods() -> list[tuple[type, str, Callable[..., Any]]]:
    """Class, name and stand-in of every method that is replaced."""
    reading = ("recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into")
    found: list[tuple[type, str, Callable[..., Any]]] = [
        (Socket, name, _reading(name)) for name in reading if hasattr(Socket, name)
    ]
    found += [
        (Socket, "send", send),
        (Socket, "sendall", sendall),
        (Socket, "connect", connect),
        (Socket, "connect_ex", connect_ex),
        (Socket, "_real_close", close),
        (Socket, "detach", detach),
    ]
    found += [(ssl.SSLSocket, name, _tls(name)) for name in ("read", "send", "do_handshake")]
    return found


