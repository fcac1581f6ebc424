"""An answer that is made while it is sent: pieces go from a worker's thread to the loop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from pytest_resilience.answers import CHUNKED_END, chunk
from pytest_resilience.faults._script import Await, Break, Close, Pause, Script, Send, Step, framed
from pytest_resilience.faults.timing import spot
from pytest_resilience.server.wsgi import Abandoned

AHEAD = 16
"""Pieces an application may be ahead of its client."""


class Stream(Iterator[Step]):
    """Steps for a `Writer`, handed over while the application makes them.

    `push` and `end` are called by the worker; `frame`, iteration and `abandon` by the loop.
    How pieces are coded is known only with `frame`, so until they are asked for they wait raw.
    """

    def __init__(self, changed: Callable[[Stream], object]) -> None:
        self._changed = changed
        self._lead: deque[Step] = deque()
        self._pieces: deque[bytes] = deque()
        self._room = threading.Semaphore(AHEAD)  # Virtual time sees who waits for it.
        self._coded: Callable[[bytes], bytes] = chunk
        self._tail: deque[Step] = deque()
        self._ended = False
        self._broken = False
        self._abandoned = False
        self._break: Break | None = None
        self._whole = 0
        """Pieces that have come whole before it."""
        self._broken_off = False
        self._pace = 0.0

    def frame(self, script: Script) -> None:
        """Send the head; say how pieces are coded, where they break and how the body ends."""
        # Two pieces stand for a body of unknown length.
        whole = framed(replace(script, answer=replace(script.answer, body=(b"", b""))))
        bodiless = script.head_only or script.answer.bodiless
        self._lead.extend((*script.lead, Send(whole.head)))
        self._break, self._pace = script.breaks, script.pace
        self._break_here()
        if script.http10:
            self._coded = bytes
        elif not bodiless:
            self._tail.append(Send(CHUNKED_END))
        if whole.closing:
            self._tail.append(Close(cut=False))
        if bodiless:
            self._pieces = deque(maxlen=0)
            self._ended = True
            self.abandon()

    def push(self, piece: bytes) -> None:
        """One piece of the body; waits while the client is too far behind.

        Raises:
            Abandoned: Nobody reads any more.
        """
        if not piece and not self._abandoned:
            return
        self._room.acquire()
        if self._abandoned:
            raise Abandoned
        self._pieces.append(piece)
        self._changed(self)

    def end(self, *, broken: bool = False) -> None:
        """The body is complete, or its application has failed in the middle of it."""
        if broken:
            self._broken = True
            self._tail = deque([Close()])
        self._ended = True
        self._changed(self)

    def abandon(self) -> None:
        """Nobody reads any more: the next `push` says so to the application."""
        self._abandoned = True
        self._room.release()

    def __next__(self) -> Step:
        if self._lead:
            return self._lead.popleft()
        ended = self._ended  # Asked first: a last piece may come between the two questions.
        if self._broken_off:
            return Await()
        if self._pieces:
            self._room.release()
            return self._next(self._pieces.popleft())
        if not ended:
            return Await()
        if self._break is not None and not self._broken:  # All have come, but for their end.
            self._do_break(self._break)
            return self._lead.popleft()
        if self._tail:
            return self._tail.popleft()
        raise StopIteration

    def _next(self, piece: bytes) -> Step:
        """This piece, or the part of it before the break."""
        coded, at = self._coded(piece), self._break
        if at is not None and self._whole == at.after:
            cut = spot(at.within, len(piece))
            cut += len(b"%x\r\n" % len(piece)) if cut else 0
            if cut:
                self._lead.append(Send(coded[:cut]))
            self._do_break(at, coded[cut:])
            return self._lead.popleft()
        self._whole += 1
        self._break_here()
        if not self._pace:
            return Send(coded)
        self._lead.append(Send(coded))
        return Pause(self._pace)

    def _break_here(self) -> None:
        at = self._break
        if at is not None and self._whole == at.after and not at.within:
            self._do_break(at)

    def _do_break(self, at: Break, rest: bytes = b"") -> None:
        """Do next what is done there; perhaps nothing follows."""
        self._break = None
        self._broken_off = not at.goes_on
        self._lead.extend(at.steps)
        if rest and at.goes_on:
            self._lead.append(Send(rest))
