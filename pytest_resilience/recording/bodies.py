"""What a body is: JSON data, a stream of events, text, bytes, or nothing."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

__all__ = ["Body", "essence", "is_json", "read"]

LINES = frozenset({"application/x-ndjson", "application/jsonl"})
"""JSON, a line each: a stream as well."""


class Body(NamedTuple):
    """A body, as far as one can look into it."""

    kind: str
    """``JSON``, ``events``, ``text``, ``bytes`` or ``nothing``."""
    data: Any = None
    """Of JSON, of events as a list, and of the others as they are."""


def essence(content_type: str) -> str:
    """A Content-Type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def read(body: bytes, content_type: str = "") -> Body:
    """Look into a body; what it says it is counts less than what it is."""
    if not body.strip():
        return Body("nothing")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return Body("bytes", body)
    kind = essence(content_type)
    if kind in LINES or (kind == "text/event-stream" and text.lstrip()[:1] not in ("{", "[")):
        return Body("events", _lines(text) if kind in LINES else _events(text))
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return Body("text", text)
    if isinstance(data, dict | list) or is_json(kind):
        return Body("JSON", data)
    return Body("text", text)


def is_json(kind: str) -> bool:
    """Whether a Content-Type says that its body is JSON."""
    return kind == "application/json" or kind.endswith("+json")


def _lines(text: str) -> list[Any]:
    """What each line says."""
    return [read(line.encode()).data for line in text.splitlines()]


def _events(text: str) -> list[Any]:
    """The data of each event, as JSON where it is such."""
    found = []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        lines = [line for line in block.split("\n") if line.startswith("data:")]
        if lines:
            said = "\n".join(line.removeprefix("data:").removeprefix(" ") for line in lines)
            found.append(read(said.encode()).data)
    return found
