"""One request to each of two servers, and what their answers have in common."""

from __future__ import annotations

import base64
import http.client
import json
import re
from dataclasses import dataclass, field
from typing import Any

JSON = Any


@dataclass(frozen=True, slots=True)
class Ask:
    """A request; ``{name}`` stands for what each side has answered before."""

    method: str
    path: str
    body: JSON = None
    token: str = "{root}"
    headers: tuple[tuple[str, str], ...] = ()
    raw: bytes | None = None
    save: tuple[tuple[str, str], ...] = ()
    """Names, and where in the answer their values are: ``auth.client_token``."""

    def __str__(self) -> str:
        body = self.raw if self.raw is not None else json.dumps(self.body)
        more = f" {dict(self.headers)}" if self.headers else ""
        return f"{self.method} {self.path} {body!s}{more} as {self.token or 'nobody'}"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: JSON


GONE = 0
"""The status of an answer that never came."""

HEADERS = (
    "cache-control",
    "content-type",
    "location",
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-vault-index",
    "x-vault-namespace",
)
"""Those that a client acts on."""


@dataclass
class Side:
    """A server, one connection to it, and what it has called things."""

    name: str
    port: int
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def filled(self, text: str) -> str:
        """The text with this side's values."""
        return re.sub(r"\{(\w+)\}", lambda found: self.names.get(found[1], found[0]), text)

    def ask(self, ask: Ask) -> Said:
        """Send it and read the answer."""
        headers = {name: self.filled(value) for name, value in ask.headers}
        if ask.token:
            headers["X-Vault-Token"] = self.filled(ask.token)
        body = ask.raw
        if body is None and ask.body is not None:
            body = self.filled(json.dumps(ask.body)).encode()
        path = self.filled(ask.path)
        target = path if path.startswith("/") else f"/v1/{path}"
        self._connection.request(ask.method, target, body, headers)
        try:
            response = self._connection.getresponse()
        except http.client.RemoteDisconnected:
            # Go closes the connection of a handler that panicked.
            self._connection.close()
            return Said(GONE, {}, "")
        text = response.read().decode()
        fields = {name.lower(): value for name, value in response.getheaders()}
        try:
            data = json.loads(text)
        except ValueError:
            data = text
        for name, place in ask.save:
            self._save(name, place, data)
        return Said(response.status, {name: fields.get(name, "") for name in HEADERS}, data)

    def _save(self, name: str, place: str, data: JSON) -> None:
        for key in place.split("."):
            data = data.get(key) if isinstance(data, dict) else None
        self.names.pop(name, None)
        if isinstance(data, str) and data:
            self.names[name] = data

    def plain(self, value: JSON) -> JSON:
        """A body with its own ids and moments left out."""
        return _plain(value, "")


_PORT = re.compile(r"127\.0\.0\.1:\d+")


class About(int):
    """Seconds that are left: a few may have passed between the two answers."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int) and abs(int(self) - int(other)) <= 5

    __hash__ = int.__hash__


def about(headers: dict[str, str]) -> dict[str, str | int]:
    """Header fields to compare, times in them as such."""
    return {name: _header(name, value) for name, value in headers.items()}


def _header(name: str, value: str) -> str | int:
    if name == "x-vault-index" and value:
        return ", ".join(json.loads(base64.b64decode(value)))
    return About(value) if name == "retry-after" and value.isdecimal() else value


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"(?!0001)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_JWT = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]{176}(?![\w-])")
_TOKEN = re.compile(r"\b[sb]\.[\w-]{20,}(?:\.\w{6})?")
_ACCESSOR = re.compile(r"\b(?:auth_)?[a-z]+_[0-9a-f]{8}\b")
_IDS = {"accessor", "wrapped_accessor", "id", "cluster_name", "encoded_token", "otp"}
_NUMBERS = {
    "encryptions",
    "raft_committed_index",
    "raft_applied_index",
    "creation_time",
    "last_renewal_time",
    "server_time_utc",
}
_ABOUT = {"ttl", "creation_ttl", "secret_id_ttl"}


def _plain(value: JSON, key: str) -> JSON:
    if isinstance(value, dict):
        return {_text(name): _plain(item, name) for name, item in value.items()}
    if isinstance(value, list):
        items = [_plain(item, "") for item in value]
        # Names come out of storage in an order of its own.
        return sorted(items, key=str) if key in ("keys", "keys_base64") else items
    if isinstance(value, str):
        return "<id>" if value and key in _IDS else _text(value)
    if key in _NUMBERS and value:
        return "<number>"
    return About(value) if key in _ABOUT and isinstance(value, int) else value


def _text(text: str) -> str:
    text = _PORT.sub("127.0.0.1:<port>", text)
    text = _MOMENT.sub("<moment>", _UUID.sub("<uuid>", _JWT.sub("<jwt>", text)))
    return _ACCESSOR.sub("<accessor>", _TOKEN.sub("<token>", text))
