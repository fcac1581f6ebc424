"""countTokens and embeddings: not the real numbers, but always the same."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import requests

Ask = Callable[..., requests.Response]

EMBEDDER = "gemini-embedding-001"


def of(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A request of one content."""
    return {"contents": [{"parts": list(parts)}], **more}


@pytest.mark.parametrize(
    ("body", "total", "details"),
    [
        (of({"text": "1234"}), 1, {"TEXT": 1}),
        (of({"text": "12345"}, {"text": "1"}), 3, {"TEXT": 3}),
        (of({"text": ""}), 0, {}),
        (
            of({"text": "1"}, {"inlineData": {"mimeType": "image/png", "data": "aGk="}}),
            259,
            {"TEXT": 1, "IMAGE": 258},
        ),
        (of({"inlineData": {"mimeType": "audio/mp3", "data": "aGk="}}), 32, {"AUDIO": 32}),
        (of({"fileData": {"mimeType": "video/mp4", "fileUri": "x"}}), 263, {"VIDEO": 263}),
        (of({"fileData": {"fileUri": "x"}}), 258, {"DOCUMENT": 258}),
        (of({"functionCall": {"name": "f"}}), 8, {"TEXT": 8}),
        (
            {
                "generateContentRequest": of(
                    {"text": "1234"},
                    model="models/gemini-3.8-flash",
                    systemInstruction={"parts": [{"text": "1234"}]},
                    tools=[{"googleSearch": {}}],
                )
            },
            8,
            {"TEXT": 8},
        ),
    ],
)
def test_tokens_are_counted_by_length(
    ask: Ask, body: dict[str, Any], total: int, details: dict[str, int]
) -> None:
    """Four characters a token, and a flat rate for each of the media."""
    assert ask(body, "countTokens").json() == {
        "totalTokens": total,
        "promptTokensDetails": [
            {"modality": modality, "tokenCount": count} for modality, count in details.items()
        ],
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "CountTokens requires generate_content_request or contents to be set."),
        (
            {"contents": []},
            "CountTokens requires generate_content_request or contents to be set.",
        ),
        (
            of({}),
            (
                "* CountTokensRequest.contents[0].parts[0].data: required oneof field 'data' must "
                "have one initialized field\n"
            ),
        ),
        (
            {"generateContentRequest": {}},
            "* GenerateContentRequest.contents: contents is not specified\n",
        ),
    ],
)
def test_what_is_counted_must_be_there(ask: Ask, body: dict[str, Any], message: str) -> None:
    """The message is named in the error."""
    response = ask(body, "countTokens")

    assert response.status_code == 400
    assert response.json()["error"]["message"] == message


def test_what_is_counted_is_what_is_charged(ask: Ask) -> None:
    """The count and usageMetadata agree."""
    body = of({"text": "How long is this?"})

    counted = ask(body, "countTokens").json()["totalTokens"]
    charged = ask(body).json()["usageMetadata"]["promptTokenCount"]

    assert counted == 5
    assert charged == 5


def test_an_embedding_is_the_same_each_time(ask: Ask) -> None:
    """3072 numbers of length one; another text has others."""
    one, same, other = (
        ask({"content": {"parts": [{"text": text}]}}, "embedContent", model=EMBEDDER).json()
        for text in ("a", "a", "b")
    )

    values = one["embedding"]["values"]
    assert len(values) == 3072
    assert values[:2] == [-0.000931378, 0.006685822]
    assert math.isclose(math.hypot(*values), 1, rel_tol=1e-6)
    assert one == same
    assert one != other


def test_several_are_embedded_at_once(ask: Ask) -> None:
    """In order, each with the dimensions it asked for."""
    requests_ = [
        {
            "model": f"models/{EMBEDDER}",
            "content": {"parts": [{"text": text}]},
            "taskType": "RETRIEVAL_QUERY",
            "outputDimensionality": dimensions,
        }
        for text, dimensions in (("a", 2), ("b", 3))
    ]

    answer = ask({"requests": requests_}, "batchEmbedContents", model=EMBEDDER).json()

    assert [len(embedding["values"]) for embedding in answer["embeddings"]] == [2, 3]


def test_a_batch_is_of_a_hundred_at_the_most(ask: Ask) -> None:
    """One more is refused, and none is made."""
    one = {"model": "models/any", "content": {"parts": [{"text": "a"}]}, "outputDimensionality": 1}

    fits = ask({"requests": [one] * 100}, "batchEmbedContents", model=EMBEDDER)
    refused = ask({"requests": [one] * 101}, "batchEmbedContents", model=EMBEDDER)

    assert len(fits.json()["embeddings"]) == 100
    assert refused.status_code == 400
    assert refused.json()["error"]["message"] == (
        "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n"
    )


def test_each_of_several_names_its_model(ask: Ask) -> None:
    """As a resource; all that do not are told at once."""
    content = {"parts": [{"text": "a"}]}
    models = [{"model": f"models/{EMBEDDER}"}, {}, {"model": EMBEDDER}]

    response = ask(
        {"requests": [{**model, "content": content} for model in models]},
        "batchEmbedContents",
        model=EMBEDDER,
    )

    assert response.status_code == 400
    assert response.json()["error"]["message"] == (
        "* BatchEmbedContentsRequest.requests[1].model: model is not specified\n"
        "* BatchEmbedContentsRequest.requests[2].model: unexpected model name format\n"
    )


@pytest.mark.parametrize("content", [{}, {"parts": []}, {"parts": [{"text": ""}]}])
def test_nothing_cannot_be_embedded(ask: Ask, content: object) -> None:
    """An empty part is refused."""
    response = ask({"content": content}, "embedContent", model=EMBEDDER)

    assert response.status_code == 400
    assert response.json()["error"]["message"] == (
        "EmbedContentRequest.content contains an empty Part."
    )


@pytest.mark.parametrize("dimensions", [-1, 3073])
def test_dimensions_have_bounds(ask: Ask, dimensions: int) -> None:
    """One to those of the model."""
    body = {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": dimensions}

    assert ask(body, "embedContent", model=EMBEDDER).status_code == 400
