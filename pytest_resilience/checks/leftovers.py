"""What a test leaves behind that its author should know of, though every assertion held."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_resilience.errors import shown as in_a_line
from pytest_resilience.records import Attempt, Trace
from pytest_resilience.schedule import shown

HERE = Path(__file__).parents[1]
MOST = 5
"""How many findings of one kind are told one by one."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """One finding."""

    kind: str
    """``unmatched``, ``unmet``, ``errors`` or ``engine``."""
    line: str
    """What was found; it stands alone."""
    more: str = ""
    """What else helps, in further lines."""


def unmatched(label: str, trace: Trace) -> list[Leftover]:
    """Requests that no route of the fake matched, like ones together."""
    alike: dict[tuple[str, str], list[Attempt]] = {}
    for attempt in trace:
        if attempt.unmatched:
            alike.setdefault((attempt.method, attempt.path), []).append(attempt)
    found = []
    for (method, _), attempts in alike.items():
        nearest = attempts[0].note.partition("; ")[2]
        what = f"{method} {shown(attempts[0].target)}"
        line = f"{label}: no route matched {what} ({_numbers(attempts)})"
        found.append(Leftover("unmatched", f"{line}; {nearest}" if nearest else line))
    return _some(found, f"{label}: no route matched")


def _numbers(attempts: Sequence[Attempt]) -> str:
    numbers = ", ".join(str(attempt.number) for attempt in attempts[:MOST])
    rest = ", ..." if len(attempts) > MOST else ""
    return f"attempt{'' if len(attempts) == 1 else 's'} {numbers}{rest}"


def unmet(label: str, missing: Sequence[str], trace: Trace) -> list[Leftover]:
    """Planned faults that no attempt met."""
    came = "" if trace else "; no attempt reached the server"
    told = f"{label}: a planned fault was not met"
    return _some([Leftover("unmet", f"{told}: {text}{came}") for text in missing], told)


def errors(label: str, raised: Sequence[BaseException]) -> list[Leftover]:
    """What the application, or a predicate of the plan, raised."""
    told = f"{label}: raised while it was serving"
    found = [Leftover("errors", f"{told}: {in_a_line(error)}", _frames(error)) for error in raised]
    return _some(found, told)


def engine(raised: Sequence[BaseException]) -> list[Leftover]:
    """What went wrong in the engine itself."""
    blame = "the engine of pytest-resilience caught an error of its own, please report it"
    return [
        Leftover("engine", f"{blame}: {in_a_line(error)}", _frames(error))
        for error in raised[:MOST]
    ]


def _some(found: list[Leftover], told: str) -> list[Leftover]:
    """The first of them, and in a line of its own how many more there are."""
    further = len(found) - MOST
    if further <= 0:
        return found
    return [*found[:MOST], Leftover(found[0].kind, f"{told}: and {further} more of the kind")]


def _frames(error: BaseException) -> str:
    """Its traceback without our frames: where the reader's own code is."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not Path(frame.filename).is_relative_to(HERE)]
    text = traceback.format_list((theirs or frames)[-3:]) + traceback.format_exception_only(error)
    return "".join(text).rstrip()
