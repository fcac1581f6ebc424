"""What a request must say beyond having the right fields. All 400 INVALID_ARGUMENT."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_resilience_gemini import _functions, _safety, _thinking
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


# Two public projects quote it, of requests for images and for sound.
MIME_TYPES = (
    "text/plain",
    "application/json",
    "application/xml",
    "application/yaml",
    "text/x.enum",
)
BAD_MIME_TYPE = (
    "* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes are "
    "`text/plain`, `application/json`, `application/xml`, `application/yaml` and "
    "`text/x.enum`.\n"
)


def config(given: Mapping[str, Any]) -> None:
    """Refuse other kinds of answers, what is out of range, and too many or too few.

    That too many or too few are refused without a word was measured for
    ``maxOutputTokens``; for ``candidateCount`` it is inferred.
    """
    if given.get("response_mime_type", "text/plain") not in MIME_TYPES:
        raise ApiError(400, BAD_MIME_TYPE)
    problems = list(_out_of_range(given))
    if problems:
        path = "* GenerateContentRequest.generation_config"
        raise ApiError(400, "".join(f"{path}.{problem}.\n" for problem in problems))
    if not 1 <= given.get("candidate_count", 1) <= 8 or given.get("max_output_tokens", 1) < 1:
        raise ApiError(400)


def _out_of_range(given: Mapping[str, Any]) -> Iterator[str]:
    """Of the temperature a public project has the whole text, with its full stop and newline.

    It asked gemini-3.5-flash-lite in August 2026, field by field. Of the others there are
    the words only: continue#2702, and what OmniRoute's tests have as the real body.
    """
    if not 0 <= given.get("temperature", 1) <= 2:
        yield "temperature: temperature must be in the range [0.0, 2.0]"
    if len(given.get("stop_sequences", ())) > 5:
        yield "stop_sequences: the number of stop_sequences must not exceed 5"
    yield from _thinking.out_of_range(given.get("thinking_config", {}))


def batch(request: Mapping[str, Any]) -> None:
    """Refuse more than a hundred embeddings at once."""
    if len(request.get("requests", ())) > 100:
        raise ApiError(
            400, "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n"
        )


def length(tokens: int, most: int) -> None:
    """Refuse a prompt of too many tokens."""
    if tokens > most:
        raise ApiError(
            400,
            f"The input token count ({tokens}) exceeds the maximum number of tokens allowed "
            f"({most}).",
        )


# Measured of gemini-3.5-flash, which takes it, and of 3.6 and 3.7, which do not; many public
# projects have met it since.
NO_PREFILL = re.compile(r"gemini-(3\.[6-9]|[4-9])")


def _last_turn(content: Mapping[str, Any], model: str) -> None:
    """Refuse to go on with what the model is said to have said already."""
    if content.get("role") == "model" and NO_PREFILL.match(model):
        raise ApiError(400, "Requests ending with a model turn are not supported.")


def prompt(request: Mapping[str, Any], model: str, tokens: int, limit: int) -> None:
    """All that is asked of a request to generate content."""
    contents(request)
    given = request.get("generation_config", {})
    config(given)
    _thinking.check(given.get("thinking_config", {}), model)
    _safety.check(request)
    _functions.check(request, model)
    _last_turn(request["contents"][-1], model)
    length(tokens, limit)
