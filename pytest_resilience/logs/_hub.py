"""The recorders that listen, and what each thread is saying at this moment.

*Problem.* Recorders overlap: the leak check of a test, its ``logs`` fixture and a verdict
listen at once, and each begins and ends when it likes. Every tap sits on something that all
of the process shares.

*Solution.* The taps are put in place by the first recorder and taken away by the last; what
they hear is told to all. A tap that somebody else has wrapped meanwhile cannot be taken
away: it stays where it is, and does nothing while nobody listens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from pytest_resilience.clock import new_rlock

if TYPE_CHECKING:
    from pytest_resilience.logs._entry import Entry


class Listener(Protocol):
    """Somebody who wants to know."""

    def hear(self, entry: Entry) -> None:
        """This is being said."""


class Saying(threading.local):
    """What the calling thread is about."""

    def __init__(self) -> None:
        self.writing: Entry | None = None
        """The entry that a handler or logger writes at this moment."""
        self.spoken: Entry | None = None
        """An event of structlog on its way into the standard library."""
        self.proxied = False
        """A logger of structlog processes an event, and will then call the one it wraps."""
        self.streaming = False
        """It is inside of a stream's write, and what that calls is recorded already."""
        self.reached: list[bool] = []
        """Of each record being handled, whether it has come to the handlers."""
        self.warned: list[bool] = []
        """Of each warning being given, whether it was shown."""


saying = Saying()
_listeners: list[Listener] = []
_lock = new_rlock()  # guards the list of undos; the other one is only read between changes
_undos: list[Callable[[], None]] = []


def listening() -> bool:
    """Whether anybody listens."""
    return bool(_listeners)


def tell(entry: Entry) -> Entry:
    """This is being said."""
    for listener in tuple(_listeners):
        listener.hear(entry)
    return entry


def begin(listener: Listener) -> None:
    """Tell this one, too."""
    with _lock:
        first = not _listeners
        if first:
            _install()
        _listeners.append(listener)
    if not first:
        follow()


def follow() -> None:
    """Listen to the streams that somebody has put in place of others."""
    from pytest_resilience.logs import _streams

    with _lock:
        if _listeners:
            _streams.follow(_undos.append)


def end(listener: Listener) -> None:
    """Tell it no longer."""
    with _lock:
        _listeners.remove(listener)
        if not _listeners:
            while _undos:
                _undos.pop()()


def _install() -> None:
    from pytest_resilience.logs import _logging, _streams, _structlog, _warnings

    try:
        for tap in (_logging, _structlog, _warnings, _streams):
            tap.install(_undos.append)
    except BaseException:
        while _undos:
            _undos.pop()()
        raise


def put(owner: Any, name: str, tap: object, undo: Callable[[Callable[[], None]], None]) -> None:  # noqa: ANN401 -- any owner
    """Put a tap in the place of an attribute, until it is undone or replaced by somebody else."""
    missing = object()
    before = vars(owner).get(name, missing)
    setattr(owner, name, tap)

    def take_away() -> None:
        if vars(owner).get(name) is not tap:
            return
        if before is missing:
            delattr(owner, name)
        else:
            setattr(owner, name, before)

    undo(take_away)
