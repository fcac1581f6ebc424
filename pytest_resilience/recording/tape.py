"""The file of a recording: JSON lines, a first one that says what it is, then one an exchange."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_resilience.errors import ResilienceError
from pytest_resilience.recording.bodies import Body

__all__ = ["Exchange", "Message", "Tape", "head_line", "line", "load"]

FORMAT = "pytest-resilience recording"
VERSION = 1

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer, with names in place of its secrets."""

    headers: Fields = ()
    body: Body = field(default_factory=lambda: Body("nothing"))
    method: str = ""
    target: str = ""
    status: int = 0

    def header(self, name: str) -> str | None:
        """All values under this name, joined as HTTP allows; None without any."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(found) if found else None

    def to_dict(self) -> dict[str, Any]:
        """As JSON data."""
        first = {"status": self.status} if self.status else {"method": self.method}
        data: dict[str, Any] = {**first, "headers": [list(one) for one in self.headers]}
        if self.target:
            data["target"] = self.target
        match self.body.kind:
            case "JSON":
                data["json"] = self.body.data
            case "events":
                data["events"] = self.body.data
            case "text":
                data["text"] = self.body.data
            case "bytes":
                data["base64"] = base64.b64encode(self.body.data).decode()
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Message:
        """Back from JSON data."""
        headers = tuple((str(name), str(value)) for name, value in data["headers"])
        named = {name: data[name] for name in ("method", "target", "status") if name in data}
        return cls(headers, _body(data), **named)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, and what the real server answered."""

    number: int
    request: Message
    answer: Message
    brought: Mapping[str, str] = field(default_factory=dict)
    """Secrets that the client has brought along, by name, each with a value of the same form."""

    @property
    def line(self) -> str:
        """What was asked, in a few words."""
        return f"{self.request.method} {self.request.target}"


@dataclass(frozen=True, slots=True)
class Tape:
    """A recording."""

    server: str
    """Where the real server was."""
    exchanges: tuple[Exchange, ...]


def _body(data: Mapping[str, Any]) -> Body:
    if "base64" in data:
        return Body("bytes", base64.b64decode(data["base64"]))
    for name, kind in (("json", "JSON"), ("events", "events"), ("text", "text")):
        if name in data:
            return Body(kind, data[name])
    return Body("nothing")


def head_line(server: str) -> str:
    """The first line of a file."""
    return json.dumps({"format": FORMAT, "version": VERSION, "server": server}) + "\n"


def line(exchange: Exchange) -> str:
    """The line of an exchange."""
    data = {
        "number": exchange.number,
        "request": exchange.request.to_dict(),
        "answer": exchange.answer.to_dict(),
        "brought": dict(exchange.brought),
    }
    return json.dumps(data, ensure_ascii=False) + "\n"


def load(path: str | Path) -> Tape:
    """Read a file.

    Raises:
        ResilienceError: It cannot be read, or is no recording; names the line.
    """
    try:
        lines = Path(path).read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ResilienceError(f"cannot read the recording {path}: {error}") from error
    head = _parsed(path, 1, lines[0])
    if head.get("format") != FORMAT or head.get("version") != VERSION:
        raise ResilienceError(
            f"{path} is no recording: its first line should say "
            f'"format": "{FORMAT}" and "version": {VERSION}'
        )
    exchanges = [_exchange(path, at, text) for at, text in _numbered(lines[1:])]
    return Tape(str(head["server"]), tuple(sorted(exchanges, key=lambda one: one.number)))


def _numbered(lines: Iterable[str]) -> Iterable[tuple[int, str]]:
    return [(at, text) for at, text in enumerate(lines, 2) if text.strip()]


def _parsed(path: str | Path, at: int, text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ResilienceError(f"{path}, line {at}: no JSON: {error}") from error
    if not isinstance(data, dict):
        raise ResilienceError(f"{path}, line {at}: no object")
    return data


def _exchange(path: str | Path, at: int, text: str) -> Exchange:
    data = _parsed(path, at, text)
    try:
        request, answer = Message.from_dict(data["request"]), Message.from_dict(data["answer"])
        return Exchange(int(data["number"]), request, answer, dict(data.get("brought", {})))
    except (KeyError, TypeError, ValueError) as error:
        raise ResilienceError(f"{path}, line {at}: no exchange: {error!r}") from error
