"""Reads JSON into a request message as Google's front end does, and collects what is wrong.

Every problem is reported, not only the first, and paths are in snake_case whatever the
client sent (seance#18, ai.nvim#13, cody#4566, zed#53919, azure-devops-mcp#145). The front
end uses the converter that protobuf had in util/internal; texts that no report of Gemini's
shows are taken from reports of other Google APIs, which have the same front end.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Callable
from typing import Any

from pytest_resilience_gemini._errors import ApiError, bad_request
from pytest_resilience_gemini._schema import ENUMS, MESSAGES, ONEOFS, PACKAGE, SCALARS

PREFIX = "Invalid JSON payload received. "


def parse(body: bytes, message: str) -> dict[str, Any]:
    """The message with its fields in snake_case.

    Raises:
        ApiError: A 400 that names all that is unknown or of the wrong kind.
    """
    reader = _Reader()
    try:
        value = reader.message(_json(body), message, "")
    except RecursionError:
        raise ApiError(400) from None
    if reader.problems:
        raise _invalid(reader.problems)
    return value


def _json(body: bytes) -> Any:
    if not body.strip():
        return {}
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ApiError(400) from None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _invalid([("", f"{PREFIX}Unexpected token.\n{_around(text, error.pos)}")]) from None
    except (ValueError, RecursionError):  # too many digits, nested too deep
        raise ApiError(400) from None


def _around(text: str, place: int) -> str:
    """Twenty characters to either side of a place, and an arrow below it."""
    start = max(0, place - 20)
    return f"{text[start : place + 20]}\n{' ' * (place - start)}^"


def _invalid(problems: list[tuple[str, str]]) -> ApiError:
    violations = [
        {"field": path, "description": text} if path else {"description": text}
        for path, text in problems
    ]
    text = "\n".join(text for _, text in problems)
    return ApiError(400, text, details=[bad_request(violations)])


class _Reader:
    """Walks through JSON along the schema; `problems` are paths and texts."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []

    def message(self, data: Any, name: str, path: str) -> dict[str, Any]:
        if not isinstance(data, dict):
            self._no_message(path, name, data)
            return {}
        fields = MESSAGES[name]
        found: dict[str, Any] = {}
        for key, value in data.items():
            field = key if key in fields else _snake(key)
            if field not in fields or (key != field and key != _camel(field)):
                self._unknown(key, path)
            elif value is not None:
                self._only_one(found, name, field, path, key)
                found[field] = self._field(value, fields[field], path, field)
        return found

    def _only_one(self, found: dict[str, Any], name: str, field: str, path: str, key: str) -> None:
        for group, members in ONEOFS.get(name, {}).items():
            if field in members and members & found.keys():
                already = f"oneof field '{group}' is already set. Cannot set '{key}'"
                self._invalid(path, "oneof", already)

    def _field(self, value: Any, kind: str, path: str, field: str) -> Any:
        where = f"{path}.{field}" if path else field
        if kind.startswith("[]"):
            return self._repeated(value, kind[2:], where)
        if kind.startswith("{}"):
            return self._map(value, kind[2:], where)
        if isinstance(value, list) and kind != "any":
            self._unknown(field, path, "Proto field is not repeating, cannot start list.")
            return None
        return self._single(value, kind, where)

    def _repeated(self, value: Any, kind: str, path: str) -> list[Any]:
        # One value in place of a list of one is accepted: {"contents": {"parts": {...}}}.
        if not isinstance(value, list):
            return [self._single(value, kind, path)]
        return [self._single(item, kind, f"{path}[{n}]") for n, item in enumerate(value)]

    def _map(self, value: Any, kind: str, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._bad_value(path, "Map", value)
            return {}
        # A map is a list of entries to the service: properties[0].value (agno#3298).
        return {
            key: self._single(item, kind, f"{path}[{n}].value")
            for n, (key, item) in enumerate(value.items())
        }

    def _single(self, value: Any, kind: str, path: str) -> Any:
        if kind == "any":
            return value
        if kind in MESSAGES:
            return self.message(value, kind, path)
        if kind in ENUMS:
            return self._enum(value, kind, path)
        assert kind in SCALARS
        read, name = READERS[kind]
        try:
            return read(value)
        except (ValueError, OverflowError):
            self._bad_value(path, name, value)
            return None

    def _enum(self, value: Any, kind: str, path: str) -> Any:
        if isinstance(value, str):
            # Google's own examples write types in lower case: {"type": "object"}.
            name = value.upper().replace("-", "_")
            if name in ENUMS[kind]:
                return name
        elif isinstance(value, int) and not isinstance(value, bool):
            # google-api-core sends numbers; those that have no name are taken as well.
            return ENUMS[kind][value] if 0 <= value < len(ENUMS[kind]) else value
        self._bad_value(path, PACKAGE + kind, value)
        return None

    def _no_message(self, path: str, name: str, value: Any) -> None:
        if path:
            self._bad_value(path, PACKAGE + name, value)
        else:
            self._unknown("", path, "Root element must be a message.")

    def _bad_value(self, path: str, kind: str, value: Any) -> None:
        if isinstance(value, dict):
            parent, _, field = path.rpartition(".")
            name = field.partition("[")[0]
            self._invalid(parent, name, "Starting an object on a scalar field")
        else:
            self._invalid(path, kind, json.dumps(value, ensure_ascii=False))

    def _invalid(self, path: str, kind: str, why: str) -> None:
        where = f" at '{path}'" if path else ""
        self.problems.append((path, f"Invalid value{where} ({kind}), {why}"))

    def _unknown(self, key: str, path: str, why: str = "Cannot find field.") -> None:
        where = f" at '{path}'" if path else ""
        self.problems.append((path, f'{PREFIX}Unknown name "{key}"{where}: {why}'))


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), name)


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


# Scalars, by the rules of proto3's JSON mapping. All refuse a value with a ValueError.


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise ValueError


def _bytes(value: Any) -> str:
    """The text as it is; only that it is base64 of either alphabet is checked."""
    plain = _string(value).replace("-", "+").replace("_", "/").rstrip("=")
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


def _number(value: Any) -> float:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return float(value)
    raise ValueError


def _whole(bits: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = value if isinstance(value, int) else _number(value)
        if isinstance(value, bool) or not math.isfinite(number) or number != int(number):
            raise ValueError
        if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            raise ValueError
        return int(number)

    return read


READERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "string": (_string, "TYPE_STRING"),
    "bytes": (_bytes, "TYPE_BYTES"),
    "bool": (_bool, "TYPE_BOOL"),
    "int32": (_whole(32), "TYPE_INT32"),
    "int64": (_whole(64), "TYPE_INT64"),
    "float": (_number, "TYPE_FLOAT"),
    "double": (_number, "TYPE_DOUBLE"),
}
