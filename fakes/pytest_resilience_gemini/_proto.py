"""Reads JSON into a request message as Google's front end does, and collects what is wrong.

Every problem is reported, not only the first, and paths are in snake_case whatever the
client sent (seance#18, ai.nvim#13, cody#4566, zed#53919, azure-devops-mcp#145). The front
end uses the converter that protobuf had in util/internal; texts that no report of Gemini's
shows are taken from reports of other Google APIs, which have the same front end.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

from pytest_resilience_gemini import _json
from pytest_resilience_gemini._errors import ApiError, bad_request
from pytest_resilience_gemini._scalars import READERS, whole
from pytest_resilience_gemini._schema import ENUMS, GROUPS, MESSAGES, PACKAGE, SCALARS

PREFIX = "Invalid JSON payload received. "
NUMBER = whole(32)


def parse(body: bytes, message: str) -> dict[str, Any]:
    """The message with its fields in snake_case.

    Raises:
        ApiError: A 400 that names all that is unknown or of the wrong kind.
    """
    reader = _Reader()
    value = reader.message(_value(body), message, "")
    if reader.problems:
        raise invalid(reader.problems)
    return value


def _value(body: bytes) -> Any:
    if not body.strip():
        return {}
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ApiError(400) from None
    try:
        return _json.read(text)
    except _json.Malformed as error:
        # Without details, unlike all else that is wrong with a body: a report of Gemini's, and
        # measured of another API (backlot, errors/google.py).
        raise ApiError(400, f"{PREFIX}{error}") from None


def invalid(problems: list[tuple[str, str]]) -> ApiError:
    """The 400 of these problems, of each its path and its text."""
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
        fields, groups = MESSAGES[name], GROUPS.get(name, {})
        found: dict[str, Any] = {}
        taken: set[str] = set()
        for key, value in data.items():
            field = key if key in fields else _snake(key)
            if field not in fields or (key != field and key != camel(field)):
                self._unknown(key, path)
            elif value is not None:
                if field in groups:
                    self._take(groups[field], taken, path, key)
                kind = fields[field]
                read = self._field(value, kind, path, field, key)
                found[field] = _joined(found[field], read, kind) if field in found else read
        return found

    def _take(self, group: str, taken: set[str], path: str, key: str) -> None:
        """One of a group may be given, and once (google-cloud-dart#26)."""
        if group in taken:
            already = f"oneof field '{group}' is already set. Cannot set '{key}'"
            self._invalid(path, "oneof", already)
        taken.add(group)

    def _field(self, value: Any, kind: str, path: str, field: str, key: str) -> Any:
        where = f"{path}.{field}" if path else field
        if kind.startswith("[]"):
            return self._repeated(value, kind[2:], where)
        if kind.startswith("{}"):
            return self._map(value, kind[2:], where)
        if isinstance(value, list) and kind != "any":
            self._unknown(key, path, "Proto field is not repeating, cannot start list.")
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
            # LibreChat#6593, claude-code-router#845
            why = "Base64 decoding failed for " if name == "TYPE_BYTES" else ""
            self._bad_value(path, name, value, why if isinstance(value, str) else "")
            return None

    def _enum(self, value: Any, kind: str, path: str) -> Any:
        names = ENUMS[kind]
        if isinstance(value, str) and value in names:
            return value
        # Google's own examples write types in lower case: {"type": "object"}.
        name = value.upper().replace("-", "_") if isinstance(value, str) else ""
        if name in names:
            return name
        # google-api-core sends numbers; those that have no name are taken as well, but not
        # as texts (data_piece.cc).
        with suppress(ValueError, OverflowError):
            number = NUMBER(value)
            if 0 <= number < len(names):
                return names[number]
            if not isinstance(value, str):
                return number
        self._bad_value(path, PACKAGE + kind, value)
        return None

    def _no_message(self, path: str, name: str, value: Any) -> None:
        if path:
            self._bad_value(path, PACKAGE + name, value)
        else:
            self._unknown("", path, "Root element must be a message.")

    def _bad_value(self, path: str, kind: str, value: Any, why: str = "") -> None:
        if isinstance(value, dict):
            parent, _, field = path.rpartition(".")
            name = field.partition("[")[0]
            self._invalid(parent, name, "Starting an object on a scalar field")
        else:
            self._invalid(path, kind, why + json.dumps(value, ensure_ascii=False))

    def _invalid(self, path: str, kind: str, why: str) -> None:
        self.problems.append((path, invalid_value(path, kind, why)))

    def _unknown(self, key: str, path: str, why: str = "Cannot find field.") -> None:
        where = f" at '{path}'" if path else ""
        self.problems.append((path, f'{PREFIX}Unknown name "{key}"{where}: {why}'))


def _joined(before: Any, value: Any, kind: str) -> Any:
    """What a field holds that came twice: lists follow each other, messages are merged."""
    if kind.startswith("[]"):
        return before + value
    if kind == "any" or not (isinstance(before, dict) and isinstance(value, dict)):
        return value
    fields = MESSAGES.get(kind, {})
    return before | {
        name: _joined(before[name], new, fields.get(name, "any")) if name in before else new
        for name, new in value.items()
    }


def invalid_value(path: str, kind: str, why: str) -> str:
    """What is said of a value that does not fit its type."""
    where = f" at '{path}'" if path else ""
    return f"Invalid value{where} ({kind}), {why}"


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), name)


def camel(name: str) -> str:
    """A field's name in JSON."""
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)
