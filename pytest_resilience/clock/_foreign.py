"""Descriptors whose other end is not in this process: their answers take real time.

A socket to somebody else's server is *busy* while it connects, and from what it has sent
until something has come back. A pipe is busy whenever it is waited for, unless its other end
is here as well and no child may have it. Unix sockets within this process are not foreign,
but for those that somebody waits for outside of an event loop while a child may have them:
``multiprocessing.Pipe()`` is such a pair.
"""

from __future__ import annotations

import _socket
import fcntl
import os
import socket
import stat
import struct
import weakref
from collections.abc import Container, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytest_resilience.clock._running import loop_of_asyncio

_busy: weakref.WeakSet[socket.socket] = weakref.WeakSet()
"""Those that have connected or sent, and got nothing back yet."""


real_waitid: Any = getattr(os, "waitid", None)
_inner: dict[tuple[int, int], bool] = {}
"""Pipes that were asked for, by descriptor and inode: whether their other end is here."""


def sent(sock: socket.socket) -> None:
    """A client connects this socket to somebody else, or sends something there."""
    if is_foreign(sock):
        _busy.add(sock)


def received(sock: socket.socket) -> None:
    """Something has come back."""
    _busy.discard(sock)


def forget_all() -> None:
    """No socket is known any more; called when a virtual clock stops."""
    _busy.clear()
    _inner.clear()


def _is_unix(sock: _socket.socket) -> bool:
    return sock.family == getattr(socket, "AF_UNIX", None)


def is_foreign(sock: socket.socket) -> bool:
    """Whether what this socket waits for comes from outside of this process."""
    if not _is_unix(sock):
        return True
    try:
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    except (OSError, AttributeError):
        return True
    peer: int = struct.unpack("3i", raw)[0]
    return peer != os.getpid()


def is_shared(sock: _socket.socket) -> bool:
    """Whether a child may hold the other end of this socket, which is of this process."""
    return _is_unix(sock) and not _wakes_a_loop(sock) and _has_children()


def _wakes_a_loop(sock: _socket.socket) -> bool:
    """Whether it is the one that wakes this thread's loop of asyncio, which no child writes to."""
    return getattr(loop_of_asyncio(), "_ssock", None) is sock


def is_pipe(fd: int) -> bool:
    """Whether somebody outside may hold the other end of this descriptor, or is what it is for."""
    with suppress(OSError):
        mode = os.fstat(fd).st_mode
        if not stat.S_ISSOCK(mode):
            return stat.S_ISFIFO(mode) or _is_process(fd)
    return False


def _is_process(fd: int) -> bool:
    """Whether it is a pidfd, which asyncio watches a subprocess by (pidfd_open(2))."""
    return "pidfd" in Path(f"/proc/self/fd/{fd}").readlink().name


def anything_busy() -> bool:
    """Whether somebody else's server owes an answer to anybody."""
    return any(sock.fileno() >= 0 for sock in list(_busy))


def any_busy(fds: Container[int], pipes: Iterable[int]) -> bool:
    """Whether one of these descriptors waits for the outside.

    Args:
        fds: The descriptors that are waited for.
        pipes: Those of them that may be pipes. A loop may have thousands of descriptors, so
            those that are were told apart once; its own sockets are no child's.
    """
    if any(sock.fileno() in fds for sock in list(_busy)):
        return True
    return any(
        fd in fds and (not _is_inner(fd) if is_pipe(fd) else _is_shared_socket(fd)) for fd in pipes
    )


def _is_shared_socket(fd: int) -> bool:
    with suppress(OSError):
        if stat.S_ISSOCK(os.fstat(fd).st_mode) and _has_children():
            sock = _socket.socket(fileno=fd)
            try:
                return is_shared(sock)
            finally:
                sock.detach()
    return False


def _is_inner(fd: int) -> bool:
    """Whether nobody but this process has an end of this pipe."""
    with suppress(OSError):
        key = (fd, os.fstat(fd).st_ino)
        if key not in _inner:
            _inner[key] = _has_other_end(fd)
        return _inner[key] and not _has_children()
    return False


def _has_other_end(fd: int) -> bool:
    here = Path("/proc/self/fd")
    pipe, mode = here.joinpath(str(fd)).readlink(), _mode(fd)
    # A pipe with a name may be opened by anybody.
    return pipe.name.startswith("pipe:") and any(
        _is_end(other, pipe) and _mode(int(other.name)) != mode for other in list(here.iterdir())
    )


def _is_end(fd: Path, pipe: Path) -> bool:
    with suppress(OSError):  # Closed meanwhile, as the one that has listed them.
        return fd.readlink() == pipe
    return False


def _mode(fd: int) -> int:
    return fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE


def _has_children() -> bool:
    try:
        real_waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
