"""Which attempts log in, and which fields carry a credential."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import parse_qsl

from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.records import Attempt
from pytest_resilience.secrets.search import Search
from pytest_resilience.secrets.value import Secret

__all__ = ["carried", "is_login", "logins", "pairs", "told"]

FIELD = re.compile(
    r"^(proxy-)?authorization$|^cookie$|(^|[-_])(api[-_]?key|token|secret|password|credentials?)$"
)
"""Names of fields with a credential: Authorization, Cookie, X-Vault-Token, X-Api-Key, ..."""

LOGIN = re.compile(r"(^|[/_-])(log[-_]?in|auth|oauth2?|tokens?|sessions?|authenticate)([/_-]|$)")
WRITES = ("POST", "PUT")


def carried(attempt: Attempt) -> dict[str, str]:
    """The fields of a request that carry a credential."""
    return {name: value for name, value in attempt.headers.items() if FIELD.search(name)}


def pairs(attempt: Attempt) -> set[tuple[str, str]]:
    """The credentials of a request, those of its query too: names and values."""
    query = parse_qsl(attempt.query)
    return set(carried(attempt).items()) | {
        (f"?{name}", value) for name, value in query if name == "key" or FIELD.search(name.lower())
    }


def told(attempt: Attempt, secrets: Iterable[Secret]) -> set[str]:
    """The labels of the secrets in its body."""
    return {hit.label for hit in Search(secrets).hits(attempt.body)} if attempt.body else set()


def is_login(attempt: Attempt, policy: RetryPolicy) -> bool:
    """Whether it logs in: by the policy's glob, else by its path and what it lacks."""
    if policy.login is not None:
        return fnmatchcase(attempt.path, policy.login) or fnmatchcase(
            attempt.path, f"*/{policy.login.lstrip('/')}"
        )
    return attempt.method in WRITES and bool(LOGIN.search(attempt.path.lower()))


def logins(attempts: Iterable[Attempt], policy: RetryPolicy) -> list[Attempt]:
    """The attempts that log in."""
    return [attempt for attempt in attempts if is_login(attempt, policy)]
