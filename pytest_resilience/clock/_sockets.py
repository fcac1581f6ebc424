"""Timeouts of blocking sockets towards our servers, in virtual time.

A call that would block parks first, with the socket watched by the engine's loop. So an
answer ends the wait when it is there, and only an answer that cannot come any more lets
the timeout pass. The real call follows when it no longer blocks. Sockets to anything else
take real time, and so does everybody else while they do.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_resilience.clock import _foreign, _links
from pytest_resilience.clock._genuine import Socket
from pytest_resilience.clock._here import SECOND, conducting, due_after, outside, party_of
from pytest_resilience.clock._parties import Reason
from pytest_resilience.clock._polling import OUTSIDE, STATE, note_look, note_park
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's

if TYPE_CHECKING:
    from pytest_resilience.clock._conductor import Conductor

T = TypeVar("T")
UNDER_WAY = (errno.EINPROGRESS, errno.EALREADY)
"""What the kernel says of a connection that is to be."""
READABLE, WRITABLE = select.POLLIN, select.POLLOUT
DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)
FLAGS = {
    "recv": 1,
    "recv_into": 2,
    "recvfrom": 1,
    "recvfrom_into": 2,
    "recvmsg": 2,
    "recvmsg_into": 2,
    "send": 1,
    "sendto": 1,
    "sendmsg": 2,
}
"""The place of each method's flags among its arguments; sendto's may be an address instead."""

real_poll: Any = getattr(select, "poll", None)  # eventlet takes it away, and is refused later
real_send = Socket.send
real_sendall = Socket.sendall
real_connect = Socket.connect
real_connect_ex = Socket.connect_ex
real_close = Socket._real_close  # type: ignore[attr-defined]  # where close() ends, however it is called
real_detach = Socket.detach
real_shutdown = Socket.shutdown
real_accept = Socket._accept  # type: ignore[attr-defined]  # what accept() is made of


def wait(sock: Socket, conductor: Conductor, events: int, due_ns: int | None) -> None:
    """Return when the socket is ready.

    Raises:
        TimeoutError: It is not, and this moment of virtual time has come.
    """
    what = "an answer" if events == READABLE else "room to send"
    party = party_of(conductor)
    fd = sock.fileno()
    # While bytes are under way, whether the answer is there already is a matter of real time.
    settled = events != READABLE or not _links.touched()
    while fd >= 0 and not (settled and ready(fd, events)):
        settled = True
        reason = conductor.park(party, what, due_ns, (fd, events))
        if reason is Reason.STOPPED:
            return
        note_park(conductor, party, reason)
        if reason is Reason.DUE and not ready(fd, events):
            raise TimeoutError("timed out")


def due_of(sock: Socket, conductor: Conductor) -> int | None:
    """The moment at which a call on this socket times out.

    Python rounds timeouts up to whole nanoseconds, which makes one more of 1.07 seconds, and of
    0.1 + 0.2. Where one less is whole microseconds, they were meant, as a sleep takes them.
    """
    timeout = sock.gettimeout()
    nanoseconds = round((timeout or 0) * SECOND)
    if timeout is not None and nanoseconds > 1 and nanoseconds % 1000 == 1:
        timeout = (nanoseconds - 1) / SECOND
    return due_after(conductor, timeout)


def ready(fd: int, events: int) -> bool:
    """Whether a call would not block."""
    poll = real_poll()
    poll.register(fd, events)
    return bool(poll.poll(0))


def is_ours(sock: Socket) -> bool:
    """Whether its waits are virtual: its other end is one of our servers, or in this process."""
    return _links.is_linked(sock) or not (_foreign.is_foreign(sock) or _foreign.is_shared(sock))


@contextlib.contextmanager
def looking(conductor: Conductor, at: int) -> Iterator[None]:
    """Make a call in this block that does not wait."""
    try:
        yield
    except BlockingIOError:
        note_look(conductor, at)
        raise


@contextlib.contextmanager
def waiting(sock: Socket, events: int, flags: int = 0) -> Iterator[None]:
    """Wait until a call in this block no longer blocks; or make it, if it is to take real time."""
    conductor = conducting()
    if conductor is None:
        yield
    elif sock.gettimeout() == 0 or flags & DONT_WAIT:
        with looking(conductor, STATE if is_ours(sock) else OUTSIDE):
            yield
    elif is_ours(sock):
        wait(sock, conductor, events, due_of(sock, conductor))
        yield
    else:
        with outside(conductor, "somebody else's server", sock.gettimeout()):
            yield


def _receiving(name: str) -> Callable[..., Any]:
    real = getattr(Socket, name)
    place = FLAGS[name]

    def call(self: Socket, *args: Any, **kwargs: Any) -> Any:
        flags = args[place] if len(args) > place else kwargs.get("flags", 0)
        with waiting(self, READABLE, flags):
            result = real(self, *args, **kwargs)
        _foreign.received(self)
        return result

    return named(call, real, name)


def named(call: Callable[..., Any], real: Any, name: str) -> Callable[..., Any]:
    """The stand-in, called what it stands for."""
    call.__name__, call.__qualname__ = name, f"socket.{name}"
    call.__doc__ = real.__doc__
    return call


def touch(sock: Socket) -> None:
    """The socket is about to send."""
    if conducting() is not None and not _links.touch(sock) and not _links.is_linked(sock):
        _foreign.sent(sock)


def _sending(name: str) -> Callable[..., Any]:
    real = getattr(Socket, name)
    place = FLAGS[name]

    def call(self: Socket, *args: Any, **kwargs: Any) -> Any:
        flags = args[place] if len(args) > place else 0
        with waiting(self, WRITABLE, flags if isinstance(flags, int) else 0):
            touch(self)
            return real(self, *args, **kwargs)

    return named(call, real, name)


send = _sending("send")


def sendall(self: Socket, data: Any, *flags: int) -> None:
    """socket.sendall: its timeout is one for the whole of it (socket module, 3.5)."""
    conductor = conducting()
    timeout = self.gettimeout()
    if conductor is None or timeout == 0 or not is_ours(self) or sum(flags) & DONT_WAIT:
        with waiting(self, WRITABLE, *flags):
            touch(self)
            real_sendall(self, data, *flags)
        return
    deadline = due_of(self, conductor)
    with memoryview(data) as view, view.cast("B") as left:
        sent = 0
        while sent < len(left):
            wait(self, conductor, WRITABLE, deadline)
            touch(self)
            with unblocked(self), contextlib.suppress(BlockingIOError):
                sent += real_send(self, left[sent:], *flags)


@contextlib.contextmanager
def unblocked(sock: Socket) -> Iterator[None]:
    """A blocking send of a large piece waits for room for all of it; this one never waits."""
    timeout = sock.gettimeout()
    sock.settimeout(0)
    try:
        yield
    finally:
        if sock.fileno() >= 0:  # pragma: no branch -- closed meanwhile by another thread
            # It is rounded up, and so would grow by a nanosecond now and then.
            sock.settimeout(timeout and timeout - 0.5 / SECOND)


def sendfile(self: Socket, file: Any, offset: int = 0, count: int | None = None) -> int:
    """socket.sendfile: the standard library's own version that sends piece by piece."""
    sent: int = self._sendfile_use_send(file, offset, count)  # type: ignore[attr-defined]  # there since 3.5
    return sent


