"""What C code and other processes write to the descriptors of stdout and stderr.

*Problem.* No stream of Python knows of it, and a descriptor tells nobody who writes there.

*Solution.* Where somebody captures the descriptors, as pytest does, they are files without a
name. What such a file has more of than Python's streams have written there, others have. It is
read without moving anything, whenever a moment ends.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import stat
from collections.abc import Callable
from typing import Any

from pytest_resilience.clock import moments
from pytest_resilience.logs import _hub
from pytest_resilience.logs._entry import Entry

NUMBERS = {1: "stdout", 2: "stderr"}
MOST_BYTES = 1024 * 1024
"""Of what is written between two looks, the first so many."""
_lock = _thread.RLock()  # guards what is seen and owed; a finalizer may print while we have it
wanted: list[object] = []
"""One for each who wants to know."""
_streaming: list[object] = []
"""One for each stream that writes at this moment."""
_turn = [0]
"""Another one whenever a stream begins to write."""
_seen: dict[tuple[int, int], int] = {}
"""How much of each file is known."""
_owed: dict[int, bytes] = {}
"""What streams have written, and may not have handed on to the descriptor yet."""
_open: dict[str, Entry] = {}
"""Lines that have no end yet."""


def _forget_in_child() -> None:
    global _lock  # noqa: PLW0603 -- its holder may not exist in a forked child
    _lock = _thread.RLock()


if hasattr(os, "register_at_fork"):  # pragma: no branch -- not on Windows
    os.register_at_fork(after_in_child=_forget_in_child)


def begin(who: object) -> None:
    """Tell of what is written from now on."""
    if not wanted:
        moments.ending.append(look)
        for number in NUMBERS:
            _grown(number)
    wanted.append(who)


def end(who: object) -> None:
    """Tell no longer."""
    look()
    wanted.remove(who)
    if not wanted:
        moments.ending.remove(look)
        for kept in (_seen, _owed, _open):
            kept.clear()


def look() -> None:
    """Tell of what was written up to now."""
    turn = _turn[0]
    if not wanted or _streaming:
        return
    with _lock:
        grown = [(name, _grown(number)) for number, name in NUMBERS.items()]
    if turn == _turn[0]:  # Otherwise a stream has begun to write, and nobody knows whose it is.
        for name, data in grown:
            _tell(name, data.decode("utf-8", "backslashreplace"))


def passing(stream: Any, write: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401 -- a stream's
    """Let a stream write: what comes of it is known."""
    if not wanted:
        return write(*args)
    look()
    _streaming.append(stream)
    _turn[0] += 1
    try:
        return write(*args)
    finally:
        with _lock:
            _owe(stream, args[0])
            for number in NUMBERS:
                _grown(number)
            _streaming.pop()


def _owe(stream: Any, text: str) -> None:  # noqa: ANN401 -- whatever writes
    """It may keep back what it has been given."""
    with contextlib.suppress(Exception):  # Whatever it raises, its writer has not asked for this.
        if getattr(stream, "write_through", True):
            return
        number = stream.fileno()
        if number in NUMBERS:
            _owed[number] = _owed.get(number, b"") + text.encode("utf-8", "backslashreplace")


def _grown(number: int) -> bytes:
    """What others have written there since it was asked last."""
    try:
        status = os.fstat(number)
    except OSError:  # It is closed.
        return b""
    if not stat.S_ISREG(status.st_mode) or status.st_nlink:
        return b""
    place, size = (status.st_dev, status.st_ino), status.st_size
    start, _seen[place] = _seen.get(place, size), size
    if size < start:  # Somebody has read it, and let it begin anew.
        start = 0
    if size == start:
        return b""
    data = os.pread(number, min(size - start, MOST_BYTES), start)
    owed = _owed.get(number, b"")
    if owed:
        come = len(os.path.commonprefix([data, owed]))  # noqa: RUF071 -- of bytes, no paths
        data, _owed[number] = data[come:], owed[come:]
    return data


def _tell(name: str, text: str) -> None:
    for piece in text.splitlines(keepends=True):
        entry = _open.get(name)
        if entry is None:
            entry = _open[name] = Entry(name, "")
            entry.by = look.__code__  # No test's own line has said it.
            _hub.pass_on(entry)
        entry.text += piece.rstrip("\n")
        if piece.endswith("\n"):
            del _open[name]
