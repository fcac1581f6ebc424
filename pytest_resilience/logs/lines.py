"""`Lines`: what was said, to choose from and to assert on."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from pytest_resilience.logs.line import Line


class Lines(tuple[Line, ...]):
    r"""What was said, in order: a tuple of lines that can be narrowed down.

    ::

        logs.lines.at("WARNING").matching(r"attempt (\d+) failed")
    """

    __slots__ = ()

    def at(self, level: int | str) -> Lines:
        """Those of exactly this level, by its name or number."""
        wanted = number(level)
        return self._those(lambda line: line.level == wanted)

    def above(self, level: int | str) -> Lines:
        """Those of this level or a higher one."""
        wanted = number(level)
        return self._those(lambda line: line.level is not None and line.level >= wanted)

    def of(self, logger: str) -> Lines:
        """Those of this logger and the ones below it."""
        return self._those(lambda line: f"{line.logger}.".startswith(f"{logger}."))

    def by(self, source: str) -> Lines:
        """Those of this source: logging, structlog, warnings, stdout, stderr or file."""
        return self._those(lambda line: line.source == source)

    def about(self, attempt: int | None) -> Lines:
        """Those about this attempt; None for those about none."""
        return self._those(lambda line: line.attempt == attempt)

    def matching(self, pattern: str) -> Lines:
        """Those in whose text this regular expression is found."""
        find = re.compile(pattern).search
        return self._those(lambda line: find(line.text) is not None)

    @property
    def texts(self) -> list[str]:
        """The texts alone."""
        return [line.text for line in self]

    def table(self) -> str:
        """The lines as a person reads them."""
        return "\n".join(f"  {line}" for line in self)

    def _those(self, wanted: Callable[[Line], bool]) -> Lines:
        return type(self)(line for line in self if wanted(line))

    def __repr__(self) -> str:
        return f"<{len(self)} lines>\n{self.table()}" if self else "<no lines>"


def number(level: int | str) -> int:
    """The number of a level.

    Raises:
        ValueError: There is no level of this name.
    """
    if isinstance(level, int):
        return level
    known = logging.getLevelNamesMapping()
    if level.upper() not in known:
        raise ValueError(f"no level is called {level!r}; there are: {', '.join(known)}")
    return known[level.upper()]
