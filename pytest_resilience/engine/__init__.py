"""The one loop thread of the process, started for the first server and ended with the last."""

from __future__ import annotations

import os
import sys
import threading
import traceback

from pytest_resilience.engine._loop import Loop

_lock = threading.Lock()  # guards the three below
_loop: Loop | None = None
_users = 0
_errors: list[BaseException] = []


def acquire() -> Loop:
    """The process's loop, running. Give it back with `release`."""
    global _loop, _users  # noqa: PLW0603 -- the loop is one a process by design
    with _lock:
        if _loop is None or _loop.given_up:
            _users = 0
            loop = Loop(_on_error)
            loop.start()
            _loop = loop
        _users += 1
        return _loop


def release(loop: Loop) -> None:
    """Give the loop back; the last one to do so ends its thread."""
    global _loop, _users  # noqa: PLW0603 -- see acquire
    with _lock:
        if loop is not _loop or loop.given_up:
            return  # It was left behind: in the parent of this process, or blocked.
        _users -= 1
        if _users:
            return
        _loop = None
    loop.stop()


def running() -> Loop | None:
    """The process's loop, or None when no server is up."""
    return None if _loop is None or _loop.given_up else _loop


def _on_error(error: BaseException) -> None:
    """A callback failed: a defect of ours, so say it aloud."""
    _errors.append(error)
    sys.stderr.write("pytest-resilience: the engine caught an error of its own:\n")
    traceback.print_exception(error)


def take_errors() -> list[BaseException]:
    """Errors of the engine itself since the last call; the plugin fails the test with them."""
    taken = _errors[:]
    del _errors[: len(taken)]
    return taken


def _forget_in_child() -> None:
    """A forked child has no loop thread: its servers are the parent's."""
    global _loop, _users, _lock  # noqa: PLW0603 -- see acquire
    _lock = threading.Lock()
    loop, _loop, _users = _loop, None, 0
    if loop is not None:
        loop.forget_in_child()


os.register_at_fork(after_in_child=_forget_in_child)
