"""What a text has in it that has to be unpacked before it can be read.

Compressed bytes show nothing of what is in them, and base64 shows nothing of a value that was
escaped before. So what looks like either is unpacked, and searched again.

All of it is asked of every text, most of which have nothing of the kind: each question begins
with signs that are looked for faster than by a regular expression that begins with a class.
"""

from __future__ import annotations

import binascii
import re
import zlib

from pytest_resilience.secrets import alphabets
from pytest_resilience.secrets.views import View

MOST = 1024 * 1024
"""Bytes that are unpacked of one piece."""
LONG = 24
"""Characters of base64 that may be a text."""
_PACKED = re.compile(rb"\x1f\x8b\x08|x[\x01^\x9c\xda]")
_SIGNS = (b"\x1f\x8b\x08", b"x\x01", b"x^", b"x\x9c", b"x\xda")
_LINES = re.compile(rb"[A-Za-z0-9+/_-]+(?:\r?\n[ \t]*[A-Za-z0-9+/_-]+)*")
_PACKED_BASE64 = re.compile(rb"(?:H4sI|eA[E-H]|eF[4-7]|eJ[w-z]|eN[o-r])[A-Za-z0-9+/_-]{8}")
_SIGNS_BASE64 = (b"H4sI", b"eA", b"eF", b"eJ", b"eN")
_JSON = b"eyJ"
"""``{"`` in base64: there may be something before it that looks like base64, too."""
_HEX_DIGITS = b"0123456789abcdefABCDEF"
_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_RUNS = bytes(byte if byte in _DIGITS else 0x20 for byte in range(256))
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_BREAKS = b"\r\n\t "
_MAYBE_HEX = tuple(
    re.compile(sign + rb"[^0-9a-zA-Z]{0,2}(?:0[xX])?(?:8[bB]|01|5[eE]|9[cC]|[dD][aA])")
    for sign in (b"1f", b"1F", b"78")
)
_HEX = re.compile(rb"(?:1f8b08|78(?:01|5e|9c|da))(?:[0-9a-f]{2}){8,}")
_SPACED = re.compile(rb"[0-9a-fA-F]{2}(?:[ :,\n-][0-9a-fA-F]{2}){15,}")
_SHAPES = bytes(
    ord("h") if byte in _HEX_DIGITS else ord(" ") if byte in b" :,\n-" else ord("?")
    for byte in range(256)
)
_SHAPE = b"hh " * 15
_SEVERAL = re.compile(rb",\s*[0-9]{1,3}(?:,\s*[0-9]{1,3}){2,}(?![0-9.])")
_FIRST = re.compile(rb"(?<![0-9.])[0-9]{1,3}\Z")
_DUMPED = re.compile(rb"0000(?:0{1,4})?:? .*(?:\r?\n[ \t]*(?:0x)?[0-9a-fA-F]{4,8}:? .*)*")
_DUMPED_LINE = re.compile(
    rb"(?<![0-9a-fA-F:])[0-9a-fA-F]{4,8}:? {1,2}((?:[0-9a-fA-F]{2} {0,2}){1,16})"
)
Found = alphabets.Found


def unpacked(view: View) -> Found:
    """What is in it: what to call its packing, what it is, and in which view it stands where."""
    yield from _packed(view)
    yield from _packed_base64(view)
    yield from _texts(view)
    yield from _packed_hex(view)
    yield from _numbers(view)
    yield from _dumped(view)
    yield from _spaced(view)  # A line of a dump is one of these, too.
    yield from alphabets.read(view)


def _packed(view: View) -> Found:
    data = view.data
    if any(sign in data for sign in _SIGNS):
        for match in _PACKED.finditer(data):
            if inside := _inflated(data[match.start() :]):
                yield "packed", inside, view, match.start(), len(data)


def _packed_base64(view: View) -> Found:
    data = view.data
    if any(sign in data for sign in _SIGNS_BASE64):
        for match in _PACKED_BASE64.finditer(data):
            text, end = _lines(data, match.start())
            if inside := _inflated(_decoded(text)):
                yield "packed", inside, view, match.start(), end


def _texts(view: View) -> Found:
    """Texts in base64 or hex: values that were escaped before are found in there only."""
    data = view.data
    for run in {word for word in data.translate(_RUNS).split() if len(word) >= LONG}:
        if inside := _in_hex(run):
            for place in re.finditer(re.escape(run), data):
                yield "hex", inside, view, *place.span()
        for skipped in {0, max(0, run.find(_JSON))}:
            if alone := _meant(run[skipped:]):
                for place in re.finditer(re.escape(run), data):
                    start = place.start() + skipped
                    text, end = _lines(data, start)
                    yield "base64", _meant(text) or alone, view, start, end


def _packed_hex(view: View) -> Found:
    if any(maybe.search(view.data) for maybe in _MAYBE_HEX):
        digits = view.digits()
        for match in _HEX.finditer(digits.data):
            if inside := _inflated(binascii.unhexlify(match[0])):
                yield "packed", inside, digits, *match.span()


def _spaced(view: View) -> Found:
    """Texts in hex with something between any two digits and the next."""
    if _SHAPE in view.data.translate(_SHAPES):
        for match in _SPACED.finditer(view.data):
            # Not only texts: a number that stands before it is taken for one of its bytes.
            inside = binascii.unhexlify(match[0].translate(None, b" :,\n-"))
            yield "hex", inside, view, *match.span()


def _numbers(view: View) -> Found:
    """Bytes that somebody has made a list of."""
    for match in _SEVERAL.finditer(view.data):
        first = _FIRST.search(view.data, max(0, match.start() - 4), match.start())
        if first is None:
            continue
        numbers = [int(number) for number in (first[0] + match[0]).split(b",")]
        if max(numbers) < 256:
            content = bytes(numbers)
            yield "numbers", _inflated(content) or content, view, first.start(), match.end()


def _dumped(view: View) -> Found:
    """Bytes that somebody has dumped, without the addresses before and the pictures behind."""
    for match in _DUMPED.finditer(view.data):
        lines = list(_DUMPED_LINE.finditer(view.data, *match.span()))
        if lines:
            digits = b"".join(line[1] for line in lines).replace(b" ", b"")
            yield "hex", binascii.unhexlify(digits), view, match.start(), lines[-1].end()


def _lines(data: bytes, start: int) -> tuple[bytes, int]:
    """The base64 that begins there, in however many lines, and where it ends."""
    match = _LINES.match(data, start)
    assert match is not None
    return match[0], match.end()


def _meant(text: bytes) -> bytes:
    """What base64 says, if that is a text, or one that was packed without any sign of it."""
    content = _decoded(text)
    return content if alphabets.is_text(content) else _inflated(content, -zlib.MAX_WBITS)


def _in_hex(run: bytes) -> bytes:
    """What hex says, if that is a text."""
    if run.strip(_HEX_DIGITS):
        return b""
    content = binascii.unhexlify(run[: len(run) // 2 * 2])
    return content if alphabets.is_text(content) else b""


def _decoded(text: bytes) -> bytes:
    text = text.translate(_URL_SAFE, _BREAKS)
    text = text[: len(text) - (len(text) % 4 == 1)]
    return binascii.a2b_base64(text + b"=" * (-len(text) % 4))


def _inflated(data: bytes, kind: int = zlib.MAX_WBITS | 32) -> bytes:
    """As much as can be unpacked, within bounds: what was cut is no less of a leak."""
    try:
        return zlib.decompressobj(wbits=kind).decompress(data, MOST)
    except zlib.error:
        return b""
