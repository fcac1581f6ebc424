"""What handlers write to files, read from there: the bytes as they are, whatever wrote them."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from pytest_resilience.logs import _hub, _own_files
from pytest_resilience.logs._entry import Entry


@contextlib.contextmanager
def reading(handler: logging.FileHandler) -> Iterator[None]:
    """Read from its file what is written in this block; nobody else writes there meanwhile."""
    path = Path(handler.baseFilename)
    _own_files.leave(handler.baseFilename)
    handler.acquire()
    try:
        before = _place(path)
        if handler.stream is None and "w" in handler.mode:
            before = (0, 0)  # It will begin anew.
        try:
            yield
        finally:
            encoding = getattr(handler.stream, "encoding", None)  # handler.encoding may be "locale"
            _tell_written(path, before, encoding or "utf-8")
    finally:
        handler.release()


def _place(path: Path) -> tuple[int, int]:
    """Which file it is, and how long."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_ino, status.st_size


def _tell_written(path: Path, before: tuple[int, int], encoding: str) -> None:
    inode, size = _place(path)
    start = before[1] if inode == before[0] and size >= before[1] else 0
    if size <= start:
        return
    try:
        with path.open("rb") as file:
            file.seek(start)
            content = file.read(size - start)
    except OSError:  # pragma: no cover -- rotated away at this very moment, by another process
        return
    # At newlines only: whatever else some reader takes for one is left to be seen.
    for text in content.decode(encoding, "backslashreplace").removesuffix("\n").split("\n"):
        _hub.tell(Entry("file", text, path=str(path), echo=True))
