"""Why what was seen is not what was wanted: ``trace.waits == [1, 2, 4]``, in words."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from typing import Any, TypeGuard

from pytest_resilience import schedule

LINES = 8
CHARACTERS = 600
"""pytest cuts an explanation at 8 lines or 640 characters unless it is asked for all of it."""

CLOSE = 0.05
"""Seconds within which real time is worth a hint."""

LONGEST = 1e15
"""Seconds that a float still counts one by one; what is more, or no number, is shown as it is."""

PLURAL = {"status": "statuses"}


def explain(seen: schedule.Seen[Any], wanted: Sequence[object]) -> list[str]:
    """The first difference in a line that stands alone, then the attempts around it.

    Elements are compared with ``==``, so a wanted one may be a ``pytest.approx``.
    """
    place = _first_difference(seen, wanted)
    lines = [_first_line(seen, wanted, place)]
    lines += _hints(seen, wanted, place)
    return lines + _around(seen, wanted, place, room=LINES - len(lines))


def _first_difference(seen: Sequence[object], wanted: Sequence[object]) -> int:
    for place, (one, other) in enumerate(zip(seen, wanted, strict=False)):
        if not one == other:  # noqa: SIM201 -- an approx knows == best
            return place
    return min(len(seen), len(wanted))


def _first_line(seen: schedule.Seen[Any], wanted: Sequence[object], place: int) -> str:
    noun = seen.noun
    counts = f"{_count(len(seen), noun)}, wanted {len(wanted)}"
    if place < min(len(seen), len(wanted)):
        got, want = _texts(seen[place], wanted[place], noun)
        line = f"{noun} {place + 1} was {got}, wanted {want} ({_where(seen, place)})"
        return line if len(seen) == len(wanted) else f"{line}; {counts}"
    if place < len(wanted):
        return f"{counts}: {noun} {place + 1} of {_text(wanted[place], noun)} never came"
    if place < len(seen):
        got = _text(seen[place], noun)
        return f"{counts}: {noun} {place + 1} of {got} is one too many ({_where(seen, place)})"
    return f"the {_plural(noun)} are as wanted, but they are a list and that is a tuple"


def _where(seen: schedule.Seen[Any], place: int) -> str:
    return f"attempt {seen.attempts()[place].number}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun if number == 1 else _plural(noun)}"


def _plural(noun: str) -> str:
    return PLURAL.get(noun, noun + "s")


def _texts(got: object, want: object, noun: str) -> tuple[str, str]:
    """Both values, with as many digits as it takes to tell them apart."""
    for digits in (3, 6, 9):
        texts = _text(got, noun, digits), _text(want, noun, digits)
        if texts[0] != texts[1]:
            return texts
    return repr(got), repr(want)


def _text(value: object, noun: str, digits: int = 3) -> str:
    if noun == "status":
        return "no answer" if value is None else str(value)
    if noun == "fault":
        return "no fault" if value is None else repr(value)
    if _is_time(value):
        return f"{value:.{digits}f} s"
    return f"{value} s" if hasattr(value, "expected") else reprlib.repr(value)  # An approx has it.


def _is_time(value: object) -> TypeGuard[float]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= LONGEST  # type: ignore[arg-type]  # mypy forgets what it is


def _hints(seen: schedule.Seen[Any], wanted: Sequence[object], place: int) -> list[str]:
    if place >= min(len(seen), len(wanted)):
        return []
    got, want = seen[place], wanted[place]
    if not isinstance(got, float) or not _is_time(want):
        return []
    if 0 < abs(got - want) <= CLOSE and round(got * schedule.SECOND) % 1_000_000:
        return [f"real time is never exact: compare with pytest.approx(..., abs={CLOSE:g})"]
    return []


def _around(
    seen: schedule.Seen[Any], wanted: Sequence[object], place: int, *, room: int
) -> list[str]:
    """As many rows of the table as there is room for, the marked one in their middle."""
    trace = seen.trace
    if not trace:
        return [_nothing(trace.part_of)]
    marked, rows = _rows(seen, wanted, place)
    first, last = marked, marked + 1
    free = CHARACTERS - len(rows[marked])
    room -= 1 + 2  # The marked row, and a line at each end for what is left out.
    while room > 0 and (first > 0 or last < len(rows)):
        earlier = first > 0 and (last == len(rows) or marked - first <= last - 1 - marked)
        taken = first - 1 if earlier else last
        free -= len(rows[taken])
        if free < 0:
            break
        first, last = min(first, taken), max(last, taken + 1)
        room -= 1
    before = [f"  ... {first} before"] if first else []
    after = [f"  ... {len(rows) - last} after"] if last < len(rows) else []
    return [*before, *rows[first:last], *after]


def _nothing(part_of: int) -> str:
    if not part_of:
        return "no attempt reached the server"
    none = "not" if part_of == 1 else "none of them"
    return f"{_count(part_of, 'attempt')} reached the server, {none} in this part of the trace"


def _rows(seen: schedule.Seen[Any], wanted: Sequence[object], place: int) -> tuple[int, list[str]]:
    """All rows of the table, and which of them is marked."""
    trace = seen.trace
    waits = schedule.waits_by_number(trace)
    rows = [
        schedule.row(attempt, at, waits.get(attempt.number))
        for attempt, at in zip(trace, schedule.times(trace), strict=True)
    ]
    if place >= len(seen):
        return len(rows) - 1, rows
    number = seen.attempts()[place].number
    marked = next(i for i, attempt in enumerate(trace) if attempt.number == number)
    rows[marked] += f"   <- {_mark(seen, wanted, place)}"
    return marked, rows


def _mark(seen: schedule.Seen[Any], wanted: Sequence[object], place: int) -> str:
    if place >= len(wanted):
        return "one too many"
    got, want = seen[place], wanted[place]
    if seen.noun in ("status", "fault") or not _is_time(want):
        return f"wanted {_text(want, seen.noun)}"
    off = got - want
    late, _ = _texts(abs(off), 0.0, seen.noun)
    return f"too {'late' if off > 0 else 'early'} by {late}"
