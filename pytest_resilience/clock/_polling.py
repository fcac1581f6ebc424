"""Loops that look at the clock, or poll, and never wait: they still have to end.

A look is a reading of the clock, a poll without waiting, a ``sleep(0)``. Who looks and looks
while time stands still is taken to wait, and is made to. Code that merely reads the clock
often, such as logging, stops long before this begins.

- Who polls something that others bring about, and reads no clock, waits for the next thing
  that is due. So what it polls for comes at its exact moment.
- Who reads the clock waits for a moment that only it knows. It is given a millisecond,
  doubled each time up to a second, or a hundredth of what it has been given, and never more
  than up to the next thing that is due.
- Who polls another process or host lets time pass as it passes out there.
- Who polls what nobody can bring about any more fails after the patience, as who waits for it.

Who spends a good deal of processor time from one look to the next does not wait: it works,
and looks now and then whether it is to stop.
"""

from __future__ import annotations

import _thread
import weakref
from typing import TYPE_CHECKING

from pytest_resilience.clock import _foreign
from pytest_resilience.clock._coarse import get_ahead, next_timer
from pytest_resilience.clock._here import conducting, party_of
from pytest_resilience.clock._looks import Looks
from pytest_resilience.clock._parties import Reason, Standing
from pytest_resilience.clock._real import SECOND, real_monotonic_ns, real_thread_time_ns
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's

if TYPE_CHECKING:
    from pytest_resilience.clock._conductor import Conductor
    from pytest_resilience.clock._parties import Party

STATE, CLOCK, OUTSIDE = range(3)
"""What is looked at: what others of this process do, the clock, another process or host."""

LOOKS = 50_000
"""So many at one moment are a loop, however quick."""
SLOW_LOOKS, SLOW_REAL_NS = 10_000, 1_000_000_000
"""So are so many, if they have taken that much real time."""
EVERY = 1_000
WORK_NS = 100_000 * EVERY
"""Processor time for so many looks of a thread that works. A loop that polls takes less, also
one that is traced by coverage and writes a log line a turn."""
BUSY_READINGS = 200
"""So many readings of the clock are those of a loop that computes until some moment, if they
have taken the patience in processor time."""
PARK_LOOKS = 50
"""A wait that ended without time passing counts as so many looks, but only after the patience:
thousands of requests at one moment are no loop."""
NOTHING = 100
"""So many waits for no time, at one moment, are those of a loop that needs a little more time.

Fewer are not: urllib3 looks in this way at each connection that it uses again."""
NANOSECOND = 1e-9
TICK_NS = 1_000_000
TICK_MOST_NS = 1_000_000_000
OUTSIDE_TICK_NS = 10_000_000
"""So long a look at what takes real time may come too late."""


def note_look(conductor: Conductor, at: int = STATE) -> Party | None:
    """The calling thread has looked without waiting; returns its record, if it takes part."""
    party = conductor.parties.get(_thread.get_ident())
    if party is None:
        return None
    if party.standing is Standing.UNSEEN:
        conductor.see(party)
    looks = party.looks
    if looks.at_ns != conductor.now_ns:
        looks.begin(conductor.now_ns)
    looks.count += 1
    if at == CLOCK:
        looks.readings += 1
        if looks.readings >= BUSY_READINGS and _is_busy(conductor, party):
            _tick(conductor, party)
            return party
    elif at == OUTSIDE:
        looks.outside = True
    if looks.count % EVERY == 0 and _is_loop(conductor, looks):
        _tick(conductor, party)
    return party


def note_state(*, there: bool) -> bool:
    """The calling thread has looked whether something is there; returns what it has seen."""
    if not there:
        conductor = conducting()
        if conductor is not None:
            note_look(conductor)
    return there


def note_park(conductor: Conductor, party: Party, reason: Reason) -> None:
    """The calling thread has waited, and something has ended its wait."""
    looks = party.looks
    if reason is not Reason.WOKEN or looks.at_ns != conductor.now_ns:
        return
    looks.count += 1
    looks.parks += 1
    if looks.parks < SLOW_LOOKS // PARK_LOOKS or looks.parks % (EVERY // PARK_LOOKS):
        return
    if real_monotonic_ns() - looks.since_real_ns >= conductor.patience_ns:
        looks.readings += 1  # It may wait for any moment.
        _tick(conductor, party)


