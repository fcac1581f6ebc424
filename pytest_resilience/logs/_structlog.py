"""The tap of structlog: what was said, and what its processors made of it.

All loggers of structlog, whenever and however configured, cached or not, pass through two
methods of their common base: one runs the processors, the other calls the wrapped logger with
what came out. Both are tapped, and nothing that is configured is touched. Below their level the
filtering loggers have methods that do nothing; those are tapped one by one.

Who has called a logger, structlog finds out by going up the frames past all modules that are
called like itself, so what stands there in our name has to bear one of its own (`_unseen`).
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

from pytest_resilience.logs import _hub, _logging, _own_files
from pytest_resilience.logs._entry import Entry, in_words
from pytest_resilience.logs._hub import saying

Made = str | logging.LogRecord
LEVELS = {
    "critical": logging.CRITICAL,
    "fatal": logging.CRITICAL,
    "exception": logging.ERROR,
    "error": logging.ERROR,
    "err": logging.ERROR,
    "failure": logging.ERROR,
    "warning": logging.WARNING,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "msg": logging.INFO,
    "debug": logging.DEBUG,
}


def install() -> None:
    """Put the tap in place; if structlog is not there yet, as soon as it is."""
    if "structlog" in sys.modules:
        _tap()
    elif _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
        _hub.note(_finder, _finder.go)


class _WhenImported(importlib.abc.MetaPathFinder):
    """Waits for structlog."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Let structlog be found as ever, and be tapped when it has been run."""
        if fullname != "structlog":
            return None
        self.go()
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                run(module)
                if _hub.listening():
                    _tap()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def go(self) -> None:
        """Wait no longer."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)


_finder = _WhenImported()


def _tap() -> None:
    from structlog import BoundLoggerBase

    _hub.put(BoundLoggerBase, "_process_event", _process)
    _hub.put(BoundLoggerBase, "_proxy_to_logger", _proxy)
    for cls in BoundLoggerBase.__subclasses__():
        if not _hub.note(cls):
            continue  # Its methods have been looked at.
        for name, method in list(vars(cls).items()):
            if getattr(method, "__name__", "") == "_nop":
                _hub.put(cls, name, partial(_silent, name))
            elif getattr(method, "__name__", "") == "_anop":
                _hub.put(cls, name, partial(_silent, name.removeprefix("a")))


def _unseen(tap: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, as if it were structlog's: see ``structlog._frames``."""
    return FunctionType(tap.__code__, _NAMES, tap.__name__, tap.__defaults__, tap.__closure__)


