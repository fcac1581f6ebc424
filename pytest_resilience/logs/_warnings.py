"""The tap of warnings: those that are shown, and those that a filter drops or makes errors."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from pytest_resilience.logs import _hub
from pytest_resilience.logs._entry import Entry
from pytest_resilience.logs._hub import saying


def install() -> None:
    """Put the tap in place."""
    _hub.put(warnings, "warn", _warn)
    _hub.put(warnings, "warn_explicit", _explicit)
    # Behind the filters, where the interpreter's own warnings and those come by that somebody
    # gives with a name of `warn` from before. pytest's recorders replace other names.
    _hub.put(warnings, "_showwarnmsg", _show)


def _warn(real: Callable[..., None]) -> Callable[..., None]:
    def warn(
        message: str | Warning,
        category: type[Warning] | None = None,
        stacklevel: int = 1,
        source: object = None,
        **options: Any,  # noqa: ANN401 -- skip_file_prefixes, since Python 3.12
    ) -> None:
        __tracebackhide__ = True
        prefixes = tuple(options.get("skip_file_prefixes", ()))
        # One more frame stands between the caller and the real one: this. When frames are
        # skipped by their file, the first is not counted; see setup_context in _warnings.c.
        caller = sys._getframe(1).f_code.co_filename  # noqa: SLF001 -- the one way to it
        stacklevel = max(2 if prefixes else 1, stacklevel) + (not caller.startswith(prefixes))
        if not _hub.listening():
            return real(message, category, stacklevel, source, **options)
        with _giving(_entry(message, category)):
            real(message, category, stacklevel, source, **options)
        return None

    return warn


def _explicit(real: Callable[..., None]) -> Callable[..., None]:
    def warn_explicit(
        message: str | Warning,
        category: type[Warning],
        *where: Any,  # noqa: ANN401 -- as it is
        **options: Any,  # noqa: ANN401 -- the same
    ) -> None:
        __tracebackhide__ = True
        if not _hub.listening():
            return real(message, category, *where, **options)
        with _giving(_entry(message, category)):
            real(message, category, *where, **options)
        return None

    return warn_explicit


@contextlib.contextmanager
def _giving(entry: Entry) -> Iterator[None]:
    """While a warning is given: whether it is shown, and whatever is written of it."""
    _hub.tell(entry)
    saying.warned.append(False)
    before, saying.writing = saying.writing, entry
    try:
        yield
    except BaseException:
        saying.warned[-1] = True  # Whoever catches it hears it.
        raise
    finally:
        entry.dropped, saying.writing = not saying.warned.pop(), before


def _show(real: Callable[..., None]) -> Callable[..., None]:
    def _showwarnmsg(msg: Any) -> None:  # noqa: ANN401 -- a WarningMessage
        if saying.warned:
            saying.warned[-1] = True
            return real(msg)
        before = saying.writing
        if _hub.listening():
            saying.writing = _hub.tell(_entry(msg.message, msg.category))
        try:
            return real(msg)
        finally:
            saying.writing = before

    return _showwarnmsg


def _entry(message: str | Warning, category: type[Warning] | None) -> Entry:
    kind = type(message) if isinstance(message, Warning) else category or UserWarning
    name = getattr(kind, "__name__", str(kind))
    return Entry("warnings", str(message), fields={"category": name}, args=(message,))
