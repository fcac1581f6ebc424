"""Partial answers: the ``fields`` of a query, or X-Goog-FieldMask."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from pytest_resilience_gemini import Gemini, Reply, stream

Ask = Callable[..., requests.Response]
BOTH = Reply(("one ", "two"), calls=(("f", {"city": "Paris", "n": [1]}),))
COUNT = {"promptTokensDetails": [{"tokenCount": 3}]}


@pytest.mark.parametrize(
    ("mask", "answer"),
    [
        ("modelVersion", {"modelVersion": "gemini-3.8-flash"}),
        ("modelVersion,", {"modelVersion": "gemini-3.8-flash"}),
        (
            "candidates.finishReason,modelVersion",
            {"candidates": [{"finishReason": "STOP"}], "modelVersion": "gemini-3.8-flash"},
        ),
        (
            "candidates(index,content/parts/text)",
            {"candidates": [{"content": {"parts": [{"text": "one two"}, {}]}, "index": 0}]},
        ),
        (
            "candidates(content(parts(functionCall(args)),role))",
            {"candidates": [{"content": {"parts": [
                {}, {"functionCall": {"args": {"city": "Paris", "n": [1]}}}], "role": "model"}}]},
        ),
        (
            "candidates.content.parts.functionCall.args.city",
            {"candidates": [{"content": {"parts": [
                {}, {"functionCall": {"args": {"city": "Paris"}}}]}}]},
        ),
        ("usage_metadata.prompt_tokens_details.token_count", {"usageMetadata": COUNT}),
        ("usageMetadata(serviceTier,*)/foo,candidates.tokenCount", None),
        ("candidates.citationMetadata", {"candidates": [{}]}),
        ("promptFeedback", {}),
    ],
)  # fmt: skip
def test_only_the_fields_that_are_wanted_come(
    gemini: Gemini, ask: Ask, mask: str, answer: dict[str, Any] | None
) -> None:
    """By the query, and by the header field."""
    gemini.say(BOTH)
    headers = {"x-goog-api-key": gemini.api_key, "X-Goog-FieldMask": mask}

    answers = [ask(params={"fields": mask}), ask(params={"$fields": mask}), ask(headers=headers)]

    if answer is None:
        assert {one.status_code for one in answers} == {400}
    else:
        assert [one.json() for one in answers] == [answer] * 3


@pytest.mark.parametrize("mask", ["", ",", "*", "candidates,*"])
def test_everything_may_be_wanted(ask: Ask, mask: str) -> None:
    """As without a mask."""
    assert ask(params={"fields": mask}).json().keys() == ask().json().keys()


@pytest.mark.parametrize(
    ("mask", "path"),
    [
        ("nope", "nope"),
        ("modelVersion,candidates.nope.more,zzz", "candidates.nope"),
        ("candidates(content(part))", "candidates.content.part"),
        (" modelVersion", " modelVersion"),
        ("modelversion", "modelversion"),
        ("responseId.x", "responseId.x"),
        ("candidates(index", "candidates(index"),
        ("candidates)", "candidates)"),
    ],
)
def test_a_field_that_there_is_not_is_refused(
    gemini: Gemini, ask: Ask, mask: str, path: str
) -> None:
    """Only the details say which; the model has not been asked."""
    why = f"Error expanding 'fields' parameter. Cannot find matching fields for path '{path}'."

    answer = ask(params={"fields": mask})

    assert answer.status_code == 400
    assert answer.json() == {
        "error": {
            "code": 400,
            "message": "Request contains an invalid argument.",
            "status": "INVALID_ARGUMENT",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.BadRequest",
                    "fieldViolations": [{"field": mask, "description": why}],
                }
            ],
        }
    }
    assert gemini.requests == []


def test_the_key_is_looked_at_first(ask: Ask) -> None:
    """Of two mistakes."""
    assert ask(headers={}, params={"fields": "nope"}).status_code == 403


def test_each_event_of_a_stream_is_partial(gemini: Gemini, ask: Ask) -> None:
    """Of both forms."""
    gemini.say(Reply(("one ", "two")))
    mask = {"fields": "candidates.content.parts.text"}

    events = ask(method="streamGenerateContent", params={"alt": "sse", **mask}).content
    array = ask(method="streamGenerateContent", params=mask).json()

    start, end = b'data: {"candidates": [{"content": {"parts": [{"text": "', b'"}]}}]}\r\n\r\n'
    assert events == start + b"one " + end + start + b"two" + end
    assert [one["candidates"][0] for one in array] == [
        {"content": {"parts": [{"text": text}]}} for text in ("one ", "two")
    ]


@pytest.mark.parametrize(
    ("method", "mask", "answer"),
    [
        ("countTokens", "totalTokens", {"totalTokens": 3}),
        ("embedContent", "usageMetadata", {}),
        ("batchEmbedContents", "embeddings.shape", {"embeddings": []}),
    ],
)
def test_other_methods_have_fields_of_their_own(
    ask: Ask, method: str, mask: str, answer: dict[str, Any]
) -> None:
    """And know no others."""
    bodies: dict[str, Any] = {
        "embedContent": {"content": {"parts": [{"text": "a"}]}},
        "batchEmbedContents": {"requests": []},
        "countTokens": {"contents": [{"parts": [{"text": "Say hello"}]}]},
    }
    model = "gemini-embedding-001"

    assert ask(bodies[method], method, model=model, params={"fields": mask}).json() == answer
    refused = ask(bodies[method], method, model=model, params={"fields": "candidates"})
    assert refused.status_code == 400


def test_models_are_partial_too(gemini: Gemini) -> None:
    """In a list, and alone."""
    url, key = f"{gemini.url}/v1beta/models", {"x-goog-api-key": gemini.api_key}

    listed = requests.get(f"{url}?fields=models.name&pageSize=1", headers=key, timeout=10)
    one = requests.get(f"{url}/gemini-3.8-flash?fields=topP,name", headers=key, timeout=10)

    assert listed.json() == {"models": [{"name": "models/gemini-3.8-flash"}]}
    assert one.json() == {"name": "models/gemini-3.8-flash", "topP": 0.95}


@pytest.mark.parametrize("trap", ["no_candidates", "no_content", "no_parts", "no_text"])
def test_traps_are_partial(gemini: Gemini, ask: Ask, trap: str) -> None:
    """What was not wanted does not come back with them."""
    gemini.fail(trap)
    gemini.fail(trap)
    answer = ask(params={"fields": "candidates.finishReason,usageMetadata.totalTokenCount"}).json()
    bare = ask(params={"fields": "modelVersion"}).json()

    assert answer.pop("usageMetadata").keys() == {"totalTokenCount"}
    assert [one.keys() for one in answer.pop("candidates", [])] in ([], [{"finishReason"}])
    assert answer == {}
    assert bare == {"modelVersion": "gemini-3.8-flash"}


def test_errors_are_whole(gemini: Gemini, ask: Ask) -> None:
    """Whatever is wanted: refusals, presets, and errors in a stream."""
    mask = {"fields": "modelVersion"}
    gemini.fail("overloaded")
    preset = ask(params=mask)
    refused = ask({"contents": []}, params=mask)
    gemini.fail(stream.error_event(503))
    event = ask(method="streamGenerateContent", params={"alt": "sse", **mask}).text

    assert preset.json()["error"]["code"] == 503
    assert refused.json()["error"]["code"] == 400
    assert '"code": 503' in event
