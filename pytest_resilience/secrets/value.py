"""A secret: its value, and how much of it is proof that it has been shown.

Whoever finds a secret accuses somebody, so what is found must be proof:

- of a value that chance has made, 12 characters in a row: nobody writes them by accident. Its
  first characters do not count where all of its kind begin like that (``hvs.``, ``AIza``, the
  claims of a JSON web token).
  A mask that leaves the last 4 or the first 8 characters is no leak;
- of any other value, the whole of it, at least 6 characters, and no mere words: ``s3cr3t`` is
  a secret, ``secret``, ``test-token-1`` and ``production`` are none, until there are 16
  characters that are more than such words;
- of one that the user himself has named a secret, the whole of it, whatever it is.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

PART = 12
"""So many unforeseeable characters in a row are proof."""
SHORTEST = 6
"""A shorter value would be found in ordinary words."""
LONG = 16
"""So long, even letters alone are no word."""
SHORTEST_NAMED = 4

_PREFIX = re.compile(
    r"hv[sbr]\.(?:CAESI)?|[sbr]\.(?=[A-Za-z0-9]{24})|AIza(?:Sy)?|gh[pousr]_|github_pat_"
    r"|sk-(?:proj-|ant-(?:api\d\d-)?)?|xox[abprs]-|glpat-|canary-"
    r"|eyJ[A-Za-z0-9_-]*\.(?:eyJ[A-Za-z0-9_-]*\.(?=[A-Za-z0-9_-]{6}))?"  # What is not signed.
    r"|-----BEGIN [A-Z ]+-----\s*"
)
_CLASSES = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"[0-9]"))
_COMMON = re.compile(
    r"(?:a|access|admin|api|app|auth|bar|basic|baz|bearer|change|client|cred(?:ential)?|db|and|default|for|of|to|with"
    r"|demo|dev|dummy|example|fake|false|foo|gemini|good|invalid|key|local|login|me|mock|my|new"
    r"|none|null|old|pass|password|private|prod|public|role|root|sample|secret|service|some|stage"
    r"|staging|stale|stub|super|test|tests|the|this|token|true|undefined|user|valid|value|vault"
    r"|version|wrong|your|id|is|not|so|very|x|v|[^A-Za-z]|s)+",
    re.IGNORECASE,
)
_MADE_OF_TIME = re.compile(
    r"(?:[0-9a-f]{8}-[0-9a-f]{4}-11(?:e[ef]|f[0-9a])"
    r"|1(?:e[ef]|f[0-9a])[0-9a-f]{5}-[0-9a-f]{4}-6[0-9a-f]{3}"
    r"|01[89a-f][0-9a-f]{5}-[0-9a-f]{4}-7[0-9a-f]{3})-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)
"""A UUID of version 1, 6 or 7 (RFC 9562), of a time between 2024 and 2035: most of it is the same
in others of its machine or moment. Vault's have any digit where others have their version."""
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FOLLOWS = {
    "a": "bcdgiklmnprstuvwy",
    "b": "aeiloru",
    "c": "aehiklortu",
    "d": "adeiorsu",
    "e": "acdefglmnprstvwxy",
    "f": "aefiloru",
    "g": "aehilnorsu",
    "h": "aeiort",
    "i": "abcdefglmnoprstvz",
    "j": "aou",
    "k": "eins",
    "l": "adeilostuy",
    "m": "abeiopsu",
    "n": "acdefgiknostuv",
    "o": "bcdfgklmnoprstuvw",
    "p": "aehiloprstuy",
    "q": "u",
    "r": "acdegimnorstuvy",
    "s": "acehilmopqstuwy",
    "t": "acehiloprstuwy",
    "u": "abceilmnprst",
    "v": "aeio",
    "w": "aehinor",
    "x": "aept",
    "y": "eops",
    "z": "aeo",
}
"""Which letters follow which in words: the 210 most frequent pairs of 14,000 words, and a few."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?([.,]\d+)?(Z|[+-]\d\d:?\d\d)?")
_PUBLISHED = re.compile(
    r"(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:/\d{1,3})?"
    r"|(?:acl|ami|eni|fs|i|igw|lt|nat|rtb|sg|snap|subnet|vol|vpc|vpce)-[0-9a-f]{17}"
    r"|pk_(?:live|test)_[A-Za-z0-9]+"
)
"""Addresses of IPv6, what AWS numbers its resources with, and the keys of Stripe that are made
for browsers: they look random, and everybody may know them."""
_DIGEST = re.compile(r"(?:\S+@)?(?:md5|sha\d+):[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must not be shown, under the name that reports call it by."""

    label: str
    value: str
    known: int = 0
    """How many of its first characters are no secret."""
    parts: bool = False
    """Whether a part of it is proof."""
    named: bool = False
    """Whether the user has said so."""

    @classmethod
    def of(cls, label: str, value: str, *, minted: bool = False, named: bool = False) -> Secret:
        """A secret as its value looks.

        Args:
            label: What reports call it.
            value: The secret.
            minted: Chance has made it, whatever it looks like.
            named: The user has said that it is one.
        """
        prefix = _PREFIX.match(value)
        known = prefix.end() if prefix else 0
        if len(value) - known < SHORTEST:
            known = 0
        rest = value[known:]
        random = shares_nothing(rest) and (_UUID.fullmatch(rest) or looks_random(rest))
        parts = len(rest) >= PART and (minted or random)
        return cls(label, value, known, bool(parts), named)

    @property
    def proof(self) -> bool:
        """Whether finding it proves anything."""
        return self.parts or self.named or is_proof(self.value)

    @property
    def unknown(self) -> str:
        """The part of it that is secret."""
        return self.value[self.known :] if self.parts else self.value

    def __repr__(self) -> str:
        return f"<Secret {self.label!r}>"


