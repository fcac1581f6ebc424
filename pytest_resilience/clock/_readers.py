"""Reading the clock, in virtual time: the time module's functions and datetime's.

Code that measures for itself goes on reading real time: pytest and its plugins, coverage,
hypothesis (`EXEMPT`). For all other code in the process the virtual clock is the time.
"""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_resilience.clock import _current, _waits

if TYPE_CHECKING:
    from pytest_resilience.clock._conductor import Conductor

SECOND = 1_000_000_000

EXEMPT = (
    "_pytest",
    "pytest",
    "pluggy",
    "xdist",
    "execnet",
    "pytest_timeout",
    "pytest_html",
    "pytest_metadata",
    "_hypothesis",
    "hypothesis",
    "coverage",
    "faulthandler",
    "pytest_resilience",
    "importlib",
    "_frozen_importlib",
)
"""Top-level packages that keep real time."""


def exempt(name: str) -> bool:
    """Whether a module of this name keeps real time."""
    return name.partition(".")[0] in EXEMPT


class Epochs:
    """What the readers show when virtual time is 0."""

    def __init__(self, wall_ns: int, monotonic_ns: int) -> None:
        self.wall_ns = wall_ns
        self.monotonic_ns = monotonic_ns


_epochs = Epochs(0, 0)


def show(epochs: Epochs) -> None:
    """Set what the readers show at virtual time 0."""
    global _epochs  # noqa: PLW0603 -- one virtual clock a process
    _epochs = epochs


def _reading() -> Conductor | None:
    conductor = _current.conductor
    if conductor is None or not conductor.active:
        return None
    if exempt(sys._getframe(2).f_globals.get("__name__", "")):
        return None
    if conductor.running:
        _waits.note_poll(conductor)
    return conductor


def _reader(real: Callable[[], Any], wall: bool, nanoseconds: bool) -> Callable[[], Any]:
    def read() -> Any:
        conductor = _reading()
        if conductor is None:
            return real()
        now = conductor.now_ns + (_epochs.wall_ns if wall else _epochs.monotonic_ns)
        return now if nanoseconds else now / SECOND

    read.__name__ = read.__qualname__ = real.__name__
    read.__doc__ = real.__doc__
    return read


READERS: dict[str, Callable[[], Any]] = {
    "time": _reader(time.time, wall=True, nanoseconds=False),
    "time_ns": _reader(time.time_ns, wall=True, nanoseconds=True),
    "monotonic": _reader(time.monotonic, wall=False, nanoseconds=False),
    "monotonic_ns": _reader(time.monotonic_ns, wall=False, nanoseconds=True),
    "perf_counter": _reader(time.perf_counter, wall=False, nanoseconds=False),
    "perf_counter_ns": _reader(time.perf_counter_ns, wall=False, nanoseconds=True),
}


def _wall_seconds(real: Callable[..., Any]) -> Callable[..., Any]:
    """time.localtime, gmtime and ctime: of now, when they are not told of when."""

    def call(seconds: float | None = None, /) -> Any:
        if seconds is None:
            conductor = _reading()
            if conductor is not None:
                seconds = (conductor.now_ns + _epochs.wall_ns) // SECOND
        return real(seconds)

    call.__name__ = call.__qualname__ = real.__name__
    call.__doc__ = real.__doc__
    return call


real_localtime, real_strftime, real_asctime = time.localtime, time.strftime, time.asctime


def strftime(*args: Any) -> str:
    """time.strftime: of now, when it is not told of when."""
    if len(args) == 1:
        conductor = _reading()
        if conductor is not None:
            args = (*args, real_localtime((conductor.now_ns + _epochs.wall_ns) // SECOND))
    return real_strftime(*args)


CALENDAR: dict[str, Callable[..., Any]] = {
    "localtime": _wall_seconds(time.localtime),
    "gmtime": _wall_seconds(time.gmtime),
    "ctime": _wall_seconds(time.ctime),
    "strftime": strftime,
}

# datetime's classes cannot be changed with setattr; _references.py says how it is done.

real_datetime_now = datetime.datetime.__dict__["now"]
real_datetime_utcnow = datetime.datetime.__dict__["utcnow"]
real_datetime_today = datetime.date.__dict__["today"]


def _moment(cls: Any, now_ns: int, tz: datetime.tzinfo | None) -> Any:
    seconds, rest = divmod(now_ns, SECOND)
    return cls.fromtimestamp(seconds, tz).replace(microsecond=rest // 1000)


def now(cls: Any, tz: datetime.tzinfo | None = None) -> Any:
    """datetime.now."""
    conductor = _reading()
    if conductor is None:
        return real_datetime_now.__get__(None, cls)(tz)
    return _moment(cls, conductor.now_ns + _epochs.wall_ns, tz)


def utcnow(cls: Any) -> Any:
    """datetime.utcnow."""
    conductor = _reading()
    if conductor is None:
        return real_datetime_utcnow.__get__(None, cls)()
    aware = _moment(cls, conductor.now_ns + _epochs.wall_ns, datetime.timezone.utc)
    return aware.replace(tzinfo=None)


def today(cls: Any) -> Any:
    """date.today, and datetime.today, which it is for."""
    conductor = _reading()
    if conductor is None:
        return real_datetime_today.__get__(None, cls)()
    now_ns = conductor.now_ns + _epochs.wall_ns
    if issubclass(cls, datetime.datetime):
        return _moment(cls, now_ns, None)
    return cls.fromtimestamp(now_ns // SECOND)
