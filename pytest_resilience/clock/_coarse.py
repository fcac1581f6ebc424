"""Where the floats of ``time.monotonic()`` are coarser than the nanoseconds that time is made of.

*Problem.* From 97 days on, two floats are more than a nanosecond apart. So many days a virtual
clock may be moved on, and a machine may have run. ``end - time.monotonic()`` is nanoseconds
off then, who waits for it finds the clock a step short of its end, and asyncio, which runs
what is due before now and a nanosecond, finds that this is now, and asks again, for ever.

*Solution.* A wait that is so near to whole microseconds is as long as was meant. For one that is
a rest of this kind no time passes, nor for a timer that is due now: whoever looks at the clock
next finds it past that moment, once.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_resilience.clock._running import loop_of_asyncio
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's

if TYPE_CHECKING:
    from pytest_resilience.clock._members import Members
    from pytest_resilience.clock._parties import Party

SECOND = 1_000_000_000
COARSE = 1e-9
"""Steps of a clock, in seconds, from which on this matters."""


def meant(conductor: Members, wait_ns: int) -> int:
    """The wait in nanoseconds without what floats have done to it; 0 if it is nothing else."""
    step = _step(conductor)
    if step < COARSE:
        return wait_ns
    whole = round(wait_ns, -3)
    return whole if abs(wait_ns - whole) <= round(2 * step * SECOND) else wait_ns


def get_ahead(conductor: Members, party: Party, seconds: float) -> None:
    """Let the party's clock be ahead by so much more, until time moves."""
    if party.ahead_at_ns != conductor.now_ns:
        party.ahead, party.ahead_at_ns = 0.0, conductor.now_ns
    party.ahead += seconds


def get_past(conductor: Members, party: Party) -> None:
    """Let the party's next look at the clock find it past what it waits for."""
    party.past = 4 * _step(conductor)


def get_past_timers(conductor: Members, party: Party) -> None:
    """The same for the next timer of the asyncio loop in this thread, if it is due now."""
    if _step(conductor) >= COARSE and next_timer() == _seconds(conductor):
        get_past(conductor, party)


def next_timer() -> float | None:
    """The moment of the next timer of the asyncio loop that runs in this thread, if one does."""
    timers = getattr(loop_of_asyncio(), "_scheduled", None)
    return timers[0].when() if timers else None


def _seconds(conductor: Members) -> float:
    return (conductor.epoch_ns + conductor.now_ns) / SECOND


def _step(conductor: Members) -> float:
    """Seconds from what the clock shows to the next moment that it could show."""
    return math.ulp(_seconds(conductor))
