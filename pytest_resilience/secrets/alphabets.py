"""Texts in the rarer alphabets: base85 as Python, git and PDF have it, and uuencode's."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterator

from pytest_resilience.secrets.views import View

Found = Iterator[tuple[str, bytes, View, int, int]]
LONG = 20
"""Characters of base85 that may be a text."""
_BASE85 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RARE = b"!#$%&*;?@^`{|}~"
"""Every sixth character of base85 is one of these; other words have hardly any."""
_RUNS = bytes(b if b in _BASE85 + _RARE + b"()+-<=>_" else 0x20 for b in range(256))
_FRAMED = re.compile(rb"<~([!-uz\s]+)~>")
_LINES = re.compile(rb"begin [0-7]{3,4} [^\n]*\n((?:[!-`][ -`]{4,}\r?\n)+)")
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def is_text(content: bytes) -> bool:
    """Whether it can be read."""
    try:
        # Bears that the end has been cut off, in the midst of a character.
        codecs.utf_8_decode(content, "strict", False)  # noqa: FBT003 -- it takes no names
    except UnicodeDecodeError:
        return False
    return not _CONTROL.search(content)


def read(view: View) -> Found:
    """What is in it: what to call its alphabet, what it says, and in which view it is where."""
    data = view.data
    # Asked of the whole first, which is quicker than to take it apart.
    runs = data.translate(_RUNS).split() if _has_rare(data) else ()
    for run in {run for run in runs if len(run) >= LONG}:
        if _has_rare(run):
            for inside in _in_base85(run):
                for place in re.finditer(re.escape(run), data):
                    yield "base85", inside, view, *place.span()
    if b"<~" in data:
        for match in _FRAMED.finditer(data):
            yield "base85", _in_pdf(match[1]), view, *match.span()
    if b"begin " in data:
        for match in _LINES.finditer(data):
            yield "uuencode", _uudecoded(match[1]), view, *match.span()


def _has_rare(data: bytes) -> bool:
    return len(data.translate(None, _RARE)) < len(data)


def _in_base85(run: bytes) -> Iterator[bytes]:
    """What it says; ``data=`` before it is no part of it, nor is a sign behind it."""
    whole = len(run) // 5 * 5
    for text in (run, run[:whole], run[run.find(b"=") + 1 :]):
        try:
            content = base64.b85decode(text)
        except ValueError:  # No five characters for four bytes.
            continue
        if is_text(content):
            yield content


def _in_pdf(text: bytes) -> bytes:
    try:
        return base64.a85decode(text)
    except ValueError:
        return b""


def _uudecoded(text: bytes) -> bytes:
    pieces: list[bytes] = []
    for line in text.splitlines():
        try:
            pieces.append(binascii.a2b_uu(line))
        except binascii.Error:
            break
    return b"".join(pieces)
