"""Secrets of a recording, each under a name that stays the same from one exchange to the next.

A name is written ``{{client_token.1}}``. It says where the value was first seen, so that a
replay can look at the same place of the fake's answer for the fake's own value. One that the
client has brought along gets a stand-in: another value of the same form, made by chance.
"""

from __future__ import annotations

import re
import secrets
import string
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus, urlsplit

from pytest_resilience.recording.bodies import Body
from pytest_resilience.secrets.names import CREDENTIAL, is_public, tells
from pytest_resilience.secrets.search import Search
from pytest_resilience.secrets.value import SHORTEST, Secret, is_proof, looks_random

Fields = tuple[tuple[str, str], ...]

__all__ = ["HOST", "NAME", "SERVER", "Masker", "stand_in"]

NAME = re.compile(r"\{\{[A-Za-z0-9_-]+(?:\.[0-9]+)?\}\}")
SERVER = "{{server}}"
HOST = "{{host}}"
MOST_SEARCHED = 200
"""How many of the newest secrets are looked for in other spellings."""
_COOKIE = re.compile(r"([^=;,\s]+)=([^;,\s]+)")
_PAIR = re.compile(r"(?:^|(?<=&))([^&=]+)=([^&]*)")
_PART = re.compile(
    r'^content-disposition:[^\n]*\bname="([^"\n]*)"[^\n]*\n(?:[^\r\n]+\r?\n)*\r?\n(.*?)\r?\n--',
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_SCHEME = re.compile(r"[A-Za-z]+ +(?=\S)")


class Masker:
    """Puts names in place of secrets, and of the real server's address.

    Args:
        server: The real server's address, which may stand in an answer.
        known: Secrets by the names of their environment variables.
    """

    def __init__(self, server: str, known: Mapping[str, str]) -> None:
        self._server, self._host = server, urlsplit(server).netloc
        self._names: dict[str, str] = {}
        self._everywhere: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._newest: deque[Secret] = deque(maxlen=MOST_SEARCHED)
        self._search: Search | None = None
        self.brought: dict[str, str] = {}
        """New names of a request's own values, each with a stand-in."""
        for name, value in known.items():
            self._remember(value, f"{{{{{name}}}}}")

    # To learn

    def learn_request(self, target: str, headers: Fields, body: Body) -> None:
        """Name what a client has brought along."""
        self.brought = {}
        for label, value in _of_request(target, headers, body):
            if value not in self._names:
                name = self._new(label, value)
                self.brought[name] = stand_in(value)

    def learn_answer(self, headers: Fields, body: Body) -> None:
        """Name what the server has minted."""
        for label, value in (*_of_headers(headers), *_of_text(body), *_of_data(body.data, "")):
            if value not in self._names:
                self._new(label, value)

    def _new(self, label: str, value: str) -> str:
        word = re.sub(r"[^A-Za-z0-9_-]", "_", label) or "value"
        self._counts[word] = number = self._counts.get(word, 0) + 1
        name = f"{{{{{word}.{number}}}}}"
        self._remember(value, name)
        return name

    def _remember(self, value: str, name: str) -> None:
        self._names[value] = name
        if len(value) >= SHORTEST and (looks_random(value) or is_proof(value)):
            self._everywhere[value] = name
            self._newest.append(Secret.of(name, value, minted=True))
            self._search = None

    # To mask

    def text(self, text: str) -> str:
        """A text with names in it."""
        text = text.replace(self._server, SERVER).replace(self._host, HOST)
        for value in sorted(self._in(text), key=len, reverse=True):
            text = text.replace(value, self._everywhere[value])
        if self._search is None:
            self._search = Search(self._newest, strict=False)
        return self._search.mask(text)

    def _in(self, text: str) -> list[str]:
        return [value for value in self._everywhere if value in text]

    def data(self, data: Any, name: str = "") -> Any:  # noqa: ANN401 -- JSON
        """JSON data with names in it."""
        if isinstance(data, dict):
            return {self.text(key): self.data(value, key) for key, value in data.items()}
        if isinstance(data, list):
            return [self.data(value, name) for value in data]
        if not isinstance(data, str):
            return data
        return self._names.get(data, data) if _telling(name, data) else self.text(data)

    def headers(self, headers: Fields) -> tuple[tuple[str, str], ...]:
        """Header fields with names in them; of cookies and credentials nothing else stays."""
        return tuple((name, self._field(name, value)) for name, value in headers)

    def _field(self, name: str, value: str) -> str:
        for _, secret in _of_header(name, value):
            value = value.replace(secret, self._names.get(secret, secret))
        return self.text(value)

    def target(self, target: str) -> str:
        """A path and query with names in it."""
        path, mark, query = target.partition("?")
        return self.text(path + mark + self._named(query, _is_asked_for))

    def body(self, body: Body) -> Body:
        """A body with names in it; bytes that show a secret are left out."""
        if body.kind in {"JSON", "events"}:
            return Body(body.kind, self.data(body.data))
        if body.kind == "text":
            return Body("text", self.text(self._named(body.data, _is_filled_in)))
        if body.kind == "bytes" and Search(self._newest, strict=False).hits(body.data):
            return Body("nothing")
        return body

    def _named(self, text: str, is_secret: Callable[[str, str], bool]) -> str:
        """A query or a form, with names in place of what is secret in it."""
        pieces, end = [], 0
        for field in _fields(text):
            if is_secret(field.name, field.value) and field.value in self._names:
                pieces += [text[end : field.start], self._names[field.value]]
                end = field.end
        return "".join([*pieces, text[end:]])


# Where secrets are

Found = Iterator[tuple[str, str]]


def _of_request(target: str, headers: Fields, body: Body) -> Found:
    yield from _of_headers(headers)
    yield from _of_query(target)
    for part in target.partition("?")[0].split("/"):
        if looks_random(part):
            yield "path", part
    yield from _of_text(body)
    yield from _of_data(body.data if body.kind == "JSON" else None, "")


def _of_headers(headers: Fields) -> Found:
    for name, value in headers:
        yield from _of_header(name, value)


def _of_header(name: str, value: str) -> Found:
    low = name.lower()
    if low in {"cookie", "set-cookie"}:
        pairs = _COOKIE.findall(value)
        yield from (pairs[:1] if low == "set-cookie" else pairs)
    elif CREDENTIAL.search(name):
        scheme = _SCHEME.match(value)
        yield name, value[scheme.end() :] if scheme else value
    elif looks_random(value):
        yield name, value


def _of_query(target: str) -> Found:
    for field in _fields(target.partition("?")[2]):
        if _is_asked_for(field.name, field.value):
            yield field.name, field.value


def _of_text(body: Body) -> Found:
    for field in _fields(body.data) if body.kind == "text" else ():
        if _is_filled_in(field.name, field.value):
            yield field.name, field.value


def _is_asked_for(name: str, value: str) -> bool:
    """Whether a query's value is a secret."""
    telling = name.lower() == "key" or CREDENTIAL.search(name) is not None
    return looks_random(value) or (telling and bool(value))


def _is_filled_in(name: str, value: str) -> bool:
    """The same of a form's."""
    return looks_random(value) or _telling(name, value)


class _Field(NamedTuple):
    """One of a query or a form, and the place of its value."""

    name: str
    value: str
    start: int
    end: int


def _fields(text: str) -> Iterator[_Field]:
    """Those of a query or a form, also of one in parts; whatever else it is has none."""
    if "\n" in text:
        for part in _PART.finditer(text):
            yield _Field(part[1], part[2], *part.span(2))
        return
    for pair in _PAIR.finditer(text):
        yield _Field(unquote_plus(pair[1]), unquote_plus(pair[2]), *pair.span(2))


def _of_data(data: Any, name: str) -> Found:  # noqa: ANN401 -- JSON
    if isinstance(data, dict):
        for key, value in data.items():
            if looks_random(key):
                yield f"{name}-key", key
            yield from _of_data(value, key)
    elif isinstance(data, list):
        for value in data:
            yield from _of_data(value, name)
    elif isinstance(data, str) and (_telling(name, data) or _is_random(name, data)):
        yield name, data


def _telling(name: str, value: str) -> bool:
    return bool(value) and tells(name)


def _is_random(name: str, value: str) -> bool:
    return (looks_random(value) and not _is_moment(value)) or _is_id(name, value)


def _is_moment(text: str) -> bool:
    return re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", text) is not None


def _is_id(name: str, value: str) -> bool:
    """Ids are no secrets; they are named so that a replay uses the fake's own."""
    return is_public(name) and name.lower().endswith("id") and is_proof(value)


def stand_in(value: str) -> str:
    """Another value of the same form, made by chance."""
    return "".join(map(_like, value))


def _like(character: str) -> str:
    for kind in ("0123456789", "abcdef", string.ascii_lowercase, string.ascii_uppercase):
        if character in kind:
            return secrets.choice(kind)
    return character