def connect(self: Socket, address: Any, /) -> None:
    """socket.connect."""
    conductor = conducting()
    if conductor is None:
        real_connect(self, address)
    elif not _links.ours(address):
        _connect_elsewhere(self, address, conductor, real_connect)
    elif error := _connect_to_ours(self, address, conductor):
        raise OSError(error, os.strerror(error))


def connect_ex(self: Socket, address: Any, /) -> int:
    """socket.connect_ex: it has no timeout to raise, but a number for it."""
    conductor = conducting()
    if conductor is None:
        return real_connect_ex(self, address)
    if not _links.ours(address):
        return _connect_elsewhere(self, address, conductor, real_connect_ex)
    try:
        return _connect_to_ours(self, address, conductor)
    except TimeoutError:
        return errno.EAGAIN


def _connect_elsewhere(
    sock: Socket, address: Any, conductor: Conductor, real: Callable[[Socket, Any], T]
) -> T:
    if sock.gettimeout() == 0 or not _foreign.is_foreign(sock):
        _foreign.sent(sock)
        return real(sock, address)
    with outside(conductor, f"a connection to {address!r}", sock.gettimeout()):
        return real(sock, address)


def _connect_to_ours(sock: Socket, address: Any, conductor: Conductor) -> int:
    """The number of the error, 0 for none."""
    timeout = sock.gettimeout()
    # An asyncio loop's sockets never block, and are connected here as well.
    with unblocked(sock):
        error = real_connect_ex(sock, address)
    if error in (0, *UNDER_WAY):
        _links.connect(sock, address[1])
    if error in UNDER_WAY and timeout != 0:
        wait(sock, conductor, WRITABLE, due_of(sock, conductor))
        error = real_connect_ex(sock, address)  # How it has ended, which ends it for the kernel.
    return error


def accept(self: Socket) -> Any:
    """What socket.accept is made of."""
    conductor = conducting()
    if conductor is None:
        return real_accept(self)
    if self.gettimeout() != 0:
        # Its clients may be anywhere, and it may never get one: others need not wait for it.
        wait(self, conductor, READABLE, due_of(self, conductor))
        return real_accept(self)
    with looking(conductor, STATE):
        return real_accept(self)


def close(self: Socket, *args: Any) -> None:
    """socket._real_close: the client's FIN is on its way."""
    _links.close(self)
    real_close(self, *args)


def shutdown(self: Socket, how: int, /) -> None:
    """socket.shutdown: so it is here."""
    _links.touch(self)
    real_shutdown(self, how)


def detach(self: Socket) -> int:
    """socket.detach."""
    _links.close(self)
    return real_detach(self)


METHODS: dict[str, Callable[..., Any]] = {
    **{n: _receiving(n) for n in FLAGS if n.startswith("recv") and hasattr(Socket, n)},
    **{name: _sending(name) for name in ("sendto", "sendmsg") if hasattr(Socket, name)},
    "send": send,
    "sendall": sendall,
    "sendfile": sendfile,
    "connect": connect,
    "connect_ex": connect_ex,
    "_accept": accept,
    "_real_close": close,
    "shutdown": shutdown,
    "detach": detach,
}
"""The stand-in for each method of socket.socket that is replaced."""
