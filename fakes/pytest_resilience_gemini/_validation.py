"""What a request must say beyond having the right fields. All 400 INVALID_ARGUMENT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_resilience_gemini import _tokens
from pytest_resilience_gemini._errors import ApiError
from pytest_resilience_gemini._schema import ONEOFS

DATA = ONEOFS["Part"]["data"]

# "function" is what the API's older documentation calls the role of a FunctionResponse.
ROLES = frozenset({"", "user", "model", "function"})
BAD_ROLE = "Please use a valid role: user, model."


def contents(request: Mapping[str, Any], message: str = "GenerateContentRequest") -> None:
    """Refuse a request without contents, with empty ones, or of an unknown role."""
    listed: Sequence[Mapping[str, Any]] = request.get("contents", ())
    problems = list(_problems(listed))
    if problems:
        # Each line ends in a newline, the last as well, and there are no details.
        raise ApiError(400, "".join(f"* {message}.{problem}\n" for problem in problems))
    if any(content.get("role", "") not in ROLES for content in listed):
        raise ApiError(400, BAD_ROLE)


def _problems(listed: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not listed:
        yield "contents: contents is not specified"
    for number, content in enumerate(listed):
        parts = content.get("parts", ())
        if not parts:
            yield f"contents[{number}].parts: contents.parts must not be empty."
        for place, part in enumerate(parts):
            if not DATA & part.keys():
                yield (
                    f"contents[{number}].parts[{place}].data: required oneof field 'data' "
                    "must have one initialized field"
                )


def config(given: Mapping[str, Any]) -> None:
    """Refuse counts that the protos' comments rule out; the service's words have no source."""
    if not 1 <= given.get("candidate_count", 1) <= 8 or given.get("max_output_tokens", 1) < 1:
        raise ApiError(400)


def length(tokens: int, most: int) -> None:
    """Refuse a prompt of too many tokens."""
    if tokens > most:
        raise ApiError(
            400,
            f"The input token count ({tokens}) exceeds the maximum number of tokens allowed "
            f"({most}).",
        )


def prompt(request: Mapping[str, Any], limit: int) -> None:
    """All that is asked of a request to generate content."""
    contents(request)
    config(request.get("generation_config", {}))
    length(_tokens.total(_tokens.details(request)), limit)
