"""Which attempt a line is about.

A line is about the attempt that is under way when it is said. Between two attempts it is
about the nearer one: a client that says why it will wait says so when an attempt has just
failed, and one that says what it will ask for says so just before it does. In virtual time
both happen at the very moment of the attempt; where both are equally near, it is the earlier.

How many attempts had begun is counted when the line is said, so that lines and attempts of one
moment keep their order. With several clients at once the nearest attempt may be another's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_resilience.records import Attempt, Trace

if TYPE_CHECKING:
    from pytest_resilience.server.server import FakeServer


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a server stood when something was said."""

    server: FakeServer
    begun: int
    """How many attempts had begun."""
    now_ns: int
    """Nanoseconds since its trace began."""


def mark(server: FakeServer) -> Mark:
    """Where it stands now."""
    trace = server.trace
    return Mark(server, trace.forgotten + len(trace), server.now_ns)


def attempt_at(trace: Trace, begun: int, now_ns: int) -> tuple[int, Attempt] | None:
    """The attempt of this trace that something said then is about, and how far it was away."""
    before = _numbered(trace, begun)
    after = _numbered(trace, begun + 1)
    if before is not None and (before.ended_ns is None or before.ended_ns >= now_ns):
        return 0, before
    near = [
        (abs(moment - now_ns), attempt)
        for attempt, moment in (
            (before, before.ended_ns if before else None),
            (after, after.started_ns if after else None),
        )
        if attempt is not None and moment is not None
    ]
    return min(near, key=lambda found: found[0], default=None)


def nearest(marks: tuple[Mark, ...]) -> int | None:
    """The number of the attempt it is about, of the server it is about."""
    found = [attempt_at(one.server.trace, one.begun, one.now_ns) for one in marks]
    near = [one for one in found if one is not None]
    return min(near, key=lambda one: one[0])[1].number if near else None


def _numbered(trace: Trace, number: int) -> Attempt | None:
    place = number - trace.forgotten - 1
    return trace[place] if 0 <= place < len(trace) else None
