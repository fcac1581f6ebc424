"""The tap of stdout and stderr: beside capsys and capfd, and beside nobody.

*Problem.* Whoever captures puts a stream of his own in the place of ``sys.stdout``, before
us or after us, and a handler keeps the stream it was made with.

*Solution.* No stream is replaced. Those that are there when somebody begins to listen, and
when a test begins, get a ``write`` of their own, which records and then writes as ever. What
pytest itself prints is no business of the code under test.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from pytest_resilience.logs import _hub
from pytest_resilience.logs._entry import Entry
from pytest_resilience.logs._hub import saying

_open: dict[tuple[str, int, bool], Entry] = {}
"""The line that has begun on a stream and not ended yet, of each thread."""


NAMES = ("stdout", "stderr") * 2
_heard: list[Any] = []
"""The streams that are tapped."""
_seen: tuple[int, ...] = ()
"""Those that were there when it was looked last, by their identity: they are in the list above."""


def install() -> None:
    """Tap the streams that are there and are not tapped yet."""
    global _seen  # noqa: PLW0603 -- beside the one list of taps
    there = _there()
    seen = tuple(map(id, there))
    if seen == _seen:
        return
    _seen = seen
    for name, stream in zip(NAMES, there, strict=True):
        if stream is None:
            continue
        if not _holds(_heard, stream):
            _heard.append(stream)
        tap = partial(_write, name)
        # One that takes no attributes is let be.
        with contextlib.suppress(AttributeError, TypeError):
            _hub.put(stream, "write", tap)
        # What is written as bytes goes by the text layer, which keeps nothing back here.
        if getattr(stream, "write_through", False):
            with contextlib.suppress(AttributeError, TypeError):
                _hub.put(stream.buffer, "write", tap)


def forget() -> None:
    """Nobody asks for these lines any more; streams that are gone are let go."""
    global _seen  # noqa: PLW0603 -- as above
    _open.clear()
    there = _there()
    seen = tuple(map(id, there))
    if seen == _seen and len(_heard) <= len(set(seen)):
        return
    _seen = ()
    for stream in [one for one in _heard if not _holds(there, one)]:
        _hub.drop(stream, "write")
        with contextlib.suppress(ValueError):  # It may have been detached.
            _hub.drop(getattr(stream, "buffer", None), "write")
        _heard[:] = [one for one in _heard if one is not stream]


def reset() -> None:
    """No stream is tapped any more."""
    global _seen  # noqa: PLW0603 -- as above
    _seen = ()
    _heard.clear()


def _there() -> tuple[Any, ...]:
    return sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__


def _holds(streams: Iterable[object], stream: object) -> bool:
    # By identity: one may have its own way of being equal.
    return any(one is stream for one in streams)


def _write(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def write(text: Any, *rest: Any) -> Any:  # noqa: ANN401 -- text or bytes
        if saying.streaming or not _hub.listening():
            return real(text, *rest)
        if not _is_pytests():
            _record(name, text)
        saying.streaming = True
        try:
            return real(text, *rest)
        finally:
            saying.streaming = False

    return write


def _is_pytests() -> bool:
    module = sys._getframe(2).f_globals.get("__name__", "")  # noqa: SLF001 -- the one who writes
    return isinstance(module, str) and module.startswith("_pytest.")


def _record(name: str, written: object) -> None:
    if isinstance(written, str):
        text = written
    elif isinstance(written, bytes | bytearray | memoryview):
        text = bytes(written).decode("utf-8", "backslashreplace")
    else:
        return  # The stream will complain.
    echo = saying.writing is not None
    key = (name, threading.get_ident(), echo)
    for piece in text.splitlines(keepends=True):
        entry = _open.get(key)
        if entry is None:
            entry = _open[key] = Entry(name, "", echo=echo)
            _hub.tell(entry)
        entry.text += piece.rstrip("\n")
        if piece.endswith("\n"):
            del _open[key]
