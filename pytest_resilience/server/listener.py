"""A listening socket and its connections; lives on the loop's thread."""

from __future__ import annotations

import _socket
import contextlib
import errno
import socket
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, Protocol

from pytest_resilience.answers import Answer, http_date_text
from pytest_resilience.clock import REAL, Clock, links
from pytest_resilience.clock._genuine import Socket
from pytest_resilience.engine._loop import Loop
from pytest_resilience.engine._poller import READ
from pytest_resilience.errors import (
    ServerError,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)
from pytest_resilience.plan import NOTHING, Decision, Plan
from pytest_resilience.records import Attempt
from pytest_resilience.server import wire
from pytest_resilience.server._application import Application
from pytest_resilience.server._half_closed import HalfClosed
from pytest_resilience.server._head import Head
from pytest_resilience.server.connection import Connection
from pytest_resilience.server.journal import Journal

if TYPE_CHECKING:
    from ssl import SSLContext

    from _typeshed.wsgi import WSGIApplication

BACKLOG = 1024
CONTROL = ("/_resilience/", "/_resilience?")
ACCEPT_MOST = 64
"""Connections that are let in before those that are there are served again."""
ACCEPT_AGAIN_NS = 20_000_000


class Service(Protocol):
    """What a listener serves."""

    plan: Plan
    journal: Journal
    errors: list[BaseException]
    blocking: bool
    max_body: int
    max_head: int
    keep_body: int
    control: WSGIApplication | None

    @property
    def tls_context(self) -> SSLContext | None:
        """What TLS connections are made with; None without TLS."""

    @property
    def clock(self) -> Clock:
        """The clock in force."""

    @property
    def wsgi_app(self) -> WSGIApplication:
        """The application."""

    def error_answer(self, status: int, attempt: Attempt) -> Answer:
        """The service's own error answer."""

    def renew_locks(self) -> None:
        """Renew what a thread may hold that never gives it back."""


class Accepting(Socket):
    """Says what it is in plain numbers: to make names of them takes longer than to accept."""

    family = _socket.socket.family  # type: ignore[assignment]  # that is the point
    type = _socket.socket.type  # type: ignore[assignment]  # the same


