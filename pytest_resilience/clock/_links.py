"""Bytes under way between clients of this process and our servers.

A byte that a client has sent and the server has not yet been told of, or the other way
round, is nowhere to be seen by polling: on a loaded machine the kernel may hand it over
milliseconds later. But both ends of each connection are in this process, and the kernel
counts what each end has sent and received (tcp(7), TCP_INFO). If the counts agree, nothing
is under way. Only connections that somebody has touched since they last agreed are looked at.
"""

from __future__ import annotations

import socket
import struct
import weakref
from collections.abc import Callable

from pytest_resilience.clock import _ends, _orphans
from pytest_resilience.clock._ends import ESTABLISHED, FIN_WAIT1, SYN_SENT, Counts
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's

Address = tuple[str, int]
Key = tuple[str, int, int]
"""A connection: the client's host and port, and the server's port."""

# Everything here is changed in single steps, which need no lock.
_listening: dict[Address, weakref.ref[socket.socket] | None] = {}
_served: dict[Key, Served] = {}
_links: dict[Key, Link] = {}
_keys: weakref.WeakKeyDictionary[socket.socket, Key] = weakref.WeakKeyDictionary()
_touched: set[Key] = set()
_held: dict[Key, tuple[Counts | None, Counts | None]] = {}
"""Where bytes wait for room that only reading makes, of which nobody tells; with what was
counted on both ends."""
_told: set[Callable[[], object]] = set()
"""Called when the FIN of a client waits behind such bytes."""


