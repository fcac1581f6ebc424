"""JSON as Go's encoding/json writes and reads it, which is what Vault's clients see.

Maps come out with sorted keys, structs in the order of their fields, ``<``, ``>`` and ``&``
escaped (encoding/json, HTMLEscape), and numbers in the very digits in which they were
written (Vault decodes with UseNumber: sdk/helper/jsonutil).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any, Self, cast

from pytest_resilience_vault._errors import Lacking

JSON = Any
"""JSON data: what `decode` returns and `encode` takes."""

DEEPEST = 310
"""How deep the fake goes."""
MOST_STRINGS = 1000
"""How many strings an OpenBao takes, keys among them (max_request_json_strings, seen)."""


class TooComplex(ValueError):
    """JSON that can be read, and is too much."""


_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)
_text = json.encoder.encode_basestring


class Struct(dict[str, Any]):
    """A mapping that keeps the order of its keys, as a Go struct does."""


class Number(float):
    """A number that remembers how it was written: ``1.10`` and ``1e5`` stay what they are."""

    text: str

    def __new__(cls, text: str) -> Self:
        """The number written as `text`."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def as_floats(value: JSON) -> JSON:
    """What is left of JSON whose numbers were read as float64, as Go reads it by itself."""
    if isinstance(value, dict):
        return {key: as_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_floats(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, Number) and math.isinf(value):
        # More than a float64 holds, which an OpenBao has refused before.
        return value
    text = _go_float(float(value))
    # A whole one is one to a test that looks.
    return int(text) if text.lstrip("-").isdigit() and text != "-0" else Number(text)


def _go_float(value: float) -> str:
    """The shortest digits that mean it, written as encoding/json does (floatEncoder)."""
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)  # JSON has no infinity
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return f"{Decimal((sign, digits, exponent)):f}"
    first, rest = str(digits[0]), "".join(map(str, digits[1:]))
    power = exponent + len(rest)
    return f"{'-' * sign}{first}{'.' * bool(rest)}{rest}e{power:+03d}".replace("e-0", "e-")


def encode(value: JSON) -> str:
    """The JSON text of a value, without white space."""
    text = _encoded(value)
    # Half a surrogate pair cannot be sent; Go has replaced it when it was read.
    return text if text.isascii() else _LONE.sub("\ufffd", text)


_LONE = re.compile("[\ud800-\udfff]")
_has_escapes = re.compile("[<>&\u2028\u2029]").search


def _string(value: str) -> str:
    text = _text(value)
    return text.translate(_ESCAPES) if _has_escapes(text) else text


_key = lru_cache(maxsize=1024)(_string)
"""Most keys are the same in every answer."""


def _number(value: Number) -> str:
    return value.text


def _map(value: dict[str, Any]) -> str:
    keys = value if isinstance(value, Struct) else sorted(value)
    return "{" + ",".join([f"{_key(key)}:{_encoded(value[key])}" for key in keys]) + "}"


def _list(value: Iterable[Any]) -> str:
    return "[" + ",".join([_encoded(item) for item in value]) + "]"


def _encoded(value: JSON) -> str:
    return _WRITERS[type(value)](value)


# By the exact type: a chain of isinstance is most of the time that an answer takes.
_WRITERS: dict[type, Callable[[Any], str]] = {
    str: cast("Callable[[Any], str]", _string),
    type(None): lambda _: "null",
    bool: lambda value: "true" if value else "false",
    Number: cast("Callable[[Any], str]", _number),
    int: repr,
    float: repr,
    dict: _map,
    Struct: _map,
    list: _list,
    tuple: _list,
}


def _no_constant(name: str) -> JSON:
    """Python's decoder knows NaN and Infinity, JSON does not."""
    if name.startswith("-"):
        raise ValueError("invalid character 'I' in numeric literal")
    raise ValueError(f"invalid character '{name[0]}' looking for beginning of value")


def _finite(text: str) -> Number:
    """A number, which an OpenBao wants to be a float64 (seen)."""
    number = Number(text)
    if math.isinf(number):
        raise ValueError(f"json: cannot unmarshal number {text} into Go value of type float64")
    return number


LONG = 300
"""Digits of a whole number that a float64 holds, whatever they are."""


def _decoder(text: str, *, openbao: bool) -> json.JSONDecoder:
    """What reads a text; it asks about whole numbers only where there can be a long one."""
    read = _finite if openbao else Number
    whole = None if len(text) < LONG else lambda one: int(one) if len(one) < LONG else read(one)
    return json.JSONDecoder(parse_float=read, parse_int=whole, parse_constant=_no_constant)


_usual = {openbao: _decoder("", openbao=openbao) for openbao in (False, True)}


def decode_object(body: bytes, *, openbao: bool = False) -> dict[str, Any]:
    """The object in a request's body; an empty body and ``null`` are an empty object.

    What follows the first value is not looked at (json.Decoder.Decode).

    Args:
        body: The bytes.
        openbao: Whether the limits are those of an OpenBao, which counts strings.

    Raises:
        ValueError: It is no JSON object; the text is close to what Go would say.
        TooComplex: It is over a limit of OpenBao's.
        Lacking: It is within those, and deeper than the fake goes.
    """
    text = body.decode("utf-8", "replace").strip(" \t\r\n")
    if not text:
        return {}
    if openbao and text.count("{") + text.count("[") > DEEPEST:
        _check_depth(text)
    try:
        known = _usual[openbao] if len(text) < LONG else _decoder(text, openbao=openbao)
        value, _ = known.raw_decode(text)
    except json.JSONDecodeError as error:
        raise ValueError(_go_words(text, error)) from None
    if value is None:
        return {}
    if openbao and text.count('"') > 2 * MOST_STRINGS and _strings(value) > MOST_STRINGS:
        raise TooComplex("exceeded maximum number of strings")
    if not isinstance(value, dict):
        words = "into Go value of type map[string]interface {}"
        # The caller sees one kind of bad JSON.
        raise ValueError(f"json: cannot unmarshal {kind_of(value)} {words}")  # noqa: TRY004
    return value