class Listener:
    """Accepts connections for a service, goes down and comes up again on the same port."""

    def __init__(self, loop: Loop, service: Service, host: str, port: int) -> None:
        self.loop = loop
        self.service = service
        self.journal = service.journal
        self.errors = service.errors
        self.blocking = service.blocking
        self.max_body = service.max_body
        self.max_head = service.max_head
        self.keep_body = service.keep_body
        self._tls = service.tls_context
        self.scheme = "http" if self._tls is None else "https"
        self.connections: set[Connection] = set()
        self.half_closed = HalfClosed(loop)
        self.heads: dict[bytes, Head] = {}
        """Of requests that have come, by their bytes; see `Incoming`."""
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._host = host
        self._accepted = 0
        self.application = Application(loop, service)
        self._clock: Clock | None = None
        self._origin_ns = 0
        self._date = (-1, "")
        self._downs = 0
        self._listening = False
        self._paused = False
        # Bound for as long as it lives: whatever happens, the port is ours. Otherwise a client
        # that connects to the closed port of a server that is down can be given that very
        # port for its own end, and TCP then connects it to itself.
        sock: socket.socket | None = None
        try:
            sock = self._sock = Accepting(self._family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            self._claim(port)
            self.address: tuple[str, int] = sock.getsockname()[:2]
            self._listen()
        except (OSError, TypeError) as error:  # The latter of a name that no host can have.
            if sock is not None:
                sock.close()
            raise _cannot_listen(host, port, error) from error
        loop.at_fork.add(self._forget_in_child)
        loop.at_giving_up.add(service.renew_locks)

    # Time

    @property
    def clock(self) -> Clock:
        """The clock in force; the origin of the trace's times moves with it."""
        clock = self.service.clock
        if clock is not self._clock:
            self._clock = clock
            self._origin_ns = _origin(clock)
        return clock

    def restart_time(self) -> None:
        """Let the times of the trace count from now."""
        self._clock = self.service.clock
        self._origin_ns = self._clock.monotonic_ns()

    def begin_anew(self) -> None:
        """Be up, and let the times of a new trace count from now."""
        self.up()
        self.restart_time()

    def carry_on(self, before: Listener) -> None:
        """Let times and connections count on from where they began: the trace goes on."""
        self._clock, self._origin_ns = before._clock, before._origin_ns
        self._accepted = before._accepted

    def now(self) -> int:
        """Nanoseconds since the start of the trace."""
        return self.clock.monotonic_ns() - self._origin_ns

    def date(self) -> str:
        """The Date field, by the clock in force."""
        second = self.clock.time_ns() // 1_000_000_000
        if second != self._date[0]:
            self._date = (second, http_date_text(second))
        return self._date[1]

    # Accepting

    def _claim(self, port: int) -> None:
        """Bind to this port, beside what is left of connections to it."""
        self._share(allowed=True)
        self._sock.bind((self._host, port))
        self._claimed = port != 0

    def _listen(self) -> None:
        self._sock.listen(BACKLOG)
        self._listening = True
        links.listen(self.address)

    def open(self) -> None:
        """Begin to accept. On any thread, so that to start a server waits for no other one."""
        self.loop.add(self._sock.fileno(), self._accept, READ)

    def _share(self, *, allowed: bool) -> None:
        """Whether another socket that does not listen may have the port beside ours."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(allowed))

    def _accept(self, _mask: int) -> None:
        # With others at work those that have come are let in together: one a turn, the last of a
        # crowd would wait for as many turns, in each of which all others are served. A lone
        # client is spared the accept that finds none, as dear as all else that is done here.
        for _ in range(ACCEPT_MOST):
            if not self._accept_one() or len(self.connections) == 1:
                return

    def _accept_one(self) -> bool:
        if not self._listening:
            return False
        try:
            sock, client = self._sock.accept()
        except BlockingIOError:
            return False
        except OSError:
            self._pause_accepting()
            return False
        self._welcome(sock, client[:2])
        return True

    def _pause_accepting(self) -> None:
        """Out of descriptors, mostly: clients wait in the backlog until some are free again."""
        self.loop.remove(self._sock.fileno())
        self._paused = True

        def again() -> None:
            if self._paused:
                self._paused = False
                self.open()

        self.loop.call_at_real(REAL.monotonic_ns() + ACCEPT_AGAIN_NS, again)

    def _welcome(self, sock: socket.socket, client: tuple[str, int]) -> None:
        sock.settimeout(0)
        with contextlib.suppress(OSError):  # Reset between its arrival and our accept.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._accepted += 1
        try:
            connection = Connection(self, sock, client, self._accepted)
        except BaseException:
            links.unserve((*client, self.address[1]))
            sock.close()
            raise
        self.connections.add(connection)
        decision = self._decide_at_accept(connection)
        if decision.label is not None:
            connection.ignore(decision.label)
        elif self._tls is None:
            connection.begin()

    def secured(self, sock: socket.socket, on_sent: Callable[[], object]) -> wire.Socket:
        """The socket, with TLS over it if this server speaks it."""
        if self._tls is None:
            return sock
        from pytest_resilience.server._tls import TlsSocket

        return TlsSocket(sock, self._tls, on_sent)

    def _decide_at_accept(self, connection: Connection) -> Decision:
        plan = self.service.plan
        if not plan.begins_at_accept:
            return NOTHING
        stranger = Attempt(
            0, self.now(), connection.number, reused=False, method="", target="", head=b""
        )
        return plan.decide_at_accept(lambda: stranger, self.now() / 1e9)

    def notice_who_has_gone(self) -> None:
        """Of those that cannot tell any more. On any thread."""
        if self.half_closed:
            self.loop.between(self.half_closed.look)

    # What is asked for

    def journal_for(self, target: str) -> Journal:
        """Where a request to this target is recorded: control requests are in no trace."""
        return Journal(keep=1) if self.is_control(target) else self.journal

    def is_control(self, target: str) -> bool:
        """Whether the control application answers this target."""
        if self.service.control is None:
            return False
        return target.startswith(CONTROL) or target == "/_resilience"

    def refuses(self, target: str) -> bool:
        """Whether a request to this target comes while the server is down.

        Connections that carry control requests live through an outage, so one may.
        """
        return not self._listening and not self.is_control(target)

    # Down, up, stop

    def down(self, seconds: float | None = None) -> None:
        """Refuse new connections and reset the open ones; for so many seconds, or until `up`."""
        self._downs += 1
        if seconds is not None:  # First of all: a client that sees the reset may move the clock.
            turn = self._downs
            due = self.clock.monotonic_ns() + round(seconds * 1_000_000_000)
            self.clock.call_at(due, self.loop, lambda: self._up_after(turn))
        if self._listening:  # In the clock's eyes the port is still one of ours.
            self._listen_no_more()
            # Linux leaves a socket the port that it was bound to by its number, and takes back
            # one that it has chosen by itself (tcp_set_state in net/ipv4/tcp.c).
            self._sock.shutdown(socket.SHUT_RDWR)
            if not self._claimed:
                with contextlib.suppress(OSError):  # Tried again when it is to come `up`.
                    self._claim(self.address[1])
            self._share(allowed=False)
        for connection in list(self.connections):
            if not connection.for_control:  # It is how a program gets the server up again.
                connection.cut(reset=True)

    def _up_after(self, turn: int) -> None:
        if turn == self._downs:
            self.up()

    def up(self) -> None:
        """Listen again on the same port; nothing happens when it listens already."""
        if self._listening:
            return
        try:
            if not self._claimed:
                self._claim(self.address[1])
            self._share(allowed=True)
            self._listen()
        except OSError as error:
            raise _cannot_listen(*self.address, error) from error
        self.open()

    def stop(self) -> list[Thread]:
        """Close everything; returns threads that are ending now.

        Those whose application has not come back yet end by themselves, when it does.
        """
        self._downs += 1
        links.unlisten(self.address)
        self._listen_no_more()
        self._sock.close()
        for connection in list(self.connections):
            connection.cut(reset=False)
        self.loop.at_fork.discard(self._forget_in_child)
        self.loop.at_giving_up.discard(self.service.renew_locks)
        return self.application.stop()

    def _listen_no_more(self) -> None:
        if self._listening and not self._paused:
            self.loop.remove(self._sock.fileno())
        self._listening = self._paused = False

    def _forget_in_child(self) -> None:
        """A forked child gives its copies back: a reset is none while somebody holds the socket."""
        for sock in (self._sock, *(c.sock for c in self.connections)):
            sock.close()
        self._listening = False
        self.application.forget_in_child()
        self.connections.clear()
        self.service.renew_locks()


def _origin(clock: Clock) -> int:
    """Where a trace's times begin: at the start of a virtual clock, otherwise now."""
    start: int | None = getattr(clock, "start_ns", None)
    return clock.monotonic_ns() if start is None else start


def _cannot_listen(host: str, port: int, error: OSError | TypeError) -> ServerError:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return ServerError(
            f"port {port} of {host} is busy: another program listens there; "
            "choose another port, or 0 for a free one"
        )
    why = getattr(error, "strerror", None) or error
    return ServerError(f"cannot listen on {host} port {port}: {why}")
