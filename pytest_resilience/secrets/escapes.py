"""Escapes of single characters, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Meaning = Callable[[re.Match[bytes]], bytes]
_FAMILIES = {
    b"\\": rb"\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}"
    rb"|\\u[0-9A-Fa-f]{4}|\\u\{[0-9A-Fa-f]{1,6}\}|\\U[0-9A-Fa-f]{8}|\\x[0-9A-Fa-f]{2}"
    rb"|\\[0-3][0-7]{2}|\\N\{[A-Za-z0-9 -]{1,90}\}|\\[^uUx]",
    b"%": rb"%u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}",
    b"&": rb"&#[0-9]{1,7};?|&#[xX][0-9A-Fa-f]{1,6};?|&[A-Za-z][A-Za-z0-9]{1,30};",
    b"\x1b": rb"\x1b\[[0-9;]*m",
}
_ESCAPE = re.compile(b"|".join(_FAMILIES.values()), re.DOTALL)
_OF_ONE_FAMILY = {sign: re.compile(text, re.DOTALL) for sign, text in _FAMILIES.items()}
_HIGH = re.compile(rb"\\x[89A-Fa-f][0-9A-Fa-f]")
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}
_NAMES = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}
"""The entities that everybody writes; the other two thousand are looked up."""
_PACKED_REPR = (rb"\x1f\x8b", rb"x\x9c", rb"x\xda")
"""Packed bytes have anything in them, what looks like an escape of a URL as well."""


def of(data: bytes, *, apart: bool) -> Iterator[tuple[re.Pattern[bytes], Meaning]]:
    """The ways to undo one layer of what this text may have: which escapes, and their meaning.

    Args:
        data: The text.
        apart: Undo those of a URL, of JSON and of HTML each by themselves as well: a secret
            that looks like an escape of the one may have been escaped by the other.
    """
    signs = [sign for sign in _FAMILIES if sign in data]
    if signs:
        yield _ESCAPE, _meant
        if _HIGH.search(data):
            yield _ESCAPE, _meant_as_text
    if len(signs) > 1 and (apart or any(sign in data for sign in _PACKED_REPR)):
        for sign in signs:
            yield _OF_ONE_FAMILY[sign], _meant
            yield _OF_ONE_FAMILY[sign], _meant_as_text
    for sign, told, escape, meant in _RARE:
        if sign in data and told.search(data):
            yield escape, meant


def _meant(match: re.Match[bytes]) -> bytes:
    return _meaning(match[0], code_points=False)


def _meant_as_text(match: re.Match[bytes]) -> bytes:
    r"""``\xe9`` is a character, as in the repr of a string, not a byte."""
    return _meaning(match[0], code_points=True)


def _meaning(text: bytes, *, code_points: bool) -> bytes:
    if text[:2] == b"%u":
        return _utf8(int(text[-4:], 16))
    if text[:1] == b"%":
        return bytes([int(text[1:], 16)])
    if text[:1] == b"&":
        return _entity(text[1:].rstrip(b";")) or text
    if text[:1] == b"\\":
        return _escaped(text, code_points=code_points)
    return b""  # A colour that a terminal is told to change to.


def _escaped(text: bytes, *, code_points: bool) -> bytes:
    """What follows a backslash."""
    kind, digits = text[1:2], text[2:].strip(b"{}")
    if kind.isdigit() and digits:
        return bytes([int(text[1:], 8)])
    if kind == b"x" and not code_points:
        return bytes([int(digits, 16)])
    if kind == b"N" and digits:
        return _named(digits.decode()) or text
    if kind not in b"uUx":
        return _LETTERS.get(kind, kind)
    if len(text) == len("\\ud83d\\ude00"):
        high, low = int(text[2:6], 16), int(text[8:], 16)
        return _utf8(0x10000 + ((high & 0x3FF) << 10 | (low & 0x3FF)))
    return _utf8(int(digits, 16)) or text


def _entity(name: bytes) -> bytes:
    if name[:1] != b"#":
        return _NAMES.get(name) or _html(name.decode())
    digits = name[2:]
    return _utf8(int(digits, 16) if name[1:2] in b"xX" else int(name[1:]))


def _html(name: str) -> bytes:
    from html.entities import html5

    return html5.get(f"{name};", "").encode()


def _named(name: str) -> bytes:
    """A character by its name in Unicode, as Python's strings may have it."""
    import unicodedata

    try:
        return unicodedata.lookup(name).encode("utf-8", "surrogatepass")
    except KeyError:
        return b""


def _utf8(number: int) -> bytes:
    """A character; nothing when there is no such one."""
    return chr(number).encode("utf-8", "surrogatepass") if number < 0x110000 else b""


# Escapes that mean something else most of the time, or nothing


def _octal(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[0][1:], 8)])


def _style(match: re.Match[bytes]) -> bytes:
    return _utf8(int(match[0][1:], 16))


def _mail(match: re.Match[bytes]) -> bytes:
    text = match[0]
    if text == b"_":
        return b" "
    return bytes([int(text[1:], 16)]) if text[1:].isalnum() else b""  # The end of a line.


def _in_seven_bits(match: re.Match[bytes]) -> bytes:
    try:
        return match[0].decode("utf-7").encode()
    except UnicodeError:
        return match[0]


_PRINTFS = re.compile(rb"\\0[0-3][0-7]{2}")
_RARE: tuple[tuple[bytes, re.Pattern[bytes], re.Pattern[bytes], Meaning], ...] = (
    (b"\\0", _PRINTFS, _PRINTFS, _octal),
    (
        b"\\",
        re.compile(rb"\\(?:[0-9A-Fa-f]{2,5} |00[0-9A-Fa-f]{4})"),
        re.compile(rb"\\[0-9A-Fa-f]{1,6}[ \n]?"),
        _style,
    ),
    (
        b"=",
        re.compile(rb"=(?:3D|20[^\s,;)&]|[0-9A-F]{2}=[0-9A-F]{2}|\r?\n[^\r\n])"),
        re.compile(rb"=[0-9A-F]{2}|=\r?\n"),
        _mail,
    ),
    (
        b"=?",
        re.compile(rb"=\?[A-Za-z0-9-]+\?[qQ]\?"),
        re.compile(rb"=[0-9A-F]{2}|=\r?\n|_"),
        _mail,
    ),
    (
        b"+",
        re.compile(rb"\+[A-Za-z0-9+/]{3,}-"),
        re.compile(rb"\+[A-Za-z0-9+/]*-"),
        _in_seven_bits,
    ),
)
"""By a sign that is looked for first: what tells that it may be they, which ones, and their
meaning. Of style sheets, of printf, of quoted-printable, of the same in heads of mails, and of
UTF-7."""
