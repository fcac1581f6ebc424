"""One accepted connection: reads requests, one after another, and has them answered.

States: *reading* a request, *waiting* for the application's worker thread, *writing* the
answer, *draining* after our FIN, *closed*. Whatever the state, the socket is watched, so a
client that goes away is noticed when it goes.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

from pytest_resilience.clock import Timer, links
from pytest_resilience.engine._poller import CLOSED, READ, WRITE
from pytest_resilience.faults._script import Script
from pytest_resilience.records import Outcome
from pytest_resilience.server import _answering as answering, _half_closed, wire, wsgi
from pytest_resilience.server._head import Head
from pytest_resilience.server._held import State
from pytest_resilience.server._incoming import Incoming, Malformed, Sign
from pytest_resilience.server._replying import Replying
from pytest_resilience.server.journal import Entry

if TYPE_CHECKING:
    from pytest_resilience.server.listener import Listener

RECEIVE = 65_536
PENDING_MOST = 262_144
"""Bytes of further requests that are taken in while one is being answered."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(Replying):
    """One accepted connection, from accept to close. Lives on the loop's thread."""

    __slots__ = (
        "_ahead",
        "_body",
        "_body_size",
        "_carried",
        "_feeding",
        "_idle_after",
        "_idle_timer",
        "_incoming",
        "_pending",
        "for_control",
    )

    def __init__(
        self, listener: Listener, sock: socket.socket, client: tuple[str, int], number: int
    ) -> None:
        self.for_control = False
        """Whether its latest request was for the control application."""
        self._incoming = Incoming(listener.max_head, listener.heads)
        self._pending = bytearray()
        self._feeding = False
        self._ahead: bytes | None = None
        self._body: list[bytes] = []
        self._body_size = 0
        self._carried = 0
        self._idle_timer: Timer | None = None
        self._idle_after: float | None = None
        """Seconds of that timer, which begins when all of the answer is out."""
        super().__init__(listener, sock, client, number)

    def ignore(self, label: str) -> None:
        """Accept and never read: only the client's leaving is noticed."""
        self.state = State.IGNORING
        self._watch(CLOSED)
        self.listener.half_closed.add_unread(self)
        self._entry = self._record("", "", b"")
        self._entry.change(fault=label)

    # Reading

    def begin(self) -> None:
        """Read what has come with the connection: mostly a request has, and a poll costs more."""
        self._receive()

    def _ready(self, mask: int) -> None:
        if self.state is State.IGNORING:
            self._hear_no_more()
            return
        if mask & WRITE:
            self._go_on()
        if self.state is not State.CLOSED and mask & ~WRITE:
            self._receive()

    def _go_on(self) -> None:
        """There is room for what did not fit into the socket's buffer."""
        if self._writer is not None:
            self._writer.resume()
        elif self._idle_after is not None:
            self._reset_when_idle(self._idle_after)
        elif self.state is State.READING:
            self._send_continue()
        elif self.state is State.DRAINING:  # pragma: no branch -- nobody else waits for room
            self.close()

    def _receive(self) -> None:
        try:
            data = self.sock.recv(RECEIVE)
        except BlockingIOError:
            return
        except wire.Unreadable as error:
            self._give_up(str(error))
            return
        except OSError:
            self._note_unfinished("the client reset the connection")
            self.lost()
            return
        if self.state is State.DRAINING:
            self._drop(data)
        elif self.state is State.READING:
            if data or self._incoming.begun:
                self._feed(data)
            else:
                self._leave()
        elif data:
            self._hold(data)
        else:
            self._hear_no_more()

    def _leave(self) -> None:
        """The client's FIN, while it has nothing to wait for."""
        self._note_unfinished("the client left")
        self.lost()

    def _hear_no_more(self) -> None:
        """The client's FIN, while it has something to wait for."""
        if _half_closed.listens(self.sock):
            self._watch(self._events & WRITE)  # Its FIN would be reported again and again.
            self.listener.half_closed.add(self)
        else:
            self.lost()

    def _give_up(self, why: str) -> None:
        """What came cannot be made bytes of, so nothing can be said either."""
        if self._entry is None:
            self._entry = self._record("", "", b"", why)
        self._entry.end(Outcome.CUT, self.listener.now())
        self.close()

    def _hold(self, data: bytes) -> None:
        """Keep what comes before its turn (pipelining), within bounds."""
        self._pending += data
        if len(self._pending) > PENDING_MOST:
            self._watch(self._events & WRITE | CLOSED)
            self.listener.half_closed.add_unread(self)

    def _feed(self, data: bytes) -> None:
        """Take in bytes, and what lay behind them when a request was answered meanwhile.

        A loop, so that a thousand pipelined requests do not nest a thousand calls deep;
        and at once, so that nothing that comes later can overtake them.
        """
        if self._feeding:
            self._ahead = data
            return
        self._feeding = True
        more: bytes | None = data
        try:
            while more is not None:
                self._ahead = None
                self._feed_one(more)
                more = self._ahead
        except BaseException as error:
            self._break_off(error)
            raise
        finally:
            self._feeding = False

    def _feed_one(self, data: bytes) -> None:
        self._cancel_idle()
        for event in self._incoming.feed(data):
            match event:
                case Head():
                    self._begin(event)
                case bytes():
                    self._take_body(event)
                case Sign.COMPLETE:
                    self._complete()  # What lies behind it has been taken in as `_ahead`.
                    return
                case Sign.WAITS:
                    self._send_continue()
                case Malformed(status, why):
                    self._refuse_malformed(status, why)
                case _:
                    self._leave()
            if self.state is not State.READING:
                return

    def _send_continue(self) -> None:
        """In full, or not yet: an answer behind a part of it could not be read."""
        if not wire.has_room(self.sock):  # Answers before this one are on their way still.
            self._watch(READ | WRITE)
            return
        self._watch(READ)
        with contextlib.suppress(OSError):
            self.sock.send(CONTINUE)
        links.served_sent(self.link)

    def _begin(self, event: Head) -> None:
        listener = self.listener
        method, target = event.method, event.target
        if listener.refuses(target):
            self.reset()
            return
        self.for_control = listener.is_control(target)
        self._entry = self._record(method, target, event.text)
        self._request = wsgi.Request(
            method,
            target,
            event,
            event.version,
            listener.address,
            self.client,
            listener.scheme,
        )
        self._body = []
        self._body_size = 0
        refused = event.refusal(listener.max_head, listener.max_body)
        if refused is not None:
            self._refuse(*refused)

    def _record(self, method: str, target: str, head: bytes, note: str = "") -> Entry:
        self._carried += 1
        return self.listener.journal_for(target).begin(
            started_ns=self.listener.now(),
            connection=self.number,
            reused=self._carried > 1,
            method=method,
            target=target,
            head=head,
            note=note,
        )

    def _take_body(self, data: bytes) -> None:
        self._body_size += len(data)
        if self._body_size > self.listener.max_body:
            self._refuse(413, f"the body is over the limit of {self.listener.max_body} bytes")
        else:
            self._body.append(data)

    def _refuse(self, status: int, note: str) -> None:
        """Answer with an error of the protocol's and end the connection."""
        assert self._entry is not None
        self._watch(READ)  # It need not be told to continue.
        self._entry.change(note=note, body_size=self._body_size)
        head_only = self._entry.attempt.method == "HEAD"
        answer = answering.dated(
            self.listener.application.error(status, self._entry.attempt), self.listener
        )
        self._say(Script(answer, head_only=head_only, keep_alive=False))

    def _refuse_malformed(self, status: int, why: str) -> None:
        if self._entry is None:
            self._entry = self._record("", "", b"")
        self._refuse(status, why)

    def _note_unfinished(self, why: str) -> None:
        """Record a request of which only a part has come, or of what precedes it."""
        came = self._incoming.came
        place = f"a request's head: {came!r}" if came else ""
        if getattr(self.sock, "shaking_hands", False):  # Only a socket of ours for TLS does.
            place = "the TLS handshake"
        if self.state is not State.READING:
            return
        if self._entry is not None:
            came, size = b"".join(self._body), self._body_size
            note = f"{why} within the body, of which {size} bytes had come"
            self._entry.change(body=came[: self.listener.keep_body], body_size=size, note=note)
        elif place:
            self._entry = self._record("", "", b"", f"{why} within {place}")

    def _complete(self) -> None:
        body = b"".join(self._body) if self._body else b""
        self._body = []
        self._watch(READ)  # The client has not waited to be told to continue.
        self._respond(body, keeps_alive=self._incoming.keeps_alive)

    # The end of an answer

    def answered(self, idle_reset: float | None) -> None:
        """Go on to the next request."""
        super().answered(idle_reset)
        if len(self._pending) > PENDING_MOST:
            self.listener.half_closed.discard(self)
        ahead = self._incoming.renew() + self._pending
        self._pending.clear()
        self._watch(READ)
        if idle_reset is not None and not ahead:
            self._reset_when_idle(idle_reset)
        if ahead:
            self._feed(ahead)

    def _reset_when_idle(self, seconds: float) -> None:
        if not wire.is_out(self.sock):  # What is not would be lost with the reset.
            self._idle_after = seconds
            self._watch(READ | WRITE)
            return
        self._idle_after = None
        self._watch(READ)
        clock = self.listener.clock
        due = clock.monotonic_ns() + round(seconds * 1_000_000_000)
        self._idle_timer = clock.call_at(due, self.loop, self._reset_if_idle)

    def _reset_if_idle(self) -> None:
        if self.state is State.READING and self._entry is None:
            self.reset()

    def _cancel_idle(self) -> None:
        if self._idle_after is not None:
            self._idle_after = None
            wire.any_room(self.sock)
            self._watch(READ)
        timer, self._idle_timer = self._idle_timer, None
        if timer is not None:
            timer.cancel()

    def cut(self, *, reset: bool) -> None:
        """The server stops or goes down: end the connection now."""
        self._note_unfinished("the server ended the connection")
        if self._entry is not None:
            self._entry.end(Outcome.CUT, self.listener.now())
        self._stop()
        if reset:
            self.reset()
        else:
            self._close_socket()

    def _stop(self) -> None:
        self._cancel_idle()
        super()._stop()

    def _forget(self) -> bool:
        if not super()._forget():
            return False
        self.listener.connections.discard(self)
        self.listener.half_closed.discard(self)
        return True
