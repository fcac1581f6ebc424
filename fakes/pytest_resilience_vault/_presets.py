"""Errors of Vault's by name, and by status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from pytest_resilience_vault._errors import INVALID_TOKEN, one_of

QUOTA = 'request path "{path}": rate limit quota exceeded'

# What a status means when nobody says more; [] where Vault itself has no words.
BY_STATUS: dict[int, list[str]] = {
    400: [one_of("invalid request")],
    403: [one_of("permission denied")],
    404: [],
    405: [one_of("unsupported operation")],
    412: ["required index state not present"],
    413: ["http: request body too large"],
    429: [QUOTA.format(path="secret/data/myapp")],
    500: [one_of("internal error")],
    501: ["Vault is not initialized"],
    502: [one_of("upstream rate limited")],
    503: ["Vault is sealed"],
}

# name: (status, errors). 429 without Retry-After, which Vault's quotas do not send by default.
ERRORS: dict[str, tuple[int, list[str]]] = {
    "bad_login": (400, ["invalid role or secret ID"]),
    "internal": (500, [one_of("internal error")]),
    "invalid_token": (403, [INVALID_TOKEN]),
    "locked_out": (403, ["permission denied"]),
    "missing_token": (403, ["permission denied"]),
    "no_leader": (500, ["local node not active but active cluster node not found"]),
    "not_found": (404, []),
    "permission_denied": (403, [one_of("permission denied")]),
    "rate_limited": (429, [QUOTA.format(path="secret/data/myapp")]),
    "sealed": (503, ["Vault is sealed"]),
    "state_missing": (412, ["required index state not present"]),
    "too_large": (413, ["http: request body too large"]),
}


def presets(
    answer: Callable[[int, list[str]], Any], standby_health: Callable[[], Any]
) -> dict[str, Callable[[], Any]]:
    """Each of them as a function without arguments."""
    named: dict[str, Callable[[], Any]] = {
        name: partial(answer, status, errors) for name, (status, errors) in ERRORS.items()
    }
    return {**named, "standby_health": standby_health}


class RateLimited:
    """The error of a rate-limit quota, as a fault: it names the path that was asked for."""

    label = "rate_limited"
    processed = False
    replaces_answer = True

    def __init__(self, answer: Callable[[int, list[str]], Any]) -> None:
        self._answer = answer

    def apply(self, script: Any, context: Any) -> Any:
        """Put the error in place of the real answer."""
        path = context.attempt.path.removeprefix("/v1/")
        response = self._answer(429, [QUOTA.format(path=path)])
        answer = replace(
            script.answer,
            status=429,
            headers=tuple(response.headers.to_wsgi_list()),
            body=tuple(response.iter_encoded()),
            reason=None,
        )
        return replace(script, answer=answer)

    def __repr__(self) -> str:
        return "<preset rate_limited>"
