"""streamGenerateContent: the events, their framing, and where one write ends."""

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
import requests

from pytest_resilience import faults
from pytest_resilience_gemini import Gemini, Reply

Ask = Callable[..., requests.Response]

STREAM = "streamGenerateContent"
SSE = {"alt": "sse"}


def events_of(response: requests.Response) -> list[dict[str, Any]]:
    """The events of a response with alt=sse."""
    blocks = response.content.decode().split("\r\n\r\n")
    assert blocks.pop() == ""
    assert all(block.startswith("data: {") and "\n" not in block for block in blocks)
    return [json.loads(block.removeprefix("data: ")) for block in blocks]


def texts_of(events: list[dict[str, Any]]) -> list[str]:
    """What each event says."""
    return [event["candidates"][0]["content"]["parts"][0]["text"] for event in events]


def test_an_event_is_a_line_of_data(gemini: Gemini, ask: Ask) -> None:
    """CRLF twice behind each, no event names, no [DONE], blanks where the service has them."""
    gemini.say("Hello")

    response = ask(method=STREAM, params=SSE)
    identity = events_of(response)[0]["responseId"]

    assert response.content == (
        b'data: {"candidates": [{"content": {"parts": [{"text": "Hello"}],"role": "model"},'
        b'"finishReason": "STOP","index": 0}],"usageMetadata": {"promptTokenCount": 3,'
        b'"candidatesTokenCount": 2,"totalTokenCount": 5,"promptTokensDetails": '
        b'[{"modality": "TEXT","tokenCount": 3}],"serviceTier": "standard"},'
        b'"modelVersion": "gemini-3.8-flash","responseId": "%b"}\r\n\r\n' % identity.encode()
    )


def test_events_have_their_own_headers(ask: Ask) -> None:
    """text/event-stream, as an attachment, and chunked."""
    response = ask(method=STREAM, params=SSE)

    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Content-Disposition"] == "attachment"
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert response.headers["Server"] == "scaffolding on HTTPServer2"


def test_a_text_is_cut_at_its_words(gemini: Gemini, ask: Ask) -> None:
    """Nothing is lost, and the same text is always cut the same."""
    gemini.say("  One two\nthree. ")

    assert texts_of(events_of(ask(method=STREAM, params=SSE))) == ["  One ", "two\n", "three. "]


def test_a_long_text_is_sixteen_events_at_the_most(gemini: Gemini, ask: Ask) -> None:
    """Of as many words each."""
    gemini.say(" ".join(str(n) for n in range(40)))

    texts = texts_of(events_of(ask(method=STREAM, params=SSE)))

    assert len(texts) == 14
    assert texts[0] == "0 1 2 "
    assert texts[-1] == "39"


@pytest.mark.parametrize("text", ["", "  "])
def test_a_text_without_words_is_one_event(gemini: Gemini, ask: Ask, text: str) -> None:
    """Blank or empty."""
    gemini.say(text)

    assert texts_of(events_of(ask(method=STREAM, params=SSE))) == [text]


def test_pieces_are_events(gemini: Gemini, ask: Ask) -> None:
    """Whoever writes the pieces decides where an event ends."""
    gemini.say(Reply(("See", " you ", "soon")))

    streamed = ask(method=STREAM, params=SSE)
    whole = ask()

    assert texts_of(events_of(streamed)) == ["See", " you ", "soon"]
    assert texts_of([whole.json()]) == ["See you soon"]


def test_pieces_end_where_the_text_must(gemini: Gemini, ask: Ask) -> None:
    """The limit on tokens cuts the piece it falls into, and drops those behind it."""
    gemini.say(Reply(("See", " you ", "soon")))
    body = {
        "contents": [{"parts": [{"text": "hi"}]}],
        "generationConfig": {"maxOutputTokens": 1},
    }

    events = events_of(ask(body, STREAM, params=SSE))

    assert texts_of(events) == ["See", " "]
    assert events[-1]["candidates"][0]["finishReason"] == "MAX_TOKENS"


