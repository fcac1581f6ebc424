"""Where in somebody's own code threads and tasks wait: for the picture of a test that is stuck."""

from __future__ import annotations

import linecache
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

OTHERS = tuple(
    f"{path}{os.sep}"
    for path in (
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("platlib"),
        sysconfig.get_path("purelib"),
        str(Path(__file__).parent.parent),
    )
)
"""Folders of code that is not the user's own."""


def place(ident: int | None) -> str:
    """The innermost line of this thread that is the user's own, and what it has called."""
    called = ""
    for frame in _frames(ident):
        if _is_own(frame.f_code):
            return f"{called and f'in {called}, '}at {_line(frame)}"
        if not frame.f_code.co_filename.startswith(OTHERS[-1]):
            called = f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}"
    return ""


def tasks(ident: int | None) -> list[str]:
    """The tasks of the asyncio loop that waits in this thread, and where each of them does."""
    for frame in _frames(ident):
        if frame.f_code.co_name == "_run_once":
            found = sys.modules["asyncio"].all_tasks(frame.f_locals["self"])
            return sorted(f"task {task.get_name()!r} waits {_suspended(task)}" for task in found)
    return []


def _frames(ident: int | None) -> Iterator[FrameType]:
    """The innermost first."""
    frame = sys._current_frames().get(ident or 0)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _suspended(task: Any) -> str:
    where, awaited = "", task.get_coro()
    while frame := getattr(awaited, "cr_frame", None):
        if _is_own(frame.f_code):
            where = f"at {_line(frame)}"
        awaited = awaited.cr_await
    return where


def _is_own(code: CodeType) -> bool:
    return not code.co_filename.startswith(("<", *OTHERS))


def _line(frame: FrameType) -> str:
    path, number = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(path, number).strip()
    return f"{path.removeprefix(f'{Path.cwd()}{os.sep}')}:{number}: {text}"