def shares_nothing(value: str) -> bool:
    """Whether no other value has most of it in common: no address, nothing made of the time."""
    return "://" not in value and not _MADE_OF_TIME.fullmatch(value)


def is_proof(value: str) -> bool:
    """Whether nobody writes the whole of this value by accident."""
    if len(value) < SHORTEST or len(set(value)) < 4 or _COMMON.fullmatch(value):
        return False
    if len(value) >= LONG:
        return True
    letters = any(c.isalpha() for c in value)
    words = all(c.isalpha() or c in " -_./:" for c in value)
    return letters and not words and not _is_number(value)


def _is_number(value: str) -> bool:
    """``0x1f90`` and ``1e-5`` and ``12.5s`` are what a log is full of."""
    return bool(re.fullmatch(r"(0x)?[0-9a-fA-F.:+-]{1,9}|[0-9.:+-]+[A-Za-z]{0,3}", value))


@lru_cache(maxsize=1024)
def looks_random(value: str) -> bool:
    """Whether chance has made this value, as far as one can tell."""
    if len(value) < LONG or " " in value or "://" in value:
        return False
    if any(form.fullmatch(value) for form in (_MOMENT, _DIGEST, _PUBLISHED)):
        return False
    classes = sum(bool(kind.search(value)) for kind in _CLASSES)
    return classes >= 2 and not _reads_like_words(value) and _bits(value) >= 3.0


def _reads_like_words(value: str) -> bool:
    """Whether most letters are followed by one that follows them in words.

    Of pairs in English nine in ten are in the table, of random ones three in ten. A letter
    beside a digit is no pair of a word; where one word ends and the next begins is none.
    """
    kinds = list(map(_kind, value, value[1:]))
    usual, unusual = kinds.count(1), kinds.count(-1)
    return unusual < 4 or unusual < usual


@lru_cache(maxsize=8192)
def _kind(one: str, two: str) -> int:
    """1 of a pair that is usual in words, -1 of one that is not, 0 of one that says nothing."""
    if one.isalpha() and two.isalpha() and (one.isupper() or two.islower()):
        return 1 if two.lower() in _FOLLOWS.get(one.lower(), "") else -1
    if not (one.isalnum() and two.isalnum()) or (one.isdigit() and two.isdigit()):
        return 0
    return 0 if one.islower() and two.isupper() else -1


def _bits(value: str) -> float:
    """Shannon's bits a character, counted in the value itself."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())