def note_nothing(of: object) -> None:
    """The calling thread has waited for no time at all for this, and found nothing.

    multiprocessing and concurrent.futures wait again and again for what is left of a timeout,
    until it is less than nothing; when it is up to the nanosecond that needs a clock that
    moves. So after some such waits theirs is ahead by a nanosecond, until time moves. Who looks
    once at each of many, as a pool does at its connections, needs nothing of the kind.
    """
    conductor = conducting()
    if conductor is None:
        return
    party = party_of(conductor)
    if party.nothing_at_ns != conductor.now_ns or party.nothing_of() is not of:
        party.nothing_at_ns, party.nothing, party.nothing_of = conductor.now_ns, 0, weakref.ref(of)
    party.nothing += 1
    if party.nothing >= NOTHING:
        get_ahead(conductor, party, NANOSECOND)


def _is_loop(conductor: Conductor, looks: Looks) -> bool:
    cpu_ns, looks.cpu_ns = looks.cpu_ns, real_thread_time_ns()
    if looks.count < SLOW_LOOKS or (looks.cpu_ns - cpu_ns >= WORK_NS and not looks.readings):
        return False
    took = real_monotonic_ns() - looks.since_real_ns
    if looks.parks:
        return took >= conductor.patience_ns
    return looks.count >= LOOKS or took >= SLOW_REAL_NS


def _is_busy(conductor: Conductor, party: Party) -> bool:
    """Whether it has computed for the whole patience, and read the clock all the while."""
    looks, patience_ns = party.looks, conductor.patience_ns
    if looks.busy or real_monotonic_ns() - looks.since_real_ns < patience_ns:
        return looks.busy
    looks.busy = conductor.progress.computed_ns() >= patience_ns
    if looks.busy:
        conductor.reports.append(
            f"thread {party.name!r} has computed for {patience_ns / SECOND:g} seconds and read "
            "the clock all the while: taken to do so until some moment"
        )
    return looks.busy


def _tick(conductor: Conductor, party: Party) -> None:
    """Let the party wait for what it may be looking for."""
    looks = party.looks
    party.idles = True
    try:
        due, paced = _next_look(conductor, party)
        while conductor.park(party, "nothing", due, paced=paced) is Reason.WOKEN:
            pass
    finally:
        party.idles = False
    looks.at_ns, looks.readings, looks.outside = conductor.now_ns, 0, False


def _next_look(conductor: Conductor, party: Party) -> tuple[int, bool]:
    """The moment of its next look, and whether time may only pass as it does outside."""
    now, looks = conductor.now_ns, party.looks
    if looks.yielded_ns != now and conductor.others_are_due():
        looks.yielded_ns = now
        return now, False  # When they have had their turn.
    due, others_wait = conductor.prospect()
    known = (due, _timer_ns(conductor))
    nearest = min((when for when in known if when is not None and when > now), default=None)
    paced = looks.outside or others_wait or _foreign.anything_busy()
    if not paced and not looks.readings and nearest is not None:
        looks.hopeless_real_ns = 0
        return nearest, False
    if not paced and looks.readings:
        looks.hopeless_real_ns = 0
        most = max(TICK_MOST_NS, (now - looks.began_ns) // 100)
        tick = looks.tick_ns = min(most, looks.tick_ns * 2 or TICK_NS)
    else:
        tick = OUTSIDE_TICK_NS
        if not paced:
            _lose_patience(conductor, party)
            paced = True  # If anybody brings it about, it is somebody whom nobody can see.
    return min(now + tick, nearest or now + tick), paced


def _lose_patience(conductor: Conductor, party: Party) -> None:
    """Nothing is due, so what it polls for may never come."""
    looks, stirs, now_real = party.looks, conductor.stirs, real_monotonic_ns()
    if looks.stirs_known != stirs or not looks.hopeless_real_ns:
        looks.stirs_known, looks.stirs_real_ns = stirs, now_real
    looks.hopeless_real_ns = looks.hopeless_real_ns or now_real
    conductor.give_up_hope(party, now_real - looks.stirs_real_ns, now_real - looks.hopeless_real_ns)


def _timer_ns(conductor: Conductor) -> int | None:
    """The virtual moment of the next timer of this thread's asyncio loop."""
    timer = next_timer()
    return None if timer is None else round(timer * SECOND) - conductor.epoch_ns