class Served:
    """The server's end of a connection."""

    __slots__ = ("finished", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.finished = False
        """Our FIN is sent."""


class Link:
    """The client's end of a connection to one of our servers."""

    __slots__ = ("closed", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = weakref.ref(sock)
        self.closed = False


# The server's side


def listen(address: Address, sock: socket.socket | None = None) -> None:
    """A server of ours listens here, with this socket."""
    _listening[address[:2]] = None if sock is None else weakref.ref(sock)


def unlisten(address: Address) -> None:
    """It listens no longer."""
    _listening.pop(address[:2], None)


def ours(address: object) -> bool:
    """Whether a server of ours has this address."""
    if not isinstance(address, tuple) or len(address) < 2:
        return False
    host, port = address[:2]
    if (host, port) in _listening:
        return True
    if host == "localhost":
        return any(known[1] == port for known in list(_listening))
    return ("0.0.0.0", port) in _listening or ("::", port) in _listening  # noqa: S104 -- no bind


def serve(key: Key, sock: socket.socket) -> None:
    """A server of ours has accepted this client."""
    _served[key] = Served(sock)
    _touched.add(key)


def served_sent(key: Key, *, finished: bool = False) -> None:
    """The server has sent something, or its FIN."""
    _touched.add(key)
    if finished:
        served = _served.get(key)
        if served is not None:
            served.finished = True


def tell_of_orphans(look: Callable[[], object]) -> None:
    """Call this when the FIN of a client cannot come, on the engine's thread."""
    _told.add(look)


def tell_no_more(look: Callable[[], object]) -> None:
    """It need not be called any more."""
    _told.discard(look)


def unserve(key: Key) -> None:
    """The server has closed its end."""
    _served.pop(key, None)
    if key in _links:
        _touched.add(key)
    else:
        _touched.discard(key)  # Nobody looks at it, and there may be no end of such.


# The client's side


def connect(sock: socket.socket, port: int) -> None:
    """A client's socket is connected, or about to be, to a server of ours at this port."""
    try:
        host, own_port = sock.getsockname()[:2]
    except OSError:
        return
    key = (host, own_port, port)
    _keys[sock] = key
    _links[key] = Link(sock)
    _touched.add(key)


def is_linked(sock: socket.socket) -> bool:
    """Whether this socket talks to a server of ours."""
    if sock in _keys:
        return True
    try:
        peer = sock.getpeername()
    except OSError:
        return False
    if not ours(peer):
        return False
    connect(sock, peer[1])
    return True


def touch(sock: socket.socket) -> bool:
    """A client is about to send; whether it is one of ours."""
    key = _keys.get(sock)
    if key is None:
        return False
    _touched.add(key)
    return True


def close(sock: socket.socket) -> None:
    """A client is about to close this socket."""
    key = _keys.pop(sock, None)
    link = _links.get(key) if key is not None else None
    if key is not None and link is not None and link.sock() is sock:
        link.closed = True
        _touched.add(key)


# The conductor's side


def quiet() -> bool:
    """Whether nothing is under way on any connection."""
    while _touched:
        key = next(iter(_touched))
        if not _is_quiet(key):
            return False
        _touched.discard(key)
    return True


def touched() -> bool:
    """Whether somebody has touched a connection since `quiet` last found it so."""
    return bool(_touched)


def stirred() -> bool:
    """Whether anything has happened where bytes wait for room; it counts as touched then."""
    for key, before in list(_held.items()):
        del _held[key]
        if not _is_quiet(key) or _held.get(key) != before:
            _touched.add(key)
    return bool(_touched)


def give_up() -> str:
    """Take what is odd as it is, until somebody touches it again; says what is odd."""
    words = ", ".join(f"{_words(key)}" for key in list(_touched)[:3])
    _touched.clear()
    return words


def _words(key: Key) -> str:
    link, served = _links.get(key), _served.get(key)
    client = link.sock() if link is not None and not link.closed else None
    ends = (_ends.counts(client) if client else None, _ends.counts(served.sock) if served else None)
    return f"client port {key[1]} to port {key[2]}: client {ends[0]}, server {ends[1]}"


def _is_quiet(key: Key) -> bool:
    link, served = _links.get(key), _served.get(key)
    if link is None:
        return True  # A client outside of this process.
    client = None if link.closed else link.sock()
    if client is None:
        return _is_gone(key, served)
    here = _ends.counts(client)
    if served is None:
        # Accept, FIN or RST is under way, unless the queue of those to be accepted is full.
        return here is None or here.state not in (ESTABLISHED, SYN_SENT) or _is_full(key[2])
    there = _ends.counts(served.sock)
    if here is None or there is None:
        return True
    if _is_opening_or_ending(here, there, finished=served.finished) or not (
        _ends.arrived(here, there, served.sock) and _ends.arrived(there, here, client)
    ):
        return False
    if here.unsent or there.unsent:
        _held[key] = (here, there)
    return True


def _is_gone(key: Key, served: Served | None) -> bool:
    """Whether the server has seen this client go, or will not before it reads."""
    if served is None:
        _links.pop(key, None)
        return True
    if not _ends.unread(served.sock) or not _orphans.waits_for_room(key[1], key[2]):
        return False
    for look in tuple(_told):
        look()
    if key not in _served:
        return False  # The server has parted with it.
    _held[key] = (None, _ends.counts(served.sock))
    return True


def _is_opening_or_ending(here: Counts, there: Counts, *, finished: bool) -> bool:
    """Whether a SYN or a FIN is under way; a FIN that comes after bytes waits for them."""
    return (
        here.state == SYN_SENT
        or (here.state == FIN_WAIT1 and not here.unsent)
        or (finished and here.state == ESTABLISHED and not there.unsent)
    )


def _is_full(port: int) -> bool:
    """Whether a server of ours has as many clients to accept as it can keep waiting."""
    for address, listening in list(_listening.items()):
        sock = listening() if listening is not None else None
        raw = _ends.info(sock) if address[1] == port and sock is not None else None
        if raw is not None:
            # Of a listening socket these are the queue and the most it holds (tcp_diag.c).
            waiting, most = struct.unpack_from("II", raw, 24)
            if waiting > most:
                return True
    return False


def forget_all() -> None:
    """No client is known any more; called when a virtual clock stops."""
    _links.clear()
    _keys.clear()
    _touched.clear()
    _held.clear()
