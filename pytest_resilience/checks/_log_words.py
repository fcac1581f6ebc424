"""Lines of a log as a finding shows them: short, on one line, beside the attempts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pytest_resilience import schedule
from pytest_resilience.logs.line import Line
from pytest_resilience.records import Trace

MOST = 120
"""Characters of a line that are shown."""


def shown(text: str, most: int = MOST) -> str:
    """A text on one line, and not too long."""
    plain = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[: most + 1])
    return plain if len(plain) <= most else plain[: most - 3] + "..."


def quoted(line: Line) -> str:
    """A line in a sentence: its level and text."""
    return f"{line.level_name} '{shown(line.text, 80)}'".strip()


def evidence(
    trace: Trace, lines: Sequence[Line], marked: Iterable[Line] = (), *, mark: str = "here"
) -> tuple[str, ...]:
    """The attempts, and under each what was said about it; some lines marked."""
    marks = {id(line) for line in marked}

    def said(number: int | None, indent: str) -> list[str]:
        return [
            f"{indent}{_row(line)}{f'   <- {mark}' if id(line) in marks else ''}"
            for line in _about(trace, lines, number)
        ]

    rows = said(None, "  ")
    table = schedule.table(trace).splitlines()
    for attempt, row in zip(trace, table[len(table) - len(trace) :], strict=True):
        rows += [row, *said(attempt.number, " " * 7)]
    return tuple(rows) or ("no attempt reached the server, and nothing was logged",)


def _about(trace: Trace, lines: Sequence[Line], number: int | None) -> Iterator[Line]:
    known = {attempt.number for attempt in trace}
    for line in lines:
        about = line.attempt if line.attempt in known else None
        if about == number:
            yield line


def _row(line: Line) -> str:
    at = "" if line.at is None else f"t={line.at:.3f}  "
    who = f"{line.logger}: " if line.logger else ""
    return f"{at}{line.level_name or line.source}  {who}{shown(line.text)}"
