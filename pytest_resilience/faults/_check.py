"""Refusing values where they are written, with the field, the value and what is allowed."""

from __future__ import annotations

import math
from typing import NoReturn

from pytest_resilience.errors import PlanError

LONGEST = 10_000 * 365 * 86_400.0
"""Ten thousand years in seconds: longer than any clock of ours can count in nanoseconds."""


def refuse(field: str, value: object, allowed: str) -> NoReturn:
    """Raise the one error for a value that cannot be meant."""
    raise PlanError(f"{field}={value!r} is not allowed: wanted {allowed}")


def is_number(value: object) -> bool:
    """Whether it is a finite number; True and False are not meant as 1 and 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or math.isfinite(value)


def seconds(field: str, value: object) -> float:
    """A duration in seconds, 0 or more."""
    if not is_number(value):
        refuse(field, value, "a number of seconds, 0 or more")
    number = value
    assert isinstance(number, int | float)
    if not 0 <= number <= LONGEST:
        refuse(field, value, "a number of seconds, 0 or more")
    return number


def whole(field: str, value: object, least: int = 0, most: int | None = None) -> int:
    """A whole number within bounds."""
    bounds = f"a whole number, {least} or more" if most is None else f"{least} to {most}"
    if isinstance(value, bool) or not isinstance(value, int):
        refuse(field, value, bounds)
    if value < least or (most is not None and value > most):
        refuse(field, value, bounds)
    return value


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
    if any(byte < 32 and byte != 9 or byte == 127 for byte in raw):
        refuse(field, value, allowed)
    return value
