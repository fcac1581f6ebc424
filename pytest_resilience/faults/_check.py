"""Refusing values where they are written, with the field, the value and what is allowed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import NoReturn

from pytest_resilience.errors import (
    PlanError,
    shown,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What HTTP allows as the name of a method or a header field (RFC 9110 section 5.6.2)."""

LARGEST = 10**1_000 - 1
"""A whole number that Python still makes text of (it refuses 4,301 digits)."""

MOST_TIMES = 10**15
"""Decades of requests: who means more than that means for ever."""

LONGEST_NAME = 100
"""Longer than any name of ours: to compare a longer text with them takes minutes."""

LONGEST = 10_000 * 365 * 86_400.0
"""Ten thousand years in seconds: longer than any clock of ours can count in nanoseconds."""


def refuse(field: str, value: object, allowed: str) -> NoReturn:
    """Raise the one error for a value that cannot be meant."""
    raise PlanError(f"{field}={shown(value)} is not allowed: wanted {allowed}")


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint for a name that does not exist: the nearest one, or nothing."""
    import difflib

    by_lower = {known.lower(): known for known in names}
    close = difflib.get_close_matches(name.strip().lower()[:LONGEST_NAME], by_lower, n=1)
    return f"; did you mean {by_lower[close[0]]!r}?" if close else ""


def is_number(value: object) -> bool:
    """Whether it is a finite number; True and False are not meant as 1 and 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # An int too large for a float.
        return False


def flag(field: str, value: object) -> None:
    """True or False: ``"false"`` would be true."""
    if not isinstance(value, bool):
        refuse(field, value, "True or False")


def times(field: str, value: object, forever: str) -> int:
    """How often something happens; ``forever`` is the word for no end."""
    allowed = f"a whole number, 1 or more, or {forever}"
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        refuse(field, value, allowed)
    if value > MOST_TIMES:
        refuse(field, value, f"{allowed}; {MOST_TIMES} at most")
    return value


def seconds(field: str, value: object) -> float:
    """A duration in seconds, 0 or more."""
    allowed = "a number of seconds, 0 or more"
    if not is_number(value):
        refuse(field, value, allowed)
    number = value
    assert isinstance(number, int | float)
    if number > LONGEST:
        refuse(field, value, f"{allowed}; {LONGEST:.0f} at most")
    if number < 0:
        refuse(field, value, allowed)
    return number


def whole(field: str, value: object, least: int = 0, most: int = LARGEST) -> int:
    """A whole number within bounds."""
    if isinstance(value, int) and not isinstance(value, bool):
        if least <= value <= most:
            return value
        if value > most == LARGEST:
            refuse(field, value, f"a whole number, {least} or more, of no more than 1,000 digits")
    end = "or more" if most == LARGEST else f"to {most}"
    refuse(field, value, f"a whole number, {least} {end}")


def place(field: str, value: object) -> float:
    """A place in a body: an int counts bytes, a float is a share from 0.0 to 1.0."""
    allowed = "a number of bytes (int, 0 or more) or a share of the body (float, 0.0 to 1.0)"
    if not is_number(value):
        refuse(field, value, allowed)
    assert isinstance(value, int | float)
    if value < 0 or (isinstance(value, float) and value > 1):
        refuse(field, value, allowed)
    return value


def field_text(field: str, value: object) -> str:
    """Text that fits into one header field: latin-1 without control characters."""
    allowed = "text that fits in a header: latin-1, no line break or other control character"
    if not isinstance(value, str):
        refuse(field, value, allowed)
    try:
        raw = value.encode("latin-1")
    except UnicodeEncodeError:
        refuse(field, value, allowed)
    if any((byte < 32 and byte != 9) or byte == 127 for byte in raw):
        refuse(field, value, allowed)
    return value