_STEPS = {"{": 1, "[": 1, "}": -1, "]": -1}
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)


def _check_depth(text: str) -> None:
    """Refuse what is nested deeper than Go reads (encoding/json, maxNestingDepth), or than we do.

    A Vault has refused it before (`_json_limits`).
    """
    depth = deepest = strings = 0
    for found in _PIECE.finditer(text):
        strings += found[0][0] == '"'
        depth += _STEPS.get(found[0], 0)
        deepest = max(deepest, depth)
    if deepest > 10_000:
        raise ValueError("exceeded max depth")
    if strings > MOST_STRINGS:
        raise TooComplex("exceeded maximum number of strings")
    if deepest > DEEPEST:
        raise Lacking(f"this fake of OpenBao takes no JSON deeper than {DEEPEST} levels")


def _strings(value: JSON) -> int:
    """How many strings there are, keys among them; without recursion, too."""
    count, level = 0, [value]
    while level:
        count += sum(len(one) if isinstance(one, dict) else isinstance(one, str) for one in level)
        deep = [one for one in level if isinstance(one, dict | list)]
        level = [
            below for one in deep for below in (one.values() if isinstance(one, dict) else one)
        ]
    return count


def kind_of(value: JSON) -> str:
    """What encoding/json calls a value's kind."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else "number"


# What Python's decoder says at a place, and what Go's scanner says there (encoding/json,
# scanner.go). Go stops at the first wrong byte of a literal, Python before it.
_PLACES = {
    "Expecting value": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": (
        "looking for beginning of object key string"
    ),
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Illegal trailing comma before end of array": "looking for beginning of value",
    "Expecting ':' delimiter": "after object key",
    "Expecting ',' delimiter": "after object key:value pair",
    "Invalid control character at": "in string literal",
    "Invalid \\escape": "in string escape code",
    "Invalid \\uXXXX escape": "in \\u hexadecimal character escape",
}


def _go_words(text: str, error: json.JSONDecodeError) -> str:
    # Python 3.13 points at a comma too many, earlier ones behind it.
    skipped = ", \t\r\n" if error.msg.startswith("Illegal trailing comma") else ""
    at = len(text) - len(text[error.pos :].lstrip(skipped))
    if at >= len(text) or error.msg.startswith("Unterminated"):
        return "unexpected EOF"
    for literal in ("true", "false", "null"):
        if error.msg == "Expecting value" and text[at] == literal[0]:
            return _go_literal(text, at, literal)
    digits = _BROKEN_NUMBER.match(text, at)
    if digits:
        return _go_number(text, digits)
    place = _PLACES.get(error.msg.removesuffix(": "), "looking for beginning of value")
    if error.msg.startswith("Invalid \\u"):
        at += 1
        while text[at : at + 1] in _HEX:
            at += 1
    elif error.msg.startswith("Invalid \\"):
        at += 1
    if at >= len(text):
        return "unexpected EOF"
    if place == "after object key:value pair" and _in_array(text[:at]):
        place = "after array element"
    return f"invalid character {_quoted(text[at])} {place}"


# A minus without digits; or a dot or an exponent behind a number without any.
_BROKEN_NUMBER = re.compile(r"-(?!\d)|(?<=\d)(?:\.(?!\d)|[eE][+-]?(?!\d))")
_HEX = frozenset("0123456789abcdefABCDEF")


def _go_number(text: str, found: re.Match[str]) -> str:
    if found.end() >= len(text):
        return "unexpected EOF"
    places = {"-": "in numeric literal", ".": "after decimal point in numeric literal"}
    place = places.get(found[0], "in exponent of numeric literal")
    return f"invalid character {_quoted(text[found.end()])} {place}"


def _go_literal(text: str, at: int, literal: str) -> str:
    found = text[at : at + len(literal)]
    pairs = zip(found, literal, strict=False)
    wrong = next(((one, wanted) for one, wanted in pairs if one != wanted), None)
    if wrong is None:
        return "unexpected EOF"
    return f"invalid character {_quoted(wrong[0])} in literal {literal} (expecting '{wrong[1]}')"


def _in_array(before: str) -> bool:
    """Whether the innermost open bracket of valid JSON's beginning is that of an array."""
    open_brackets: list[str] = []
    in_string = escaped = False
    for character in before:
        if in_string:
            escaped = character == "\\" and not escaped
            in_string = escaped or character != '"'
        elif character == '"':
            in_string = True
        elif character in "[{":
            open_brackets.append(character)
        elif character in "]}":
            open_brackets.pop()
    return open_brackets[-1:] == ["["]


def _unprintable(code: int) -> str:
    """As Go's strconv.Quote writes it."""
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _quoted(character: str) -> str:
    """A character as Go's quoteChar shows it."""
    if character == "'":
        return "'\\''"
    if character == '"':
        return "'\"'"
    shown = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}.get(character, character)
    if shown == character and not character.isprintable():
        shown = _unprintable(ord(character))
    return f"'{shown}'"