def test_usage_grows_and_only_the_end_has_a_reason(gemini: Gemini, ask: Ask) -> None:
    """Cumulative usage in each event, one responseId for all, finishReason in the last."""
    gemini.say(Reply(("1234", "5678", "90"), thoughts=5))

    events = events_of(ask(method=STREAM, params=SSE))

    usages = [event["usageMetadata"] for event in events]
    assert [usage["candidatesTokenCount"] for usage in usages] == [1, 2, 3]
    assert [usage["totalTokenCount"] for usage in usages] == [9, 10, 11]
    assert [event["candidates"][0].get("finishReason") for event in events] == [None, None, "STOP"]
    assert len({event["responseId"] for event in events}) == 1


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply.blocked("SAFETY"), {"promptFeedback": {"blockReason": "SAFETY"}}),
        (Reply.safety("OTHER"), {"candidates": [{"finishReason": "OTHER", "index": 0}]}),
        (
            Reply.max_tokens(),
            {
                "candidates": [
                    {"content": {"role": "model"}, "finishReason": "MAX_TOKENS", "index": 0}
                ]
            },
        ),
    ],
)
def test_a_trap_is_one_event(
    gemini: Gemini, ask: Ask, reply: Reply, expected: dict[str, Any]
) -> None:
    """The same as without a stream."""
    gemini.say(reply)

    (event,) = events_of(ask(method=STREAM, params=SSE))

    assert {key: event.get(key) for key in expected} == expected
    assert ("candidates" in event) == ("candidates" in expected)


def test_without_alt_it_is_an_array(gemini: Gemini, ask: Ask) -> None:
    """Valid JSON as a whole, with CRLF behind the commas, and nothing behind the bracket."""
    gemini.say("Hello world")

    response = ask(method=STREAM)

    assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert "Content-Disposition" not in response.headers
    assert texts_of(response.json()) == ["Hello ", "world"]
    assert response.content.startswith(b'[{\n  "candidates": [\n')
    assert response.content.count(b"}\n,\r\n{\n") == 1
    assert response.content.endswith(b"}\n]")


def test_alt_json_is_the_array_too(gemini: Gemini, ask: Ask) -> None:
    """Only alt=sse makes events."""
    assert isinstance(ask(method=STREAM, params={"alt": "json"}).json(), list)


def test_alt_sse_means_nothing_elsewhere(ask: Ask) -> None:
    """What is no stream is answered at once."""
    assert "candidates" in ask(params=SSE).json()


@pytest.mark.parametrize("query", ["?alt=sse", ""])
def test_every_piece_is_a_chunk_of_its_own(gemini: Gemini, query: str) -> None:
    """So that a fault can cut between two events."""
    gemini.say("one two three")
    body = b'{"contents": {"parts": {"text": "hi"}}}'
    head = (
        f"POST /v1beta/models/gemini-3.8-flash:streamGenerateContent{query} HTTP/1.1\r\n"
        f"Host: x\r\nx-goog-api-key: {gemini.api_key}\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )

    with socket.create_connection((gemini.host, gemini.port), timeout=10) as connection:
        connection.sendall(head.encode() + body)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    chunks = chunks_of(answer.partition(b"\r\n\r\n")[2])

    pieces = 3 if query else 4
    assert len(chunks) == pieces
    assert b'"one "' in chunks[0]
    assert b'"two "' in chunks[1]
    assert b'"three"' in chunks[2]
    assert chunks[2].endswith(b"}\r\n\r\n" if query else b"}\n")


def chunks_of(data: bytes) -> list[bytes]:
    """The chunks of a chunked body that is complete."""
    chunks: list[bytes] = []
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            assert data == b"\r\n"
            return chunks
        chunks.append(data[:length])
        data = data[length + 2 :]


def test_a_stream_can_be_cut_in_its_middle(gemini: Gemini, ask: Ask) -> None:
    """A chunked stream that breaks off is an error to the client, not an end."""
    gemini.say("one two three four")
    gemini.fail(faults.cut_chunk())

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask(method=STREAM, params=SSE)


def test_a_streamed_prompt_is_marked(gemini: Gemini, ask: Ask) -> None:
    """A test can tell how it was asked for."""
    ask(method=STREAM)

    assert gemini.requests[0].stream
