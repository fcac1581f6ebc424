"""Durations and moments in Go's notation."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime
from functools import lru_cache

LONGEST = 9_223_372_036
"""Seconds in the longest of Go's durations."""

ZERO_TIME = "0001-01-01T00:00:00Z"
_ROUNDING = 5e-7
"""Seconds by which a moment may be off: a float tells those of our time no finer than 0.24 us."""
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


def go_duration(text: str) -> float:
    """Seconds of ``"1h30m"``, as Go's time.ParseDuration reads it.

    Raises:
        ValueError: In Go's words.
    """
    sign, rest = 1, text
    if rest[:1] in ("-", "+"):
        sign, rest = (-1 if rest[0] == "-" else 1), rest[1:]
    total, position = 0.0, 0
    while position < len(rest) and (part := _PART.match(rest, position)):
        total += float(part[1]) * _UNITS[part[2]]
        position = part.end()
    if position == len(rest) and rest:
        return sign * total
    if position < len(rest) and (number := re.match(r"\d+\.?\d*|\.\d+", rest[position:])):
        unit = re.split(r"[\d.]", rest[position + number.end() :], maxsplit=1)[0]
        if not unit:
            raise ValueError(f"time: missing unit in duration {_quoted(text)}")
        raise ValueError(f"time: unknown unit {_quoted(unit)} in duration {_quoted(text)}")
    raise ValueError(f"time: invalid duration {_quoted(text)}")


def _quoted(text: str) -> str:
    """As Go's time package quotes: bytes beyond ASCII by their numbers."""
    shown = [f"\\x{byte:02x}" if byte >= 128 or byte < 32 else chr(byte) for byte in text.encode()]
    return '"' + "".join(shown).replace('"', '\\"') + '"'


def seconds(value: object) -> float:
    """Seconds of a number, ``"60"``, ``"1h"`` or ``"7d"`` (parseutil.ParseDurationSecond).

    Raises:
        ValueError: It is none of these.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        # A number of JSON's is its digits: 1.5 has no unit.
        text = getattr(value, "text", None)
        return _bounded(value, str(value)) if text is None else seconds(text)
    if not isinstance(value, str):
        raise ValueError("could not parse duration from input")  # noqa: TRY004
    if not value:
        return 0
    if _WHOLE.fullmatch(value):
        return _bounded(float(value), value)
    if value.endswith("d"):
        if not _WHOLE.fullmatch(value[:-1]):
            raise ValueError(f'strconv.ParseInt: parsing "{value[:-1]}": invalid syntax')
        return _bounded(float(value[:-1]) * 86400, value)
    return _bounded(go_duration(value), value)


def moment(value: object) -> float:
    """Seconds since the epoch of RFC 3339, or of such seconds (parseutil.ParseAbsoluteTime).

    Raises:
        ValueError: It is none of these.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("could not parse time from input type")  # noqa: TRY004
    text = str(getattr(value, "text", value))
    if _WHOLE.fullmatch(text):
        return float(text)
    if not isinstance(value, str):
        words = f'strconv.ParseInt: parsing "{text}": invalid syntax'
        raise ValueError(words)  # noqa: TRY004
    with contextlib.suppress(ValueError):
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.timestamp()
    raise ValueError("could not parse string as date and time")


def _bounded(value: float, text: str) -> float:
    """A Go duration is a 64-bit number of nanoseconds: 292 years."""
    if not abs(value) <= LONGEST:
        raise ValueError(f'time: invalid duration "{text}"')
    return value


def is_past(moment: float, now: float) -> bool:
    """Whether it has come; one that is a sum may be a last digit later than the clock has it."""
    return moment <= now + _ROUNDING


def in_go(value: float) -> str:
    """Seconds as Go's Duration prints them: ``1h0m0s``, ``1m30s``, ``500ms``, ``0s``."""
    if value < 0:
        return f"-{in_go(-value)}"
    if 0 < value < 1:
        return f"{round(value * 1000, 6):g}ms"
    whole = int(value)
    rest = f"{round(value - whole, 9):.9f}"[1:].rstrip("0").rstrip(".")
    hours, minutes, left = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours}h{minutes}m{left}{rest}s"
    return f"{minutes}m{left}{rest}s" if minutes else f"{left}{rest}s"


def in_short_go(value: float) -> str:
    """The same without zeros at the end: ``768h`` (parseutil's and Vault's warnings)."""
    text = in_go(value)
    if text.endswith("m0s"):
        text = text[:-2]
    return text[:-2] if text.endswith("h0m") else text


@lru_cache(maxsize=1024)
def stamp(moment: float) -> str:
    """Seconds since the epoch in RFC 3339 with nanoseconds, as Go prints it."""
    nanoseconds = round(moment * 1_000_000) * 1000
    whole, rest = divmod(nanoseconds, 1_000_000_000)
    text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:09}".rstrip("0").rstrip(".") + "Z"
