"""A thread that another one may stop, whatever it computes.

*Problem.* Python can raise an exception in another thread, but knows that thread only by a
number, which the system gives to the next thread as soon as the first has ended. And a
thread that is stopped while it holds a lock leaves the lock behind.

*Solution.* A `Worker` cannot end while somebody is about to stop it, nor be stopped once it is
about to end: both take its gate first. It is only stopped where none of our code is under way.
"""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import sys
import threading
import types
from collections.abc import Callable

from pytest_resilience.clock import kernel, new_lock

__all__ = ["Halted", "Worker"]

TAKEN_BACK = 0.2
"""Real seconds that a thread has for taking the exception that stops it."""
TRIED = 200
"""How often it is looked whether a thread is where it can be stopped."""
NOT_AT = ("pytest_resilience.", "threading", "queue", "coverage.")
"""Modules whose functions are let finish, since they have locks."""
NOT_WITHIN = tuple(f"pytest_resilience.{part}" for part in ("clock", "engine", "logs", "server"))
"""Modules whose functions are let finish with all that they call."""


class Halted(BaseException):
    """Thrown into a call that does not end by itself."""


class Worker(threading.Thread):
    """A daemon thread that can be halted.

    Args:
        work: What it does. A `Halted` that it lets through ends it, and is no error.
        name: Of the thread.
    """

    def __init__(self, work: Callable[[], object], name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._gate = new_lock()

    def run(self) -> None:
        """Work, then keep the gate."""
        # What stops this thread may still come when the work has just ended.
        with contextlib.suppress(Halted):
            try:
                self._work()
            finally:
                self._gate.acquire()

    def ran(self) -> float:  # pragma: no cover -- called on a thread that nobody traces
        """Seconds of a processor's time that it has had; 0 where nobody counts."""
        return ((self.native_id and kernel.ran_ns(self.native_id)) or 0) / 1e9

    def halt(self) -> None:  # pragma: no cover -- see below
        """Raise `Halted` in this thread if it runs Python. Called on a thread that nobody traces.

        CPython 3.11 goes round for ever in every traced thread as long as such an exception is
        on its way (ceval.c: a RESUME that is traced looks for it, and is begun anew). A thread
        that is blocked in C may never take it, so it is taken back in the end.
        """
        pause = new_lock()
        pause.acquire()
        for _ in range(TRIED):
            if not self._gate.acquire(blocking=False):
                return  # It is about to end.
            thrown = self._is_elsewhere() and _throw(self.ident, Halted)
            pause.acquire(timeout=TAKEN_BACK if thrown else TAKEN_BACK / TRIED)
            if thrown:
                _throw(self.ident, None)
            self._gate.release()
            if thrown:
                break
        else:
            return
        # That leaves the interpreter's own sign up, which only goes when somebody takes one.
        with contextlib.suppress(Halted):
            _throw(_thread.get_ident(), Halted)
            while True:
                pass

    def _is_elsewhere(self) -> bool:  # pragma: no cover -- see halt
        """Whether this thread is in code that holds none of our locks."""
        frame = sys._current_frames().get(self.ident or 0)  # noqa: SLF001 -- documented
        if frame is None or _name(frame).startswith(NOT_AT):
            return False
        # Below its work there is always the clock, which has started it.
        while frame is not None and frame.f_code is not Worker.run.__code__:
            if _name(frame).startswith(NOT_WITHIN):
                return False
            frame = frame.f_back
        return True


def _name(frame: types.FrameType) -> str:  # pragma: no cover -- see halt
    return str(frame.f_globals.get("__name__"))


def _throw(  # pragma: no cover -- see halt
    ident: int | None, error: type[BaseException] | None
) -> bool:
    raised = None if error is None else ctypes.py_object(error)
    return bool(ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident or 0), raised))
