"""The recorders that listen, and what each thread is saying at this moment.

*Problem.* Recorders overlap: the leak check of a test, its ``logs`` fixture and a verdict
listen at once, and each begins and ends when it likes. Every tap sits on something that all
of the process shares, and to put all of them there for each test costs more than the test.

*Solution.* The taps are put in place by the first recorder and taken away by the last, or kept
for the next one by who knows that it comes soon; what they hear is told to all. A tap that
somebody else has wrapped meanwhile cannot be taken away: it stays where it is, and does
nothing while nobody listens.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import cache
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from pytest_resilience.clock import moments, new_rlock

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
_lock = new_rlock()  # guards the two below
_taps: dict[tuple[int, str], tuple[object, Callable[[], None]]] = {}
"""By whose attribute each is and how that is called: the tap, and what takes it away."""
_kept = False


def listening() -> bool:
    """Whether anybody listens."""
    return bool(_listeners)


def tell(entry: Entry) -> Entry:
    """This is being said, behind all that was written to files before."""
    moments.end()
    return pass_on(entry)


def pass_on(entry: Entry) -> Entry:
    """Tell all listeners of it."""
    for listener in tuple(_listeners):
        listener.hear(entry)
    return entry


def begin(listener: Listener) -> None:
    """Tell this one, too."""
    with _lock:
        try:
            _install()
        except BaseException:
            _rest()
            raise
        _listeners.append(listener)


def end(listener: Listener) -> None:
    """Tell it no longer."""
    moments.end()
    with _lock:
        _listeners.remove(listener)
        _rest()


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """Tell those who listen nothing in this block."""
    with _lock:
        away = _listeners.copy()
        _listeners.clear()
    try:
        yield
    finally:
        with _lock:
            _listeners[:0] = away


def keep(*, wanted: bool) -> None:
    """Whether the taps stay in place when the last one has gone."""
    global _kept  # noqa: PLW0603 -- as the taps are the process's
    with _lock:
        _kept = wanted
        _rest()


@cache
def _tapping() -> tuple[ModuleType, ...]:
    """The modules of the taps, which need this one."""
    from pytest_resilience.logs import _logging, _streams, _structlog, _warnings

    return _structlog, _streams, _logging, _warnings


def _install() -> None:
    # What was kept is there, except where something new is to be tapped.
    for module in _tapping()[: 2 if _taps else None]:
        module.install()


def _rest() -> None:
    """Nobody listens, perhaps: forget what was said, and take away what need not stay."""
    if _listeners:
        return
    _, streams, logging, _ = _tapping()
    logging.forget()
    streams.forget()
    if not _kept:
        while _taps:
            _, (_, take_away) = _taps.popitem()
            take_away()
        streams.reset()


def put(owner: Any, name: str, make: Callable[[Any], object]) -> None:  # noqa: ANN401 -- any owner
    """Put a tap in the place of an attribute, until it is taken away or replaced by another.

    Args:
        owner: Whose attribute it is.
        name: Of the attribute.
        make: Makes the tap out of what is there; not called where one of ours is, nor where
            somebody has put his own in its place while we listen: he may call ours.
    """
    before = vars(owner).get(name, _MISSING)
    place = id(owner), name
    if place in _taps and (_listeners or _taps[place][0] is before):
        return
    tap = make(getattr(owner, name))
    _set(owner, name, tap)

    def take_away() -> None:
        if vars(owner).get(name) is tap:
            _set(owner, name, before)

    _taps[place] = tap, take_away


def _set(owner: Any, name: str, value: object) -> None:  # noqa: ANN401 -- any owner
    own = vars(owner)
    if isinstance(own, dict) and isinstance(type(owner).__setattr__, FunctionType):
        # A stream around another may hand on what is set, and the other would call it in turn:
        # tqdm's DummyTqdmFile does so.
        if value is _MISSING:
            del own[name]
        else:
            own[name] = value
    elif value is _MISSING:
        delattr(owner, name)
    else:
        setattr(owner, name, value)


def note(tap: object, take_away: Callable[[], None] = lambda: None) -> bool:
    """Keep in mind a tap that is no attribute; whether it is a new one."""
    place = id(tap), ""
    if place in _taps:
        return False
    _taps[place] = tap, take_away
    return True


def drop(owner: object, name: str) -> None:
    """Take the tap away from this attribute, if there is one."""
    _, take_away = _taps.pop((id(owner), name), (None, None))
    if take_away is not None:
        take_away()


_MISSING = object()
