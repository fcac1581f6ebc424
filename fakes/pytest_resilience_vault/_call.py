"""One request as a backend sees it, with its fields converted as sdk/framework does."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_resilience_vault._errors import bad_request
from pytest_resilience_vault._times import moment, seconds

if TYPE_CHECKING:
    from pytest_resilience_vault._mounts import Mount
    from pytest_resilience_vault._tokens import Token

# Words of mapstructure 2, which do not repeat the value; seen on OpenBao.
_NO_INT = " cannot parse value as 'int': strconv.ParseInt: invalid syntax"
READ, LIST, CREATE, UPDATE, DELETE, PATCH = "read", "list", "create", "update", "delete", "patch"
WRITES = (CREATE, UPDATE)


@dataclass(slots=True)
class Call:
    """A request below a mount."""

    operation: str
    full_path: str
    """Without ``/v1/``."""
    data: dict[str, Any]
    """The body's fields, or the query's for operations without a body."""
    now: float
    token_id: str = ""
    """As sent; what it is worth has not been looked at."""
    remote: str = ""
    """The client's address."""
    mount: Mount = field(init=False)
    path: str = field(init=False)
    """Below the mount."""
    token: Token | None = None
    wrap_asked: float | None = None
    """Seconds that the answer is to be wrapped for, 0 for not at all; None when nothing is said."""
    wrap_format: str = ""
    """``jwt``, or nothing for a plain token."""
    checks_existence: bool = False

    @property
    def wrap_ttl(self) -> float:
        """Seconds that the answer is to be wrapped for; 0 for not at all."""
        return self.wrap_asked or 0

    @staticmethod
    def of(data: dict[str, Any]) -> Call:
        """The conversions alone, for data that is no request."""
        return Call(READ, "", data, 0.0)

    def convert(self, fields: dict[str, str]) -> None:
        """Refuse what one of the fields cannot be (framework.FieldData.Validate)."""
        for name in self.data:
            kind = fields.get(name)
            if kind == "signed":
                self.seconds(name, signed=True)
            elif kind:
                getattr(self, kind)(name)

    def has(self, name: str) -> bool:
        """Whether the field is there; ``null`` is."""
        return name in self.data

    def text(self, name: str, default: str = "") -> str:
        """A string; numbers and booleans become one, null "" (mapstructure's weak decoding)."""
        value = self.data.get(name)
        if value is None:
            return "" if self.has(name) else default
        if isinstance(value, bool):
            return "1" if value else "0"
        if isinstance(value, str | int | float):
            return str(getattr(value, "text", value))
        raise self._unfit(
            name, f"'' expected type 'string', got unconvertible type {go_type(value)}"
        )

    def whole(self, name: str, default: int = 0) -> int:
        """A whole number, or a string of one."""
        value = self.data.get(name)
        if value is None:
            return 0 if self.has(name) else default
        if isinstance(value, str):
            try:
                return self._in_range(name, _parsed_int(value))
            except ValueError:
                raise self._unfit(name, f"''{_NO_INT}") from None
        if isinstance(value, int):
            return self._in_range(name, int(value))
        if isinstance(value, float):
            raise self._unfit(name, f"''{_NO_INT}")
        raise self._unfit(name, f"'' expected type 'int', got unconvertible type {go_type(value)}")

    def _in_range(self, name: str, value: int) -> int:
        if not -(2**63) <= value < 2**63:
            raise self._unfit(name, f"''{_NO_INT.replace('invalid syntax', 'value out of range')}")
        return value

    def number(self, name: str, default: float = 0) -> float:
        """A number, or a string of one."""
        value = self.data.get(name)
        if value is None or value == "":
            return default if value is None else 0
        if isinstance(value, str):
            try:
                return float(value)
            except ValueError:
                words = "'' cannot parse value as 'float64': strconv.ParseFloat: invalid syntax"
                raise self._unfit(name, words) from None
        if isinstance(value, int | float):
            return float(value)
        raise self._unfit(
            name, f"'' expected type 'float64', got unconvertible type {go_type(value)}"
        )

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean, or a string of one as Go's strconv.ParseBool reads it."""
        value = self.data.get(name)
        if value is None:
            return False if self.has(name) else default
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            # A number is its digits, as everything that json.Number holds.
            text = str(getattr(value, "text", value))
            parsed = parse_bool(text) if text else False
            if parsed is None:
                text = "'' cannot parse value as 'bool': strconv.ParseBool: invalid syntax"
                raise self._unfit(name, text)
            return parsed
        if isinstance(value, bool):
            return value
        raise self._unfit(name, f"'' expected type 'bool', got unconvertible type {go_type(value)}")

    def seconds(self, name: str, default: float = 0, *, signed: bool = False) -> float:
        """A duration: seconds, ``"90s"``, ``"1h"``; whole seconds only."""
        value = self.data.get(name)
        if value is None:
            return default
        try:
            found = int(seconds(value))
        except ValueError as error:
            raise self._unfit(name, str(error)) from None
        if found < 0 and not signed:
            raise self._unfit(name, f"cannot provide negative value '{found}'")
        return found

    def moment(self, name: str) -> float:
        """Seconds since the epoch; null is none at all."""
        value = self.data.get(name)
        try:
            return 0 if value is None else moment(value)
        except ValueError as error:
            raise self._unfit(name, str(error)) from None

    def texts(self, name: str) -> list[str]:
        """A list of strings, or one string with commas."""
        value = self.data.get(name)
        if value is None:
            return []
        if isinstance(value, list | dict):
            found, unfit = _weak_texts(value)
            if unfit:
                # The words of the older mapstructure, which the server has for these (seen).
                why = [f"* {words}, value: '{_printed(item)}'" for words, item in unfit]
                raise self._unfit(name, f"{len(why)} error(s) decoding:\n\n" + "\n".join(why))
            return [text.strip() for text in found]
        return [part.strip() for part in self.text(name).split(",")] if value != "" else []

    def wholes(self, name: str) -> list[int]:
        """A list of whole numbers, or one string with commas; every bad one is named."""
        value = self.data.get(name)
        if isinstance(value, str):
            value = value.split(",") if value else []
        elif not isinstance(value, list):
            value = [value] if value or isinstance(value, int) else []
        found, problems = [], []
        for index, item in enumerate(value):
            try:
                found.append(_weak_int(item))
            except ValueError:
                problems.append(f"'[{index}]'{_NO_INT}")
            except TypeError:
                words = f"expected type 'int', got unconvertible type {go_type(item)}"
                problems.append(f"'[{index}]' {words}")
        if problems:
            words = "decoding failed due to the following error(s):\n\n"
            raise self._unfit(name, words + "\n".join(problems))
        return found

    def strings(self, name: str) -> list[str]:
        """A list of strings; a single string is one, commas and all."""
        value = self.data.get(name)
        if isinstance(value, str):
            return [value.strip()] if value else []
        if not isinstance(value, list | dict):
            return self.texts(name)
        return [text.strip() for text in self._fitting(name, value)]

    def pairs(self, name: str) -> dict[str, str]:
        """A map of strings, or a list of ``key=value``."""
        value = self.data.get(name)
        maps = value if isinstance(value, list) else [value]
        if all(one is None or isinstance(one, dict) for one in maps):
            # Several objects are one.
            joined = {key: item for one in maps for key, item in (one or {}).items()}
            texts, unfit = _weak_texts(list(joined.values()))
            if not unfit:
                return dict(zip(joined, texts, strict=True))
        found = {}
        texts = [""] if value == "" else self.strings(name)
        for index, text in enumerate(texts):
            key, mark, rest = text.partition("=")
            if not mark or not key:
                words = f'invalid key pair at index {index} in field "{name}"'
                raise self._unfit(name, words)
            found[key] = rest
        return found

    def _fitting(self, name: str, value: list[Any] | dict[str, Any]) -> list[str]:
        found, unfit = _weak_texts(value)
        if unfit:
            words = "decoding failed due to the following error(s):\n\n"
            raise self._unfit(name, words + "\n".join(why for why, _ in unfit))
        return found

    def mapping(self, name: str) -> dict[str, Any]:
        """An object; ``null`` is an empty one."""
        value = self.data.get(name)
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        if isinstance(value, list) and not value:
            return {}
        place, found = ("[0]", value[0]) if isinstance(value, list) else ("", value)
        words = f"'{place}' expected type 'map[string]interface {{}}', got unconvertible type"
        raise self._unfit(name, f"{words} {go_type(found)}")

    def _unfit(self, name: str, why: str) -> Exception:
        # The existence check runs before the validation, and has no prefix.
        bare = self.checks_existence and self.operation in WRITES
        prefix = "" if bare else "Field validation failed: "
        return bad_request(f'{prefix}error converting input for field "{name}": {why}')


