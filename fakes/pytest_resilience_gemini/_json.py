"""Reads JSON as Google's front end does, which takes more than JSON is, and says where it ends.

What is JSON is read by the standard library. The rest is read again by the rules of the
parser that protobuf had in util/internal (json_stream_parser.cc), which the front end uses:
single quotes, names without quotes, commas behind the last element, and any character in a
text are all right to it. Its words are those of the reports about every Google API.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

AROUND = 20
"""How many characters to either side of a place are shown."""

BLANKS = re.compile(r"[ \t\n\v\f\r]*")
NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
TOKEN = re.compile(r"[-\"'0-9A-Za-z_${}\[\]:,]")
NUMBER = re.compile(r"[-0-9][-+.0-9eEx]*")
KEYWORDS = {"true": True, "false": False, "null": None}
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
HEX = re.compile(r"[0-9a-fA-F]{4}")
SMALLEST, LARGEST = -(2**63), 2**64 - 1
"""Whole numbers beyond these are doubles."""
DEEPEST = 100
"""How deep lists and objects may be nested (kDefaultMaxRecursionDepth)."""
PIECE = re.compile(
    r"""'(?:[^\\']|\\.)*'|"(?:[^\\"]|\\.)*"|[A-Za-z_$][A-Za-z0-9_$]*|[{}\[\]:]""", re.DOTALL
)


class Malformed(ValueError):
    """What is wrong, with the text around it and an arrow below the place."""


