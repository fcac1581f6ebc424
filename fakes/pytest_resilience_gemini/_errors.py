"""Google's error bodies: ``{"error": {"code", "message", "status", "details"}}``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

TYPES = "type.googleapis.com/google.rpc."
SERVICE = "generativelanguage.googleapis.com"

# Names and HTTP statuses: google/rpc/code.proto of github.com/googleapis/googleapis.
STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

BAD_CREDENTIALS = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login "
    "cookie or other valid authentication credential. See "
    "https://developers.google.com/identity/sign-in/web/devconsole-project."
)
INTERNAL = (
    "An internal error has occurred. Please retry or report in "
    "https://developers.generativeai.google/guide/troubleshooting"
)
OVERLOADED = "The model is overloaded. Please try again later."
EXHAUSTED = "Resource has been exhausted (e.g. check quota)."
# 400, and not 413.
PAYLOAD_MOST = 20_971_520
PAYLOAD = f"Request payload size exceeds the limit: {PAYLOAD_MOST} bytes."
DEADLINE = "Deadline expired before operation could complete."

# What the service says when it says nothing more precise.
MESSAGES = {
    400: "Request contains an invalid argument.",
    401: BAD_CREDENTIALS,
    403: "The caller does not have permission",
    404: "Requested entity was not found.",
    429: EXHAUSTED,
    500: INTERNAL,
    503: OVERLOADED,
    504: DEADLINE,
}


class ApiError(Exception):
    """An error that is the answer to a request."""

    def __init__(
        self,
        code: int,
        message: str | None = None,
        *,
        status: str | None = None,
        details: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        self.code = code
        self.body = error_body(code, message, status=status, details=details)
        super().__init__(self.body["error"]["message"])


def error_body(
    code: int,
    message: str | None = None,
    *,
    status: str | None = None,
    details: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The JSON of an error; message and status name follow from the code when left out."""
    error: dict[str, Any] = {
        "code": code,
        "message": _message(code) if message is None else message,
        "status": status or status_name(code),
    }
    listed = list(details)
    if listed:
        error["details"] = listed
    return {"error": error}


def status_name(code: int) -> str:
    """The name that belongs to an HTTP status.

    Statuses outside the table are named as Google's own client libraries read them
    (HttpJsonStatusCode of gax-java).
    """
    if code in STATUS_NAMES:
        return STATUS_NAMES[code]
    if 400 <= code < 500:
        return "FAILED_PRECONDITION"
    return "INTERNAL" if 500 <= code < 600 else "UNKNOWN"


def _message(code: int) -> str:
    if code in MESSAGES:
        return MESSAGES[code]
    try:
        return HTTPStatus(code).phrase
    except ValueError:
        return "Unknown Error."


# Details, google/rpc/error_details.proto


def error_info(reason: str, **metadata: str) -> dict[str, Any]:
    """Why, as a word for programs."""
    return {
        "@type": TYPES + "ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": SERVICE, **metadata},
    }


def localized_message(message: str) -> dict[str, Any]:
    """The message again, for people."""
    return {"@type": TYPES + "LocalizedMessage", "locale": "en-US", "message": message}


def bad_request(violations: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """What is wrong with which field."""
    return {"@type": TYPES + "BadRequest", "fieldViolations": list(violations)}


def help_links(*links: tuple[str, str]) -> dict[str, Any]:
    """Pages to read: description and address."""
    described = [{"description": text, "url": url} for text, url in links]
    return {"@type": TYPES + "Help", "links": described}


def quota_failure(*violations: Mapping[str, Any]) -> dict[str, Any]:
    """Which quotas are used up."""
    return {"@type": TYPES + "QuotaFailure", "violations": list(map(dict, violations))}


def retry_info(delay: str) -> dict[str, Any]:
    """When to come again: a protobuf Duration, such as ``26s`` or ``36.429760048s``."""
    return {"@type": TYPES + "RetryInfo", "retryDelay": delay}
