"""What is known of a line while it is still being written."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from types import CodeType, MappingProxyType

from pytest_resilience.logs.line import Line

# What every record has; the rest came by extra=.
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"asctime", "message", "taskName"}


class Entry:
    """One thing said; handlers and renderers add what they make of it, in their own time."""

    __slots__ = (
        "__weakref__",
        "adapted",
        "args",
        "by",
        "by_default",
        "diverted",
        "dropped",
        "echo",
        "exc_info",
        "fields",
        "level",
        "logger",
        "path",
        "queued",
        "rendered",
        "source",
        "text",
        "thread",
        "traceback",
    )

    def __init__(
        self,
        source: str,
        text: str,
        *,
        logger: str = "",
        level: int | None = None,
        fields: Mapping[str, object] | None = None,
        args: object = (),
        path: str = "",
        echo: bool = False,
        dropped: bool = False,
    ) -> None:
        self.source = source
        self.text = text
        self.logger = logger
        self.level = level
        self.fields = fields or {}
        self.args = args
        self.rendered: list[str] = []
        self.queued: dict[str, bool] = {}
        """What queue handlers made of it; False once a handler behind a queue has read it."""
        self.exc_info: BaseException | None = None
        self.traceback = ""
        self.thread = threading.current_thread().name
        self.path = path
        self.echo = echo
        self.dropped = dropped
        self.by: CodeType | None = None
        """Who says it; None when that is whoever is saying it at this moment."""
        self.adapted: Callable[[Entry], str | logging.LogRecord] | None = None
        """Of `Line.adapted`; is handed the entry, which would otherwise hold itself."""
        self.by_default = False
        self.diverted = False

    def render(self, text: str | bytes | bytearray) -> None:
        """Somebody has made this of it."""
        plain = text if isinstance(text, str) else text.decode("utf-8", "backslashreplace")
        if plain not in self.rendered:
            self.rendered.append(plain)

    def read_from_queue(self, text: str) -> None:
        """A handler behind a queue has got this, and says better what readers get to see."""
        self.queued[text] = False

    def _unread(self) -> list[str]:
        return [text for text, unread in tuple(self.queued.items()) if unread]

    def raised(self, error: object) -> None:
        """This was given as ``exc_info``: an exception, or the triple of one."""
        if isinstance(error, tuple) and len(error) == 3:
            error = error[1]
        if isinstance(error, BaseException):
            self.exc_info = error
            self.traceback = "".join(traceback.format_exception(error)).rstrip("\n")

    def lines(self, at: float | None, attempt: int | None) -> list[Line]:
        """The lines it makes."""
        return [self.line(at, attempt)]

    def line(self, at: float | None, attempt: int | None) -> Line:
        """As it stands now."""
        return Line(
            at=at,
            source=self.source,
            logger=self.logger,
            level=self.level,
            text=self.text,
            fields=MappingProxyType(dict(self.fields)),
            rendered=tuple(dict.fromkeys([*self.rendered, *self._unread()])),
            exc_info=self.exc_info,
            traceback=self.traceback,
            attempt=attempt,
            args=self.args,
            thread=self.thread,
            path=self.path,
            echo=self.echo,
            dropped=self.dropped,
            by_default=self.by_default,
            diverted=self.diverted,
            adapted=None if self.adapted is None else partial(self.adapted, self),
        )


def in_words(message: object, args: object) -> str:
    """The message with its arguments filled in, whatever they are."""
    try:
        text = str(message)
        return text % args if args else text
    except Exception:  # noqa: BLE001 -- the code under test may log anything
        return f"{_safe(message)} {_safe(args)}"


def _safe(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 -- the same
        return object.__repr__(value)
