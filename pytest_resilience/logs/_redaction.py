"""What filters, formatters, adapters and processors would make of a line that nobody rendered.

A message below its logger's level has not come to the filter that takes secrets out. Whether
it would have, is found out by handing a record like it to the filters and formatters that are
there. Only of lines that show a secret, so it costs nothing to those that show none.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_resilience.logs._entry import STANDARD
from pytest_resilience.logs._logging import is_pytests
from pytest_resilience.logs.line import Line
from pytest_resilience.secrets.search import Search

SAY = ("logging", "structlog")


@dataclass(frozen=True, slots=True)
class Way:
    """Whom the records of a logger pass on their way."""

    filters: Sequence[Any]
    """The logger's own."""
    handlers: Sequence[logging.Handler]
    make: Callable[..., logging.LogRecord] = logging.LogRecord
    """Makes a record: a factory or a logger of the client's own may put right what it takes."""

    @property
    def is_plain(self) -> bool:
        """Whether nobody on it can put anything right."""
        return not (self.filters or self.handlers) and self.make is logging.LogRecord

    @classmethod
    def of(cls, name: str) -> Way:
        """As it is now, without the handlers of pytest and its plugins."""
        logger = logging.getLogger(name)
        plain = type(logger).makeRecord is logging.Logger.makeRecord
        make = logging.getLogRecordFactory() if plain else logger.makeRecord
        return cls(tuple(logger.filters), tuple(_handlers(logger)), make)


def would_be_shown(line: Line, field: str, way: Way | None, search: Search) -> bool:
    """Whether a secret in this line would get to a reader.

    Args:
        line: It shows a secret.
        field: In this field; empty for its text, its arguments or its traceback.
        way: The way of its records when it was said; as it is now when that is None.
        search: Finds secrets.
    """
    if line.source not in SAY or line.level is None:
        return True
    way = Way.of(line.logger) if way is None else way
    try:
        if line.adapted is not None and not search.anything_in(_adapted(line.adapted(), way)):
            return False
        # Of an event of structlog, its processors have been asked.
        if line.source == "structlog" or way.is_plain:
            return True
        if field:
            return _field_shows(line, field, way, search)
        return _text_shows(line, way, search) and _arguments_show(line, way, search)
    except Exception:  # noqa: BLE001 -- a filter may want what a record like it does not have
        return True


def _adapted(made: str | logging.LogRecord, way: Way) -> Iterator[str]:
    """What readers would get to see of it."""
    if isinstance(made, str):
        yield made
        return
    for handler, seen in _arriving(made, way):
        text = handler.format(seen)
        yield text
        for name, value in vars(seen).items():
            # A field that no format asks for is not put right, it is waiting for another format.
            if name not in STANDARD and name not in text:
                yield repr(value)


def _text_shows(line: Line, way: Way, search: Search) -> bool:
    record = _record(line, way, line.text, ())
    if not way.handlers:
        passed = _filtered(_own_filters(way), record)
        return passed is not None and search.anything_in([passed.getMessage(), line.traceback])
    return search.anything_in(handler.format(seen) for handler, seen in _arriving(record, way))


def _arguments_show(line: Line, way: Way, search: Search) -> bool:
    """The same of its arguments, which some filters replace instead of the text."""
    if not line.args or not search.anything_in([repr(line.args)]):
        return True
    record = _record(line, way, "%s", line.args)
    return search.anything_in(repr(seen.args) for _, seen in _arriving(record, way))


def _field_shows(line: Line, field: str, way: Way, search: Search) -> bool:
    """A field that no format asks for is not put right, it is waiting for another format."""
    for handler, seen in _arriving(_record(line, way, line.text, ()), way):
        if search.anything_in([repr(vars(seen).get(field))]):
            text = handler.format(seen)
            if field not in text or search.anything_in([text]):
                return True
    return False


def _arriving(
    record: logging.LogRecord, way: Way
) -> Iterator[tuple[logging.Handler, logging.LogRecord]]:
    """The records that come to each handler, behind all filters."""
    passed = _filtered(_own_filters(way), record)
    for handler in way.handlers or (logging.NullHandler(),):
        seen = None if passed is None else _filtered(handler, copy.copy(passed))
        if seen is not None:
            yield handler, seen


def _filtered(filterer: logging.Filterer, record: logging.LogRecord) -> logging.LogRecord | None:
    """What filters let pass; since Python 3.12 it may be another record."""
    passed: object = filterer.filter(record)
    return passed if isinstance(passed, logging.LogRecord) else record if passed else None


def _record(line: Line, way: Way, message: str, args: object) -> logging.LogRecord:
    given = args if isinstance(args, tuple) else (args,)  # A mapping that it looks into, perhaps.
    known = (line.logger, line.level or 0, "", 0, message, given, None)
    try:
        record = way.make(*known)
    except Exception:  # noqa: BLE001 -- it may want what there was when the line was said
        record = logging.LogRecord(*known)
    record.exc_text = line.traceback or None  # Formatters take it for what they would write.
    for name, value in line.fields.items():
        if name not in vars(record):
            setattr(record, name, value)
    return record


def _handlers(logger: logging.Logger) -> Iterator[logging.Handler]:
    """Those that records of this logger come to, without those of pytest and its plugins."""
    current: logging.Logger | None = logger
    while current is not None:
        for handler in current.handlers:
            if not is_pytests(handler) and not isinstance(handler, logging.NullHandler):
                yield handler
        current = current.parent if current.propagate else None


def _own_filters(way: Way) -> logging.Filterer:
    filterer = logging.Filterer()
    filterer.filters = list(way.filters)
    return filterer
