"""Ask Gemini for text: one request, no retries, no logging."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus

import requests
from requests.auth import AuthBase
from requests.exceptions import InvalidHeader, InvalidSchema

from gemini_errors import (
    GarbledAnswerError,
    GeminiConnectionError,
    GeminiHTTPError,
    InvalidRequestError,
    NoTweetError,
    is_retryable,
    without_frames,
)
from redaction import preview
from settings import Settings

# Seconds to connect, and seconds without a byte while reading.
TIMEOUT = (5.0, 30.0)
ERROR_LENGTH = 200
KEY_HEADER = "x-goog-api-key"
UNUSABLE_ADDRESS = "GOOGLE_GEMINI_BASE_URL, or a proxy such as HTTPS_PROXY, is no usable address"

# For answers that bring no text of their own, such as a proxy's HTML page.
_STATUS_TEXTS = {
    401: "Invalid API key",
    429: "Rate limit exceeded",
    503: "Service temporarily unavailable",
}


class _KeyHeader(AuthBase):
    """Adds the key. As ``auth`` it also keeps requests from sending a password out of ~/.netrc."""

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers[KEY_HEADER] = self._api_key
        return request


class _Session(requests.Session):
    """Takes a redirect for an answer like any other; requests would carry the key to any host.

    With ``allow_redirects=False`` requests still prepares the next request, and fails
    where it cannot parse the address.
    """

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


@without_frames
def generate_text(settings: Settings, prompt: str) -> str:
    """Gemini's answer to ``prompt``.

    Raises:
        GeminiError: One of its kinds, whatever went wrong.
    """
    return _text(_payload(_post(settings, prompt)))


def _post(settings: Settings, prompt: str) -> requests.Response:
    try:
        with _Session() as session:
            response = session.post(
                f"{settings.base_url}/v1beta/models/{settings.model}:generateContent",
                json={"contents": [{"role": "user", "parts": [{"text": prompt}]}]},
                auth=_KeyHeader(settings.api_key),
                timeout=TIMEOUT,
            )
    except (OSError, TypeError, ValueError) as error:
        # The latter two are let out by requests, over an unusable proxy.
        kind = GeminiConnectionError if is_retryable(error) else InvalidRequestError
        raise kind(_describe(error)) from _detached(error)
    if response.status_code != 200:
        raise GeminiHTTPError(_error_message(response), response.status_code)
    return response


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {_reason(error)}"


def _reason(error: Exception) -> str:
    """The error's innermost reason; around it urllib3 repeats host and path."""
    speaks_freely = isinstance(error, InvalidHeader | InvalidSchema)
    if isinstance(error, ValueError | TypeError) and not speaks_freely:
        # Its words quote what could not be parsed, and that may be a proxy's password.
        return UNUSABLE_ADDRESS
    inner = error.args[0] if error.args else error
    return preview(str(getattr(inner, "reason", inner)), ERROR_LENGTH)


def _detached(error: Exception) -> requests.RequestException | None:
    """What requests raised, as a cause: without its request and its frames, which hold the key."""
    return type(error)(_reason(error)) if isinstance(error, requests.RequestException) else None


def _error_message(response: requests.Response) -> str:
    """The service's own words where it has any, else what the status means."""
    if response.is_redirect:
        return preview(f"Redirect to {response.headers['location']} not followed", ERROR_LENGTH)
    error = _mapping(_mapping(_json(response)).get("error"))
    text = error.get("message")
    if isinstance(text, str) and text.strip():
        return preview(text, ERROR_LENGTH)
    status = response.status_code
    return _STATUS_TEXTS.get(status) or _standard_phrase(status)


def _standard_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown error"


def _payload(response: requests.Response) -> Mapping[str, object]:
    payload = _json(response)
    if isinstance(payload, dict):
        return payload
    content_type = re.split(r"[;\s]", response.headers.get("content-type", "none"))[0]
    raise GarbledAnswerError(
        preview(f"The answer is not Gemini's JSON (Content-Type: {content_type})", ERROR_LENGTH),
        200,
    )


def _json(response: requests.Response) -> object:
    """The body's JSON, or None.

    Parsed from the bytes, and without raising: a JSONDecodeError carries the
    whole body along, which may quote the key.
    """
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def _text(payload: Mapping[str, object]) -> str:
    """The text of the first candidate, if it was finished.

    An answer cut by MAX_TOKENS or withheld by SAFETY may carry a beginning; half
    a tweet is none.
    """
    block_reason = _mapping(payload.get("promptFeedback")).get("blockReason")
    if block_reason:
        raise NoTweetError(preview(f"Prompt blocked: {block_reason}", ERROR_LENGTH), 200)
    candidates = payload.get("candidates")
    if not isinstance(candidates, list) or not candidates:
        raise NoTweetError("The answer has no candidates", 200)
    candidate = _mapping(candidates[0])
    finish_reason = candidate.get("finishReason")
    if finish_reason not in (None, "STOP"):
        raise NoTweetError(preview(f"No finished text: {finish_reason}", ERROR_LENGTH), 200)
    text = _joined_parts(_mapping(candidate.get("content")).get("parts"))
    if not text:
        raise NoTweetError("The answer's text is empty", 200)
    return text


def _joined_parts(parts: object) -> str:
    mappings = [_mapping(part) for part in parts] if isinstance(parts, list) else []
    # Thinking models may send their thoughts as parts of their own.
    texts = [part.get("text") for part in mappings if not part.get("thought")]
    return "".join(text for text in texts if isinstance(text, str)).strip()


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
