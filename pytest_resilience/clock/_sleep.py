"""time.sleep, in virtual time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pytest_resilience.clock import _current
from pytest_resilience.clock._here import conducting, due_after, party_of, seconds_until
from pytest_resilience.clock._parties import Reason
from pytest_resilience.clock._polling import note_look
from pytest_resilience.errors import (
    ClockError,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)

if TYPE_CHECKING:
    from pytest_resilience.clock._conductor import Conductor

real_sleep = time.sleep


def sleep(_: object, seconds: float, /) -> None:
    """time.sleep: returns at exactly now + seconds of virtual time."""
    conductor = conducting()
    if conductor is None:
        _refuse_on_engine()
        real_sleep(seconds)
        return
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    due = due_after(conductor, seconds)
    assert due is not None
    if due == conductor.now_ns:
        party_of(conductor)
        note_look(conductor)
        if not conductor.others_are_due():
            real_sleep(0)  # Lets other threads run, as it should.
            return
    began = conductor.now_ns
    sleep_until(conductor, due, f"time.sleep({seconds!r})")
    conductor.note_sleep(due - began)


def _refuse_on_engine() -> None:
    conductor = _current.conductor
    if conductor is not None and conductor.active and conductor.engine.on_thread:
        raise ClockError(
            "a fake's handler called time.sleep: it runs on the server's own thread and must "
            "not wait; plan faults.latency(seconds) instead"
        )


def sleep_until(conductor: Conductor, due_ns: int, what: str) -> None:
    """Return when virtual time has reached this moment; the rest in real time if it stops."""
    party = party_of(conductor)
    while True:
        reason = conductor.park(party, what, due_ns)
        if reason is Reason.DUE:
            return
        if reason is Reason.STOPPED:
            real_sleep(seconds_until(conductor, due_ns) or 0)
            return
