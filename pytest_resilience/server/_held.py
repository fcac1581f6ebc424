"""One accepted socket: watched by the loop, and ended in one of the ways TCP has."""

from __future__ import annotations

import enum
import socket
from typing import TYPE_CHECKING

from pytest_resilience.clock import links
from pytest_resilience.engine._loop import Loop
from pytest_resilience.engine._poller import READ, WRITE
from pytest_resilience.server import wire

if TYPE_CHECKING:
    from pytest_resilience.server.listener import Listener

DRAIN_MOST = 64 * 1024 * 1024
"""Bytes that are read and dropped after our FIN before the connection is reset."""


class State(enum.Enum):
    """What a connection is doing."""

    READING = "reading"
    WAITING = "waiting"
    WRITING = "writing"
    DRAINING = "draining"
    IGNORING = "ignoring"
    CLOSED = "closed"


class Held:
    """The server's end of a connection. Lives on the loop's thread."""

    __slots__ = (
        "_drained",
        "_events",
        "client",
        "link",
        "listener",
        "loop",
        "number",
        "sock",
        "state",
    )

    def __init__(
        self, listener: Listener, sock: socket.socket, client: tuple[str, int], number: int
    ) -> None:
        self.listener = listener
        self.loop: Loop = listener.loop
        self.client = client
        self.number = number
        self.state = State.READING
        self._events = READ
        self._drained = 0
        self.link = (client[0], client[1], listener.address[1])
        links.serve(self.link, sock)
        self.sock: wire.Socket = listener.secured(sock, self._sent_unasked)
        self.loop.add(sock.fileno(), self._ready, READ)

    def _sent_unasked(self) -> None:
        links.served_sent(self.link)

    def _ready(self, mask: int) -> None:
        """Something has happened to the socket."""

    def _stop(self) -> None:
        """Nothing more is to be written."""

    def _watch(self, events: int) -> None:
        if events != self._events:
            self._events = events
            self.loop.change(self.sock.fileno(), events)

    # The end

    def close(self) -> None:
        """Send a FIN; read on until the client sends its own."""
        self._stop()
        if not self._say_goodbye():
            self.state = State.DRAINING
            self._watch(READ | WRITE)  # Once more when there is room for it.
            return
        links.served_sent(self.link, finished=True)
        if wire.finish(self.sock):
            self.state = State.DRAINING
            self._watch(READ)
        else:
            self._close_socket()

    def _say_goodbye(self) -> bool:
        """As the socket's `goodbye`; only one of ours for TLS has it."""
        goodbye = getattr(self.sock, "goodbye", None)
        return goodbye is None or bool(goodbye())

    def _drop(self, data: bytes) -> None:
        """What comes behind our FIN."""
        self._drained += len(data)
        if not data:
            self._close_socket()
        elif self._drained > DRAIN_MOST:
            self.reset()

    def reset(self) -> None:
        """Send a RST."""
        self._stop()
        if self._forget():
            wire.reset(self.sock)

    def _close_socket(self) -> None:
        if self._forget():
            self.sock.close()

    def _forget(self) -> bool:
        if self.state is State.CLOSED:
            return False
        self.state = State.CLOSED
        self.loop.remove(self.sock.fileno())
        links.unserve(self.link)
        return True
