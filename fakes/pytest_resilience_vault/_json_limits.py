"""How much JSON a Vault takes in one request: its own limits, since 1.20.3.

sdk/helper/jsonutil, VerifyMaxDepthStreaming, with the defaults of a listener (300 levels is
what servers print when they start; the documentation says 500). They are checked behind the
quotas, before anything else, and only of bodies that begin as an object or a list does.
"""

from __future__ import annotations

import re

from pytest_resilience_vault._errors import Refused

DEEPEST = 300
"""max_json_depth."""
LONGEST = 1 << 20
"""Bytes of a string as it is written (max_json_string_value_length)."""
MOST = 10_000
"""Entries of an object, elements of a list (max_json_object_entry_count, ..._array_element_...)."""

SMALLEST = 2 * DEEPEST
"""Bytes of the shortest body that could be too much."""

_PIECE = re.compile(rb'"((?:[^"\\]|\\.)*)"?|[{}\[\],]', re.DOTALL)
_TOO_MANY = {
    b"{": "JSON object exceeds allowed entry count",
    b"[": "JSON array exceeds allowed element count",
}


def check(body: bytes) -> None:
    """Refuse what is too deep, too long or too many; 500, in the order of the text.

    What is no JSON passes: that is said later, in other words.
    """
    text = body.lstrip(b" \t\r\n")
    if text[:1] not in _TOO_MANY or not _may_be_too_much(text):
        return
    open_ones: list[tuple[bytes, int]] = []
    for found in _PIECE.finditer(text):
        piece = found[0]
        if piece in _TOO_MANY:
            open_ones.append((piece, 1))
            if len(open_ones) > DEEPEST:
                raise Refused(500, "JSON input exceeds allowed nesting depth")
        elif piece == b",":
            kind, count = open_ones.pop()
            if count == MOST:
                raise Refused(500, _TOO_MANY[kind])
            open_ones.append((kind, count + 1))
        elif piece[:1] != b'"':
            open_ones.pop()
            if not open_ones:
                return
        elif len(found[1]) > LONGEST:
            raise Refused(500, "JSON string value exceeds allowed length")


def _may_be_too_much(text: bytes) -> bool:
    """Most bodies cannot, and are not read twice."""
    return (
        len(text) > LONGEST
        or text.count(b",") >= MOST
        or text.count(b"{") + text.count(b"[") > DEEPEST
    )