def _silent(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    """A method below the level of its logger, which does nothing, or is a coroutine that does."""

    @_unseen
    def nop(self: Any, event: Any, *args: Any, **kw: Any) -> Any:  # noqa: ANN401 -- as it is
        if _hub.listening():
            entry = _new(self, name, _asked(self, {**kw, "event": in_words(event, args)}))
            entry.dropped = True
            entry.adapted = partial(_processed, self, name, ())
            _hub.tell(entry)
        return real(self, event, *args, **kw)

    return nop


def _proxy(real: Callable[..., Any]) -> Callable[..., Any]:
    @_unseen
    def _proxy_to_logger(self: Any, *args: Any, **kw: Any) -> Any:  # noqa: ANN401 -- as it is
        before = saying.spoken, saying.writing, saying.proxied
        saying.proxied = True
        try:
            return real(self, *args, **kw)
        finally:
            saying.spoken, saying.writing, saying.proxied = before

    return _proxy_to_logger


def _process(real: Callable[..., Any]) -> Callable[..., Any]:
    @_unseen
    def _process_event(self: Any, method_name: str, event: Any, event_kw: dict[str, Any]) -> Any:  # noqa: ANN401 -- as it is
        if not _hub.listening():
            return real(self, method_name, event, event_kw)
        said = event_kw if event is None else {**event_kw, "event": event}
        entry = _new(self, method_name, _asked(self, said))
        asked: list[object] = []
        entry.dropped = True  # Until it has come out at the other end.
        entry.adapted = partial(_processed, self, method_name, asked)
        _hub.tell(entry)
        watched = object.__new__(type(self))
        vars(watched).update(vars(self))
        watched._processors = [_watch(entry, one, asked) for one in self._processors]
        result = real(watched, method_name, event, event_kw)
        entry.dropped, entry.adapted = False, None
        entry.by_default = _is_default(self._processors)
        _came_out(entry, self._logger, result)
        return result

    return _process_event


def _is_default(processors: object) -> bool:
    import structlog

    return not structlog.is_configured() and processors == structlog.get_config()["processors"]


def _processed(bound: Any, method: str, asked: Sequence[object], entry: Entry) -> Made:  # noqa: ANN401
    """What the processors that have not been asked would have made of an event.

    One that drops it goes by its level, most of the time, and is passed over.
    """
    from structlog import DropEvent

    wrapped, result = bound._logger, dict(entry.fields)  # noqa: SLF001 -- it has no other
    if result.get("exc_info"):
        result["exc_info"] = entry.exc_info  # Nothing is being handled any more.
    for processor in bound._processors[len(asked) :]:  # noqa: SLF001
        with contextlib.suppress(DropEvent):
            result = processor(wrapped, method, result)
    if not isinstance(wrapped, logging.Logger):
        return str(result)
    args, kwargs = _arguments(result)
    msg, *rest = args or (kwargs.get("msg"),)
    return _logging.as_record(wrapped, msg, tuple(rest), kwargs, entry)


def _arguments(result: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:  # noqa: ANN401 -- as it is
    """What a logger is called with, as structlog does it."""
    if isinstance(result, tuple):
        return result
    return ((), result) if isinstance(result, dict) else ((result,), {})


def _watch(entry: Entry, processor: Callable[..., Any], asked: list[object]) -> Callable[..., Any]:
    """The processor; the last event dict that goes in or comes out is the one that counts."""

    @_unseen
    def watched(logger: Any, name: str, event_dict: Any) -> Any:  # noqa: ANN401 -- as it is
        asked.append(processor)
        _read(entry, event_dict)
        result = processor(logger, name, event_dict)
        # It may have been the last, whose arguments for the wrapped logger are no event.
        if isinstance(result, dict) and "event" in result:
            _read(entry, result)
        return result

    return watched


def _asked(bound: Any, said: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401 -- of any class
    """The event dict as structlog begins it; a context may be of any class that can be copied."""
    event_dict = bound._context.copy()  # noqa: SLF001 -- it has no other
    event_dict.update(said)
    return dict(event_dict)


def _new(bound: Any, method: str, event_dict: Mapping[str, Any]) -> Entry:  # noqa: ANN401
    entry = Entry("structlog", "", level=LEVELS.get(method.lower()))
    name = getattr(bound._logger, "name", None)  # noqa: SLF001 -- it has no other
    entry.logger = name if isinstance(name, str) else ""
    _read(entry, event_dict)
    error = event_dict.get("exc_info")
    entry.raised(sys.exc_info() if isinstance(error, int) and error else error)
    return entry


def _read(entry: Entry, event_dict: object) -> None:
    if not isinstance(event_dict, dict):
        return
    fields = dict(event_dict)
    entry.args = fields.get("positional_args", ())
    if "event" in fields:  # It may have been renamed.
        entry.text = in_words(fields["event"], entry.args)
    entry.fields = fields
    if isinstance(fields.get("exception"), str):
        entry.traceback = fields["exception"]  # Where structlog's own processors put it.
    if not entry.logger and isinstance(fields.get("logger"), str):
        entry.logger = fields["logger"]
    if entry.level is None and isinstance(fields.get("level"), str):
        entry.level = LEVELS.get(fields["level"].lower())


def _came_out(entry: Entry, wrapped: object, result: object) -> None:
    """The wrapped logger will be called with this."""
    args = result[0] if isinstance(result, tuple) and result else ()
    for text in args if isinstance(args, tuple | list) else ():
        if isinstance(text, str | bytes | bytearray):
            entry.render(text)
    if not saying.proxied:
        return  # Somebody processes events by himself, and nobody knows what for.
    if isinstance(wrapped, logging.Logger | logging.LoggerAdapter):
        saying.spoken = entry
        return
    saying.writing = entry
    path = getattr(getattr(wrapped, "_file", None), "name", None)
    if isinstance(path, str) and not path.startswith("<"):
        _own_files.leave(path)
        for text in entry.rendered:
            for line in text.split("\n"):
                _hub.tell(Entry("file", line, path=path, echo=True))


_NAMES = {
    **globals(),
    "__name__": "structlog._heard_by_pytest_resilience",
    "__tracebackhide__": True,
}
