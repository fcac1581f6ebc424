"""`Line`: one thing that was said."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pytest_resilience.records import shown


@dataclass(frozen=True, slots=True, repr=False)
class Line:
    """One thing that was said, by whatever way, as it read when it was said.

    An event of structlog that goes on into the standard library's logging is one line, not
    two. What a handler or a logger then writes to a stream or a file is a line of its own,
    with ``echo`` set and without a level, so that counting by level counts each thing once.
    """

    at: float | None = None
    """Seconds on the clock in force since the recorder began; virtual ones in virtual time."""
    source: str = "logging"
    """``logging``, ``structlog``, ``warnings``, ``stdout``, ``stderr`` or ``file``."""
    logger: str = ""
    """The logger's name; empty when it has none."""
    level: int | None = None
    """The level as the standard library numbers it; None when there is none."""
    text: str = ""
    """The message or the event, arguments filled in."""
    fields: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    """``extra=`` of the standard library; structlog's event dict before it was rendered."""
    rendered: tuple[str, ...] = ()
    """What handlers, formatters and renderers made of it, each text once."""
    exc_info: BaseException | None = field(default=None, compare=False)
    """The exception that was logged with it."""
    traceback: str = ""
    """The text of that exception's traceback."""
    attempt: int | None = None
    """The number of the attempt it is about, when it was joined to a trace."""
    args: object = field(default=(), hash=False)
    """The arguments that were filled in, as they were given."""
    thread: str = ""
    """The name of the thread that said it."""
    path: str = ""
    """The file it was written to, when ``source`` is ``file``."""
    echo: bool = False
    """It is what a handler or logger wrote of a line that is in the list already."""
    dropped: bool = False
    """A level, ``logging.disable()`` or a filter kept it from all handlers."""
    by_default: bool = False
    """``rendered`` is structlog's own default, because nobody has configured it."""
    diverted: bool = False
    """It went to a stream that was put in place meanwhile, and no further."""
    adapted: Callable[[], str | logging.LogRecord] | None = field(
        default=None, repr=False, compare=False
    )
    """Of a line that was dropped: tells what the client's own adapter, or the processors of
    structlog, would have made of it: a text, or a record for the standard library's handlers."""

    @property
    def level_name(self) -> str:
        """``WARNING``; empty when there is no level."""
        return "" if self.level is None else logging.getLevelName(self.level)

    def __repr__(self) -> str:
        """What it says, without secrets: it ends up in reports."""
        return shown(f"<Line {self}>")

    def __str__(self) -> str:
        """As a person reads it: time, attempt, level, logger, text."""
        at = "" if self.at is None else f"t={self.at:.3f}"
        about = "" if self.attempt is None else f"#{self.attempt}"
        source = "" if self.source == "logging" else self.source
        kind = self.level_name or source
        who = self.logger or self.path or (source if kind != source else "")
        parts = [at, about, kind, who, self.text]
        return "  ".join(part for part in parts if part)
