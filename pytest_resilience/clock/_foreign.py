"""Descriptors whose other end is not in this process: their answers take real time.

A socket to somebody else's server is *busy* while it connects, and from what it has sent
until something has come back. A pipe is busy whenever it is waited for: nobody can tell who
holds its other end. Unix sockets within this process are not foreign.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
import weakref
from collections.abc import Container, Iterable
from contextlib import suppress
from pathlib import Path

_busy: weakref.WeakSet[socket.socket] = weakref.WeakSet()
"""Those that have connected or sent, and got nothing back yet."""


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


def _is_unix(sock: socket.socket) -> bool:
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
        pipes: Those of them that were pipes when last looked at. They are told apart once,
            because a loop may have thousands of descriptors.
    """
    if any(sock.fileno() in fds for sock in list(_busy)):
        return True
    return any(fd in fds and is_pipe(fd) for fd in pipes)
