"""What the kernel says of the two ends of a connection (tcp(7), TCP_INFO)."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
import sys
from typing import NamedTuple

ESTABLISHED, SYN_SENT, FIN_WAIT1, CLOSED = 1, 2, 4, 7
FIN_RECEIVED = (6, 8, 9, 11)  # TIME_WAIT, CLOSE_WAIT, LAST_ACK, CLOSING
_SIZE = 216
FIONREAD = 0x541B
HAS_TCP_INFO = hasattr(socket, "TCP_INFO")


class Counts(NamedTuple):
    """What the kernel says of one end."""

    state: int
    unacked: int
    unsent: int
    sent: int
    received: int


def info(sock: socket.socket) -> bytes | None:
    """The kernel's struct tcp_info (linux/tcp.h); None where there is none."""
    if not HAS_TCP_INFO:
        return None
    try:
        raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE)
    except OSError:
        return None
    return raw if len(raw) == _SIZE else None


def counts(sock: socket.socket) -> Counts | None:
    """What this end has sent and received; None where nobody counts."""
    raw = info(sock)
    if raw is None:
        return None
    (unacked,) = struct.unpack_from("I", raw, 24)
    received, _, _, unsent = struct.unpack_from("QIII", raw, 128)
    sent, resent = struct.unpack_from("QQ", raw, 200)
    return Counts(raw[0], unacked, unsent, sent - resent, received)


def arrived(sender: Counts, receiver: Counts, receiving: socket.socket) -> bool:
    """Whether all that was sent this way is where it can be seen, or cannot get there."""
    if CLOSED in (sender.state, receiver.state):
        return True  # By a reset.
    # A FIN counts as a byte received, and as none sent.
    if sender.sent != receiver.received - (receiver.state in FIN_RECEIVED):
        return False
    if not sender.unsent:
        return True
    if sender.unacked:
        _acknowledge(receiving)
        return False
    # Room must be made first, by reading what has come. If all has been read, the news of
    # it is under way.
    return unread(receiving) > 0


def unread(sock: socket.socket) -> int:
    """How many bytes have come that nobody has read."""
    try:
        raw = fcntl.ioctl(sock.fileno(), FIONREAD, bytes(4))
    except (OSError, ValueError):  # Closed, by another thread, while we look.
        return 0
    return int.from_bytes(raw, sys.byteorder)


def _acknowledge(sock: socket.socket) -> None:
    """Let the kernel say now what has come; while nobody reads it takes its 40 ms for it."""
    with contextlib.suppress(OSError):  # Closed, by another thread, while we look.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
