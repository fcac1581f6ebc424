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
from collections.abc import Callable
from typing import Any

from pytest_resilience.logs import _hub
from pytest_resilience.logs._entry import Entry
from pytest_resilience.logs._hub import saying

Undo = Callable[[Callable[[], None]], None]

_open: dict[tuple[str, int, bool], Entry] = {}
"""The line that has begun on a stream and not ended yet, of each thread."""


_heard: list[object] = []
"""The streams that are tapped."""


def install(undo: Undo) -> None:
    """Put the tap in place."""
    undo(_open.clear)
    undo(_heard.clear)
    follow(undo)


def follow(undo: Undo) -> None:
    """Tap the streams that have been put in place meanwhile."""
    for name, stream in (
        ("stdout", sys.stdout),
        ("stderr", sys.stderr),
        ("stdout", sys.__stdout__),
        ("stderr", sys.__stderr__),
    ):
        if stream is None or any(stream is one for one in _heard):
            continue
        _heard.append(stream)
        # One that takes no attributes is let be.
        with contextlib.suppress(AttributeError, TypeError):
            _hub.put(stream, "write", _write(name, stream.write), undo)
        if getattr(stream, "write_through", False):
            _tap_bytes(name, stream, undo)


def _tap_bytes(name: str, stream: Any, undo: Undo) -> None:  # noqa: ANN401 -- any stream
    """What is written as bytes goes by the text layer, which keeps nothing back here."""
    with contextlib.suppress(AttributeError, TypeError):
        _hub.put(stream.buffer, "write", _write(name, stream.buffer.write), undo)


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
