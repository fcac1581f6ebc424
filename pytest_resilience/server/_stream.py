"""An answer that is made while it is sent: pieces go from a worker's thread to the loop."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from pytest_resilience.answers import CHUNKED_END, chunk
from pytest_resilience.faults._script import Await, Close, Script, Send, Step, framed

AHEAD = 16
"""Pieces an application may be ahead of its client."""


class Abandoned(Exception):
    """The client has gone: there is nobody to make the rest for."""


class Stream(Iterator[Step]):
    """Steps for a `Writer`, handed over while the application makes them.

    `push` and `end` are called by the worker; `frame`, iteration and `abandon` by the loop.
    """

    def __init__(self, changed: Callable[[Stream], object]) -> None:
        self._changed = changed
        self._steps: deque[Step] = deque()
        self._tokens: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._coded: Callable[[bytes], bytes] = chunk
        self._end: tuple[Step, ...] = ()
        self._ended = False
        self._bodiless = False
        for _ in range(AHEAD):
            self._tokens.put(True)

    def frame(self, script: Script) -> None:
        """Send the head; say how pieces are coded and how the body ends."""
        # Two pieces stand for a body of unknown length.
        unknown = replace(script.answer, body=(b"", b""))
        head = framed(replace(script, answer=unknown))
        self._bodiless = script.head_only or script.answer.bodiless
        if script.http10:
            self._coded = bytes
        if not self._bodiless and not script.http10:
            self._end = (Send(CHUNKED_END),)
        if script.http10 or not script.keep_alive:
            self._end = (*self._end, Close(cut=False))
        self._steps.appendleft(Send(head.head))

    def push(self, piece: bytes) -> None:
        """One piece of the body; waits while the client is too far behind.

        Raises:
            Abandoned: The client has gone.
        """
        if not self._tokens.get():
            raise Abandoned
        if piece and not self._bodiless:
            self._steps.append(Send(self._coded(piece)))
        self._changed(self)

    def end(self, *, broken: bool = False) -> None:
        """The body is complete, or its application has failed in the middle of it."""
        self._steps.extend((Close(),) if broken else self._end)
        self._ended = True
        self._changed(self)

    def abandon(self) -> None:
        """Nobody reads any more: the next `push` says so to the application."""
        for _ in range(AHEAD + 1):
            self._tokens.put(False)

    def __next__(self) -> Step:
        if self._steps:
            self._tokens.put(True)
            return self._steps.popleft()
        if self._ended:
            raise StopIteration
        return Await()

