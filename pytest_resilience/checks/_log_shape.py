"""Each record is one line, not too long, and JSON where it is claimed to be."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Sequence

from pytest_resilience.checks import _log_words as words
from pytest_resilience.checks.finding import Finding
from pytest_resilience.logs.line import Line
from pytest_resilience.policy.logs import LogContract
from pytest_resilience.records import Trace

BREAKS = ("\n", "\r")


def check(said: Sequence[Line], trace: Trace, contract: LogContract) -> Iterator[Finding]:
    """What is wrong with the shape of the lines."""
    forged = [line for line in said if contract.one_line and _breaks(contract, line)]
    if forged:
        what = f"{words.quoted(forged[0])} is more than one line"
        yield Finding("forged-line", what, words.evidence(trace, said, forged))
    long = [line for line in said if contract.longest and _length(line) > contract.longest]
    if long:
        most = max(_length(line) for line in long)
        what = f"a line has {most} characters, wanted at most {contract.longest}"
        yield Finding("line-too-long", what, words.evidence(trace, said, long))
    bad = [(line, why) for line in said if (why := _bad_json(contract, line))]
    if bad:
        what = f"{words.quoted(bad[0][0])} {bad[0][1]}"
        yield Finding("bad-json-line", what, words.evidence(trace, said, [one for one, _ in bad]))


def _texts(line: Line) -> tuple[str, ...]:
    """What was printed of a line, as far as it is known; a traceback has lines of its own."""
    if line.traceback:
        return (line.text,)
    return _rendered(line) or (line.text,)


def _rendered(line: Line) -> tuple[str, ...]:
    """What was made of a line as somebody has configured it."""
    return () if line.by_default else line.rendered


def _breaks(contract: LogContract, line: Line) -> bool:
    if contract.json is not None and not _rendered(line):
        return False  # Nothing has made JSON of it here, which would escape it.
    return any(_is_broken(text.rstrip("\n")) for text in _texts(line))


def _is_broken(text: str) -> bool:
    """Whether some reader takes it for two lines; of JSON nobody does who reads it as such."""
    if any(mark in text for mark in BREAKS):
        return True
    # Form feeds, NEL, Unicode's separators: to terminals and editors, and to all of Python.
    return len(text.splitlines()) > 1 and not _is_json(text)


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _length(line: Line) -> int:
    return max(len(text) for text in _texts(line))


def _bad_json(contract: LogContract, line: Line) -> str:
    """What is wrong with a line as JSON, in words; empty when nothing is."""
    wanted = dict(contract.events).get(line.text, ())
    if contract.json is None or not _rendered(line):
        return _lacks(wanted, line.fields)
    for text in _rendered(line):
        try:
            read = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            return f"is no JSON: {error}"
        if not isinstance(read, dict):
            return f"is no JSON object but {type(read).__name__}"
        if lacks := _lacks([*contract.json, *wanted], read):
            return lacks
    return ""


def _refuse(constant: str) -> None:
    """Python writes and reads NaN and Infinity; RFC 8259, section 6, has no such numbers."""
    raise ValueError(f"it has {constant}")


def _lacks(wanted: Iterable[str], found: Container[object]) -> str:
    missing = [key for key in wanted if key not in found]
    return f"lacks {', '.join(missing)}" if missing else ""
