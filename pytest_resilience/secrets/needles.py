"""What to look for: the secret itself, and the spellings in which characters share characters."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from pytest_resilience.secrets.value import LONG, PART, SHORTEST, Secret, shares_nothing

GRAM = 6
"""Length of what is looked up; a longer match is then read off the text around it."""
RUN_BYTES = rb"A-Za-z0-9+/=_.~\x80-\xff-"
RUN = re.compile(rb"[" + RUN_BYTES + rb"]{%d,}" % GRAM)
"""Texts fall into such runs; spellings that have other characters are looked for one by one."""
_IN_ONE_RUN = re.compile(rb"[" + RUN_BYTES + rb"]+")
SEPARATORS = b" \t\r\n\v\f'\",;|()[]{}<>+\\\0" + "│".encode()
"""What may stand between the pieces of a secret that was split; in UTF-16 it is zeros."""
HEX_SEPARATORS = SEPARATORS + b":-_."
DIGITS = 20
"""Hex digits that are looked up at once, in what is left without `HEX_SEPARATORS`."""
HEX_RUN = re.compile(rb"[0-9a-f]{%d,}" % DIGITS)
HEX_PART = 32
"""Digits that are proof: 16 bytes, a line of a hex dump."""
PART_BASE32 = 20
"""Characters that are proof: 12 bytes and a half."""
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_NUMBERS = [b"%d" % byte for byte in range(256)]


# Not frozen, which would cost a third of the search in a test that logs a few lines.
@dataclass(slots=True, eq=False)
class Needle:
    """One spelling of one secret."""

    label: str
    encoding: str
    text: bytes
    need: int = 0
    """How many bytes of it in a row are proof; all of them when it is 0."""
    before: bytes = b""
    """What may stand before it and belongs to the secret, but is none."""
    apart: bool = False
    """It must stand between other characters than letters and digits."""

    def anchors(self, size: int) -> range:
        """Places of which one has so many bytes behind it in any `need` bytes of the text."""
        return range(0, len(self.text) - size + 1, max(1, self.need - size + 1))


@dataclass(slots=True, eq=False)
class Needles:
    """Everything to look for when looking for one secret."""

    in_runs: list[Needle] = field(default_factory=list)
    """Found by a gram, in the runs of a text."""
    anywhere: list[Needle] = field(default_factory=list)
    """Found as a whole, in a text."""
    squeezed: list[Needle] = field(default_factory=list)
    """Found as a whole, in a text without `SEPARATORS`."""
    digits: list[Needle] = field(default_factory=list)
    """Found in a text without `HEX_SEPARATORS`, in lower case."""
    few_digits: list[Needle] = field(default_factory=list)
    """Found as a whole in the same."""


@lru_cache(maxsize=512)
def needles(secret: Secret) -> Needles:
    """All spellings of a secret."""
    value = secret.unknown.encode("utf-8", "surrogatepass")
    found = Needles()
    label, parts = secret.label, secret.parts
    before = secret.value[: secret.known].encode() if parts else b""
    need = _need(secret, len(value))
    plain = Needle(label, "plain", value, need, before, not parts and len(value) < PART)
    in_runs = need < len(value) and _IN_ONE_RUN.fullmatch(value) is not None
    (found.in_runs if in_runs else found.anywhere).append(plain)
    (found.in_runs if parts else found.anywhere).extend(_base64(label, value, parts=parts))
    if parts:
        found.in_runs += _base32(label, value)
    if not value.isascii():
        found.anywhere += _in_other_bytes(label, secret.unknown)
        found.few_digits += _code_points(label, secret.unknown)
    elif not parts:
        found.anywhere.append(Needle(label, "UTF-16", _wide(value), apart=plain.apart))
        found.anywhere.append(Needle(label, "UTF-32", _wide(value, 3), apart=plain.apart))
    if b" " in value:
        found.anywhere.append(Needle(label, "URL-quoted", value.replace(b" ", b"+")))
    if len(value) >= SHORTEST:  # So many digits are in no text by accident.
        numbers = b"".join([_NUMBERS[byte] for byte in value])
        found.few_digits.append(Needle(label, "numbers", numbers))
    bare = value.translate(None, SEPARATORS)
    if len(bare) >= PART:
        found.squeezed.append(Needle(label, "split", bare))
    for one in found.in_runs if parts else found.anywhere:
        if one.encoding.startswith("base64"):  # In lines, or in items of a list.
            plus = b"+" in one.text  # The only sign of base64 that may stand between pieces.
            found.squeezed.append(replace(one, text=one.text.replace(b"+", b"")) if plus else one)
    _add_hex(found, label, value.hex().encode(), parts=parts)
    found.digits += _wide_hex(label, secret.unknown, parts=parts)
    return found


def _need(secret: Secret, size: int) -> int:
    """How much of it in a row is proof."""
    if secret.parts:
        return PART
    if secret.named and size >= LONG and shares_nothing(secret.value):
        return size * 3 // 4  # Nobody cuts so much of it off to hide it.
    return size


def _in_other_bytes(label: str, value: str) -> Iterator[Needle]:
    """Of characters that are not written alike everywhere."""
    for charset in ("utf-16-le", "utf-16-be"):
        wide = value.encode(charset, "surrogatepass")
        yield Needle(label, "UTF-16", wide)
        yield from _base64(label, wide, parts=False)
    for charset in ("latin-1", "cp1252"):  # As a client reads what claims no charset.
        misread = value.encode("utf-8", "surrogatepass").decode(charset, "replace")
        yield Needle(label, "misread", misread.encode())
    try:
        latin = value.encode("latin-1")  # As in headers.
    except UnicodeEncodeError:
        return
    yield Needle(label, "latin-1", latin)
    yield from _base64(label, latin, parts=False)


def _code_points(label: str, value: str) -> Iterator[Needle]:
    """Of each character, which has several bytes: what ``ord`` says, and ``hex`` of that."""
    if len(value) >= SHORTEST:
        yield Needle(label, "numbers", "".join([str(ord(one)) for one in value]).encode())
        yield Needle(label, "hex", "".join([f"{ord(one):x}" for one in value]).encode())


def _base64(label: str, value: bytes, *, parts: bool) -> Iterator[Needle]:
    for offset in range(3):
        core = base64_core(value, offset)
        need = min(PART * 4 // 3, len(core)) if parts else len(core)
        yield Needle(label, "base64", core, need)
        if b"+" in core or b"/" in core:
            yield Needle(label, "base64 (URL-safe)", core.translate(_URL_SAFE), need)


def base64_core(value: bytes, offset: int) -> bytes:
    """What base64 makes of a value that stands so many bytes behind a multiple of three.

    Without the characters that depend on what stands before and behind it.
    """
    encoded = binascii.b2a_base64(bytes(offset) + value, newline=False)
    return encoded[(0, 2, 3)[offset] : (offset + len(value)) * 8 // 6]


def _wide(value: bytes, zeros: int = 1) -> bytes:
    """ASCII in UTF-16 or UTF-32, what both orders of its bytes have in common."""
    return bytes(zeros).join(value[i : i + 1] for i in range(len(value)))


def _base32(label: str, value: bytes) -> Iterator[Needle]:
    for offset in range(5):
        encoded = base64.b32encode(bytes(offset) + value)
        # Without the characters that depend on what stands before and behind it.
        core = encoded[-(-offset * 8 // 5) : (offset + len(value)) * 8 // 5]
        for text in (core, core.lower()):
            yield Needle(label, "base32", text, min(PART_BASE32, len(text)))


def _add_hex(found: Needles, label: str, digits: bytes, *, parts: bool) -> None:
    if len(digits) < DIGITS:
        found.few_digits.append(Needle(label, "hex", digits))
    else:
        need = min(HEX_PART, len(digits)) if parts else len(digits)
        found.digits.append(Needle(label, "hex", digits, need))


def _wide_hex(label: str, value: str, *, parts: bool) -> Iterator[Needle]:
    """In UTF-16; of ASCII, what both orders of its bytes have in common."""
    orders = [value.encode(charset, "surrogatepass") for charset in ("utf-16-le", "utf-16-be")]
    for wide in [_wide(value.encode())] if value.isascii() else orders:
        digits = wide.hex().encode()
        yield Needle(label, "hex", digits, min(2 * HEX_PART, len(digits)) if parts else len(digits))
