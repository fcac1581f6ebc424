"""An answer that is made while it is sent: pieces go from a worker's thread to the loop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from pytest_resilience.answers import CHUNKED_END, chunk
from pytest_resilience.faults._script import Await, Close, Script, Send, Step, framed

AHEAD = 16
"""Pieces an application may be ahead of its client."""


class Abandoned(Exception):
    """The client has gone, or wants no body: there is nobody to make the rest for."""


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
        self._abandoned = False

    def frame(self, script: Script) -> None:
        """Send the head; say how pieces are coded and how the body ends."""
        # Two pieces stand for a body of unknown length.
        whole = framed(replace(script, answer=replace(script.answer, body=(b"", b""))))
        bodiless = script.head_only or script.answer.bodiless
        self._lead.append(Send(whole.head))
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
        if self._pieces:
            self._room.release()
            return Send(self._coded(self._pieces.popleft()))
        if not ended:
            return Await()
        if self._tail:
            return self._tail.popleft()
        raise StopIteration
