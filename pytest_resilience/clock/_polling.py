"""Loops that look at the clock, or poll, and never wait: they still have to end.

A look is a reading of the clock, a poll without waiting, a ``sleep(0)``. Who looks and looks
while time stands still is made to wait a little: a millisecond, doubled each time up to a
second, so that a loop that polls until some moment ends. Code that merely reads the clock
often, such as logging, stops long before this begins.
"""

from __future__ import annotations

import _thread
from typing import TYPE_CHECKING

from pytest_resilience.clock._here import conducting, get_ahead, party_of
from pytest_resilience.clock._parties import Reason, Standing
from pytest_resilience.clock._real import real_monotonic_ns

if TYPE_CHECKING:
    from pytest_resilience.clock._conductor import Conductor
    from pytest_resilience.clock._parties import Party

LOOKS = 50_000
"""So many at one moment are a loop, however quick."""
SLOW_LOOKS, SLOW_REAL_NS = 10_000, 1_000_000_000
"""So are so many, if they have taken that much real time."""
EVERY = 1_000
PARK_LOOKS = 50
"""A wait that ended without time passing counts as so many looks, but only after the patience:
thousands of requests at one moment are no loop."""
NOTHING = 100
"""So many waits for no time, at one moment, are those of a loop that needs a little more time.

Fewer are not: urllib3 looks in this way at each connection that it uses again."""
NANOSECOND = 1e-9
TICK_NS = 1_000_000
TICK_MOST_NS = 1_000_000_000


def note_look(conductor: Conductor) -> Party | None:
    """The calling thread has looked without waiting; returns its record, if it takes part."""
    party = conductor.parties.get(_thread.get_ident())
    if party is None:
        return None
    if party.standing is Standing.UNSEEN:
        conductor.see(party)
    if party.looks_at_ns != conductor.now_ns or party.looks == 0:
        party.looks_at_ns, party.looks_since_real_ns = conductor.now_ns, real_monotonic_ns()
        party.looks = party.parks = party.tick_ns = 0
    party.looks += 1
    if party.looks >= SLOW_LOOKS and party.looks % EVERY == 0 and _is_loop(conductor, party):
        _tick(conductor, party)
    return party


def note_park(conductor: Conductor, party: Party, reason: Reason) -> None:
    """The calling thread has waited, and something has ended its wait."""
    if reason is not Reason.WOKEN or party.looks_at_ns != conductor.now_ns:
        return
    party.looks += 1
    party.parks += 1
    if party.parks < SLOW_LOOKS // PARK_LOOKS or party.parks % (EVERY // PARK_LOOKS):
        return
    if real_monotonic_ns() - party.looks_since_real_ns >= conductor.patience_ns:
        _tick(conductor, party)


def note_nothing() -> None:
    """The calling thread has waited for no time at all, and found nothing.

    multiprocessing and concurrent.futures wait again and again for what is left of a timeout,
    until it is less than nothing; when it is up to the nanosecond that needs a clock that
    moves. So after some such waits theirs is ahead by a nanosecond, until time moves.
    """
    conductor = conducting()
    if conductor is None:
        return
    party = party_of(conductor)
    if party.nothing_at_ns != conductor.now_ns:
        party.nothing_at_ns, party.nothing = conductor.now_ns, 0
    party.nothing += 1
    if party.nothing >= NOTHING:
        get_ahead(conductor, party, NANOSECOND)


def _is_loop(conductor: Conductor, party: Party) -> bool:
    took = real_monotonic_ns() - party.looks_since_real_ns
    if party.parks:
        return took >= conductor.patience_ns
    return party.looks >= LOOKS or took >= SLOW_REAL_NS


def _tick(conductor: Conductor, party: Party) -> None:
    looks, parks, since = party.looks, party.parks, party.looks_since_real_ns
    tick = min(TICK_MOST_NS, party.tick_ns * 2 or TICK_NS)
    due = conductor.now_ns + tick
    what = "nothing: it polls in a loop"
    while conductor.park(party, what, due) is Reason.WOKEN:
        pass
    party.looks, party.parks, party.looks_since_real_ns = looks, parks, since
    party.looks_at_ns, party.tick_ns = conductor.now_ns, tick
