"""Whether virtual time applies to the calling thread at this moment, and what its waits come to."""

from __future__ import annotations

import _thread
import contextlib
import operator
import subprocess
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, SupportsIndex

from pytest_resilience.clock import _current
from pytest_resilience.clock._coarse import get_ahead, get_past, meant
from pytest_resilience.clock._parties import Reason
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's

if TYPE_CHECKING:
    from pytest_resilience.clock._conductor import Conductor
    from pytest_resilience.clock._parties import Party

SECOND = 1_000_000_000
LONGEST = 2**63 - 1
"""Nanoseconds; the real functions refuse to wait for longer, with these words."""

_in_real_time: set[int] = set()
TIMEOUTS = (TimeoutError, subprocess.TimeoutExpired)


def conducting() -> Conductor | None:
    """The conductor, if virtual time applies to the calling thread."""
    conductor = _current.conductor
    if conductor is None or not conductor.active or conductor.engine.on_thread:
        return None
    if _in_real_time and _thread.get_ident() in _in_real_time:
        return None
    if conductor.lock._is_owned():  # type: ignore[attr-defined]
        return None  # A finalizer in the middle of the conductor's own work.
    return conductor


def party_of(conductor: Conductor) -> Party:
    """The calling thread's record."""
    return conductor.me(lambda: threading.current_thread().name)


def due_after(conductor: Conductor, seconds: float | SupportsIndex | None) -> int | None:
    """The virtual moment so many seconds from now; whole nanoseconds, so that it is exact.

    Who waits for less than half a nanosecond has asked a clock that is a rounding error
    short of the moment it waits for (``end - time.monotonic()``), and would ask it for ever:
    time does not move for that. Its clock is ahead by so much until time moves.
    """
    if seconds is None:
        return None
    if not isinstance(seconds, float):
        seconds = operator.index(seconds)  # Nobody waits for a Decimal or a Fraction.
    wait = round(seconds * SECOND)
    if wait > LONGEST:
        raise OverflowError("timestamp too large to convert to C _PyTime_t")
    if wait <= 0 < seconds:
        get_ahead(conductor, party_of(conductor), 2 * seconds)
    elif wait > 0:
        wait = meant(conductor, wait)
        if not wait:
            get_past(conductor, party_of(conductor))
    return conductor.now_ns + max(0, wait)


def seconds_until(conductor: Conductor, due_ns: int | None) -> float | None:
    """The same the other way round, for what is left of a wait when the clock has stopped."""
    return None if due_ns is None else max(0, due_ns - conductor.now_ns) / SECOND


def settle(conductor: Conductor) -> None:
    """Return when nothing of this moment is left to happen but what the caller does.

    What a look finds would otherwise depend on how far the server has got in real time.
    """
    conductor.park(party_of(conductor), "its turn", conductor.now_ns)


@contextlib.contextmanager
def in_real_time() -> Iterator[None]:
    """Let nothing in this block be virtual for the calling thread; it counts as running."""
    ident = _thread.get_ident()
    if ident in _in_real_time:
        yield
        return
    _in_real_time.add(ident)
    try:
        yield
    finally:
        _in_real_time.discard(ident)


@contextlib.contextmanager
def outside(conductor: Conductor, what: str, timeout: float | None = None) -> Iterator[None]:
    """Wait for another process or host in this block: in real time, and so do the others.

    Args:
        conductor: The one of this thread.
        what: What is waited for, for a person to read.
        timeout: Seconds after which the block ends by an error; they have passed then.
    """
    # Popen.wait, which sleeps a little at a time, takes any timeout.
    due = due_after(conductor, None if timeout is None else min(timeout, LONGEST / SECOND - 1))
    party = party_of(conductor)
    out, timed_out = conductor.step_out(party, what), False
    try:
        with in_real_time():
            yield
    except TIMEOUTS:
        timed_out = due is not None
        raise
    finally:
        if out:
            conductor.step_in(party)
        while timed_out and conductor.park(party, what, due) is Reason.WOKEN:
            pass