def _weak_texts(value: list[Any] | dict[str, Any]) -> tuple[list[str], list[tuple[str, Any]]]:
    """Strings as mapstructure's weak decoding makes them, and what cannot be one, with its words.

    An object is a list of one, and an empty one of none.
    """
    if isinstance(value, dict):
        value = [value] if value else []
    found, unfit = [], []
    for index, item in enumerate(value):
        if isinstance(item, dict | list):
            words = f"'[{index}]' expected type 'string', got unconvertible type {go_type(item)}"
            unfit.append((words, item))
        elif item is None:
            found.append("")
        else:
            found.append(_printed(int(item) if isinstance(item, bool) else item))
    return found, unfit


def _printed(value: Any) -> str:
    """A value as Go's %v prints it."""
    if isinstance(value, dict):
        pairs = " ".join(f"{key}:{_printed(value[key])}" for key in sorted(value))
        return f"map[{pairs}]"
    if isinstance(value, list):
        return f"[{' '.join(map(_printed, value))}]"
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    return str(getattr(value, "text", value))


def _weak_int(value: Any) -> int:
    """A whole number as mapstructure's weak decoding makes one."""
    if value is None or isinstance(value, bool | int):
        return int(value or 0)
    if isinstance(value, dict | list):
        raise TypeError
    return _parsed_int(str(getattr(value, "text", value)))


_OCTAL = re.compile(r"[-+]?0[0-7]+")


def _parsed_int(text: str) -> int:
    """A whole number of any base, as strconv.ParseInt reads it; nothing is 0."""
    if not text:
        return 0
    if text.strip() != text:
        raise ValueError(text)
    return int(text, 8) if _OCTAL.fullmatch(text) else int(text, 0)


class Texts(list[str]):
    """What a query says more than once: a list of strings in Go, and of nothing else."""


def parse_bool(text: str) -> bool | None:
    """A boolean as Go's strconv.ParseBool reads it; None when it is none."""
    if text in ("1", "t", "T", "TRUE", "true", "True"):
        return True
    if text in ("0", "f", "F", "FALSE", "false", "False"):
        return False
    return None


def go_type(value: object) -> str:
    """What Go calls the type of a value, in quotes."""
    if isinstance(value, dict):
        return "'map[string]interface {}'"
    if isinstance(value, list):
        return "'[]string'" if isinstance(value, Texts) else "'[]interface {}'"
    if isinstance(value, bool):
        return "'bool'"
    return "'string'" if isinstance(value, str) else "'json.Number'"
