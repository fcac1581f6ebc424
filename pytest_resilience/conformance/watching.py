"""Which C functions the code of a fake calls: those that read the system's clock, or wait."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any, Self

from pytest_resilience import engine
from pytest_resilience.conformance.flaw import Flaw
from pytest_resilience.server.server import FakeServer

__all__ = ["Watch"]

CLOCKS = frozenset(
    {
        ("time", "time"),
        ("time", "time_ns"),
        ("time", "monotonic"),
        ("time", "monotonic_ns"),
        ("datetime", "now"),
        ("datetime", "utcnow"),
        ("datetime", "today"),
        ("date", "today"),
    }
)
WAITS = frozenset(
    {
        ("Condition", "wait"),
        ("time", "sleep"),
        ("socket", "connect"),
        ("socket", "recv"),
        ("socket", "recv_into"),
        ("_socket", "getaddrinfo"),
        ("select", "select"),
        ("poll", "poll"),
        ("epoll", "poll"),
        ("_posixsubprocess", "fork_exec"),
        ("posix", "system"),
    }
)


# What waits in Python's own code; a thread that begins is waited for, too, and not for long.
WAITING = threading.Condition.wait.__code__
BEGINNING = threading.Thread.start.__code__


class Watch:
    """Listens to the calls of one package's code.

    A clock is read by the fake when its own code calls the function: what a library does
    with the time is its own affair. It waits when it is anywhere above such a call.

    Args:
        package: The top-level name of the modules that are the fake's.
    """

    def __init__(self, package: str) -> None:
        self._package = package
        self._found: dict[tuple[str, str], Flaw] = {}
        self._before: Any = None

    def __enter__(self) -> Self:
        self._before = sys.getprofile()
        sys.setprofile(self.heard_here)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(self._before)

    def follow(self, server: FakeServer) -> None:
        """Listen on the thread on which its handlers run, too; until it stops."""
        if not server.blocking:
            _on_the_loop(self.heard)

    def leave(self) -> None:
        """No longer."""
        _on_the_loop(None)

    def flaws(self) -> Iterator[Flaw]:
        """What was heard."""
        yield from self._found.values()

    def heard_here(self, frame: FrameType, event: str, called: Any) -> None:  # noqa: ANN401 -- sys.setprofile's
        """A call on the thread of the check, which may wait."""
        if event == "c_call" and (name := _name(called)) in CLOCKS and self._is_theirs(frame):
            self._add("reads-system-clock", "self.clock", frame, name)

    def heard(self, frame: FrameType, event: str, called: Any) -> None:  # noqa: ANN401 -- sys.setprofile's
        """A call on the thread that serves."""
        self.heard_here(frame, event, called)
        name = _name(called) if event == "c_call" else ("", "")
        if event == "call" and frame.f_code is WAITING and frame.f_locals["timeout"] != 0:
            name = ("Condition", "wait")
        if name in WAITS and (caller := self._theirs_above(frame)) is not None:
            self._add("blocks-the-loop", "an answer at once", caller, name)

    def place_of(self, error: BaseException) -> str | None:
        """The function of the fake's that an exception came through last, if there is one."""
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        theirs = [frame.f_code.co_qualname for frame in frames if self._is_theirs(frame)]
        return theirs[-1] if theirs else None

    def _add(self, code: str, wanted: str, frame: FrameType, name: tuple[str, str]) -> None:
        where = f"{frame.f_code.co_filename}, line {frame.f_lineno}"
        self._found.setdefault((code, where), Flaw(code, where, wanted, f"{'.'.join(name)}()"))

    def _is_theirs(self, frame: FrameType) -> bool:
        module = str(frame.f_globals.get("__name__", ""))
        return module.partition(".")[0] == self._package

    def _theirs_above(self, frame: FrameType | None) -> FrameType | None:
        while frame is not None and not self._is_theirs(frame):
            frame = None if frame.f_code is BEGINNING else frame.f_back
        return frame


def _name(called: Any) -> tuple[str, str]:  # noqa: ANN401 -- any function in C
    """Module or class, and name: ``("time", "sleep")``, ``("socket", "recv")``."""
    owner = getattr(called, "__self__", None)
    if isinstance(owner, type):
        home = owner.__name__
    elif owner is None or type(owner).__name__ == "module":
        home = str(getattr(called, "__module__", ""))
    else:
        home = type(owner).__name__
    return home, str(getattr(called, "__name__", ""))


def _on_the_loop(hook: Any) -> None:  # noqa: ANN401 -- sys.setprofile's
    loop = engine.running()
    assert loop is not None, "a server runs"
    loop.run(lambda: sys.setprofile(hook))
