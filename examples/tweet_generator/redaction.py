"""Keep secrets out of text, and text on one line.

Secrets are found in two ways: by value (every key that ``register_secret`` was
told, and ``GEMINI_API_KEY``), and by looks (names such as ``api_key`` in front
of a value, Google's ``AIza...``, the ``user:password@`` of a URL). Found, they
become ``[REDACTED]``.
"""

import math
import os
import re
from collections.abc import Mapping
from typing import Any

REDACTED = "[REDACTED]"
# A shorter "secret" would be found in ordinary words and blank out the log.
SHORTEST_SECRET = 8
DEEPEST = 100

_secrets: set[str] = set()

_PATTERNS = (
    re.compile(r"()AIza[0-9A-Za-z_\-]{20,}"),
    re.compile(r"(?i)([?&](?:key|api_?key|access_token)=)[^&\s\"'<>]+"),
    re.compile(r"(?i)(api[_-]?key[\"']?\s*[:=]\s*b?[\"']?)[^\s\"',;}&]+"),
    re.compile(r"(//)[^\s\"'<>/?#]+(?=@)"),
    re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?)[^\r\n\"',}]+"),
)

_SENSITIVE_ENDINGS = (
    "apikey",
    "password",
    "passwd",
    "secret",
    "accesstoken",
    "refreshtoken",
    "authorization",
    "cookie",
    "credentials",
    "privatekey",
)


def register_secret(secret: str) -> None:
    """From now on ``secret`` is blanked wherever it turns up."""
    if len(secret) >= SHORTEST_SECRET:
        _secrets.add(secret)


def redact(text: str) -> str:
    """``text`` without secrets."""
    environment = os.environ.get("GEMINI_API_KEY", "").strip()
    known = _secrets | {environment} if len(environment) >= SHORTEST_SECRET else _secrets
    # Longest first: one secret may be the beginning of another.
    for secret in sorted(known, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\1{REDACTED}", text)
    return text


def preview(text: str, length: int) -> str:
    """The first ``length`` characters of ``text``, on one line and without secrets.

    Secrets go first: half a key at the cut would no longer be recognised.
    """
    line = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", redact(text)).split())
    return line if len(line) <= length else line[:length].rstrip() + "..."


def redact_fields(
    fields: Mapping[Any, object], ancestors: tuple[int, ...] = ()
) -> dict[str, object]:
    """A copy of ``fields`` without secrets at any depth, made of JSON's own types."""
    clean: dict[str, object] = {}
    for key, value in fields.items():
        name = str(key)
        clean[redact(name)] = REDACTED if is_sensitive(name) else _redact_value(value, ancestors)
    return clean


def _redact_value(value: object, ancestors: tuple[int, ...]) -> object:
    if isinstance(value, str):
        return redact(value)
    # JSON has no word for NaN and infinity: they go the way of other objects.
    if value is None or (isinstance(value, int | float) and math.isfinite(value)):
        return value
    if not isinstance(value, Mapping | list | tuple | set | frozenset):
        return redact(repr(value))
    if id(value) in ancestors or len(ancestors) >= DEEPEST:
        return "..."
    inside = (*ancestors, id(value))
    if isinstance(value, Mapping):
        return redact_fields(value, inside)
    return [_redact_value(item, inside) for item in value]


def is_sensitive(name: str) -> bool:
    """Whether a field of this name holds a secret: ``x-goog-api-key``, ``clientSecret``, ``token``.

    Counters such as ``totalTokenCount`` are not.
    """
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return plain == "token" or plain.endswith(_SENSITIVE_ENDINGS)
