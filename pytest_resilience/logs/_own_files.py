"""Log files that the code under test opens by itself, with ``open``, ``os.open`` or ``pathlib``.

*Problem.* Were ``open`` replaced, tracebacks that a client logs would show us, and who has
bound it early would not be heard.

*Solution.* The interpreter tells an audit hook of every file that is opened, whoever opens it
and however. What a log file has more of than then, when it is opened again or when somebody
asks, was written since. An audit hook cannot be taken away again, so ours does nothing while
nobody listens. When something was written to a file that stays open is not known: those
lines have no time.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from pytest_resilience.clock import current_clock, new_rlock
from pytest_resilience.logs import _hub
from pytest_resilience.logs._entry import Entry
from pytest_resilience.logs._whose import is_of_tests
from pytest_resilience.logs.line import Line

LOG_FILE = re.compile(
    r"\.(log|jsonl|ndjson|out|err|trace)(\.\d+)?$|\.log[._-]"
    r"|(^|[._-])(logs?|stdout|stderr|nohup|debug|trace)(\.txt)?(\.\d+)?$",
    re.IGNORECASE,
)
"""Names of files that are logs; what else a client writes, it writes because it should."""
MOST_BYTES = 1024 * 1024
"""Of what is written between two looks, the first so many."""
_EVENTS = frozenset({"open", "os.rename", "os.remove", "os.truncate"})
_OTHERS = ("_pytest", "logging", "coverage", "execnet", "xdist", "pytest_resilience")
"""Whoever opens files for these has other ways to be heard, or is no client."""
_HELPERS = frozenset({"codecs", "contextlib", "gzip", "pathlib", "tempfile"})
_HERE = Path("/proc/self/fd")
"""What this process has open, on Linux."""
_lock = new_rlock()  # guards the two below
_files: dict[str, Written] = {}
"""The latest opening of each file."""
_told: set[str] = set()
"""Files whose lines handlers and loggers tell of."""
_hooked = False


class Written(Entry):
    """What is written to a file from one opening of it to the next."""

    __slots__ = ("_for_test", "_inode", "_moment_ns", "_size", "_unsure")

    def __init__(self, path: str, *, anew: bool, for_test: bool) -> None:
        super().__init__("file", "", path=path)
        self._for_test = for_test
        """The test has opened it, by a helper of the standard library."""
        self._moment_ns = current_clock().monotonic_ns()
        self._unsure = False
        """Nobody knows when it was written."""
        self._inode, self._size = (0, 0) if anew else _place(path)

    def look(self) -> None:
        """Read what was written."""
        with _lock:
            if _files.get(self.path) is not self or self.path in map(os.path.realpath, _told):
                return
            inode, size = _place(self.path)
            if inode != self._inode or size < self._size:
                self._size = 0
            if size > self._size:
                self.text += _read(self.path, self._size)
                stood_still = current_clock().monotonic_ns() == self._moment_ns
                self._unsure = self._unsure or not (stood_still or not _is_open(self.path))
            self._inode, self._size = inode, size

    def lines(self, at: float | None, attempt: int | None) -> list[Line]:
        """Each with the time when the file was opened, unless it stayed open."""
        self.look()
        if self._unsure:
            at = attempt = None
        texts = self.text.removesuffix("\n").split("\n") if self.text else []
        return [replace(super(Written, self).line(at, attempt), text=text) for text in texts]

    def line(self, at: float | None, attempt: int | None) -> Line:
        """All that the code under test has written there, as one."""
        self.look()
        line = super().line(at, attempt)
        return replace(line, text="") if self._for_test else line


def install() -> None:
    """Be told of files, from now on and for ever."""
    global _hooked  # noqa: PLW0603 -- a hook of the process
    if not _hooked:
        _hooked = True
        sys.addaudithook(_hook)


def leave(path: str) -> None:
    """Somebody else tells of what is written to this file."""
    _told.add(path)


def forget() -> None:
    """Nobody asks for these files any more; what was written to them is read before."""
    with _lock:
        for written in _files.values():
            written.look()
        _files.clear()
        _told.clear()


def _hook(
    event: str,
    args: tuple[Any, ...],
    # Bound here: a hook outlives the names of its module.
    events: frozenset[str] = _EVENTS,
    listening: Any = _hub.listening,  # noqa: ANN401 -- as it is
) -> None:
    if event in events and listening():
        try:
            if event == "open":
                _opened(*args)
            else:
                _changed(args[0])
        except Exception:  # noqa: BLE001, S110 -- what we raise here would keep it from being opened
            pass


def _opened(file: object, _mode: object, flags: int) -> None:
    if not flags & (os.O_WRONLY | os.O_RDWR) or isinstance(file, int):
        return
    path = os.path.realpath(os.fsdecode(file))  # type: ignore[arg-type]  # a path, if no number
    if not LOG_FILE.search(Path(path).name):
        return
    frame, helped = sys._getframe(2), False  # noqa: SLF001 -- the one way to know who opens it
    while frame.f_back is not None and _package(frame) in _HELPERS:
        frame, helped = frame.f_back, True
    if _package(frame) in _OTHERS:
        return
    _changed(path)
    for_test = helped and is_of_tests(frame.f_code.co_filename)
    written = Written(path, anew=bool(flags & os.O_TRUNC), for_test=for_test)
    with _lock:
        _files[path] = written
    _hub.tell(written)


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__")).partition(".")[0]


def _changed(file: object) -> None:
    """This file will not be what it was: look at it before."""
    if not isinstance(file, int):
        known = _files.get(os.path.realpath(os.fsdecode(file)))  # type: ignore[arg-type]  # as above
        if known is not None:
            known.look()


def _place(path: str) -> tuple[int, int]:
    """Which file it is, and how long."""
    try:
        status = Path(path).stat()
    except OSError:
        return 0, 0
    # To read a pipe would take away what is in it.
    return (status.st_ino, status.st_size) if stat.S_ISREG(status.st_mode) else (0, 0)


def _read(path: str, start: int) -> str:
    try:
        with Path(path).open("rb") as file:
            file.seek(start)
            return file.read(MOST_BYTES).decode("utf-8", "backslashreplace")
    except OSError:  # pragma: no cover -- removed at this very moment, or not ours to read
        return ""


def _is_open(path: str) -> bool:
    """Whether somebody in this process has it open; True when that cannot be found out."""
    try:
        opened = list(_HERE.iterdir())
    except OSError:
        return True
    return path in map(os.path.realpath, opened)
