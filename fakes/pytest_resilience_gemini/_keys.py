"""API keys: how one is made, where a request carries it, and what is said of a wrong one."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl

from pytest_resilience_gemini._errors import (
    BAD_CREDENTIALS,
    ApiError,
    error_info,
    localized_message,
)

if TYPE_CHECKING:
    from werkzeug import Request


class Sent(Protocol):
    """Header fields, whosever."""

    def get(self, name: str, /) -> str | None:
        """The value of a field, whatever the case of its name."""


ALPHABET = string.ascii_letters + string.digits + "-_"

# openai-gemini#92. No details.
NO_KEY = (
    "Method doesn't allow unregistered callers (callers without established identity). "
    "Please use API Key or other form of API consumer identity to call this API."
)
NOT_VALID = "API key not valid. Please pass a valid API key."


def mint() -> str:
    """A key that looks like Google's: AIza and 35 characters of URL-safe base64."""
    return "AIza" + "".join(secrets.choice(ALPHABET) for _ in range(35))


def check(request: Request, key: str, method: str) -> None:
    """Let the request pass, or raise what the service says of its credentials.

    A bearer token comes first: it is refused even beside a good key (xalgorix#2).

    Args:
        request: The request.
        key: The one valid key.
        method: The full name of the called method, which the 401 repeats.
    """
    if request.headers.get("Authorization", "").lower().startswith("bearer "):
        raise wrong_scheme(method)
    came = sent(request.headers, request.query_string.decode("latin-1"))
    if not came:
        raise ApiError(403, NO_KEY)
    if not secrets.compare_digest(came.encode(), key.encode()):
        raise key_error(NOT_VALID)


def sent(headers: Sent, query: str) -> str | None:
    """The key that a request carries; its header before its query is inferred."""
    given = dict(parse_qsl(query))
    return headers.get("x-goog-api-key") or given.get("key") or given.get("$key")


def key_error(message: str) -> ApiError:
    """A key that is no longer, or never was, one (openai-scala-client#109)."""
    details = [error_info("API_KEY_INVALID"), localized_message(message)]
    return ApiError(400, message, details=details)


def wrong_scheme(method: str) -> ApiError:
    """A key sent as a bearer token: the only 401 there is (hermes-agent#62259)."""
    info = error_info("ACCESS_TOKEN_TYPE_UNSUPPORTED", method=method)
    del info["domain"]  # gemini-cli#29275
    return ApiError(401, BAD_CREDENTIALS, details=[info])
