"""What is said of a request that is well written, and says too little or too much."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from pytest_resilience_gemini import Gemini

Ask = Callable[..., requests.Response]

HI = [{"role": "user", "parts": [{"text": "hi"}]}]
NO_DATA = "required oneof field 'data' must have one initialized field"


def error_of(response: requests.Response) -> dict[str, Any]:
    """The error of a 400."""
    assert response.status_code == 400
    error: dict[str, Any] = response.json()["error"]
    assert error["status"] == "INVALID_ARGUMENT"
    return error


@pytest.mark.parametrize(
    "config",
    [
        {"candidateCount": 0},
        {"candidateCount": 9},
        {"candidateCount": 2147483647},
        {"maxOutputTokens": 0},
        {"maxOutputTokens": -1},
    ],
)
def test_counts_have_bounds(ask: Ask, config: object) -> None:
    """One to eight candidates, one token at least."""
    error = error_of(ask({"contents": HI, "generationConfig": config}))

    assert error["message"] == "Request contains an invalid argument."


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"temperature": 2.1}, "temperature: temperature must be in the range [0.0, 2.0].\n"),
        ({"temperature": -0.1}, "temperature: temperature must be in the range [0.0, 2.0].\n"),
        ({"temperature": "NaN"}, "temperature: temperature must be in the range [0.0, 2.0].\n"),
        (
            {"stopSequences": ["a", "b", "c", "d", "e", "f"]},
            "stop_sequences: the number of stop_sequences must not exceed 5.\n",
        ),
        (
            {"thinkingConfig": {"thinkingBudget": -2}},
            "thinking_config.thinking_budget: thinking_budget must be in the range [-1, 65535].\n",
        ),
        (
            {"thinkingConfig": {"thinkingBudget": 65536}},
            "thinking_config.thinking_budget: thinking_budget must be in the range [-1, 65535].\n",
        ),
    ],
)
def test_what_is_out_of_range_is_named(ask: Ask, config: object, words: str) -> None:
    """With its range, and without details."""
    error = error_of(ask({"contents": HI, "generationConfig": config}))

    assert error["message"] == f"* GenerateContentRequest.generation_config.{words}"
    assert "details" not in error


def test_all_that_is_out_of_range_is_named(ask: Ask) -> None:
    """A line each."""
    config = {"temperature": 5, "stopSequences": list("abcdef"), "topK": 0}

    error = error_of(ask({"contents": HI, "generationConfig": config}))

    assert error["message"].count("\n* ") == 1


@pytest.mark.parametrize(
    "config",
    [
        {"temperature": 0, "topK": 0, "stopSequences": list("12345")},
        {"temperature": 2, "thinkingConfig": {"thinkingBudget": -1}},
        {"thinkingConfig": {"thinkingBudget": 65535}},
    ],
)
def test_the_ends_of_a_range_are_in_it(ask: Ask, config: object) -> None:
    """Both of them."""
    assert ask({"contents": HI, "generationConfig": config}).ok


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ([], "* GenerateContentRequest.contents: contents is not specified\n"),
        (None, "* GenerateContentRequest.contents: contents is not specified\n"),
        (
            [HI[0], {"role": "model", "parts": []}],
            "* GenerateContentRequest.contents[1].parts: contents.parts must not be empty.\n",
        ),
        (
            [{"parts": [{"text": "a"}, {}]}],
            f"* GenerateContentRequest.contents[0].parts[1].data: {NO_DATA}\n",
        ),
        (
            [{}, {"parts": [{"thought": True}]}],
            (
                "* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.\n"
                f"* GenerateContentRequest.contents[1].parts[0].data: {NO_DATA}\n"
            ),
        ),
        (
            [*HI, {"parts": [{"functionResponse": {"response": {}}}]}],
            (
                "* GenerateContentRequest.contents[1].parts[0].function_response.name: Name "
                "cannot be empty.\n"
            ),
        ),
        (
            [{"role": "assistant", "parts": [{"text": "a"}]}],
            "Please use a valid role: user, model.",
        ),
    ],
)
def test_a_request_must_say_something(ask: Ask, contents: object, message: str) -> None:
    """Every line ends in a newline, and there are no details."""
    assert ask({"contents": contents}).json() == {
        "error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}
    }


def test_an_instruction_must_say_something(ask: Ask) -> None:
    """Whoever sends one with nothing in it is told so."""
    error = error_of(ask({"contents": HI, "systemInstruction": {"parts": [{}]}}))

    assert error["message"] == (
        f"* GenerateContentRequest.system_instruction.parts[0].data: {NO_DATA}\n"
    )


def test_an_empty_body_is_a_request_without_contents(ask: Ask) -> None:
    """No JSON at all is an empty message."""
    message = "* GenerateContentRequest.contents: contents is not specified\n"

    assert error_of(ask(b""))["message"] == message


@pytest.mark.parametrize("kind", ["text/html", "image/png"])
def test_an_answer_of_another_kind_is_refused(ask: Ask, kind: str) -> None:
    """With those that there are."""
    error = error_of(ask({"contents": HI, "generationConfig": {"responseMimeType": kind}}))

    assert error["message"] == (
        "* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes are "
        "`text/plain`, `application/json`, `application/xml`, `application/yaml` and "
        "`text/x.enum`.\n"
    )


def test_a_prompt_may_be_too_long(gemini: Gemini, ask: Ask) -> None:
    """The limit is the model's; the text says both numbers."""
    gemini.set_state({"models": [{"name": "small", "inputTokenLimit": 2}]})

    fits = ask({"contents": [{"parts": [{"text": "12345678"}]}]}, model="small")
    error = error_of(ask({"contents": [{"parts": [{"text": "123456789"}]}]}, model="small"))

    assert fits.status_code == 200
    assert error["message"] == (
        "The input token count (3) exceeds the maximum number of tokens allowed (2)."
    )
