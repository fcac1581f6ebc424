"""`LogContract`: what a client claims about its log."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's
from pytest_resilience.policy import _check

__all__ = ["ANYWHERE", "LogContract"]

ANYWHERE = "*"
"""A number that stands somewhere in the text or in a field of the line."""

COUNTS = ("failed", "next")
Events = Mapping[str, Iterable[str]] | Iterable[tuple[str, Iterable[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogContract:
    r"""What a client claims about its log.

    ::

        LogContract(
            logger="shop.client",
            retry=r"attempt (?P<attempt>\d+) failed.* in (?P<delay>[\d.]+)s",
            longest=500,
        )

    One WARNING for each retry, with its number and delay; one ERROR for a call that failed;
    nothing of either for a call that was answered at once. What is None is not claimed.

    Args:
        logger: The logger that speaks for the client; those below it are meant as well.
        retry: A regular expression that is found in the text or event of each retry's line,
            and in no other; None when retries are not claimed to be logged, and empty
            when any line of the level will do.
        retry_level: The level of these lines.
        attempt: Where they have the number of the attempt: a named group of ``retry``, a
            field, or ANYWHERE.
        delay: Where they have the seconds until the next attempt, likewise.
        counts: Which attempt is meant: the one that ``"failed"``, or the ``"next"`` one.
        failure: A regular expression that is found in the line of a call that failed.
        failure_level: Its level; None when failures are not claimed to be logged. A call
            that succeeded has no line of this level or above.
        quiet: A call that was answered at once has no line of this level or above.
        one_line: Whether a record is one line, whatever a server says.
        longest: The most characters that a line has, traceback aside.
        json: The keys that each line has as a JSON object; None when lines are no JSON.
        events: Further keys of lines with this text or event.
    """

    logger: str | None = None
    retry: str | None = None
    retry_level: int | str = logging.WARNING
    attempt: str | None = None
    delay: str | None = None
    counts: str = "failed"
    failure: str | None = None
    failure_level: int | str | None = logging.ERROR
    quiet: int | str | None = logging.WARNING
    one_line: bool = True
    longest: int | None = None
    json: Iterable[str] | None = None
    events: Events = ()

    def __post_init__(self) -> None:
        for name in ("retry", "failure"):
            _pattern(name, getattr(self, name))
        for name in ("retry_level", "failure_level", "quiet"):
            self._set(name, _level(name, getattr(self, name)))
        if self.retry_level is None:
            _check.refuse("retry_level", None, "a level")
        if self.counts not in COUNTS:
            _check.refuse("counts", self.counts, " or ".join(COUNTS))
        if self.longest is not None:
            _check.seconds("longest", self.longest, above=True)
        self._set("json", None if self.json is None else _keys("json", self.json))
        self._set("events", _events(self.events))
        self._read_places()

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _read_places(self) -> None:
        """A group of this name in the pattern says where a number is, too."""
        groups = re.compile(self.retry).groupindex if self.retry else {}
        for name in ("attempt", "delay"):
            value = getattr(self, name)
            if value is None and name in groups:
                self._set(name, name)
            elif value is not None and self.retry is None:
                _check.refuse(name, value, "a pattern of the line beside it: retry=...")

    @property
    def groups(self) -> Mapping[str, int]:
        """The named groups of the retry's pattern."""
        return re.compile(self.retry or "").groupindex


def _pattern(field: str, given: object) -> None:
    if given is None:
        return
    if not isinstance(given, str):
        _check.refuse(field, given, "a regular expression")
    try:
        re.compile(given)
    except re.error as error:
        _check.refuse(field, given, f"a regular expression ({error})")


def _level(field: str, given: object) -> int | None:
    if given is None or (isinstance(given, int) and not isinstance(given, bool)):
        return given
    known = logging.getLevelNamesMapping()
    if not isinstance(given, str) or given.upper() not in known:
        _check.refuse(field, given, f"a level: {', '.join(known)}")
    return known[given.upper()]


def _keys(field: str, given: object) -> tuple[str, ...]:
    allowed = 'a list of keys such as ["event", "level"]'
    if isinstance(given, str) or not isinstance(given, Iterable):
        _check.refuse(field, given, allowed)
    keys = tuple(given)
    for key in keys:
        if not isinstance(key, str):
            _check.refuse(field, key, allowed)
    return keys


def _events(given: Events) -> tuple[tuple[str, tuple[str, ...]], ...]:
    pairs = given.items() if isinstance(given, Mapping) else given
    return tuple((event, _keys(f"events[{event!r}]", keys)) for event, keys in pairs)
