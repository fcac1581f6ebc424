"""Listens to a test that uses a fake, and tells which secrets it has brought to light."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest

from pytest_resilience.checks.leftovers import MOST, Leftover
from pytest_resilience.logs import _catching, _hub, leaks
from pytest_resilience.logs._entry import Entry
from pytest_resilience.logs._redaction import SAY, Way
from pytest_resilience.reporting.authors import Author
from pytest_resilience.secrets.search import Search
from pytest_resilience.secrets.value import Secret

if TYPE_CHECKING:
    from pytest_resilience.records import Trace
    from pytest_resilience.reporting.custody import Watched

OUTPUT = frozenset({"capfd", "capfdbinary", "capsys", "capsysbinary", "capteesys"})
STREAMS = frozenset({"stdout", "stderr"})
KEPT = 20_000
"""Lines of a test, the newest; what was said before is not looked at."""


class Ear:
    """Hears what is said while a test runs, except by the test's author.

    What a test, a fixture or a conftest.py prints or logs in its own lines, or raises to see it
    caught, its author has meant. What is said for it by what it calls is the client's.
    """

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self._author = Author(item)
        self._reads_output = not OUTPUT.isdisjoint(getattr(item, "fixturenames", ()))
        self._heard: deque[tuple[Entry, Way | None]] = deque(maxlen=KEPT)
        self._printed: deque[Entry] = deque(maxlen=KEPT)
        """What the author has printed."""
        self._shown: list[leaks.Place] = []
        """What exceptions have shown."""

    def begin(self) -> None:
        """Listen."""
        _hub.begin(self)
        _ears.append(self)
        _hub.put(pytest.ExceptionInfo, "fill_unfilled", _tapped)
        self._end_catching = _catching.listen(self._author.functions, self.caught)

    def end(self) -> None:
        """Listen no longer."""
        self._end_catching()
        _ears.remove(self)
        _hub.end(self)

    def hear(self, entry: Entry) -> None:
        """This is being said."""
        printed = entry.source in STREAMS
        if printed and self._reads_output:
            return  # A test that reads it knows best what may stand there.
        if self._is_his(entry, sys._getframe(1)):  # noqa: SLF001 -- the one way to know who
            if printed:
                self._printed.append(entry)
        else:
            way = Way.of(entry.logger) if entry.source in SAY and entry.logger else None
            self._heard.append((entry, way))

    def _is_his(self, entry: Entry, frame: FrameType) -> bool:
        author = self._author
        return author.speaks(frame) if entry.by is None else author.wrote(entry.by)

    def caught(self, error: BaseException) -> None:
        """This has come out of the code under test."""
        if not self._author.raised(error.__traceback__):
            # Looked at now and let go: who keeps it, keeps what its frames have open.
            self._shown += leaks.in_exception(error)

    def found(self, servers: Sequence[Watched], traces: Iterable[Trace]) -> list[Leftover]:
        """What has come to light of the secrets of these servers, whose traces are these."""
        places = list(self._places(traces))
        captured = self._captured()
        if not places and not captured:
            return []
        secrets = {
            secret.value: secret for one in servers for secret in one.server.secrets
        }.values()
        found = leaks.look([*places, *self._by_others(captured, secrets)], secrets)
        return [Leftover("leaks", leak.sentence) for leak in found[:MOST]]

    def _places(self, traces: Iterable[Trace]) -> Iterator[leaks.Place]:
        if self._heard:
            yield from self._said()
        yield from self._shown
        for trace in traces:
            yield from leaks.in_attempts(trace)
        folder = (getattr(self._item, "funcargs", None) or {}).get("tmp_path")
        if isinstance(folder, Path):
            yield from leaks.in_files(folder)

    def _said(self) -> Iterator[leaks.Place]:
        for entry, way in self._heard:
            yield from leaks.in_line(entry.line(None, None), way)
        for name in {entry.logger for entry, _ in self._heard if entry.logger}:
            yield leaks.Place("the name of a logger", name)
        for name in {entry.thread for entry, _ in self._heard}:
            yield leaks.Place("the name of a thread", name)

    def _captured(self) -> list[tuple[str, str]]:
        """What pytest has captured of the test's own phase: each stream and its text."""
        if self._reads_output:
            return []
        sections = getattr(self._item, "_report_sections", ())
        return [(name, text) for when, name, text in sections if when == "call" and name in STREAMS]

    def _by_others(
        self, captured: list[tuple[str, str]], secrets: Iterable[Secret]
    ) -> Iterator[leaks.Place]:
        """What was captured without what the author has printed.

        There is more in it than the streams know of: what C code and other processes write.
        """
        search = Search(secrets)
        for name, text in captured:
            if search.anything_in([text]):
                his = {entry.text for entry in self._printed if entry.source == name}
                yield leaks.Place(name, _without(text, his, search))


def _without(text: str, his: set[str], search: Search) -> str:
    """The text with blanks in place of these lines.

    Where others have written on the same line, it is the line as far as it shows a secret: what
    shows none, a dot perhaps, may stand in the midst of somebody else's.
    """
    lines = text.split("\n")
    rest = "\n".join(" " * len(line) if line in his else line for line in lines)
    for line in sorted(his, key=len, reverse=True):
        if line in rest and search.anything_in([line]):
            rest = rest.replace(line, " " * len(line))
    return rest


_ears: list[Ear] = []
"""Those that listen: of a test, and of one that runs within it."""


def _tapped(real: Callable[..., None]) -> Callable[..., None]:
    """Hear of every exception that ``pytest.raises`` catches."""

    def fill_unfilled(self: pytest.ExceptionInfo[Any], exc_info: Any) -> None:  # noqa: ANN401 -- as it is
        for ear in _ears:
            ear.caught(exc_info[1])
        real(self, exc_info)

    return fill_unfilled
