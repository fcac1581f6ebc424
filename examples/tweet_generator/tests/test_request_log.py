"""What a request leaves in the log: the events and fields that the document prints."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gemini_errors import GeminiError
from main import generate_tweet
from pytest_resilience import faults
from pytest_resilience_gemini import Gemini

ReadLog = Callable[[], list[dict[str, Any]]]

UNAVAILABLE = faults.status(
    503, body={"error": {"code": 503, "message": "Service temporarily unavailable"}}
)


def ours(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the lines of libraries, which name their logger."""
    return [line for line in lines if "logger" not in line]


def shapes(lines: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Level and event of each line of ours."""
    return [(line["level"], line["event"]) for line in ours(lines)]


def test_a_successful_request_is_logged_as_the_document_prints_it(
    fake_gemini: Gemini, read_log: ReadLog
) -> None:
    """Two lines: "Making API request" and "API request successful", with all their fields."""
    fake_gemini.say("Artificial Intelligence is transforming industries " + 13 * "at speed ")
    fake_gemini.fail(faults.latency(0.333331))

    generate_tweet(
        topic="Artificial Intelligence", tone="professional", max_words=25, max_retries=3
    )

    making, successful = ours(read_log())
    del making["timestamp"], successful["timestamp"]
    assert making == {
        "event": "Making API request",
        "level": "info",
        "url_endpoint": "gemini-3.8-flash",
        "prompt_length": 87,
        "prompt_preview": "Generate a professional tweet about Artificial Intelligence...",
    }
    assert successful == {
        "event": "API request successful",
        "level": "info",
        "status_code": 200,
        "latency_ms": 333.33,
        "response_length": 167,
        "response_preview": "Artificial Intelligence is transforming industries at speed...",
    }


def test_the_fields_come_in_the_order_of_the_document(
    fake_gemini: Gemini, read_log: ReadLog
) -> None:
    """The five events name their fields in the order in which the document prints them."""
    fake_gemini.fail(UNAVAILABLE)

    generate_tweet("patience")

    head = ["event", "level", "timestamp"]
    assert [list(line) for line in ours(read_log())] == [
        [*head, "url_endpoint", "prompt_length", "prompt_preview"],
        [*head, "status_code", "latency_ms", "error_message"],
        [*head, "attempt", "max_attempts", "delay_seconds", "exception"],
        [*head, "url_endpoint", "prompt_length", "prompt_preview"],
        [*head, "status_code", "latency_ms", "response_length", "response_preview"],
        [*head, "final_attempt"],
    ]


def test_a_saved_attempt_is_a_warning(fake_gemini: Gemini, read_log: ReadLog) -> None:
    """A failure that a retry makes good is no ERROR: nobody need be woken for it."""
    fake_gemini.fail(UNAVAILABLE)

    generate_tweet("patience")

    lines = ours(read_log())
    assert shapes(lines) == [
        ("info", "Making API request"),
        ("warning", "API request failed"),
        ("warning", "Retry attempt"),
        ("info", "Making API request"),
        ("info", "API request successful"),
        ("info", "Retry succeeded"),
    ]
    assert {key: lines[1][key] for key in ("status_code", "error_message")} == {
        "status_code": 503,
        "error_message": "Service temporarily unavailable",
    }
    assert {key: lines[2][key] for key in list(lines[2])[3:]} == {
        "attempt": 1,
        "max_attempts": 3,
        "delay_seconds": 1.0,
        "exception": "HTTP 503: Service temporarily unavailable",
    }
    assert lines[5]["final_attempt"] == 2


def test_a_tweet_that_failed_is_one_error(fake_gemini: Gemini, read_log: ReadLog) -> None:
    """Of three failed attempts only the last, after which nothing is tried, is an ERROR."""
    fake_gemini.fail(UNAVAILABLE, times=3)

    with pytest.raises(GeminiError):
        generate_tweet("patience")

    assert shapes(read_log()) == [
        ("info", "Making API request"),
        ("warning", "API request failed"),
        ("warning", "Retry attempt"),
        ("info", "Making API request"),
        ("warning", "API request failed"),
        ("warning", "Retry attempt"),
        ("info", "Making API request"),
        ("error", "API request failed"),
    ]


def test_the_only_attempt_fails_as_an_error(fake_gemini: Gemini, read_log: ReadLog) -> None:
    """With ``max_retries=1`` a 503 is final, hence an ERROR."""
    fake_gemini.fail(UNAVAILABLE)

    with pytest.raises(GeminiError):
        generate_tweet("patience", max_retries=1)

    assert shapes(read_log())[1:] == [("error", "API request failed")]


@pytest.mark.parametrize(
    ("status", "message"), [(429, "Rate limit exceeded"), (401, "Invalid API key")]
)
@pytest.mark.parametrize("body", ["own words", "no words"])
def test_a_failure_that_is_not_retried_says_so(
    fake_gemini: Gemini, read_log: ReadLog, status: int, message: str, body: str
) -> None:
    """The document's 429 and 401: an ERROR with ``retry_attempted: false``."""
    said = json.dumps({"error": {"code": status, "message": message}})
    fake_gemini.fail(faults.status(status, body=said if body == "own words" else ""))

    with pytest.raises(GeminiError):
        generate_tweet("patience")

    _, failed = ours(read_log())
    del failed["timestamp"], failed["latency_ms"]
    assert failed == {
        "event": "API request failed",
        "level": "error",
        "status_code": status,
        "error_message": message,
        "retry_attempted": False,
    }


def test_a_request_without_an_answer_has_no_status(fake_gemini: Gemini, read_log: ReadLog) -> None:
    """A timeout is logged with ``status_code: null`` and the time it took."""
    fake_gemini.fail(faults.timeout())

    generate_tweet("patience")

    failed = ours(read_log())[1]
    assert failed["status_code"] is None
    assert failed["latency_ms"] == 30_000
    assert failed["error_message"].startswith("ReadTimeout: ")
    assert failed["error_message"].endswith("Read timed out. (read timeout=30.0)")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        pytest.param(
            {"error": {"message": "one\ntwo\r\n\tthree\x1b[0m"}}, "one two three [0m", id="one line"
        ),
        pytest.param({"error": {"message": "x" * 5000}}, "x" * 200 + "...", id="truncated"),
        pytest.param({"error": {"message": ""}}, "Service temporarily unavailable", id="empty"),
        pytest.param({"error": {"message": 7}}, "Service temporarily unavailable", id="no text"),
        pytest.param({"error": "flat"}, "Service temporarily unavailable", id="other shape"),
        pytest.param(["x"], "Service temporarily unavailable", id="a list"),
        pytest.param(b"<html>\n<p>busy", "Service temporarily unavailable", id="HTML"),
        pytest.param(b"", "Service temporarily unavailable", id="nothing"),
    ],
)
def test_the_servers_words_are_on_one_line_and_cut(
    fake_gemini: Gemini, read_log: ReadLog, body: object, shown: str
) -> None:
    """Of a server's error text the log shows the beginning, on one line; else what 503 means."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fake_gemini.fail(faults.status(503, body=content))

    with pytest.raises(GeminiError) as caught:
        generate_tweet("patience", max_retries=1)

    assert ours(read_log())[1]["error_message"] == shown
    assert str(caught.value) == f"HTTP 503: {shown}"


@pytest.mark.parametrize(("status", "phrase"), [(502, "Bad Gateway"), (599, "Unknown error")])
def test_a_status_without_words_is_named(
    fake_gemini: Gemini, read_log: ReadLog, status: int, phrase: str
) -> None:
    """Where the server says nothing, the status's usual name is logged."""
    fake_gemini.fail(faults.status(status, body=""))

    with pytest.raises(GeminiError):
        generate_tweet("patience", max_retries=1)

    assert ours(read_log())[1]["error_message"] == phrase


