"""Puts the steps of an answer on a socket. The only module that misbehaves on one.

Measured before this was written: SO_LINGER with ``close()`` resets a connection only when
no other object holds the descriptor, and a ``close()`` with unread bytes in the receive
buffer resets it although nobody asked (Linux tcp(7), SO_LINGER; RFC 1122 4.2.2.13). So a
FIN is sent with ``shutdown`` and the socket is read empty before it is closed, and a RST
is sent from the one socket object there is.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import sys
from collections.abc import Iterator
from typing import Protocol, get_args

from pytest_resilience.clock import Clock, Timer, links
from pytest_resilience.engine._loop import Loop
from pytest_resilience.errors import shown
from pytest_resilience.faults._script import (
    FINISHED,
    Await,
    Close,
    GoDown,
    Hang,
    Pause,
    Reset,
    ResetIdle,
    Send,
    Step,
)
from pytest_resilience.records import Outcome


class Unreadable(OSError):
    """What came is not what this connection speaks."""


class Socket(Protocol):
    """What is asked of the server's end of a connection, with TLS or without."""

    def fileno(self) -> int:
        """Its descriptor."""

    def recv(self, size: int, /) -> bytes:
        """What has come."""

    def send(self, data: bytes | memoryview, /) -> int:
        """Hand as much to the kernel as it takes."""

    def shutdown(self, how: int, /) -> None:
        """End a direction in order."""

    def close(self) -> None:
        """Give it back."""

    def setsockopt(self, level: int, name: int, value: bytes, /) -> None:
        """Set an option of the TCP connection."""

    def getsockopt(self, level: int, name: int, size: int, /) -> bytes:
        """An option of the TCP connection."""


BLANK_LINE = b"\r\n\r\n"
LINGER_ZERO = struct.pack("ii", 1, 0)


def reset(sock: Socket) -> None:
    """End a connection with a RST and close the socket."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    sock.close()


def finish(sock: Socket) -> bool:
    """End our side in order, with a FIN. False when the connection is gone already."""
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        return False
    return True


def was_reset(sock: Socket) -> bool:
    """Whether the client has ended the connection with a RST, which is told once."""
    return any(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR, 4))


def has_room(sock: Socket) -> bool:
    """Whether the kernel takes at least a third of what it can hold of this connection."""
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLOUT)
    return bool(poll.poll(0))


def is_out(sock: Socket) -> bool:
    """Whether the kernel holds nothing back of what it was given; else it has room when that is so.

    What it holds back, for want of room at the client's end, a reset takes back.
    """
    _room_when_out(sock, wanted=True)
    out = has_room(sock)
    if out:
        any_room(sock)
    return out


def any_room(sock: Socket) -> None:
    """Let room be what it was before `is_out`."""
    _room_when_out(sock, wanted=False)


def _room_when_out(sock: Socket, *, wanted: bool) -> None:
    with contextlib.suppress(OSError):  # The client is gone.
        value = int(wanted).to_bytes(4, sys.byteorder)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, value)


class Owner(Protocol):
    """What a writer needs of its connection."""

    sock: Socket
    loop: Loop
    link: links.Key

    @property
    def clock(self) -> Clock:
        """The clock in force."""

    def want_write(self, *, wanted: bool) -> None:
        """Call `Writer.resume` when the socket takes bytes again."""

    def progress(self, sent: int, *, head_sent: bool) -> None:
        """So many bytes of the answer are out, and more may follow."""

    def ended(self, outcome: Outcome, sent: int, *, head_sent: bool) -> None:
        """The attempt is over; called just before the client can know."""

    def answered(self, idle_reset: float | None) -> None:
        """The answer is out and the connection may carry the next request."""

    def close(self) -> None:
        """End the connection with a FIN."""

    def reset(self) -> None:
        """End the connection with a RST."""

    def lost(self) -> None:
        """The client has gone."""

    def failed(self, error: BaseException) -> None:
        """The next step cannot be made."""

    def go_down(self, seconds: float) -> None:
        """Take the whole server down for a while."""


STEPS = get_args(Step)


def _checked(step: Step | None) -> Step | None:
    """Refuse what somebody's own fault takes for a step."""
    if step is None or isinstance(step, STEPS):
        return step
    raise TypeError(f"{shown(step)} is no step of an answer: Send, Pause, Close, ...")


