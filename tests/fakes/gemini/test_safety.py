"""Safety settings, and answers whose text is withheld."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from pytest_resilience import PlanError
from pytest_resilience_gemini import Gemini, Reply

Ask = Callable[..., requests.Response]

HARASSMENT = "HARM_CATEGORY_HARASSMENT"


def asking(*settings: tuple[str, str]) -> dict[str, Any]:
    """A request with these settings."""
    listed = [{"category": category, "threshold": threshold} for category, threshold in settings]
    return {"contents": [{"parts": [{"text": "hi"}]}], "safetySettings": listed}


@pytest.mark.parametrize(
    ("threshold", "blocked"),
    [
        ("BLOCK_LOW_AND_ABOVE", {"LOW", "MEDIUM", "HIGH"}),
        ("BLOCK_MEDIUM_AND_ABOVE", {"MEDIUM", "HIGH"}),
        ("BLOCK_ONLY_HIGH", {"HIGH"}),
        ("BLOCK_NONE", set()),
        ("OFF", set()),
        ("HARM_BLOCK_THRESHOLD_UNSPECIFIED", set()),
    ],
)
@pytest.mark.parametrize("probability", ["NEGLIGIBLE", "LOW", "MEDIUM", "HIGH"])
def test_a_threshold_withholds_what_is_above_it(
    gemini: Gemini, ask: Ask, threshold: str, blocked: set[str], probability: str
) -> None:
    """The text is gone, and the rating says why; otherwise it only says how likely."""
    gemini.say(Reply.rated("Mild stuff.", HARASSMENT=probability))

    (candidate,) = ask(asking((HARASSMENT, threshold))).json()["candidates"]

    rating = {"category": HARASSMENT, "probability": probability}
    if probability in blocked:
        assert candidate == {
            "finishReason": "SAFETY",
            "index": 0,
            "safetyRatings": [{**rating, "blocked": True}],
        }
    else:
        assert candidate == {
            "content": {"parts": [{"text": "Mild stuff."}], "role": "model"},
            "finishReason": "STOP",
            "index": 0,
            "safetyRatings": [rating],
        }


def test_nothing_is_withheld_unless_told(gemini: Gemini, ask: Ask) -> None:
    """Off is the default, and a setting of another category changes nothing."""
    gemini.say(Reply.rated("Bad stuff.", HARASSMENT="HIGH", HATE_SPEECH="LOW"))

    body = asking(("HARM_CATEGORY_HATE_SPEECH", "BLOCK_ONLY_HIGH"))
    (candidate,) = ask(body).json()["candidates"]

    assert candidate["content"]["parts"] == [{"text": "Bad stuff."}]
    assert len(candidate["safetyRatings"]) == 2


def test_a_stream_that_is_withheld_is_one_event(gemini: Gemini, ask: Ask) -> None:
    """Without a text, and without calls."""
    gemini.say(Reply(("a ", "b"), calls=(("f", {}),), ratings={HARASSMENT: "HIGH"}))

    body = asking((HARASSMENT, "BLOCK_ONLY_HIGH"))
    (event,) = ask(body, "streamGenerateContent").json()

    assert event["candidates"][0]["finishReason"] == "SAFETY"
    assert "content" not in event["candidates"][0]


def test_only_five_categories_can_be_set(ask: Ask) -> None:
    """Others are known, and refused, by their places."""
    body = asking(
        ("HARM_CATEGORY_TOXICITY", "OFF"), (HARASSMENT, "OFF"), ("HARM_CATEGORY_MEDICAL", "OFF")
    )
    categories = (
        "(HarmCategory.HARM_CATEGORY_HATE_SPEECH, HarmCategory.HARM_CATEGORY_SEXUALLY_EXPLICIT, "
        "HarmCategory.HARM_CATEGORY_DANGEROUS_CONTENT, HarmCategory.HARM_CATEGORY_HARASSMENT, "
        "HarmCategory.HARM_CATEGORY_CIVIC_INTEGRITY)"
    )

    response = ask(body)

    assert response.status_code == 400
    assert response.json()["error"]["message"] == "".join(
        f"* GenerateContentRequest.safety_settings[{n}]: element predicate failed: "
        f"$.category in {categories}\n"
        for n in (0, 2)
    )


@pytest.mark.parametrize(
    ("ratings", "message"),
    [
        ({"NONSENSE": "LOW"}, "category='HARM_CATEGORY_NONSENSE'"),
        (
            {"HARASSMENT": "SOME"},
            r"ratings\['HARM_CATEGORY_HARASSMENT'\]='SOME'\): want one of NEG",
        ),
    ],
)
def test_ratings_that_cannot_be_meant_are_refused(ratings: dict[str, str], message: str) -> None:
    """By name."""
    with pytest.raises(PlanError, match=message):
        Reply.rated("x", **ratings)


# Traps as faults


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("no_candidates", {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}),
        ("no_content", {"candidates": [{"finishReason": "SAFETY", "index": 0}]}),
        (
            "no_parts",
            {
                "candidates": [
                    {"content": {"role": "model"}, "finishReason": "MAX_TOKENS", "index": 0}
                ]
            },
        ),
        (
            "no_text",
            {"candidates": [{"content": {"role": "model"}, "finishReason": "STOP", "index": 0}]},
        ),
    ],
)
@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent"])
def test_a_trap_is_a_success_without_a_text(
    gemini: Gemini, ask: Ask, name: str, expected: dict[str, Any], method: str
) -> None:
    """Once, in the form that was asked for; the prompt was asked, and its answer is lost."""
    gemini.say(Reply(("Hello ", "world"), thoughts=3), "Second.")
    gemini.fail(name)

    response = ask(method=method)
    data = response.json()
    trap = data if method == "generateContent" else data[0]

    assert response.status_code == 200
    assert method == "generateContent" or len(data) == 1
    assert {key: trap[key] for key in expected} == expected
    assert trap.keys() - expected.keys() == {"usageMetadata", "modelVersion", "responseId"}
    assert trap["usageMetadata"]["totalTokenCount"] == 6
    assert "candidatesTokenCount" not in trap["usageMetadata"]
    assert gemini.trace.faults == [name]
    assert ask().json()["candidates"][0]["content"]["parts"] == [{"text": "Second."}]


def test_a_trap_in_events(gemini: Gemini, ask: Ask) -> None:
    """With alt=sse it is the one event, and chunked."""
    gemini.fail("no_candidates")

    response = ask(method="streamGenerateContent", params={"alt": "sse"})

    assert response.content.startswith(b'data: {"promptFeedback": {"blockReason": ')
    assert response.content.endswith(b"}\r\n\r\n")
    assert response.headers["Transfer-Encoding"] == "chunked"


def test_a_trap_waits_for_a_call_that_generates(gemini: Gemini, ask: Ask) -> None:
    """And leaves a refusal what it is."""
    rule = gemini.fail("no_content", times=2)

    counted = ask(method="countTokens")
    refused = ask({})

    assert counted.status_code == 200
    assert refused.status_code == 400
    assert rule.met == 1
    assert "content" not in ask().json()["candidates"][0]
