"""Time: the only package that reads the system's clocks.

Every other module asks the `Clock` it was given, or `current_clock()`, so that one
object decides what time it is for clients, servers, faults and fakes alike.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from pytest_resilience.clock import (
    _current,
    _kernel as kernel,
    _links as links,
    _moments as moments,
    _pictures as pictures,
)
from pytest_resilience.clock._base import Clock, Scheduler, Timer, current_clock, use_clock
from pytest_resilience.clock._jobs import Job
from pytest_resilience.clock._real import REAL, RealClock, new_lock, new_rlock

__all__ = [
    "REAL",
    "Clock",
    "Job",
    "RealClock",
    "Scheduler",
    "Timer",
    "current_clock",
    "interrupt",
    "kernel",
    "links",
    "looking_on",
    "moments",
    "new_lock",
    "new_rlock",
    "pictures",
    "use_clock",
]


def interrupt(thread: threading.Thread, error: BaseException) -> bool:
    """Raise this in a thread that waits in virtual time; False when it does not."""
    conductor = _current.conductor
    return (
        conductor is not None and thread.ident is not None and conductor.throw(thread.ident, error)
    )


@contextlib.contextmanager
def looking_on() -> Iterator[None]:
    """Let the calling thread wait only in case that nothing else ends: nobody spins for that."""
    conductor = _current.conductor
    party = conductor and conductor.parties.get(threading.get_ident())
    if not party or party.looks_on:
        yield
        return
    party.looks_on = True
    try:
        yield
    finally:
        party.looks_on = False
