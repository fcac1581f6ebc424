"""Reads the part of HCL 1 in which policies are written, and JSON in its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+|\#[^\n]*|//[^\n]*|/\*.*?\*/)
      |(?P<string>"(?:[^"\\\n]|\\.)*")
      |(?P<heredoc><<-?(?P<tag>\w+)\n.*?\n[ \t]*(?P=tag)(?=\n|$))
      |(?P<number>-?\d+(?:\.\d+)?)
      |(?P<word>[A-Za-z_][\w.-]*)
      |(?P<mark>[{}\[\]=,])""",
    re.VERBOSE | re.DOTALL,
)


_NAMES = {
    "{": "LBRACE",
    "}": "RBRACE",
    "[": "LBRACK",
    "]": "RBRACK",
    "=": "ASSIGN",
    ",": "COMMA",
}
_BOOLEANS = ("true", "false")
_KINDS = {"string": "STRING", "word": "IDENT", "number": "NUMBER", "heredoc": "HEREDOC"}


@dataclass(frozen=True)
class Block:
    """``path "secret/*" { ... }``."""

    kind: str
    label: str
    body: dict[str, Any]
    line: int = 1
    places: dict[str, str] = field(default_factory=dict)
    """Line and column of each value in the body."""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def name(self) -> str:
        """As HCL's errors call it."""
        return _NAMES.get(self.text) or _KINDS.get(self.kind, "EOF")


def parse(text: str) -> list[Block]:
    """The blocks of a policy in HCL or JSON.

    Raises:
        ValueError: It cannot be read; with line and column.
    """
    if text.lstrip().startswith("{"):
        return _from_json(text)
    return _Reader(text).blocks()


def _from_json(text: str) -> list[Block]:
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"At {error.lineno}:{error.colno}: {error.msg}") from None
    return [block for kind, value in tree.items() for block in _json_blocks(kind, value)]


def _json_blocks(kind: str, value: Any) -> Iterator[Block]:
    """``{"path": {"secret/*": {"capabilities": ["read"]}}}``, or lists of such."""
    for labelled in value if isinstance(value, list) else [value]:
        if not isinstance(labelled, dict):
            yield Block(kind, "", {"": labelled})
            continue
        for label, bodies in labelled.items():
            for body in bodies if isinstance(bodies, list) else [bodies]:
                if not isinstance(body, dict):
                    words = f'{kind} "{label}": an object is expected'
                    raise ValueError(words)  # noqa: TRY004
                yield Block(kind, label, body)


class _Reader:
    """A recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[_Token] = list(self._scan())
        self._next = 0

    def _scan(self) -> Iterator[_Token]:
        position = 0
        while position < len(self._text):
            match = _TOKEN.match(self._text, position)
            if match is None:
                if self._text[position] == '"':
                    raise self._error(len(self._text), "literal not terminated")
                raise self._error(position, "illegal char")
            if match.lastgroup != "space":
                kind = "heredoc" if match["heredoc"] else str(match.lastgroup)
                yield _Token(kind, match[0], position)
            position = match.end()

    def _error(self, at: int, what: str) -> ValueError:
        return ValueError(f"At {self._place(at)}: {what}")

    def _place(self, at: int) -> str:
        """Line and column."""
        return f"{self._line(at)}:{at - self._text.rfind(chr(10), 0, at)}"

    def _here(self, token: _Token, *, one_further: bool = False) -> int:
        """Where a token is; behind a word, the end is seen one further (seen)."""
        word = self._tokens[-1].kind == "word" and not self._text[-1:].isspace()
        return token.at + (token.kind == "end" and (one_further or word))

    def _line(self, at: int) -> int:
        return self._text.count("\n", 0, at) + 1

    def _peek(self) -> _Token:
        if self._next < len(self._tokens):
            return self._tokens[self._next]
        return _Token("end", "EOF", len(self._text))

    def _take(self) -> _Token:
        token = self._peek()
        self._next += 1
        return token

    def _want(self, mark: str) -> None:
        token = self._take()
        if token.text != mark:
            words = f"object expected closing {_NAMES[mark]} got: {token.name}"
            raise self._error(self._here(token, one_further=True), words)

    def blocks(self) -> list[Block]:
        found = []
        while self._peek().kind != "end":
            line = self._line(self._peek().at)
            kind = self._key()
            if self._peek().text == "=":
                self._take()
                found.append(Block(kind, "", {"": self._value({})}, line))
                continue
            labelled = self._peek().kind in ("string", "word")
            written = self._take().text if labelled else ""
            label = _unquoted(written)
            if label and self._peek().kind == "word":
                self._take()
                words = f"nested object expected: LBRACE got: {self._peek().name}"
                raise self._error(self._peek().at, words)
            if self._peek().text != "{":
                raise self._no_object(f"{kind} {written}".rstrip())
            places: dict[str, str] = {}
            found.append(Block(kind, label, self._object(places), line, places))
        return found

    def _no_object(self, key: str) -> ValueError:
        words = f"key '{key}' expected start of object ('{{') or assignment ('=')"
        return self._error(self._here(self._peek()), words)

    def _key(self) -> str:
        token = self._take()
        if token.kind not in ("word", "string"):
            words = f"expected: IDENT | STRING | ASSIGN | LBRACE got: {token.name}"
            raise self._error(token.at, words)
        return _unquoted(token.text)

    def _object(self, places: dict[str, str]) -> dict[str, Any]:
        self._want("{")
        found: dict[str, Any] = {}
        while self._peek().kind in ("word", "string"):
            key = self._key()
            if self._peek().kind == "end":
                raise self._no_object(key)
            if self._peek().text == "=":
                self._take()
            if self._peek().kind == "end":
                break
            inner: dict[str, str] = {}
            places[key] = self._place(self._peek().at)
            found[key] = self._value(inner)
            places.update((f"{key}.{name}", place) for name, place in inner.items())
            if self._peek().text == ",":
                self._take()
        self._want("}")
        return found

    def _value(self, places: dict[str, str]) -> Any:
        token = self._peek()
        if token.text == "{":
            return self._object(places)
        if token.text == "[":
            return self._list()
        self._take()
        if token.kind == "string":
            return _unquoted(token.text)
        if token.kind == "number":
            return float(token.text) if "." in token.text else int(token.text)
        if token.kind == "heredoc":
            return "\n".join(token.text.split("\n")[1:-1]) + "\n"
        if token.text in _BOOLEANS:
            return token.text == "true"
        words = f"Unknown token: {self._place(token.at)} {token.name} {token.text}"
        raise self._error(token.at, words)

    def _list(self) -> list[Any]:
        self._take()
        found = []
        while self._peek().text != "]":
            token = self._peek()
            if token.kind == "end" or (token.name == "IDENT" and token.text not in _BOOLEANS):
                words = f"unexpected token while parsing list: {token.name}"
                raise self._error(token.at, words)
            found.append(self._value({}))
            if self._peek().text == ",":
                self._take()
            elif self._peek().text != "]":
                words = f"error parsing list, expected comma or list end, got: {self._peek().name}"
                raise self._error(self._peek().at, words)
        self._want("]")
        return found


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text, strict=False))
    except json.JSONDecodeError:  # An escape that HCL has and JSON has not.
        return text[1:-1]
