"""Log files that the code under test opens by itself, with ``open``, ``os.open`` or ``pathlib``.

*Problem.* Were ``open`` replaced, tracebacks that a client logs would show us, and who has
bound it early would not be heard.

*Solution.* The interpreter tells an audit hook of every file that is opened, whoever opens it
and however. What a log file has more of whenever a moment ends, something else is said or
somebody asks, was written since (`_growing`). An audit hook cannot be taken away again, so
ours does nothing while nobody listens.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pytest_resilience.clock import moments
from pytest_resilience.logs import _hub, _whose
from pytest_resilience.logs._growing import File, lock

LOG_FILE = re.compile(
    r"\.(log|jsonl|ndjson|out|err|trace)(\.\d+)?$|\.log[._-]"
    r"|(^|[._-])(logs?|stdout|stderr|nohup|debug|trace)(\.txt)?(\.\d+)?$",
    re.IGNORECASE,
)
"""Names of files that are logs; what else a client writes, it writes because it should."""
MOST = 16
"""Files that are looked at in each moment; of more, those that were opened last."""
_EVENTS = frozenset({"open", "os.rename", "os.remove", "os.truncate"})
_OTHERS = frozenset({"_pytest", "logging", "coverage", "execnet", "xdist", "pytest_resilience"})
"""Whoever opens files for these has other ways to be heard, or is no client."""
_LOGGERS = frozenset({"loguru"})
"""What these write to their files is not said by whoever has opened them."""
_files: dict[str, File] = {}
"""The latest opening of each file. Guarded by the lock of files, as is the next."""
_told: dict[str, str] = {}
"""Files whose lines handlers and loggers tell of: as they are called, and which ones they are."""
_hooked = False


def install() -> None:
    """Be told of files, from now on and for ever."""
    global _hooked  # noqa: PLW0603 -- a hook of the process
    if not _hooked:
        _hooked = True
        sys.addaudithook(_hook)


def leave(path: str) -> None:
    """Somebody else tells of what is written to this file."""
    if path not in _told:
        with lock:
            real = _told[path] = os.path.realpath(path)
            if real in _files:
                _files[real].over = True


def notice(*, parted: bool = False) -> None:
    """Tell of what was written up to now.

    Args:
        parted: What comes behind is not to be taken for a part of it.
    """
    if _files:
        # Whoever has gone on to another moment is not to blame for what we or listeners miss.
        with contextlib.suppress(Exception):
            _tell_grown(list(_files.values())[-MOST:], parted=parted)


def forget() -> None:
    """Nobody asks for these files any more; what was written to them is read before."""
    if not _files and not _told:
        return
    with lock:
        for file in _files.values():
            file.close()
        _files.clear()
        _told.clear()
        moments.ending[:] = [look for look in moments.ending if look is not notice]


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
    opens = sys._getframe(2)  # noqa: SLF001 -- the one way to know who
    by = _whose.speaker(opens)
    on_the_way = list(_whose.up_to(by, opens))
    if any(_whose.package(frame) in _OTHERS for frame in on_the_way):
        return
    by = next((frame for frame in on_the_way if _whose.package(frame) in _LOGGERS), by)
    _changed(path)
    notice()
    with lock:
        known = File(path, anew=bool(flags & os.O_TRUNC), by=by.f_code if by else None)
        known.over = path in _told.values()
        if before := _files.pop(path, None):
            before.close()
        _files[path] = known
        if notice not in moments.ending:
            moments.ending.append(notice)
    _hub.pass_on(known.pieces[0])


def _changed(file: object) -> None:
    """This file will not be what it was: look at it before."""
    if isinstance(file, int):
        return
    known = _files.get(os.path.realpath(os.fsdecode(file)))  # type: ignore[arg-type]  # as above
    if known is not None:
        _tell_grown([known])
        with lock:
            known.look()


def _tell_grown(files: Iterable[File], *, parted: bool = False) -> None:
    with lock:
        grown = [piece for file in files for piece in file.grown(parted=parted)]
    for piece in grown:  # With no lock: who hears it may wait for another thread.
        _hub.pass_on(piece)
