"""What the filters and formatters of a configuration would make of a line that nobody rendered.

A message below its logger's level has not come to the filter that takes secrets out. Whether
it would have, is found out by handing a record like it to the filters and formatters that are
there. Only of lines that show a secret, so it costs nothing to those that show none.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from pytest_resilience.logs.line import Line
from pytest_resilience.secrets.search import Search

PYTESTS = "_pytest."


def would_be_shown(line: Line, search: Search) -> bool:
    """Whether a secret in this line would get to a reader."""
    if line.source != "logging" or line.level is None:
        return True
    logger = logging.getLogger(line.logger)
    handlers = list(_handlers(logger))
    if not logger.filters and not handlers:
        return True
    try:
        if not search.anything_in(_made_of(_record(line, (line.text, ())), logger, handlers)):
            return False
        return _arguments_show(line, logger, handlers, search)
    except Exception:  # noqa: BLE001 -- a filter may want what a record like it does not have
        return True


def _arguments_show(
    line: Line, logger: logging.Logger, handlers: list[logging.Handler], search: Search
) -> bool:
    """The same of its arguments, which some filters replace instead of the text."""
    if not line.args or not search.anything_in([repr(line.args)]):
        return True
    record = _filtered(logger, _record(line, ("%s", line.args)))
    for handler in handlers:
        record = record and _filtered(handler, record)
    return record is not None and search.anything_in([repr(record.args)])


def _filtered(filterer: logging.Filterer, record: logging.LogRecord) -> logging.LogRecord | None:
    """What filters let pass; since Python 3.12 it may be another record."""
    passed: object = filterer.filter(record)
    return passed if isinstance(passed, logging.LogRecord) else record if passed else None


def _record(line: Line, said: tuple[str, object]) -> logging.LogRecord:
    assert line.level is not None
    record = logging.LogRecord(line.logger, line.level, "", 0, said[0], (), None)
    record.args = said[1]  # type: ignore[assignment]  # as it came
    for name, value in line.fields.items():
        if name not in vars(record):
            setattr(record, name, value)
    return record


def _handlers(logger: logging.Logger) -> Iterator[logging.Handler]:
    """Those that records of this logger come to, without pytest's own."""
    current: logging.Logger | None = logger
    while current is not None:
        for handler in current.handlers:
            ours = type(handler).__module__.startswith(PYTESTS)
            if not ours and not isinstance(handler, logging.NullHandler):
                yield handler
        current = current.parent if current.propagate else None


def _made_of(
    record: logging.LogRecord, logger: logging.Logger, handlers: list[logging.Handler]
) -> Iterator[str]:
    passed = _filtered(logger, record)
    if passed is None:
        return
    if not handlers:
        yield f"{passed.getMessage()} {vars(passed)!r}"
    for handler in handlers:
        seen = _filtered(handler, passed)
        if seen is not None:
            yield handler.format(seen)
