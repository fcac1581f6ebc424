"""Reading the clock, in virtual time: the time module's functions and datetime's.

Code that measures for itself goes on reading real time: pytest and its plugins, coverage,
hypothesis (`EXEMPT`). For all other code in the process the virtual clock is the time.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_resilience.clock._here import conducting
from pytest_resilience.clock._polling import CLOCK, note_look
from pytest_resilience.clock._real import real_time_ns
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's

if TYPE_CHECKING:
    from pytest_resilience.clock._conductor import Conductor

T = TypeVar("T")
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
    # These measure what runs in virtual time; the first two until enough time has passed.
    "pytest_benchmark",
    "pytest_codspeed",
    "allure_pytest",
    "allure_commons",
    "_hypothesis",
    "hypothesis",
    "coverage",
    "faulthandler",
    "pytest_resilience",
    "subprocess",
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
    """The conductor, if the code that reads the clock (two frames up) is in virtual time."""
    conductor = conducting()
    if conductor is None or exempt(sys._getframe(2).f_globals.get("__name__", "")):
        return None
    return conductor


def _wall_ns(conductor: Conductor) -> int:
    note_look(conductor, CLOCK)
    return conductor.now_ns + _epochs.wall_ns


def _seconds_reader(real: Callable[[], float], epoch: str) -> Callable[..., float]:
    def read(_: object) -> float:
        conductor = _reading()
        if conductor is None:
            return real()
        party = note_look(conductor, CLOCK)
        now: float = (conductor.now_ns + getattr(_epochs, epoch)) / SECOND
        if party is not None:
            if party.ahead_at_ns == conductor.now_ns:
                now += party.ahead
            if party.past:
                now, party.past = now + party.past, 0.0
        return now

    return _named(read, real)


def _nanoseconds_reader(real: Callable[[], int], epoch: str) -> Callable[..., int]:
    def read(_: object) -> int:
        conductor = _reading()
        if conductor is None:
            return real()
        note_look(conductor, CLOCK)
        now: int = conductor.now_ns + getattr(_epochs, epoch)
        return now

    return _named(read, real)


def _named(stand_in: Callable[..., T], real: Callable[..., T]) -> Callable[..., T]:
    stand_in.__name__ = stand_in.__qualname__ = real.__name__
    stand_in.__doc__ = real.__doc__
    return stand_in


READERS: dict[str, Callable[..., Any]] = {
    "time": _seconds_reader(time.time, "wall_ns"),
    "time_ns": _nanoseconds_reader(time.time_ns, "wall_ns"),
    "monotonic": _seconds_reader(time.monotonic, "monotonic_ns"),
    "monotonic_ns": _nanoseconds_reader(time.monotonic_ns, "monotonic_ns"),
    "perf_counter": _seconds_reader(time.perf_counter, "monotonic_ns"),
    "perf_counter_ns": _nanoseconds_reader(time.perf_counter_ns, "monotonic_ns"),
}


def _wall_seconds(real: Callable[..., T]) -> Callable[..., T]:
    """time.localtime, gmtime and ctime: of now, when they are not told of when."""

    def call(_: object, seconds: float | None = None, /) -> T:
        if seconds is None:
            conductor = _reading()
            if conductor is not None:
                seconds = _wall_ns(conductor) // SECOND
        return real(seconds)

    return _named(call, real)


def _wall_tuple(real: Callable[..., str]) -> Callable[..., str]:
    """time.strftime and asctime: the same, with the moment as the last argument."""
    own = 1 if real is time.strftime else 0

    def call(_: object, *args: Any) -> str:
        if len(args) == own:
            conductor = _reading()
            if conductor is not None:
                args = (*args, real_localtime(_wall_ns(conductor) // SECOND))
        return real(*args)

    return _named(call, real)


real_localtime = time.localtime

CALENDAR: dict[str, Callable[..., Any]] = {
    "localtime": _wall_seconds(time.localtime),
    "gmtime": _wall_seconds(time.gmtime),
    "ctime": _wall_seconds(time.ctime),
    "strftime": _wall_tuple(time.strftime),
    "asctime": _wall_tuple(time.asctime),
}

# datetime's classes cannot be changed with setattr; _references.py says how it is done.

real_now = dt.datetime.__dict__["now"]
real_today = dt.date.__dict__["today"]
_warn: Callable[..., None] = warnings.warn if sys.version_info >= (3, 12) else lambda *_, **__: None
UTCNOW = (
    "datetime.datetime.utcnow() is deprecated and scheduled for removal in a future version. "
    "Use timezone-aware objects to represent datetimes in UTC: datetime.datetime.now(datetime.UTC)."
)


def _moment(cls: Any, now_ns: int, tz: dt.tzinfo | None) -> Any:
    seconds, rest = divmod(now_ns, SECOND)
    return cls.fromtimestamp(seconds, tz).replace(microsecond=rest // 1000)


def now(cls: Any, tz: dt.tzinfo | None = None) -> Any:
    """datetime.now."""
    conductor = _reading()
    if conductor is None:
        return real_now.__get__(None, cls)(tz)
    return _moment(cls, _wall_ns(conductor), tz)


def utcnow(cls: Any) -> Any:
    """datetime.utcnow; the real one's warning would name this file."""
    conductor = _reading()
    now_ns = real_time_ns() if conductor is None else _wall_ns(conductor)
    _warn(UTCNOW, DeprecationWarning, stacklevel=2)
    return _moment(cls, now_ns, dt.UTC).replace(tzinfo=None)


def today(cls: Any) -> Any:
    """date.today, and datetime.today, which it is for."""
    conductor = _reading()
    if conductor is None:
        return real_today.__get__(None, cls)()
    if issubclass(cls, dt.datetime):
        return _moment(cls, _wall_ns(conductor), None)
    return cls.fromtimestamp(_wall_ns(conductor) // SECOND)
