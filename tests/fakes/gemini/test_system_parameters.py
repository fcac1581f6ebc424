"""Parameters that every API of Google's takes, with a dollar in front or without."""

from collections.abc import Callable

import pytest
import requests

from pytest_resilience_gemini import Gemini, Reply

Ask = Callable[..., requests.Response]
INT = {"$alt": "json;enum-encoding=int"}
HARM = {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}


def test_enums_are_numbers_where_they_are_asked_for(gemini: Gemini, ask: Ask) -> None:
    """As google-generativeai asks in every call; what a function is called with stays."""
    gemini.say(
        Reply(("Hi.",), finish="MAX_TOKENS", calls=(("f", {"category": "HARM_CATEGORY_TOXICITY"}),),
              ratings={"HARM_CATEGORY_HARASSMENT": "LOW"})
    )  # fmt: skip

    answer = ask(params=INT).json()

    candidate = answer["candidates"][0]
    assert candidate["finishReason"] == 2
    assert candidate["safetyRatings"] == [{"category": 7, "probability": 2}]
    call = candidate["content"]["parts"][1]["functionCall"]
    assert call["args"] == {"category": "HARM_CATEGORY_TOXICITY"}
    assert answer["usageMetadata"]["promptTokensDetails"] == [{"modality": 1, "tokenCount": 3}]


@pytest.mark.parametrize(
    ("reply", "numbers"),
    [
        (Reply.blocked("SAFETY"), [1]),
        (Reply.blocked("JAILBREAK"), ["JAILBREAK"]),
        (Reply.safety("UNEXPECTED_TOOL_CALL"), [12]),
        (Reply.safety("MALFORMED_RESPONSE"), ["MALFORMED_RESPONSE"]),
    ],
)
def test_what_has_no_number_in_the_protos_stays_a_name(
    gemini: Gemini, ask: Ask, reply: Reply, numbers: list[object]
) -> None:
    """Nothing is made up."""
    gemini.say(reply)

    answer = ask(params={"alt": "json;enum-encoding=int"}).json()

    reasons = [one["finishReason"] for one in answer.get("candidates", ())]
    assert reasons + list(answer.get("promptFeedback", {}).values()) == numbers


@pytest.mark.parametrize("alt", ["json;enum-encoding=int", "sse;enum-encoding=int"])
def test_streams_have_numbers_too(gemini: Gemini, ask: Ask, alt: str) -> None:
    """Of either form."""
    gemini.say(Reply(("one ", "two")))

    text = ask(method="streamGenerateContent", params={"$alt": alt}).text

    assert text.count('"finishReason": 1') == 1
    assert text.count('"modality": 1') == 2
    assert text.startswith("data: ") is alt.startswith("sse")


def test_traps_have_numbers_too(gemini: Gemini, ask: Ask) -> None:
    """An answer whose text was taken away."""
    gemini.fail("no_content")

    assert ask(params=INT).json()["candidates"] == [{"finishReason": 3, "index": 0}]


def test_tokens_are_counted_with_numbers(ask: Ask) -> None:
    """Their modality is an enum."""
    answer = ask(method="countTokens", params=INT).json()

    assert answer["promptTokensDetails"] == [{"modality": 1, "tokenCount": 3}]


def test_a_stream_of_events_may_be_asked_for_with_a_dollar(gemini: Gemini, ask: Ask) -> None:
    """``$alt`` is ``alt``."""
    answer = ask(method="streamGenerateContent", params={"$alt": "sse"})

    assert answer.headers["Content-Type"] == "text/event-stream"


def test_the_key_may_come_with_a_dollar(gemini: Gemini, ask: Ask) -> None:
    """``$key`` is ``key``."""
    assert ask(headers={}, params={"$key": gemini.api_key}).ok


def test_blanks_may_be_left_out(gemini: Gemini, ask: Ask) -> None:
    """In answers, in errors and in the list of models."""
    dense = {"prettyPrint": "false"}
    gemini.say("<b> é")
    answer, error = ask(params=dense), ask({}, params=dense)
    url = f"{gemini.url}/v1/models/gemini-3.8-flash?$prettyPrint=false"
    model = requests.get(url, headers={"x-goog-api-key": gemini.api_key}, timeout=10)

    assert answer.text.startswith(
        '{"candidates":[{"content":{"parts":[{"text":"\\u003cb\\u003e é"}],"role":"model"},'
    )
    assert error.text.startswith('{"error":{"code":400,"message":"* GenerateContentRequest.')
    assert model.text.startswith('{"name":"models/gemini-3.8-flash","version":"001",')


@pytest.mark.parametrize("model", ["gemini-pro", "gemini-1.0-pro-001"])
def test_the_first_models_said_in_every_event_why_they_stopped(model: str) -> None:
    """Clients that take the first reason for the end have lost texts by that."""
    with Gemini(models=[model]) as gemini:
        gemini.say(Reply(("one ", "two ", "three")))
        url = f"{gemini.url}/v1/models/{model}:streamGenerateContent?key={gemini.api_key}"
        events = requests.post(url, json={"contents": {"parts": {"text": "x"}}}, timeout=10).json()

    assert [event["candidates"][0]["finishReason"] for event in events] == ["STOP"] * 3
