"""Names that tell that what they name is a credential."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

CREDENTIAL = re.compile(
    r"authorization|cookie|token|secret|passw|credential"
    r"|(api|access|auth|private|signing|subscription)[-_]?key",
    re.IGNORECASE,
)
"""In the name of a header field or of a query's parameter: its value had better be masked."""

SCHEME = re.compile(r"(?:Basic|Bearer|Digest|Negotiate)(?= )", re.IGNORECASE)
MASK = "***"

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_TELLING = (
    *("password", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "credential"),
    *("credentials", "apikey"),
)
_SHORT = frozenset({"pass", "pw"})
"""The same as words of their own at the end: ``DB_PASS``, not ``pass_rate`` and ``bypass``."""
_OF_KEYS = frozenset(
    {"access", "account", "api", "auth", "encryption", "master", "private", "signing", "secret"}
)
"""What makes a key one that is kept secret, other than the keys of mappings."""
_BEFORE = frozenset(
    {"page", "next", "continuation", "sync", "cursor", "csrf", "xsrf", "max", "total", "count"}
)
"""Pages and counts have tokens, too."""
_BEHIND = frozenset(
    {"accessor", "arn", "count", "endpoint", "engine", "expiry", "expires", "file", "length"}
    | {"limit", "mount", "name", "num", "path", "policies", "policy", "rotation", "ttl", "type"}
    | {"uri", "url", "usage", "uses", "version"}
)
"""What a value is when it only has to do with a secret: ``token_type``, ``secret_path``."""
_PUBLIC = frozenset(
    {"id", "uid", "uuid", "user", "username", "login", "name", "host", "hostname", "server"}
    | {"port", "url", "uri", "addr", "address", "endpoint", "region", "zone", "env", "email"}
    | {"mail", "path", "file", "db", "database", "schema", "type", "kind", "version", "date"}
    | {"time", "created", "updated", "expires", "note", "comment", "description", "text"}
    | {"message", "tenant", "subscription", "project", "account", "org", "organization", "realm"}
    | {"issuer", "audience", "scope", "bucket", "cluster", "instance", "node", "pod", "image"}
    | {"arn", "hash", "sha", "digest", "checksum", "fingerprint", "thumbprint", "etag", "serial"}
    | {"commit", "revision", "certificate", "cert", "ca"}
)


@lru_cache(maxsize=1024)
def tells(name: str) -> bool:
    """Whether a value of this name is a credential: ``password``, ``apiKey``, not ``pageToken``."""
    words = _words(name)
    if not words or words[-1] in _BEHIND or not _BEFORE.isdisjoint(words):
        return False
    # Not of an access key's id, which is to AWS what a user name is.
    keys = words[-1] != "id" and any(key == "key" and of in _OF_KEYS for of, key in pairwise(words))
    return keys or words[-1] in _SHORT or any(word.endswith(_TELLING) for word in words)


@lru_cache(maxsize=1024)
def is_public(name: str) -> bool:
    """Whether a value of this name may be spoken of: a host, a user, an id."""
    words = _words(name)
    return bool(words) and (words[-1] in _PUBLIC or words[-1][:-1] in _PUBLIC) and not tells(name)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def masked_value(name: str, value: str) -> str:
    """A header's value; of a credential at most the scheme: ``Bearer ***``."""
    if not CREDENTIAL.search(name):
        return value
    scheme = SCHEME.match(value)
    return f"{scheme[0]} {MASK}" if scheme else MASK
