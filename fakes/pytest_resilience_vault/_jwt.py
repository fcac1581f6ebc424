"""Wrapping tokens in the form of a JWT (X-Vault-Wrap-Format: jwt; vault/wrapping.go).

Vault signs them with a key that it never shows, so that only itself can tell a good signature
from random bytes. This Vault remembers the tokens that it has given out, and signs with random
bytes of the same form: two numbers below the order of P-521, 66 bytes each.
"""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from pytest_resilience_vault._gojson import decode_object, encode
from pytest_resilience_vault._tokens import Token

EARLY = 5
"""Seconds by which it is valid before it is made, for clocks that differ."""
_BITS, _BYTES = 520, 66


def signed(token: Token, address: str, accessor: str) -> str:
    """A JWT for a wrapping token; with the accessor of the token that is wrapped, if it is one."""
    made = int(token.created)
    claims = {
        "accessor": accessor,
        "addr": address,
        "exp": int(token.expires or 0),
        "iat": made,
        "jti": token.id,
        "nbf": made - EARLY,
        "type": "wrapping",
    }
    header = {"alg": "ES512", "typ": "JWT"}
    parts = [encode(header).encode(), encode(claims).encode(), _signature()]
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _signature() -> bytes:
    return b"".join(secrets.randbits(_BITS).to_bytes(_BYTES, "big") for _ in "rs")


def is_jwt(text: str) -> bool:
    """Whether it is meant as one: a namespace's token has two dots, too, but at other places."""
    return text.count(".") == 2 and len(text) > 3 and "." not in (text[1], text[3])


def why_not(text: str) -> str:
    """Why a JWT that was not given out here is refused."""
    header, *others = text.split(".")
    unread = "wrapping token could not be parsed: "
    for part in (header, *others):
        at = _wrong_base64(part)
        if at is not None:
            return f"{unread}illegal base64 data at input byte {at}"
    try:
        algorithm = decode_object(urlsafe_b64decode(header + "=" * (-len(header) % 4))).get("alg")
    except ValueError as error:
        return f"{unread}{error}"
    if algorithm != "ES512":
        return f'{unread}unexpected signature algorithm "{algorithm or ""}"; expected ["ES512"]'
    words = "go-jose/go-jose: error in cryptographic primitive"
    return f"wrapping token signature could not be validated: {words}"


def _wrong_base64(part: str) -> int | None:
    """Where it stops being base64 for URLs without padding, as Go's decoder counts."""
    good = re.match(r"[\w-]*", part, re.ASCII)
    assert good is not None  # of nothing, at least
    if good.end() < len(part):
        return good.end()
    return len(part) - 1 if len(part) % 4 == 1 else None
