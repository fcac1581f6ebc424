"""Texts with their escapes undone, and where each byte of them came from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_resilience.secrets.needles import BLANKS, HEX_SEPARATORS, SEPARATORS

ROUNDS = 3
"""JSON within JSON within a URL is as deep as it goes."""
_FAMILIES = {
    b"\\": rb"\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}"
    rb"|\\u[0-9A-Fa-f]{4}|\\u\{[0-9A-Fa-f]{1,6}\}|\\U[0-9A-Fa-f]{8}|\\x[0-9A-Fa-f]{2}"
    rb"|\\[0-3][0-7]{2}|\\N\{[A-Za-z0-9 -]{1,90}\}|\\[^uUx]",
    b"%": rb"%[0-9A-Fa-f]{2}",
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


@dataclass(frozen=True, slots=True)
class View:
    """A form of a text; without places where nobody needs them."""

    data: bytes
    starts: list[int] | None = None
    """Where each byte begins in the text."""
    ends: list[int] | None = None

    @classmethod
    def of(cls, data: bytes, *, placed: bool) -> View:
        """The text itself."""
        if not placed:
            return cls(data)
        return cls(data, list(range(len(data))), list(range(1, len(data) + 1)))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the text of a piece of the view."""
        assert self.starts is not None
        assert self.ends is not None
        return self.starts[start], self.ends[end - 1]

    def _kept(self, data: bytes, kept: list[tuple[int, int]]) -> View:
        """A view of this view, of which each byte is known by its first and last here."""
        spans = [self.span(first, last + 1) for first, last in kept]
        return View(data, [start for start, _ in spans], [end for _, end in spans])

    def unescaped(self, escape: re.Pattern[bytes] = _ESCAPE, *, code_points: bool = False) -> View:
        r"""With one layer of escapes undone.

        Args:
            escape: Which ones.
            code_points: Take ``\xe9`` for a character, as in the repr of a string, not for
                a byte.
        """
        if self.starts is None:
            return View(escape.sub(lambda match: _meant(match, code_points), self.data))
        pieces: list[bytes] = []
        kept: list[tuple[int, int]] = []
        done = 0
        for match in escape.finditer(self.data):
            meant = _meant(match, code_points)
            pieces += [self.data[done : match.start()], meant]
            kept += [(i, i) for i in range(done, match.start())]
            kept += [(match.start(), match.end() - 1)] * len(meant)
            done = match.end()
        pieces.append(self.data[done:])
        kept += [(i, i) for i in range(done, len(self.data))]
        return self._kept(b"".join(pieces), kept)

    def without(self, unwanted: bytes) -> View:
        """Without some bytes."""
        data = self.data.translate(None, unwanted)
        if self.starts is None:
            return View(data)
        kept = [(i, i) for i, byte in enumerate(self.data) if byte not in unwanted]
        return self._kept(data, kept)

    def squeezed(self) -> View:
        """Without what may stand between the pieces of a secret that was split."""
        return self.without(SEPARATORS)

    def unbroken(self) -> View:
        """Without blanks and ends of lines."""
        return self.without(BLANKS)

    def digits(self) -> View:
        """In lower case, without what may stand between the digits of a dump."""
        low = View(self.data.lower().replace(b"0x", b"  "), self.starts, self.ends)
        return low.without(HEX_SEPARATORS)


def layers(data: bytes, *, placed: bool, apart: bool = False) -> Iterator[View]:
    """The text as it is, and with its escapes undone, layer by layer.

    Args:
        data: The text.
        placed: Whether places in it will be asked for.
        apart: Undo the escapes of a URL, of JSON and of HTML each by themselves as well: a
            secret that looks like an escape of the one may have been escaped by the other.
    """
    seen = {data}
    layer = [View.of(data, placed=placed)]
    yield layer[0]
    for _ in range(ROUNDS):
        inner: list[View] = []
        for view in layer:
            for form in _inside(view, apart=apart):
                if form.data not in seen:
                    seen.add(form.data)
                    inner.append(form)
                    yield form
        layer = inner


def _inside(view: View, *, apart: bool) -> Iterator[View]:
    signs = [sign for sign in _FAMILIES if sign in view.data]
    if not signs:
        return
    yield view.unescaped()
    if _HIGH.search(view.data):
        yield view.unescaped(code_points=True)
    if len(signs) > 1 and (apart or any(sign in view.data for sign in _PACKED_REPR)):
        for sign in signs:
            yield view.unescaped(_OF_ONE_FAMILY[sign])
            yield view.unescaped(_OF_ONE_FAMILY[sign], code_points=True)


def _meant(match: re.Match[bytes], code_points: bool) -> bytes:  # noqa: FBT001 -- a callback's
    text = match[0]
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
