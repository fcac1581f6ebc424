"""Clients that are right in an outage of 503, and wrong when it is of one other kind."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import requests

from tests.verify.zoo.kit import Client, broken, mended

CLAIM: dict[str, Any] = {
    "attempts": 4,
    "waits": (1, 2, 4),
    "statuses": (429, 503),
    "failures": ("read-timeout", "reset", "truncated"),
    "retry_after": False,
    "timeout": 10,
    "raises": requests.RequestException,
}
"""What all of them claim, of every kind."""

WAITS = (1.0, 2.0, 4.0)
SCENES: dict[str, list[str]] = {}
"""By the name of a client, in which scenario it is found."""

KINDS = {
    "timeouts": "outage-by-read-timeout",
    "resets": "outage-by-reset",
    "cuts": "outage-by-truncated",
    "429": "outage-by-429",
}
ALL_MEET_RESETS = ("returns_none", "sleeps_afterwards", "raises_another")
"""What is found of resets in a scenario for everybody, whatever he claims."""


def kind_of(error: requests.RequestException) -> str | None:
    """Which kind of failure it is; None for what is not worth another attempt."""
    if error.response is not None:
        status = error.response.status_code
        return str(status) if status in (429, 503) else None
    if isinstance(error, requests.Timeout):
        return "timeouts"
    return "cuts" if isinstance(error, requests.exceptions.ChunkedEncodingError) else "resets"


def client(
    special: str = "", waits: tuple[float, ...] = WAITS, *, after: float = 0, end: str = "raises"
) -> Client:
    """One that has other waits, or another end, for this kind."""

    def call(url: str) -> Any:
        failures: Counter[str] = Counter()
        while True:
            try:
                response = requests.get(url, timeout=10)
                response.raise_for_status()
                return response.json()
            except requests.RequestException as error:
                kind = kind_of(error)
                if kind is None:
                    raise
                left = (waits if kind == special else WAITS)[failures[kind] :]
                failures[kind] += 1
                if not left:
                    if kind != special:
                        raise
                    time.sleep(after)
                    if end == "returns":
                        return None
                    if end == "another":
                        raise ZeroDivisionError from error
                    raise
            time.sleep(left[0])

    return call


MISTAKES: dict[str, tuple[str, dict[str, Any]]] = {
    "seven_attempts": ("too-many-attempts", {"waits": (*WAITS, 8.0, 16.0, 32.0)}),
    "two_attempts": ("too-few-attempts", {"waits": (1.0,)}),
    "never_waits": ("constant-backoff", {"waits": (0.0, 0.0, 0.0)}),
    "returns_none": ("error-swallowed", {"end": "returns"}),
    "sleeps_afterwards": ("wait-after-last-attempt", {"after": 8}),
    "raises_another": ("unexpected-exception", {"end": "another"}),
}
"""By what a client does: its code, and how it comes to do so."""


for kind, scenario in KINDS.items():
    for name, (code, how) in MISTAKES.items():
        wrong = client(kind, **how)
        wrong.__name__ = f"{name}_after_{kind}"
        everybody = kind == "resets" and name in ALL_MEET_RESETS
        SCENES[wrong.__name__] = ["resets-without-end" if everybody else scenario]
        broken(code, **CLAIM)(wrong)

right = client()
right.__name__ = "right_after_every_kind"
SCENES[right.__name__] = [*KINDS.values(), "resets-without-end"]
mended("too-many-attempts", **CLAIM)(right)