def test_previews_are_on_one_line(fake_gemini: Gemini, read_log: ReadLog) -> None:
    """A tweet of several lines is previewed on one, and returned as it is."""
    fake_gemini.say("one\ntwo\n\nthree")

    assert generate_tweet("lines\nand lines") == "one\ntwo\n\nthree"

    making, successful = ours(read_log())
    assert making["prompt_preview"] == (
        "Generate a professional tweet about lines and lines with no..."
    )
    assert successful["response_preview"] == "one two three"
    assert successful["response_length"] == 14


def test_lengths_are_of_characters(fake_gemini: Gemini, read_log: ReadLog) -> None:
    """As those of tweets are, and not of bytes."""
    fake_gemini.say("Zoë \U0001f426")

    generate_tweet("Zoë")

    making, successful = ours(read_log())
    assert (making["prompt_length"], successful["response_length"]) == (67, 5)


def test_a_large_prompt_is_truncated_in_the_log(fake_gemini: Gemini, read_log: ReadLog) -> None:
    """The log shows how long a prompt is, and only its beginning."""
    generate_tweet("x" * 10_000)

    making = ours(read_log())[0]
    assert making["prompt_length"] == 10_065 - 1
    assert len(making["prompt_preview"]) == 63


def test_logging_is_optional(fake_gemini: Gemini, capsys: pytest.CaptureFixture[str]) -> None:
    """A tweet can be had without ``setup_logging``."""
    fake_gemini.say("Quiet.")

    assert generate_tweet("silence") == "Quiet."