class Writer:
    """Carries out the steps of one answer, across pauses and full buffers.

    The end of an attempt is recorded before its last bytes are sent: a client that has
    its answer finds the attempt ended in the trace.
    """

    __slots__ = (
        "_all_said",
        "_begun",
        "_head_size",
        "_left",
        "_next",
        "_owner",
        "_resets",
        "_sent",
        "_steps",
        "_timer",
    )

    def __init__(self, owner: Owner, steps: Iterator[Step]) -> None:
        self._owner = owner
        self._steps = steps
        self._next = _checked(next(steps, None))
        self._left = memoryview(b"")
        self._timer: Timer | None = None
        self._sent = 0
        self._begun = bytearray()
        self._head_size = 0
        self._all_said = False
        """The end is recorded, since the last bytes are on their way."""
        self._resets = False
        """A reset waits until all that was sent is out."""

    @property
    def head_sent(self) -> bool:
        """Whether the kernel has taken the whole of an answer's head."""
        return 0 < self._head_size <= self._sent

    def run(self) -> None:
        """Go on as far as the socket and the clock allow."""
        while True:
            if isinstance(self._next, Await):
                self._next = self._following()
                if isinstance(self._next, Await):
                    self._owner.progress(self._sent, head_sent=self.head_sent)
                    return
            step, self._next = self._next, self._following()
            if step is None:
                if not self._all_said:
                    self._end(Outcome.ANSWERED)
                self._owner.answered(None)
                return
            try:
                goes_on = self._do(step)
            except BaseException as error:  # noqa: BLE001 -- a value that a user's own fault has made up
                self._owner.failed(error)
                goes_on = self._do(Reset())
            if not goes_on:
                return

    def _following(self) -> Step | None:
        try:
            return _checked(next(self._steps, None))
        except BaseException as error:  # noqa: BLE001 -- a user's own fault, pytest.fail() too
            self._owner.failed(error)
            return Reset()

    def feed(self) -> None:
        """Steps that were awaited have come; nothing to do when something else holds us up."""
        if self._timer is None and not self._left and not self._resets:
            self.run()

    def _do(self, step: Step) -> bool:
        """One step; False when the writer has to wait or is done."""
        match step:
            case Send(data):
                return self._send(data)
            case Pause(seconds):
                self._pause(seconds)
            case Hang():
                self._owner.progress(self._sent, head_sent=self.head_sent)
            case Close(cut):
                self._end(Outcome.CUT if cut else Outcome.ANSWERED)
                self._owner.close()
            case Reset():
                self._reset()
            case ResetIdle(seconds):
                self._owner.answered(seconds)
            case _:
                assert isinstance(step, GoDown)
                self._end(Outcome.CUT)
                self._owner.go_down(step.seconds)
        return False

    def _end(self, outcome: Outcome) -> None:
        self._owner.ended(outcome, self._sent, head_sent=self.head_sent)

    def _reset(self) -> None:
        sock = self._owner.sock
        self._resets = not is_out(sock)
        if self._resets:  # What is not would be lost with it.
            self._owner.progress(self._sent, head_sent=self.head_sent)
            self._owner.want_write(wanted=True)
        elif was_reset(sock):
            self._owner.progress(self._sent, head_sent=self.head_sent)
            self._owner.lost()
        else:
            self._end(Outcome.CUT)
            self._owner.reset()

    def _pause(self, seconds: float) -> None:
        self._owner.progress(self._sent, head_sent=self.head_sent)
        clock = self._owner.clock
        due = clock.monotonic_ns() + round(seconds * 1_000_000_000)
        self._timer = clock.call_at(due, self._owner.loop, self._woken)

    def _woken(self) -> None:
        self._timer = None
        self.run()

    def _send(self, data: bytes) -> bool:
        if not self._head_size:
            self._head_size = self._size_of_head(data)
        return self._write(memoryview(data))

    def _size_of_head(self, data: bytes) -> int:
        """0 until a write has its end: it may go out in many. Noise never is a head."""
        text: bytes | bytearray = data
        known = len(self._begun)
        if known:
            self._begun += data
            text = self._begun
        end = text.find(BLANK_LINE, max(0, known - len(BLANK_LINE) + 1))
        if end >= 0:
            return end + len(BLANK_LINE) if text.startswith(b"HTTP/1.1 ") else sys.maxsize
        if not known:
            self._begun += data
        return 0

    def _write(self, data: memoryview) -> bool:
        last = self._next
        self._all_said = last is None or isinstance(last, ResetIdle) or last == FINISHED
        if self._all_said:
            self._sent += len(data)
            self._end(Outcome.ANSWERED)
            self._sent -= len(data)
        try:
            written = self._owner.sock.send(data)
        except BlockingIOError:
            written = 0
        except OSError:
            self._owner.progress(self._sent, head_sent=self.head_sent)
            self._owner.lost()
            return False
        links.served_sent(self._owner.link)
        self._sent += written
        if written == len(data):
            return True
        self._left = data[written:]
        self._owner.progress(self._sent, head_sent=self.head_sent)
        self._owner.want_write(wanted=True)
        return False

    def resume(self) -> None:
        """The socket takes bytes again."""
        self._owner.want_write(wanted=False)
        if self._resets:
            self._reset()
            return
        left, self._left = self._left, memoryview(b"")
        if self._write(left):
            self.run()

    def cancel(self) -> None:
        """Carry out no more steps."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
