"""What a request must say beyond having the right fields. All 400 INVALID_ARGUMENT."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_resilience_gemini import _config, _functions, _safety
from pytest_resilience_gemini._errors import ApiError
from pytest_resilience_gemini._schema import ONEOFS

DATA = ONEOFS["Part"]["data"]
NAMED = {"name": "any"}

# "function" is what the API's older documentation calls the role of a FunctionResponse.
ROLES = frozenset({"", "user", "model", "function"})
BAD_ROLE = "Please use a valid role: user, model."


def contents(request: Mapping[str, Any], message: str = "GenerateContentRequest") -> None:
    """Refuse a request without contents, with empty ones, or of an unknown role."""
    listed: Sequence[Mapping[str, Any]] = request.get("contents", ())
    problems = list(_problems(listed))
    problems += _empty_parts(request.get("system_instruction", {}), "system_instruction")
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
        yield from _empty_parts(content, f"contents[{number}]")


def _empty_parts(content: Mapping[str, Any], path: str) -> Iterator[str]:
    for place, part in enumerate(content.get("parts", ())):
        if not DATA & part.keys():
            yield (
                f"{path}.parts[{place}].data: required oneof field 'data' must have one "
                "initialized field"
            )
        elif not part.get("function_response", NAMED).get("name"):
            # CLIProxyAPI#1903
            yield f"{path}.parts[{place}].function_response.name: Name cannot be empty."


def batch(request: Mapping[str, Any]) -> None:
    """Refuse more than a hundred embeddings at once, and those that name no model."""
    problems = list(_batch_problems(request.get("requests", ())))
    if problems:
        lines = (f"* BatchEmbedContentsRequest.requests{problem}\n" for problem in problems)
        raise ApiError(400, "".join(lines))


def _batch_problems(listed: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if len(listed) > 100:
        yield ": at most 100 requests can be in one batch"
    for number, one in enumerate(listed):
        model = one.get("model", "")
        if not model:  # "observed live" in July 2026, by a public client's tests
            yield f"[{number}].model: model is not specified"
        elif not model.startswith("models/"):  # agent-zero#372
            yield f"[{number}].model: unexpected model name format"


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
    given = request.get("generation_config")
    if given:
        _config.check(given, model)
    _safety.check(request)
    _functions.check(request, model)
    _last_turn(request["contents"][-1], model)
    length(tokens, limit)
