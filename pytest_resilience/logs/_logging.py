"""The tap of the standard library's logging.

*Problem.* What a level drops is never made into a record; were levels lowered to see it, the
handlers of the code under test would print it, and ``isEnabledFor`` would answer otherwise.

*Solution.* Nobody's level is touched. Each of the methods that say something asks the logger's
`isEnabledFor` first; where the answer is no and one of these methods has asked, the message
and its arguments are read off that method's frame. No record is made of it, so that no record
factory, filter or handler sees it. What is enabled is recorded where all records pass on their
way to the handlers, after the logger's own filters, as caplog would see it.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from functools import cache, partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, cast

from pytest_resilience.logs import _files, _hub, _own_files
from pytest_resilience.logs._entry import STANDARD, Entry, in_words
from pytest_resilience.logs._hub import saying

PLAIN = logging.LogRecord.getMessage
PYTESTS = ("_pytest.", "pytest_")
"""Handlers of pytest and its plugins are told from others by the module of their class."""

_entries: weakref.WeakKeyDictionary[logging.LogRecord, Entry] = weakref.WeakKeyDictionary()
_alike: dict[tuple[object, ...], list[Entry]] = {}
"""The same by what a copy of a record shares with it: queue handlers pass copies on."""

_SAYS = frozenset(
    {
        logging.LoggerAdapter.log.__code__,
        *(
            vars(logging.Logger)[name].__code__
            for name in ("debug", "info", "warning", "error", "critical", "log")
        ),
    }
)
_ASKS = logging.LoggerAdapter.isEnabledFor.__code__
_PROCESS = logging.LoggerAdapter.process


def install() -> None:
    """Put the tap in place."""
    _own_files.install()
    _hub.put(logging.Logger, "isEnabledFor", _is_enabled_for)
    _hub.put(logging.Logger, "handle", _handle)
    _hub.put(logging.Logger, "callHandlers", _call_handlers)
    _hub.put(logging.Handler, "handle", _write)
    _hub.put(logging.Handler, "format", _format)
    _hub.put(logging.Handler, "handleError", _handle_error)


def forget() -> None:
    """Nobody asks any more what was said."""
    _alike.clear()
    _own_files.forget()


# What is dropped


def _is_enabled_for(real: Callable[..., bool]) -> Callable[..., bool]:
    def isEnabledFor(self: logging.Logger, level: int) -> bool:  # noqa: N802 -- its name
        enabled = real(self, level)
        if not enabled and _hub.listening():
            _drop(self, level, sys._getframe(1))  # noqa: SLF001 -- the one way to the caller
        return enabled

    return isEnabledFor


def _drop(logger: logging.Logger, level: int, frame: FrameType) -> None:
    """Record what the method in this frame would have said."""
    caller: FrameType | None = frame
    while caller is not None and caller.f_code is _ASKS:
        caller = caller.f_back  # An adapter asks, perhaps for another adapter.
    if caller is None or caller.f_code not in _SAYS:
        return  # The code under test asks for itself, and knows the answer now.
    said = caller.f_locals
    args, kwargs = said["args"], said["kwargs"]
    spoken = _merge_dropped()
    if spoken is not None:
        spoken.adapted = partial(as_record, logger, said["msg"], args, kwargs)
        return
    text = in_words(said["msg"], _unpacked(args))
    fields = _mapping(kwargs.get("extra"))
    if caller is not frame:
        fields = {**_mapping(getattr(said["self"], "extra", None)), **fields}
    entry = Entry(
        "logging", text, logger=logger.name, level=level, fields=fields, args=args, dropped=True
    )
    if caller is not frame and type(said["self"]).process is not _PROCESS:
        entry.adapted = partial(_adapted, said["self"].process, said["msg"], args, kwargs)
    error = kwargs.get("exc_info")
    entry.raised(
        sys.exc_info() if error and not isinstance(error, BaseException | tuple) else error
    )
    _hub.tell(entry)


def _adapted(
    process: Callable[..., object], msg: object, args: object, kwargs: object, entry: Entry
) -> str:
    """What an adapter makes of a message: nobody has asked it yet, and it may count."""
    return f"{(process(msg, copy(kwargs)), args)!r} {entry.traceback}"


def as_record(
    logger: logging.Logger,
    msg: object,
    args: tuple[object, ...],
    kwargs: Mapping[str, Any],
    entry: Entry,
) -> logging.LogRecord:
    """The record that would have come to the handlers of what structlog has said.

    Its exception is where structlog's processors have left it: nowhere, for the logger, or
    within the event dict that a formatter of structlog's will process.
    """
    error = entry.exc_info if kwargs.get("exc_info") else None
    triple = None if error is None else (type(error), error, error.__traceback__)
    if isinstance(msg, dict) and msg.get("exc_info"):
        msg = {**msg, "exc_info": entry.exc_info}  # Nothing is being handled any more.
    level, extra = entry.level or logging.NOTSET, kwargs.get("extra")
    return logger.makeRecord(logger.name, level, "", 0, msg, args, triple, None, extra)


def _merge_dropped() -> Entry | None:
    """The event of structlog that it was, which is in the list already."""
    spoken, saying.spoken = saying.spoken, None
    if spoken is not None:
        spoken.dropped = True
    return spoken


def _mapping(extra: object) -> dict[str, object]:
    return dict(extra) if isinstance(extra, dict) else {}


def _unpacked(args: tuple[object, ...]) -> object:
    """As a record keeps them: a single mapping is what ``%(name)s`` looks into."""
    return args[0] if len(args) == 1 and isinstance(args[0], dict) and args[0] else args


# What is heard

_FILE = str(Path(logging.__file__).with_name("<heard by pytest-resilience>"))
"""Of what stands on the stack while handlers write. When one fails, logging shows the stack from
where it has left its own folder; see ``Handler.handleError``."""
_AROUND = """
def {name}(self, record):
    __tracebackhide__ = True
    token = before(self, record)
    try:
        return real(self, record)
    finally:
        after(token)
