"""Wakes a poll, from any thread and from within a signal handler."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable


class Bell:
    """A pipe to oneself.

    It is closed when nobody holds it any more. So who rings it needs no lock to keep it from
    being closed meanwhile, and its descriptor from being another's: a lock would be held by
    whatever a signal handler does that runs in the middle, and that may wait.
    """

    __slots__ = ("_write", "fd")

    def __init__(self, ends: tuple[int, int]) -> None:
        self.fd, self._write = ends  # Handed in: without a pipe there is nothing to close.
        os.set_blocking(self.fd, False)
        os.set_blocking(self._write, False)

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        close(self.fd)  # An argument: when the interpreter ends, the module may be gone.
        close(self._write)

    def ring(self) -> None:
        """Let ``fd`` be readable."""
        with contextlib.suppress(BlockingIOError):  # Full of wake-ups already.
            os.write(self._write, b"\0")

    def hush(self) -> None:
        """Let it be readable no longer."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.fd, 65536)
