"""Ids: of requests, roles and accessors, all of them random."""

from __future__ import annotations

import secrets
import string

_LETTERS = string.ascii_letters + string.digits
_TEXT = f"{_LETTERS}_-"


def mint(length: int) -> str:
    """Random letters and digits (base62.Random)."""
    return "".join([secrets.choice(_LETTERS) for _ in range(length)])


def mint_text(length: int) -> str:
    """Random characters of base64 for URLs, as an encrypted token looks."""
    return "".join([secrets.choice(_TEXT) for _ in range(length)])


def new_uuid() -> str:
    """Random, in the form of every id of Vault's (go-uuid)."""
    text = secrets.token_hex(16)
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
