"""Refusing claims where they are written, with the field, the value and what is allowed."""

from __future__ import annotations

import math
import re
import sys
from typing import NoReturn

from pytest_resilience.errors import (
    PolicyError,
    shown,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)

FOREVER = math.inf


def refuse(field: str, value: object, allowed: str) -> NoReturn:
    """Raise the one error for a claim that cannot be meant."""
    raise PolicyError(f"{field}={shown(value)} is not allowed: wanted {allowed}")


def is_number(value: object) -> bool:
    """Whether it is a finite number; True and False are not meant as 1 and 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max


def seconds(field: str, value: object, *, above: bool = False) -> float:
    """A duration; ``above`` refuses 0."""
    allowed = "a number of seconds above 0" if above else "a number of seconds, 0 or more"
    if not is_number(value):
        refuse(field, value, allowed)
    assert isinstance(value, int | float)
    if value < 0 or (above and value == 0):
        refuse(field, value, allowed)
    return value


def optional_seconds(field: str, value: object) -> None:
    """A duration above 0, or None for what is not claimed."""
    if value is not None:
        seconds(field, value, above=True)


def text(field: str, value: object, pattern: str, allowed: str) -> None:
    """A text of this form."""
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        refuse(field, value, allowed)


def attempts(field: str, value: object) -> None:
    """How often is tried; None for what is not claimed."""
    if value is None or (isinstance(value, float) and value == FOREVER):
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        refuse(field, value, "a whole number, 1 or more, or FOREVER")