class Repeats(dict[str, Any]):
    """An object in which a name comes twice; a plain dict would forget the first."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def items(self) -> Any:
        """All of them, in the order in which they came."""
        return self._pairs


def read(text: str) -> Any:
    """The value that a text is.

    Raises:
        Malformed: It is none, or it is nested too deep.
    """
    if text.count("{") + text.count("[") > DEEPEST:
        _check_depth(text)
    try:
        value = DECODER.decode(text)
        if SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except ValueError:
        return _Loose(text).whole()
    return value


def _check_depth(text: str) -> None:
    depth, key, last = 0, "", ""
    for found in PIECE.finditer(text):
        piece = found[0]
        if piece in ("{", "["):
            depth += 1
            if depth > DEEPEST:
                why = f"Message too deep. Max recursion depth reached for key '{key}'"
                raise Malformed(why)
        elif piece in ("}", "]"):
            depth -= 1
        elif piece == ":":
            key = last
        else:
            last = piece.strip("\"'")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Repeats(pairs)


def _finite(text: str) -> float:
    """A number; NaN and infinity are no JSON, though Python writes and reads them."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_finite)
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class _Loose:
    """Reads a text from left to right.

    Problems that more text might have solved are found only at its end: then nothing of what
    stood before the place is at hand any more, and the words show what follows alone.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def whole(self) -> Any:
        value = self._value()
        if self._next():
            self._fail("Parsing terminated before end of input.")
        return value

    # Where it stands

    def _next(self) -> str:
        """The next character that is no blank; none at the end."""
        found = BLANKS.match(self._text, self._place)
        self._place = found.end() if found else self._place
        return self._text[self._place : self._place + 1]

    def _takes(self, character: str) -> bool:
        found = self._next() == character
        self._place += found
        return found

    def _fail(self, why: str, *, late: bool = False) -> NoReturn:
        start = self._place if late else max(0, self._place - AROUND)
        shown = self._text[start : self._place + AROUND]
        raise Malformed(f"{why}\n{shown}\n{' ' * (self._place - start)}^")

    def _expected(self, what: str) -> NoReturn:
        """Something else is here: a token of JSON, another character, or the end."""
        end = "" if self._next() else "Unexpected end of string. "
        self._fail(f"{end}Expected {what}", late=not self._is_token())

    def _is_token(self) -> bool:
        return TOKEN.match(self._text, self._place) is not None

    # What may stand there

    def _value(self) -> Any:
        character = self._next()
        if character in READERS:
            return READERS[character](self)
        for word, value in KEYWORDS.items():
            if self._text.startswith(word, self._place):
                self._place += len(word)
                return value
        if self._is_token():
            # It may be the beginning of a longer word, as far as less than "false" is left.
            self._fail("Unexpected token.", late=len(self._text) - self._place < len("false"))
        return self._expected("a value.")

    def _object(self) -> Any:
        self._place += 1
        pairs: list[tuple[str, Any]] = []
        while not self._takes("}"):
            name = self._name()
            if not self._takes(":"):
                self._expected(": between key:value pair.")
            pairs.append((name, self._value()))
            if not self._takes(","):
                if self._takes("}"):
                    break
                self._expected(", or } after key:value pair.")
        return _object(pairs)

    def _name(self) -> str:
        if self._next() in ("'", '"'):
            return self._string()
        found = NAME.match(self._text, self._place)
        if found is None:
            self._expected("an object key or }.")
        self._place = found.end()
        if found[0] in KEYWORDS:
            self._fail("Expected an object key or }.")
        return found[0]

    def _array(self) -> list[Any]:
        self._place += 1
        items: list[Any] = []
        while not self._takes("]"):
            if not self._is_token():
                self._expected("a value or ] within an array.")
            items.append(self._value())
            if not self._takes(","):
                if self._takes("]"):
                    break
                self._expected(", or ] after array value.")
        return items

    def _string(self) -> str:
        quote = self._text[self._place]
        self._place += 1
        plain = re.compile(rf"[^\\{quote}]*")
        pieces = []
        while True:
            found = plain.match(self._text, self._place)
            pieces.append(found[0] if found else "")
            self._place += len(pieces[-1])
            if self._text.startswith(quote, self._place):
                self._place += 1
                return "".join(pieces)
            pieces.append(self._escape())

    def _escape(self) -> str:
        letter = self._text[self._place + 1 : self._place + 2]
        if not letter:
            self._fail("Closing quote expected in string.", late=True)
        if letter == "u":
            return self._unicode()
        self._place += 2
        return ESCAPES.get(letter, letter)

    def _unicode(self) -> str:
        """One character, of one or of two escapes."""
        code = self._unit(self._place)
        length = 6
        if 0xD800 <= code < 0xDC00:
            if not self._text.startswith("\\u", self._place + 6):
                self._fail("Missing low surrogate.", late=len(self._text) - self._place < 12)
            low = self._unit(self._place + 6)
            if not 0xDC00 <= low < 0xE000:
                self._fail("Invalid low surrogate.")
            code, length = 0x10000 + ((code & 0x3FF) << 10) + (low & 0x3FF), 12
        elif 0xDC00 <= code < 0xE000:
            self._fail("Invalid unicode code point.")
        self._place += length
        return chr(code)

    def _unit(self, place: int) -> int:
        if len(self._text) < place + 6:
            self._fail("Illegal hex string.", late=True)
        found = HEX.match(self._text, place + 2)
        if found is None:
            self._fail("Invalid escape sequence.")
        return int(found[0], 16)

    def _number(self) -> float:
        found = NUMBER.match(self._text, self._place)
        text = found[0] if found else ""
        whole = not set(text) & set(".eE")
        if whole and re.match(r"-?0.", text):
            self._fail("Octal/hex numbers are not valid JSON values.")
        if re.fullmatch(r"-?\d{1,20}", text) and SMALLEST <= int(text) <= LARGEST:
            value: float = int(text)
        else:
            try:
                value = float(text)
            except ValueError:
                self._fail("Unable to parse number.")
            if not math.isfinite(value):
                self._fail("Number exceeds the range of double.")
        self._place += len(text)
        return value


READERS: dict[str, Callable[[_Loose], Any]] = {
    "{": _Loose._object,  # noqa: SLF001
    "[": _Loose._array,  # noqa: SLF001
    '"': _Loose._string,  # noqa: SLF001
    "'": _Loose._string,  # noqa: SLF001
    **dict.fromkeys("-0123456789", _Loose._number),  # noqa: SLF001
}
"""What each first character begins."""