"""
_BEHIND = """
def {name}(self, record):
    __tracebackhide__ = True
    result = real(self, record)
    after(self, record, result)
    return result
"""


def _in_logging(source: str, name: str, **names: object) -> Callable[..., Any]:
    """A function as if it stood in logging's folder."""
    names["__name__"] = "logging._heard_by_pytest_resilience"
    exec(_compiled(source.format(name=name)), names)  # noqa: S102 -- one of the above
    return cast("Callable[..., Any]", names[name])


@cache
def _compiled(source: str) -> CodeType:
    return compile(source, _FILE, "exec")


def _handle(real: Callable[..., None]) -> Callable[..., None]:
    return _in_logging(_AROUND, "handle", real=real, before=_begin, after=_end)


def _begin(_: logging.Logger, record: logging.LogRecord) -> logging.LogRecord | None:
    if not _hub.listening():
        return None
    saying.reached.append(False)
    return record


def _end(record: logging.LogRecord | None) -> None:
    if record is None or saying.reached.pop():
        return
    spoken = _merge_dropped()
    if spoken is None:
        _hub.tell(_entry(record, dropped=True))
    else:
        spoken.adapted = lambda _: record


def _call_handlers(real: Callable[..., None]) -> Callable[..., None]:
    return _in_logging(_AROUND, "callHandlers", real=real, before=_arrive, after=bool)


def _arrive(_: logging.Logger, record: logging.LogRecord) -> None:
    if _hub.listening():
        if saying.reached:
            saying.reached[-1] = True
        _remember(record, _said(record))


def _said(record: logging.LogRecord) -> Entry:
    """The entry of a record that has come to the handlers."""
    spoken, saying.spoken = saying.spoken, None
    if spoken is None:
        return _hub.tell(_entry(record, dropped=False))
    spoken.logger = record.name
    if not spoken.exc_info:
        spoken.raised(record.exc_info)
    return spoken


