"""Reads the part of HCL 1 in which policies are written, and JSON in its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Block:
    """``path "secret/*" { ... }``."""

    kind: str
    label: str
    body: dict[str, Any]
    line: int = 1


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


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
    blocks = []
    for kind, value in tree.items():
        for labelled in value if isinstance(value, list) else [value]:
            if isinstance(labelled, dict):
                for label, body in labelled.items():
                    bodies = body if isinstance(body, list) else [body]
                    blocks += [Block(kind, label, dict(one)) for one in bodies]
            else:
                blocks.append(Block(kind, "", {"": labelled}))
    return blocks


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
                raise self._error(position, f"illegal character {self._text[position]!r}")
            if match.lastgroup != "space":
                kind = "heredoc" if match["heredoc"] else str(match.lastgroup)
                yield _Token(kind, match[0], position)
            position = match.end()

    def _error(self, at: int, what: str) -> ValueError:
        line = self._line(at)
        column = at - (self._text.rfind("\n", 0, at) + 1) + 1
        return ValueError(f"At {line}:{column}: {what}")

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
            names = {"{": "LBRACE", "}": "RBRACE", "]": "RBRACK", "=": "ASSIGN"}
            found = "EOF" if token.kind == "end" else token.text
            raise self._error(token.at, f"object expected closing {names[mark]} got: {found}")

    def blocks(self) -> list[Block]:
        found = []
        while self._peek().kind != "end":
            line = self._line(self._peek().at)
            kind = self._key()
            if self._peek().text == "=":
                self._take()
                found.append(Block(kind, "", {"": self._value()}, line))
                continue
            label = _unquoted(self._take().text) if self._peek().kind == "string" else ""
            if self._peek().text != "{":
                words = f"key '{kind}' expected start of object ('{{') or assignment ('=')"
                raise self._error(self._peek().at, words)
            found.append(Block(kind, label, self._object(), line))
        return found

    def _key(self) -> str:
        token = self._take()
        if token.kind not in ("word", "string"):
            raise self._error(token.at, f"unexpected token {token.text!r}, a key was expected")
        return _unquoted(token.text)

    def _object(self) -> dict[str, Any]:
        self._want("{")
        found: dict[str, Any] = {}
        while self._peek().kind in ("word", "string"):
            key = self._key()
            if self._peek().text == "=":
                self._take()
            found[key] = self._value()
            if self._peek().text == ",":
                self._take()
        self._want("}")
        return found

    def _value(self) -> Any:
        token = self._peek()
        if token.text == "{":
            return self._object()
        if token.text == "[":
            return self._list()
        self._take()
        if token.kind == "string":
            return _unquoted(token.text)
        if token.kind == "number":
            return float(token.text) if "." in token.text else int(token.text)
        if token.kind == "heredoc":
            return "\n".join(token.text.split("\n")[1:-1]) + "\n"
        if token.text in ("true", "false"):
            return token.text == "true"
        raise self._error(token.at, f"Unknown token: {token.text}")

    def _list(self) -> list[Any]:
        self._take()
        found = []
        while self._peek().text != "]":
            if self._peek().kind == "end":
                raise self._error(self._peek().at, "error parsing list, expected comma or list end")
            found.append(self._value())
            if self._peek().text == ",":
                self._take()
            elif self._peek().text != "]":
                words = f"error parsing list, expected comma or list end, got: {self._peek().text}"
                raise self._error(self._peek().at, words)
        self._want("]")
        return found


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text, strict=False))
    except json.JSONDecodeError:
        return text[1:-1]
