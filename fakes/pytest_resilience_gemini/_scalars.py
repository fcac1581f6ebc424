"""Scalars, by the rules of proto3's JSON mapping. All refuse a value with a ValueError."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise ValueError


# Of either alphabet, not of both at once: what the other has is made to be refused.
URL_SAFE = str.maketrans("-_+/", "+/??")


def _bytes(value: Any) -> str:
    """The text as it is; only that it is base64 of either alphabet is checked."""
    plain = "".join(_string(value).split()).rstrip("=")  # lines are fine (strutil.cc)
    if "-" in plain or "_" in plain:
        plain = plain.translate(URL_SAFE)
    try:
        base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        raise ValueError from None
    return value  # type: ignore[no-any-return]  # _string has seen it


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise ValueError


# Python takes more: underscores, blanks, "nan".
NUMBER = re.compile(r"-?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?|-?Infinity|NaN")
WHOLE = re.compile(r"-?\d+")


def _number(value: Any) -> float:
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        raise ValueError
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return float(value)
    raise ValueError


def _fraction(value: Any) -> float:
    if isinstance(value, float):
        return value
    raise ValueError


def whole(bits: int) -> Callable[[Any], int]:
    """A reader of whole numbers of so many bits; 2.0 is one, and so is "2", "2.0" is none."""

    def read(value: Any) -> int:
        if isinstance(value, str) and WHOLE.fullmatch(value):
            value = int(value)
        number = value if isinstance(value, int) else _fraction(value)
        if isinstance(value, bool) or number != int(number):
            raise ValueError
        if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            raise ValueError
        return int(number)

    return read


READERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "string": (_string, "TYPE_STRING"),
    "bytes": (_bytes, "TYPE_BYTES"),
    "bool": (_bool, "TYPE_BOOL"),
    "int32": (whole(32), "TYPE_INT32"),
    "int64": (whole(64), "TYPE_INT64"),
    "float": (_number, "TYPE_FLOAT"),
    "double": (_number, "TYPE_DOUBLE"),
}
