"""Names that tell that what they name is a credential."""

from __future__ import annotations

import re
from functools import lru_cache

CREDENTIAL = re.compile(
    r"authorization|cookie|token|secret|passw|credential"
    r"|(api|access|auth|private|signing|subscription)[-_]?key",
    re.IGNORECASE,
)
"""In the name of a header field or of a query's parameter: its value had better be masked."""

SCHEME = re.compile(r"(?:Basic|Bearer|Digest|Negotiate)(?= )", re.IGNORECASE)
MASK = "***"

_TELLING = re.compile(
    r"passw(or)?d|passwd|passphrase|pwd|secret|token|credential"
    r"|(api|access|auth|private|signing|encryption|account|master)[-_]?key|apikey",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    # Pages and counts are called tokens, too; an accessor finds a token and cannot be used as one.
    r"(page|next|continuation|sync|cursor|csrf|xsrf|max|total|count|num|accessor)[-_]?tokens?$"
    r"|accessor|tokens?[-_]?(count|type|ttl|policies|uses|limit|url|uri|path|file|name|endpoint)"
    r"|(secret|passw(or)?d|key)s?[-_]?(name|path|file|url|ttl|version|type|engine|mount|num)",
    re.IGNORECASE,
)
_PUBLIC = re.compile(
    r"(^|[-_.])(id|uid|uuid|user|username|login|name|host|hostname|server|port|url|uri|addr"
    r"|address|endpoint|region|zone|env|email|mail|path|file|db|database|schema|type|kind|version"
    r"|date|time|created|updated|expires|note|comment|description|text|message)$",
    re.IGNORECASE,
)


@lru_cache(maxsize=1024)
def tells(name: str) -> bool:
    """Whether a value of this name is a credential: ``password``, ``apiKey``, not ``pageToken``."""
    return bool(_TELLING.search(name)) and not _HARMLESS.search(name)


@lru_cache(maxsize=1024)
def is_public(name: str) -> bool:
    """Whether a value of this name may be spoken of: a host, a user, an id."""
    return bool(_PUBLIC.search(name)) and not tells(name)


def masked_value(name: str, value: str) -> str:
    """A header's value; of a credential at most the scheme: ``Bearer ***``."""
    if not CREDENTIAL.search(name):
        return value
    scheme = SCHEME.match(value)
    return f"{scheme[0]} {MASK}" if scheme else MASK
