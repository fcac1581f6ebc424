"""Attempts as JSON data, with credentials masked."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote_plus

from pytest_resilience.records import Attempt
from pytest_resilience.secrets.names import CREDENTIAL, MASK, masked_value


def attempt_data(attempt: Attempt, wait: float | None, *, masked: bool = True) -> dict[str, Any]:
    """An attempt for other programs; docs/serve.md says what each member means."""
    query = masked_query(attempt.query) if masked else attempt.query
    return {
        "number": attempt.number,
        "at": attempt.at,
        "ended": attempt.ended,
        "wait": wait,
        "connection": attempt.connection,
        "reused": attempt.reused,
        "method": attempt.method,
        "target": attempt.path + ("?" + query if "?" in attempt.target else ""),
        "path": attempt.path,
        "query": query,
        "headers": [
            [name, masked_value(name, value) if masked else value]
            for name, value in attempt.headers.items_sent()
        ],
        **body_data(attempt.body),
        "body_size": attempt.body_size,
        "fault": attempt.fault,
        "status": attempt.status,
        "retry_after": attempt.retry_after,
        "sent": attempt.sent,
        "outcome": attempt.outcome.value,
        "unmatched": attempt.unmatched,
        "note": attempt.note,
    }


def without_secrets(
    attempts: Sequence[dict[str, Any]], mask: Callable[[str], str]
) -> list[dict[str, Any]]:
    """The same attempts with the names of secrets in their place, but for bodies."""
    everything = "\n".join(text for attempt in attempts for text in _texts(attempt))
    if mask(everything) == everything:
        return list(attempts)
    return [
        attempt
        | {name: mask(attempt[name]) for name in _TEXTS if attempt[name]}
        | {"headers": [[mask(name), mask(value)] for name, value in attempt["headers"]]}
        for attempt in attempts
    ]


_TEXTS = ("method", "target", "path", "query", "fault", "retry_after", "note")


def _texts(attempt: dict[str, Any]) -> list[str]:
    fields = [text for pair in attempt["headers"] for text in pair]
    return [attempt[name] or "" for name in _TEXTS] + fields


def body_data(body: bytes) -> dict[str, str]:
    """A body as text, or in base64 when it is no UTF-8."""
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode("ascii")}


def masked_query(query: str) -> str:
    """A query whose credentials are masked, such as Gemini's ``?key=``."""
    return "&".join(_masked_parameter(part) for part in query.split("&"))


def _masked_parameter(part: str) -> str:
    name, equals, _ = part.partition("=")
    plain = unquote_plus(name)
    secret = plain.lower() == "key" or CREDENTIAL.search(plain)
    return f"{name}={MASK}" if equals and secret else part
