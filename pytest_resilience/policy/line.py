"""A policy in one line: ``4 attempts, waits 1 2 4, retry 429 5xx timeouts, timeout 10``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import Any, NoReturn

from pytest_resilience.errors import (
    PolicyError,
    shown,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)
from pytest_resilience.policy import _check
from pytest_resilience.policy._check import FOREVER
from pytest_resilience.policy.backoff import Backoff, Jitter
from pytest_resilience.policy.breaker import Breaker
from pytest_resilience.policy.logs import LogContract
from pytest_resilience.policy.policy import FAILURES, SAME

__all__ = ["claims_of"]

NUMBER = r"\d+(?:\.\d+)?"
EXAMPLE = "4 attempts, waits 1 2 4, retry 429 5xx timeouts, timeout 10"

KINDS = {
    "attempts": "4 attempts",
    "waits": "waits 1 2 4..5",
    "backoff": "backoff 1x2 up to 30",
    "jitter": "full jitter, or additive jitter 0.5",
    "retry": "retry 429 5xx timeouts",
    "never": "never 501 bad-json",
    "Retry-After": "Retry-After up to 60",
    "methods": "methods GET PUT",
    "raises": "raises shop.ShopError",
    "key": "key Idempotency-Key",
    "breaker": "breaker 5 for 30 probes 1",
    "login": "login /auth/*",
    "logs": "logs shop.client",
    "validation": "validation, or no validation",
    "resending": "resending, or no resending",
    "never blocks": "never blocks, or may block",
}
"""What a line may say, each with an example."""
ONE_WORD: dict[str, Callable[[str], dict[str, Any]]] = {
    "key": lambda word: {"idempotency_key": word},
    "login": lambda word: {"login": word},
    "logs": lambda word: {"logs": LogContract(logger=word, retry="")},
}
TIMES = {
    "timeout": "timeout",
    "connect timeout": "connect_timeout",
    "total timeout": "total_timeout",
    "deadline": "deadline",
    "budget": "budget",
    "cache": "cache",
}


def claims_of(text: str) -> dict[str, Any]:
    """The arguments of a `RetryPolicy` that this line means.

    Raises:
        PolicyError: A part of it means none; says which, and what there is.
    """
    if not isinstance(text, str):
        _check.refuse("parse(text)", text, "one line of text")
    claims: dict[str, Any] = {}
    for clause in _clauses(text):
        for field, value in _read(clause).items():
            if field in claims:
                raise PolicyError(f"{clause!r} says {field} a second time")
            claims[field] = value
    return claims


def _clauses(text: str) -> list[str]:
    """The parts between commas; ``methods GET, POST`` and ``retry 429, 503`` are one each."""
    clauses: list[str] = []
    for part in re.split(r"[,;]", text):
        clause = " ".join(part.split())
        more = [word for word in part.split() if word not in AND]
        fits = LISTS.get(clauses[-1].split()[0].lower()) if clauses else None
        if more and fits and all(re.fullmatch(fits, word) for word in more):
            clauses[-1] += f" {' '.join(more)}"
        elif clause:
            clauses.append(clause)
    return clauses


def _read(clause: str) -> dict[str, Any]:
    words = clause.split()
    low = clause.lower()
    for pattern, reader in READERS:
        found = re.fullmatch(pattern, low)
        if found:
            read: dict[str, Any] = reader(found)
            return read
    first, rest = words[0].lower(), [word for word in words[1:] if word not in AND]
    if first in ("retry", "retries", "never"):
        return _retried([first, *rest])
    if first in ("methods", "raises") and rest:
        return {first: rest}
    if first in ONE_WORD and len(rest) == 1:
        return ONE_WORD[first](rest[0])
    return _refuse(clause)


def _refuse(clause: str) -> NoReturn:
    kinds = {**KINDS, **{words: f"{words} 10" for words in TIMES}}
    words = clause.lower().split()
    meant = [kind for kind in kinds if set(kind.lower().split()) <= set(words)]
    if meant:
        example = kinds[max(meant, key=len)]
        raise PolicyError(f"{shown(clause)} cannot be read: wanted such as {example}")
    close = [near for word in words for near in difflib.get_close_matches(word, kinds, 1, 0.75)]
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise PolicyError(
        f"{shown(clause)} cannot be read{hint}: wanted {', '.join(kinds)}; such as {EXAMPLE!r}"
    )


def _retried(words: list[str]) -> dict[str, Any]:
    prefix = "never_" if words[0].lower() == "never" else ""
    statuses: list[int | str] = []
    failures: list[str] = []
    for word in words[1:]:
        name = word.lower()
        if name.isdigit():
            statuses.append(int(name))
        elif re.fullmatch(r"[1-5]xx", name):
            statuses.append(name)
        else:
            failures.append(_failure(name, " ".join(words)))
    claims: dict[str, Any] = {}
    if statuses:
        claims[f"{prefix}statuses"] = statuses
    if failures:
        claims[f"{prefix}failures"] = failures
    return claims or _refuse(" ".join(words))


def _failure(name: str, clause: str) -> str:
    for candidate in (name, name.removesuffix("s")):
        if SAME.get(candidate, candidate) in FAILURES:
            return candidate
    allowed = f"statuses such as 429 or 5xx, or {', '.join(FAILURES)}"
    raise PolicyError(f"{clause!r} cannot be read: {name!r} is none of {allowed}")


def _waits(found: re.Match[str]) -> dict[str, Any]:
    waits: list[float | tuple[float, float]] = []
    for word in re.split(r"[ -]", found[1]):
        low, dots, high = word.partition("..")
        waits.append((float(low), float(high)) if dots else float(low))
    return {"backoff": waits}


def _backoff(found: re.Match[str]) -> dict[str, Any]:
    first = None if found["first"] is None else float(found["first"])
    cap = None if found["cap"] is None else float(found["cap"])
    step = float(found["step"] or 0)
    return {"backoff": Backoff(float(found["initial"]), float(found["factor"]), cap, first, step)}


def _jitter(found: re.Match[str]) -> dict[str, Any]:
    amount = None if found[2] is None else float(found[2])
    least = float(found[3] or 0)
    return {"jitter": Jitter("none" if found[1] == "no" else found[1], amount, least)}


def _breaker(found: re.Match[str]) -> dict[str, Any]:
    probes = None if found[3] is None else int(found[3])
    return {"breaker": Breaker(int(found[1]), float(found[2]), probes)}


def _yes_or_no(field: str) -> Callable[[re.Match[str]], dict[str, Any]]:
    return lambda found: {field: not found[1]}


def _retry_after(found: re.Match[str]) -> dict[str, Any]:
    cap = {} if found[2] is None else {"retry_after_cap": float(found[2])}
    return {"retry_after": not found[1], **cap}


BACKOFF = (
    rf"backoff (?P<initial>{NUMBER}) ?x ?(?P<factor>{NUMBER})"
    rf"(?: plus (?P<step>{NUMBER}))?(?: first (?P<first>{NUMBER}))?(?: up to (?P<cap>{NUMBER}))?"
)
WAIT = rf"{NUMBER}(?:\.\.{NUMBER})?"
RETRIED = rf"(?i:[1-5](?:\d\d|xx)|timeouts|json|(?:{'|'.join(FAILURES)})s?)"
LISTS = {
    "methods": r"[A-Z]+|(?i:get|head|options|trace|put|delete|patch|post)",
    "raises": r"(?:\w+\.)*[A-Z]\w*",
    **dict.fromkeys(("wait", "waits"), rf"{WAIT}(?:-{WAIT})*"),
    **dict.fromkeys(("retry", "retries", "never"), RETRIED),
}
"""Of clauses with a list: their first word, and what may stand behind a comma within them."""
AND = ("or", "and")

READERS: list[tuple[str, Any]] = [
    (r"(\d+) attempts?", lambda found: {"attempts": int(found[1])}),
    (r"no limit|attempts forever", lambda found: {"attempts": FOREVER}),
    (rf"waits? ({WAIT}(?:[ -]{WAIT})*)", _waits),
    (rf"({NUMBER}(?:-{NUMBER})+)", _waits),
    (BACKOFF, _backoff),
    (rf"({'|'.join(Jitter.KINDS)}|no) jitter(?: ({NUMBER}))?(?: from ({NUMBER}))?", _jitter),
    (rf"breaker (\d+) for ({NUMBER})(?: probes (\d+))?", _breaker),
    (r"unreadable retry-after (\w+)", lambda found: {"unreadable_retry_after": found[1]}),
    (r"(no )?validation", _yes_or_no("validates")),
    (r"(no )?resending", _yes_or_no("resends")),
    (r"(never) blocks", lambda _: {"never_blocks": True}),
    (r"(may) block", lambda _: {"never_blocks": False}),
    (rf"(no )?retry-after(?: up to ({NUMBER}))?", _retry_after),
    *(
        (rf"{words} ({NUMBER})", lambda found, field=field: {field: float(found[1])})
        for words, field in TIMES.items()
    ),
]