def _entry(record: logging.LogRecord, *, dropped: bool) -> Entry:
    fields = {name: value for name, value in vars(record).items() if name not in STANDARD}
    entry = Entry(
        "logging",
        _message(record),
        logger=record.name,
        level=record.levelno,
        fields=fields,
        # A record that has its own way with its arguments is asked for no others.
        args=record.args if type(record).getMessage is PLAIN else (),
        dropped=dropped,
    )
    entry.raised(record.exc_info)
    return entry


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()  # A record of another class may have its own way.
    except Exception:  # noqa: BLE001 -- handlers will complain of it
        return in_words(record.msg, record.args)


def _remember(record: logging.LogRecord, entry: Entry) -> None:
    _entries[record] = entry
    _alike.setdefault(_looks(record), []).append(entry)


def _looks(record: logging.LogRecord) -> tuple[object, ...]:
    r = record
    return (r.name, r.levelno, r.pathname, r.lineno, r.created, r.thread)


def _entry_of(record: logging.LogRecord) -> Entry | None:
    entry = _entries.get(record)
    if entry is None:
        alike = _alike.get(_looks(record), ())
        message = _message(record)
        entry = next((one for one in alike if message in one.queued), None) or next(
            (one for one in alike if message.startswith(one.text)), None
        )
    return entry


# What handlers make of it


def _format(real: Callable[..., str]) -> Callable[..., str]:
    return _in_logging(_BEHIND, "format", real=real, after=_formatted)


def _formatted(handler: logging.Handler, record: logging.LogRecord, text: object) -> None:
    if _hub.listening() and not is_pytests(handler):
        entry = _entry_of(record)
        if entry is None or not isinstance(text, str):
            return
        if _is_a_queues(handler):
            entry.queued[text] = True
            return
        entry.render(text)
        if entry.queued and record not in _entries:  # A copy, which a queue has passed on.
            entry.read_from_queue(_message(record))


def _is_a_queues(handler: logging.Handler) -> bool:
    """Whether what it makes of a record is only on its way to other handlers."""
    handlers = sys.modules.get("logging.handlers")
    return handlers is not None and isinstance(handler, handlers.QueueHandler)


def _write(real: Callable[..., Any]) -> Callable[..., Any]:
    return _in_logging(_AROUND, "handle", real=real, before=_writes, after=_wrote)


def _writes(handler: logging.Handler, record: logging.LogRecord) -> contextlib.ExitStack | None:
    entry = _entry_of(record) if _hub.listening() and not is_pytests(handler) else None
    if entry is None:
        return None
    ends = contextlib.ExitStack()
    ends.enter_context(_writing(entry))
    if isinstance(handler, logging.FileHandler):
        ends.enter_context(_files.reading(handler))
    return ends


def _wrote(ends: contextlib.ExitStack | None) -> None:
    if ends is not None:
        ends.close()


def _handle_error(real: Callable[..., None]) -> Callable[..., None]:
    return _in_logging(_AROUND, "handleError", real=real, before=_unseen, after=bool)


def _unseen(_: logging.Handler, __: logging.LogRecord) -> None:
    """Leave us out of the traceback that is going to be shown."""
    where = sys.exc_info()[2]
    while where is not None and where.tb_next is not None:
        if where.tb_next.tb_frame.f_code.co_filename == _FILE:
            where.tb_next = where.tb_next.tb_next
        else:
            where = where.tb_next


def is_pytests(handler: logging.Handler) -> bool:
    """Whether it is pytest's, or one of its plugins'."""
    return type(handler).__module__.startswith(PYTESTS)


@contextlib.contextmanager
def _writing(entry: Entry) -> Iterator[None]:
    before, saying.writing = saying.writing, entry
    try:
        yield
    finally:
        saying.writing = before
