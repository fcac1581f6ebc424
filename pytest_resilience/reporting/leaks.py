"""Listens to a test that uses a fake, and tells which secrets it has brought to light."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

import pytest

from pytest_resilience.checks.leftovers import MOST, Leftover
from pytest_resilience.logs import _hub, leaks
from pytest_resilience.logs._entry import Entry
from pytest_resilience.logs._redaction import Way

if TYPE_CHECKING:
    from pytest_resilience.reporting.custody import Watched

PASSED_ON = ("logging", "structlog", "warnings", "contextlib", "pytest_resilience.logs")
"""Modules that only pass on what somebody says."""
OUTPUT = frozenset({"capfd", "capfdbinary", "capsys", "capsysbinary"})
CONFTEST = f"{os.sep}conftest.py"
KEPT = 20_000
"""Lines of a test; what is said beyond is not looked at."""


class Ear:
    """Hears what is said while a test runs, except by the test function itself.

    What a test or a conftest.py prints or logs in its own lines, or raises to see it caught,
    its author has meant. What is said for it by what it calls is the client's.
    """

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self._own = frozenset(_codes(getattr(item, "obj", None)))
        self._reads_output = not OUTPUT.isdisjoint(getattr(item, "fixturenames", ()))
        self._heard: list[tuple[Entry, Way | None]] = []
        self._caught: list[BaseException] = []

    def begin(self) -> None:
        """Listen."""
        _hub.begin(self)
        self._fill = _tap_raises(self)

    def end(self) -> None:
        """Listen no longer."""
        pytest.ExceptionInfo.fill_unfilled = self._fill  # type: ignore[method-assign]
        _hub.end(self)

    def hear(self, entry: Entry) -> None:
        """This is being said."""
        if self._reads_output and entry.source in {"stdout", "stderr"}:
            return  # A test that reads it knows best what may stand there.
        speaker = _speaker(sys._getframe(1))  # noqa: SLF001 -- the one way to know who
        if len(self._heard) < KEPT and not self._is_the_authors(speaker):
            way = Way.of(entry.logger) if entry.source == "logging" else None
            self._heard.append((entry, way))

    def caught(self, error: BaseException) -> None:
        """The test has caught this, with ``pytest.raises``."""
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        if where is not None and not self._is_the_authors(where.tb_frame.f_code):
            self._caught.append(error)

    def _is_the_authors(self, code: CodeType | None) -> bool:
        return code in self._own or (code is not None and code.co_filename.endswith(CONFTEST))

    def found(self, servers: Iterable[Watched]) -> list[Leftover]:
        """What has come to light of the secrets of these servers."""
        watched = list(servers)
        places = list(self._places(watched))
        if not places:
            return []
        secrets = {
            secret.value: secret for one in watched for secret in one.server.secrets
        }.values()
        found = leaks.look(places, secrets)
        return [Leftover("leaks", leak.sentence) for leak in found[:MOST]]

    def _places(self, watched: Iterable[Watched]) -> Iterator[leaks.Place]:
        for entry, way in self._heard:
            yield from leaks.in_line(entry.line(None, None), way)
        for error in self._caught:
            yield from leaks.in_exception(error)
        for one in watched:
            # Not its trace, which waits for the server's thread; the other checks just did.
            yield from leaks.in_attempts(one.server.journal.trace())
        folder = (getattr(self._item, "funcargs", None) or {}).get("tmp_path")
        if isinstance(folder, Path):
            yield from leaks.in_files(folder)


def _codes(function: Any) -> Iterator[CodeType]:  # noqa: ANN401 -- whatever a test is
    """The code of a test function, under all that wraps it."""
    inner = getattr(getattr(function, "hypothesis", None), "inner_test", None)
    for one in (function, inspect.unwrap(function), inner):
        code = getattr(one, "__code__", None)  # A doctest has none.
        if isinstance(code, CodeType):
            yield code


def _speaker(frame: FrameType | None) -> CodeType | None:
    """The code that says something, behind all that passes it on."""
    while frame is not None and _passes_on(str(frame.f_globals.get("__name__"))):
        frame = frame.f_back
    return frame and frame.f_code


def _passes_on(module: str) -> bool:
    return module in PASSED_ON or module.startswith(("logging.", "structlog.", PASSED_ON[-1]))


def _tap_raises(ear: Ear) -> Any:  # noqa: ANN401 -- a method
    """Hear of every exception that ``pytest.raises`` catches; returns what was there before."""
    real = pytest.ExceptionInfo.fill_unfilled

    def fill_unfilled(self: pytest.ExceptionInfo[Any], exc_info: Any) -> None:  # noqa: ANN401 -- as it is
        ear.caught(exc_info[1])
        real(self, exc_info)

    pytest.ExceptionInfo.fill_unfilled = fill_unfilled  # type: ignore[method-assign]
    return real
