"""Signals that come while the clock is switched on or off, of which no half may be left.

Ctrl-C, and the alarm of pytest-timeout, raise wherever the main thread is at that moment: in
the middle of putting functions back, for instance. So their handlers run right after it.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what signal is made of, and ten times as fast
import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any


class Deferral:
    """Stands in for the handlers of signals, and keeps what comes until it is let in."""

    def __init__(self) -> None:
        self._closed = True
        self._pending: list[tuple[Any, int, FrameType | None]] = []
        self._real: dict[int, Any] = {}

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """A signal has come."""
        if self._closed:
            self._pending.append((self._real[number], number, frame))
        else:
            self._real[number](number, frame)

    def start(self) -> None:
        """Take the place of every handler that is written in Python."""
        for number in range(1, signal.NSIG):
            handler = _signal.getsignal(number)
            if callable(handler):
                self._real[number] = handler
                _signal.signal(number, self)

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """What comes during this block is handled there."""
        self._closed = False
        try:
            yield
        finally:
            self._closed = True

    def stop(self) -> None:
        """Put the handlers back, and let them handle what has come."""
        try:
            while self._real:
                number, handler = next(iter(self._real.items()))
                if _signal.getsignal(number) is self:
                    _signal.signal(number, handler)
                del self._real[number]
            while self._pending:
                handler, number, frame = self._pending.pop()
                handler(number, frame)
        except BaseException:  # Of a handler that is back: the others have to be, too.
            self.stop()
            raise


_deferral: Deferral | None = None


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Let no handler of a signal run in this block, but after it."""
    global _deferral  # noqa: PLW0603 -- handlers are the process's
    if threading.current_thread() is not threading.main_thread():
        yield  # Handlers run on the main thread only.
        return
    deferral = _deferral = Deferral()
    try:
        deferral.start()
        yield
    finally:
        _deferral = None
        deferral.stop()


@contextlib.contextmanager
def let_in() -> Iterator[None]:
    """Let nothing wait in this part of such a block, which may take its time."""
    deferral = _deferral
    if deferral is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    with deferral.opened():
        yield
