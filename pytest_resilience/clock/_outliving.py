"""Who outlives the clock: what is left of a wait is waited for in real time.

*Problem.* Whoever waits in turns has noted in virtual time when it is to end: ``Queue.get``
in ``endtime``, a loop of asyncio in its timers, trio in its deadlines. When the clock stops,
that moment may be an hour ahead, and a worker that looks for work every second stands still.

*Solution.* Such a moment goes back by as much as the time does.
"""

from __future__ import annotations

import ctypes
import queue
import sys
import threading
from collections.abc import Iterable
from types import FrameType
from typing import TYPE_CHECKING, Any

from pytest_resilience.clock._real import SECOND, real_monotonic_ns
from pytest_resilience.clock._running import runner_of_trio

if TYPE_CHECKING:
    from pytest_resilience.clock._members import Members

IN_TURNS = {
    function.__code__
    for function in (
        threading.Condition.wait_for,
        threading.Semaphore.acquire,
        queue.Queue.get,
        queue.Queue.put,
    )
}
"""They wait on a condition, until a moment that they keep in a variable of this name:"""
END = "endtime"


def _ahead(conductor: Members) -> float:
    """Seconds by which what ``time.monotonic()`` showed is ahead of what it shows."""
    return (conductor.epoch_ns + conductor.now_ns - real_monotonic_ns()) / SECOND


def move_timers(conductor: Members, loops: Iterable[Any]) -> None:
    """Let the timers of these loops of asyncio be due when as much real time has passed."""
    ahead = _ahead(conductor)
    for loop in loops:
        for timer in tuple(getattr(loop, "_scheduled", ())):
            timer._when -= ahead  # All of them, so they stay in order.


def move_trio(conductor: Members) -> None:
    """The same for the loop of trio that runs in this thread: its clock goes on from here."""
    clock: Any = getattr(runner_of_trio(), "clock", None)
    if hasattr(clock, "offset"):
        # It is frozen, and nobody's but this loop's.
        object.__setattr__(clock, "offset", clock.offset + _ahead(conductor))


def move_end(conductor: Members) -> None:
    """The same for who waits in turns on a condition, for a lock, in this thread."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code not in IN_TURNS:
        if frame.f_globals.get("__name__") not in _BETWEEN:
            return
        frame = frame.f_back
    if frame is not None and frame.f_locals.get(END) is not None:
        frame.f_locals[END] -= _ahead(conductor)
        if sys.version_info < (3, 13):  # From then on (PEP 667) that was it.
            ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))


_BETWEEN = ("threading", "pytest_resilience.clock._locks")
"""The modules whose functions stand between a wait in turns and its lock."""
