"""Answers that arrive whole, with 200, and hold no tweet; and those that do."""

import json

import pytest

import gemini_errors
from gemini_errors import GarbledAnswerError, GeminiError, NoTweetError
from main import generate_tweet
from pytest_resilience import VirtualClock, faults
from pytest_resilience_gemini import Gemini, Reply


def answer(body: object) -> faults.Fault:
    """A 200 with this body: bytes as they are, anything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return faults.status(200, body=content, headers={"Content-Type": "application/json"})


def candidate(**fields: object) -> dict[str, object]:
    """An answer with this one candidate."""
    return {"candidates": [fields]}


def texts(*parts: object) -> dict[str, object]:
    """A finished answer of these parts."""
    return candidate(content={"parts": list(parts), "role": "model"}, finishReason="STOP")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param({}, "The answer has no candidates", id="no candidates"),
        pytest.param({"candidates": []}, "The answer has no candidates", id="empty candidates"),
        pytest.param({"candidates": {}}, "The answer has no candidates", id="odd candidates"),
        pytest.param(
            {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}},
            "Prompt blocked: PROHIBITED_CONTENT",
            id="blocked prompt",
        ),
        pytest.param(
            candidate(finishReason="SAFETY"), "No finished text: SAFETY", id="SAFETY, no content"
        ),
        pytest.param(
            candidate(content={"role": "model"}, finishReason="MAX_TOKENS"),
            "No finished text: MAX_TOKENS",
            id="MAX_TOKENS, no parts",
        ),
        pytest.param(
            candidate(content={"parts": [{"text": "Half a"}]}, finishReason="MAX_TOKENS"),
            "No finished text: MAX_TOKENS",
            id="MAX_TOKENS, half a tweet",
        ),
        pytest.param(candidate(finishReason="STOP"), "The answer's text is empty", id="no content"),
        pytest.param(
            candidate(content={}, finishReason="STOP"), "The answer's text is empty", id="no parts"
        ),
        pytest.param(texts(), "The answer's text is empty", id="empty parts"),
        pytest.param(texts({"text": ""}), "The answer's text is empty", id="empty text"),
        pytest.param(texts({"text": " \n"}), "The answer's text is empty", id="blank text"),
        pytest.param(texts({"text": 7}), "The answer's text is empty", id="a number for a text"),
        pytest.param(texts({"inlineData": {}}), "The answer's text is empty", id="no text in it"),
        pytest.param(texts("text", None), "The answer's text is empty", id="odd parts"),
        pytest.param(
            texts({"text": "Let me see", "thought": True}),
            "The answer's text is empty",
            id="only thoughts",
        ),
        pytest.param({"candidates": [None]}, "The answer's text is empty", id="odd candidate"),
    ],
)
def test_a_whole_answer_without_a_tweet_is_final(
    fake_gemini: Gemini, virtual_clock: VirtualClock, body: object, message: str
) -> None:
    """Gemini has answered, and would again: a clear error, and no second request."""
    fake_gemini.fail(answer(body))

    with pytest.raises(NoTweetError) as caught:
        generate_tweet("patience")

    assert str(caught.value) == message
    assert caught.value.status_code == 200
    assert len(fake_gemini.trace) == 1
    assert virtual_clock.now == 0


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(answer(b'{"candidates": [{"content"'), id="half a JSON"),
        pytest.param(answer(b""), id="empty body"),
        pytest.param(answer(b"[]"), id="a list"),
        pytest.param(answer(b'"text"'), id="a string"),
        pytest.param(answer(b"null"), id="null"),
        pytest.param(answer(b"[" * 100_000), id="nested without end"),
        pytest.param(answer(b"\xff\xfe\xfd"), id="no text at all"),
        pytest.param(faults.html_page(200), id="a proxy's page"),
    ],
)
def test_what_is_not_an_answer_of_gemini_is_asked_again(
    fake_gemini: Gemini, fault: faults.Fault
) -> None:
    """Broken JSON and pages come from what lies in between: retried, then a clear error."""
    fake_gemini.fail(fault, times=3)

    with pytest.raises(GarbledAnswerError, match="The answer is not Gemini's JSON") as caught:
        generate_tweet("patience")

    assert caught.value.status_code == 200
    assert len(fake_gemini.trace) == 3
    assert fake_gemini.trace.waits == [1, 2]


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply.blocked("SAFETY"), "Prompt blocked: SAFETY"),
        (Reply.safety(), "No finished text: SAFETY"),
        (Reply.safety("RECITATION"), "No finished text: RECITATION"),
        (Reply.max_tokens(), "No finished text: MAX_TOKENS"),
        (Reply.empty(), "The answer's text is empty"),
    ],
    ids=["blocked", "SAFETY", "RECITATION", "MAX_TOKENS", "empty"],
)
def test_geminis_own_ways_of_saying_nothing_are_final(
    fake_gemini: Gemini, reply: Reply, message: str
) -> None:
    """The same, in the shapes that Gemini gives them."""
    fake_gemini.say(reply)

    with pytest.raises(NoTweetError) as caught:
        generate_tweet("patience")

    assert str(caught.value) == message
    assert fake_gemini.trace.statuses == [200]


def test_an_html_page_is_named(fake_gemini: Gemini) -> None:
    """The error says what kind of thing came instead of JSON."""
    fake_gemini.fail(faults.html_page(200))

    with pytest.raises(GarbledAnswerError, match=r"\(Content-Type: text/html\)"):
        generate_tweet("patience", max_retries=1)


@pytest.mark.parametrize("status", [201, 202, 204, 206])
def test_only_a_200_is_success(fake_gemini: Gemini, status: int) -> None:
    """Another 2xx is not what Gemini answers, hence an error, and final."""
    fake_gemini.fail(status)

    with pytest.raises(GeminiError, match=f"HTTP {status}: "):
        generate_tweet("patience")

    assert len(fake_gemini.trace) == 1


@pytest.mark.parametrize(
    ("body", "tweet"),
    [
        pytest.param(texts({"text": "One."}), "One.", id="plain"),
        pytest.param(texts({"text": "One "}, {"text": "two."}), "One two.", id="parts are joined"),
        pytest.param(texts({"text": "  One.\n"}), "One.", id="outer blanks go"),
        pytest.param(
            texts({"text": "Hm.", "thought": True}, {"text": "One."}), "One.", id="thoughts go"
        ),
        pytest.param(
            candidate(content={"parts": [{"text": "One."}]}), "One.", id="no reason given"
        ),
        pytest.param(
            candidate(content={"parts": [{"text": "One."}]}, finishReason=None), "One.", id="null"
        ),
        pytest.param(
            {**texts({"text": "One."}), "promptFeedback": {}}, "One.", id="feedback, not blocked"
        ),
        pytest.param(
            texts({"text": "word " * 99 + "end."}),
            "word " * 99 + "end.",
            id="longer than asked for",
        ),
        pytest.param(texts({"text": "\U0001f426 ünï"}), "\U0001f426 ünï", id="any script"),
    ],
)
def test_a_finished_answer_is_a_tweet(
    fake_gemini: Gemini, body: dict[str, object], tweet: str
) -> None:
    """The text of the first candidate is the tweet."""
    fake_gemini.fail(answer(body))

    assert generate_tweet("patience") == tweet


def test_all_errors_are_of_one_family() -> None:
    """``except GeminiError`` catches whatever keeps a tweet from being written."""
    errors = [
        value
        for name, value in vars(gemini_errors).items()
        if name.endswith("Error") and isinstance(value, type)
    ]

    assert len(errors) == 7
    assert all(issubclass(error, GeminiError) for error in errors)
