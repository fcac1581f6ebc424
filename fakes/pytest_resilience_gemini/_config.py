"""What a request's ``generation_config`` may ask for, of any model and of one. All 400."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_resilience_gemini import _thinking
from pytest_resilience_gemini._errors import ApiError

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
ONE_CANDIDATE = re.compile(r"gemini-[3-9]")
PLAIN_SAMPLING = re.compile(r"gemini-(2\.5|[3-9])")


def check(given: Mapping[str, Any], model: str) -> None:
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
    _missing(given, model)
    _thinking.check(given.get("thinking_config", {}), model)


def _missing(given: Mapping[str, Any], model: str) -> None:
    """Refuse what newer models have no more; in 2025 the words ended with the model's name.

    Several candidates: js-genai#1609 and python-genai#1723, of all models from Gemini 3 on. The
    others: as a dozen public projects have it, one of which has asked twelve models. A penalty
    of 0 is in no report.
    """
    if given.get("candidate_count", 1) > 1 and ONE_CANDIDATE.match(model):
        raise ApiError(400, "Multiple candidates is not enabled for this model")
    if PLAIN_SAMPLING.match(model):
        if given.get("presence_penalty") or given.get("frequency_penalty"):
            raise ApiError(400, "Penalty is not enabled for this model")
        if given.get("response_logprobs"):
            raise ApiError(400, "Logprobs is not enabled for this model")


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
