"""The tap of stdout and stderr: beside capsys and capfd, and beside nobody.

*Problem.* Whoever captures puts a stream of his own in the place of ``sys.stdout``, before
us, after us or within the test, and a handler keeps the stream it was made with.

*Solution.* No stream is replaced. Those that are there when somebody begins to listen, when a
test begins, and those that are put in place meanwhile (`_replacing`), get a ``write`` of their
own, which records and then writes as ever. What pytest itself prints is no business of the
code under test.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from pytest_resilience.clock import new_rlock
from pytest_resilience.logs import _descriptors, _hub, _replacing
from pytest_resilience.logs._entry import Entry
from pytest_resilience.logs._hub import saying

_open: dict[tuple[str, int, bool], Entry] = {}
"""The line that has begun on a stream and not ended yet, of each thread."""


NAMES = ("stdout", "stderr") * 2
MOST = 16
"""Streams of others than pytest that are listened to; of more, those that came last."""
_lock = new_rlock()  # guards the four below
_heard: list[Any] = []
"""The streams that are tapped."""
_diverted: list[Any] = []
"""Those of them that somebody else than pytest has put in place."""
_in_place = 0
"""How many there were when it was looked last: some are there by two names."""
_settled = False
"""No other has come since; `_replacing` tells of those."""


class _Writing(threading.local):
    """What the calling thread is writing."""

    lines: list[Entry] = []  # noqa: RUF012 -- of each thread; replaced, never added to


_writing = _Writing()


def install() -> None:
    """Tap the streams that are there and are not tapped yet."""
    if _replacing.install(replaced) or not _settled or not _replacing.as_expected():
        _follow(diverted=False)


def replaced() -> None:
    """Somebody has put a stream that is not known in the place of stdout or stderr."""
    global _settled  # noqa: PLW0603 -- beside the one list of taps
    _settled = False
    _descriptors.look()
    if _hub.listening():
        by = sys._getframe(2).f_globals.get("__name__")  # noqa: SLF001 -- the one way to know who
        _follow(diverted=by != "_pytest.capture")


def _follow(*, diverted: bool) -> None:
    global _in_place, _settled  # noqa: PLW0603 -- as above
    _settled = True  # Said before it is looked: another thread may put one there now.
    there = _there()
    with _lock:
        _replacing.expect(*there)
        _in_place = sum(
            stream is not None and not _holds(there[:number], stream)
            for number, stream in enumerate(there)
        )
        for name, stream in zip(NAMES, there, strict=True):
            if stream is not None:
                if not _holds(_heard, stream):
                    _heard.append(stream)
                    if diverted:
                        _diverted.append(stream)
                _tap(stream, partial(_write, name, diverted))
        # Never one of pytest's, which will be put back: it would be taken for another's then.
        for stream in [one for one in _diverted[:-MOST] if not _holds(there, one)]:
            _drop(stream)


def _tap(stream: Any, tap: Callable[..., object]) -> None:  # noqa: ANN401 -- whatever writes
    # One that takes no attributes is let be, however it says so: whoever puts it there is not to
    # blame for what we want of it. So is a mock, whose `write` will be asked how it was called.
    with contextlib.suppress(Exception):
        if hasattr(stream.write, "assert_called"):
            return
        _hub.put(stream, "write", tap)
    # What is written as bytes goes by the text layer, which keeps nothing back here.
    with contextlib.suppress(Exception):
        if getattr(stream, "write_through", False):
            _hub.put(stream.buffer, "write", tap)


def forget() -> None:
    """Nobody asks for these lines any more; streams that are gone are let go."""
    global _settled  # noqa: PLW0603 -- as above
    _open.clear()
    if _settled and len(_heard) == _in_place and _replacing.as_expected():
        return
    there = _there()
    with _lock:
        _settled = False
        _replacing.expect()
        for stream in [one for one in _heard if not _holds(there, one)]:
            _drop(stream)


def _drop(stream: Any) -> None:  # noqa: ANN401 -- as above
    with contextlib.suppress(Exception):  # As above; it may have been detached, too.
        _hub.drop(stream, "write")
        _hub.drop(getattr(stream, "buffer", None), "write")
    for kept in (_heard, _diverted):
        kept[:] = [one for one in kept if one is not stream]


def reset() -> None:
    """No stream is tapped any more."""
    global _settled  # noqa: PLW0603 -- as above
    _settled = False
    _replacing.expect()
    _heard.clear()
    _diverted.clear()


def _there() -> tuple[Any, ...]:
    # One that somebody has deleted is none.
    return tuple(map(vars(sys).get, _replacing.PLACES))


def _holds(streams: Iterable[object], stream: object) -> bool:
    # By identity: one may have its own way of being equal.
    return any(one is stream for one in streams)


def _write(name: str, diverted: bool, real: Callable[..., Any]) -> Callable[..., Any]:  # noqa: FBT001 -- a partial's
    def write(text: Any, *rest: Any) -> Any:  # noqa: ANN401 -- text or bytes
        if not _hub.listening():
            return real(text, *rest)
        if saying.streaming:
            if not diverted:  # What another stream hands on to this one is no line of its own.
                for entry in _writing.lines:
                    entry.diverted = False
            return real(text, *rest)
        _writing.lines = [] if _is_pytests() else _record(name, text, diverted=diverted)
        saying.streaming = True
        try:
            return _descriptors.passing(getattr(real, "__self__", None), real, text, *rest)
        finally:
            saying.streaming = False

    return write


def _is_pytests() -> bool:
    module = sys._getframe(2).f_globals.get("__name__", "")  # noqa: SLF001 -- the one who writes
    return isinstance(module, str) and module.startswith("_pytest.")


def _record(name: str, written: object, *, diverted: bool) -> list[Entry]:
    """Record what is written; the lines it is in."""
    if isinstance(written, str):
        text = written
    elif isinstance(written, bytes | bytearray | memoryview):
        text = bytes(written).decode("utf-8", "backslashreplace")
    else:
        return []  # The stream will complain.
    echo = saying.writing is not None
    key = (name, threading.get_ident(), echo)
    lines: list[Entry] = []
    for piece in text.splitlines(keepends=True):
        entry = _open.get(key)
        if entry is None:
            entry = _open[key] = Entry(name, "", echo=echo)
            entry.diverted = diverted
            _hub.tell(entry)
        entry.text += piece.rstrip("\n")
        lines.append(entry)
        if piece.endswith("\n"):
            del _open[key]
    return lines
