"""What a file has more of than before, moment by moment.

In virtual time whoever writes takes no time: what a file has more of when a moment ends was
written in it. In real time nobody knows when something was written to a file that stays open.
"""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from types import CodeType

from pytest_resilience.clock import Clock, current_clock, new_rlock
from pytest_resilience.logs._entry import Entry
from pytest_resilience.logs._kept_back import Writers, times_open
from pytest_resilience.logs.line import Line

MOST_BYTES = 1024 * 1024
"""Of what is written between two looks, the first so many."""
lock = new_rlock()  # guards all files


class File:
    """A file from one opening of it to the next."""

    def __init__(self, path: str, *, anew: bool, by: CodeType | None) -> None:
        self.path = path
        self.by = by
        """Who has opened it."""
        self.over = False
        """What is written there now is no business of this."""
        self._inode, self._read = (0, 0) if anew else _place(path)
        self._noticed = self._read
        self._moment = _moment()
        self._parted = False
        """What is written now is another piece."""
        self._writers: Writers | None = None
        self.pieces = [Piece(self)]

    def grown(self, *, parted: bool = False) -> list[Piece]:
        """What was written since the last time, unless it is more of the piece before.

        Args:
            parted: What is written from now on is another piece, in real time as well.
        """
        if self.over:
            return []
        now, size = _moment(), self._size()
        new: list[Piece] = []
        if size > self._noticed:
            unsure = now != self._moment
            if self._parted:
                new = [Piece(self, unsure=unsure)]
                self.pieces += new
            elif unsure and times_open(self.path):
                self.pieces[-1].unsure = True
            self._noticed = self.pieces[-1].end = size
        if parted or _is_virtual(now[0]):
            self._parted = True
            self._moment = now
        return new

    def look(self) -> None:
        """Read what has come to be there."""
        start, (inode, size) = self._read, _place(self.path)
        if self.over or inode != self._inode or size <= start:
            return
        content = _read(self.path, start)
        self._read = size
        unfinished: Piece | None = None
        for piece in self.pieces:
            share = len(content) if piece is self.pieces[-1] else max(0, piece.end - start)
            piece.content, content = piece.content + content[:share], content[share:]
            start += share
            if unfinished is not None:  # A line belongs where it begins.
                head, end, piece.content = piece.content.partition(b"\n")
                unfinished.content += head + end
            if piece.content:
                unfinished = None if piece.content.endswith(b"\n") else piece

    def close(self) -> None:
        """Read it for the last time."""
        self.look()
        self.over = True

    def _size(self) -> int:
        """How much was written, with what is kept back."""
        inode, size = _place(self.path)
        if inode != self._inode or size < self._read:  # Another file, or it was cut.
            self._inode, self._read, self._noticed = inode, 0, 0
            for piece in self.pieces:
                piece.end = 0
        if self._writers is None and _is_virtual(current_clock()):
            self._writers = Writers(self.path)
        return max(size, self._writers.position() if self._writers else 0)


class Piece(Entry):
    """What was written to a file in one moment; of the first, since it was opened."""

    __slots__ = ("_file", "content", "end", "unsure")

    def __init__(self, file: File, *, unsure: bool = False) -> None:
        super().__init__("file", "", path=file.path)
        self.by = file.by
        self.content = b""
        self.end = 0
        """Where it ends in the file."""
        self.unsure = unsure
        """Nobody knows when it was written."""
        self._file = file

    def lines(self, at: float | None, attempt: int | None) -> list[Line]:
        """Each with the moment when it was written, if that is known."""
        if self.unsure:
            at = attempt = None
        line = self.line(at, attempt)
        texts = line.text.removesuffix("\n").split("\n") if line.text else []
        return [replace(line, text=text) for text in texts]

    def line(self, at: float | None, attempt: int | None) -> Line:
        """All of it, as one."""
        with lock:
            self._file.look()
        self.text = self.content.decode("utf-8", "backslashreplace")
        return super().line(at, attempt)


def _moment() -> tuple[Clock, int]:
    """When something was written that is noticed now; of virtual time we are told in time."""
    clock = current_clock()
    return clock, 0 if _is_virtual(clock) else clock.monotonic_ns()


def _is_virtual(clock: Clock) -> bool:
    return getattr(clock, "start_ns", None) is not None


def _place(path: str) -> tuple[int, int]:
    """Which file it is, and how long."""
    try:
        status = Path(path).stat()
    except OSError:
        return 0, 0
    # To read a pipe would take away what is in it.
    return (status.st_ino, status.st_size) if stat.S_ISREG(status.st_mode) else (0, 0)


def _read(path: str, start: int) -> bytes:
    try:
        with Path(path).open("rb") as file:
            file.seek(start)
            return file.read(MOST_BYTES)
    except OSError:  # pragma: no cover -- removed at this very moment, or not ours to read
        return b""
