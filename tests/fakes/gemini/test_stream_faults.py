"""Faults of a stream by their stage, as they are on the wire."""

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
import requests

from pytest_resilience import PlanError, VirtualClock, faults
from pytest_resilience_gemini import Gemini, Reply, stream

Ask = Callable[..., requests.Response]

STREAM = "streamGenerateContent"
SSE = {"alt": "sse"}
THREE = Reply(("one ", "two ", "three"))
ERROR = {
    "error": {
        "code": 503,
        "message": "The model is overloaded. Please try again later.",
        "status": "UNAVAILABLE",
    }
}
PRETTY = (
    '{\n  "error": {\n    "code": 503,\n    "message": "The model is overloaded. Please try '
    'again later.",\n    "status": "UNAVAILABLE"\n  }\n}\n'
)


@pytest.fixture
def talkative(gemini: Gemini) -> Gemini:
    """A fake that says three words, in as many events."""
    gemini.say(THREE)
    return gemini


class Wire:
    """A connection on which a stream is asked for, and what comes on it."""

    def __init__(self, gemini: Gemini, query: str = "?alt=sse") -> None:
        self.socket = socket.create_connection((gemini.host, gemini.port), timeout=20)
        body = b'{"contents": {"parts": {"text": "hi"}}}'
        head = (
            f"POST /v1beta/models/gemini-3.8-flash:streamGenerateContent{query} HTTP/1.1\r\n"
            f"Host: x\r\nx-goog-api-key: {gemini.api_key}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.socket.sendall(head.encode() + body)

    def all(self) -> tuple[bytes, str]:
        """The body as far as it came, in its chunks, and how the connection ended."""
        came = b""
        end = "FIN"
        with self.socket:
            try:
                while piece := self.socket.recv(65536):
                    came += piece
            except ConnectionResetError:
                end = "RST"
        return came.partition(b"\r\n\r\n")[2], end


def events_of(body: bytes) -> list[str]:
    """The events that came whole, by what they say; the chunks' frames are looked over."""
    blocks = [block.partition(b"\r\n\r\n") for block in body.split(b"data: ")[1:]]
    texts = [json.loads(text) for text, ended, _ in blocks if ended]
    return [text["candidates"][0]["content"]["parts"][0]["text"] for text in texts]


# How it is sent


@pytest.mark.parametrize(
    ("fault", "whole", "more", "ended"),
    [
        (stream.cut(after=0), [], False, "FIN"),
        (stream.cut(), ["one "], False, "FIN"),
        (stream.cut(after=2, within=0.5), ["one ", "two "], True, "FIN"),
        (stream.cut(after=1, within=6, reset=True), ["one "], True, "RST"),
        (stream.cut(at=1.0), ["one ", "two "], True, "FIN"),
        (stream.cut(after=3), ["one ", "two ", "three"], False, "FIN"),
        (stream.cut(after=2, writes=10), ["one ", "two "], False, "FIN"),
    ],
)
def test_a_stream_is_cut(
    talkative: Gemini,
    fault: faults.Fault,
    whole: list[str],
    more: bool,  # noqa: FBT001
    ended: str,
) -> None:
    """So many events come, perhaps a part of the next, and then the connection ends."""
    talkative.fail(fault)

    body, end = Wire(talkative).all()
    rest = body.rpartition(b"}\r\n\r\n\r\n")[2] if whole else body

    assert end == ended
    assert events_of(body[: len(body) - len(rest)]) == whole
    assert bool(rest) is more
    assert not body.endswith(b"0\r\n\r\n")
    assert talkative.trace.faults == ["cut_stream"]


def test_a_stream_stalls_and_goes_on(talkative: Gemini, ask: Ask) -> None:
    """After a minute of virtual time; a client with less patience has two events."""
    with VirtualClock() as clock, Gemini(api_key=talkative.api_key) as gemini:
        gemini.say(THREE)
        gemini.fail(stream.stall(after=2, resume_after=60), stream.stall(after=2))
        url = f"{gemini.url}/v1/models/gemini-3.8-flash:{STREAM}"
        options: dict[str, Any] = {
            "json": {"contents": {"parts": {"text": "hi"}}},
            "headers": {"x-goog-api-key": gemini.api_key},
            "params": SSE,
            "stream": True,
        }
        patient = requests.post(url, timeout=90, **options)
        came = [(clock.now, line[7:]) for line in patient.iter_lines(chunk_size=1) if line]
        hasty = requests.post(url, timeout=10, **options)
        lines = hasty.iter_lines(chunk_size=1)
        first = [next(line for line in lines if line) for _ in range(2)]
        with pytest.raises(requests.exceptions.ConnectionError, match="Read timed out"):
            next(line for line in lines if line)

        assert [moment for moment, _ in came] == [0, 0, 60]
        assert [b'"one "' in first[0], b'"two "' in first[1]] == [True, True]
        assert clock.now == 70


def test_tokens_come_slowly() -> None:
    """Half a second before each event, exactly."""
    with VirtualClock() as clock, Gemini() as gemini:
        gemini.say(THREE)
        gemini.fail(stream.slow(0.5))
        url = f"{gemini.url}/v1/models/gemini-3.8-flash:{STREAM}"
        response = requests.post(
            url,
            json={"contents": {"parts": {"text": "hi"}}},
            headers={"x-goog-api-key": gemini.api_key},
            params=SSE,
            timeout=10,
            stream=True,
        )
        moments = [clock.now for line in response.iter_lines(chunk_size=1) if line]

    assert moments == [0.5, 1.0, 1.5]


@pytest.mark.parametrize("size", [1, 7, "event", "all"])
def test_writes_change_nothing_that_is_said(talkative: Gemini, ask: Ask, size: Any) -> None:
    """The bytes are the same."""
    plain = ask(method=STREAM, params=SSE).content
    talkative.fail(stream.writes(size))

    response = ask(method=STREAM, params=SSE)

    assert len(response.content) == len(plain)
    assert events_of(response.content) == ["one ", "two ", "three"]


def test_all_in_one_write(talkative: Gemini) -> None:
    """One read takes head and events."""
    talkative.fail(stream.writes("all"))
    wire = Wire(talkative)

    with wire.socket:
        came = wire.socket.recv(65536)

    assert came.startswith(b"HTTP/1.1 200 OK\r\n")
    assert came.endswith(b"\r\n\r\n\r\n0\r\n\r\n")


# What it says


def test_a_stream_ends_without_a_word(talkative: Gemini, ask: Ask) -> None:
    """HTTP is in order; nobody has said why it stopped."""
    talkative.fail(stream.end(after=2))

    response = ask(method=STREAM, params=SSE)

    assert events_of(response.content) == ["one ", "two "]
    assert b"finishReason" not in response.content


def test_a_stream_ends_in_the_middle_of_an_event(talkative: Gemini, ask: Ask) -> None:
    """A clean end all the same."""
    talkative.fail(stream.end(after=1, within=19))

    response = ask(method=STREAM, params=SSE)

    assert response.content.endswith(b'\r\n\r\ndata: {"candidates"')


@pytest.mark.parametrize(("after", "broken"), [(0, 0), (1, 1), (9, 2)])
def test_one_event_is_malformed(talkative: Gemini, ask: Ask, after: int, broken: int) -> None:
    """It is an event, and no JSON; the others are."""
    talkative.fail(stream.malformed(after=after))

    blocks = ask(method=STREAM, params=SSE).content.split(b"\r\n\r\n")
    assert blocks.pop() == b""
    wrong = [n for n, block in enumerate(blocks) if not is_json(block.removeprefix(b"data: "))]

    assert len(blocks) == 3
    assert wrong == [broken]
    assert all(block.startswith(b"data: {") for block in blocks)


def is_json(text: bytes) -> bool:
    """Whether it can be read."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(("after", "events"), [(0, 0), (2, 2), (7, 3)])
def test_an_error_is_the_last_event(talkative: Gemini, ask: Ask, after: int, events: int) -> None:
    """With status 200, and in one line like any event."""
    talkative.fail(stream.error_event(after=after))

    response = ask(method=STREAM, params=SSE)
    blocks = response.content.split(b"\r\n\r\n")

    assert response.status_code == 200
    assert json.loads(blocks[events].removeprefix(b"data: ")) == ERROR
    assert len(blocks) == events + 2
    assert talkative.trace.faults == ["stream_error_event"]


def test_an_error_is_a_tail_of_plain_json(talkative: Gemini, ask: Ask) -> None:
    """Behind the events, as if it were an answer of its own."""
    talkative.fail(stream.error_tail())

    response = ask(method=STREAM, params=SSE)

    assert response.status_code == 200
    assert response.content.decode().endswith("}\r\n\r\n" + PRETTY)
    assert response.content.count(b"data: ") == 1


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (500, 500, "An internal error has occurred."),
        ("quota_tokens", 429, "You exceeded your current quota"),
        ("key_suspended", 403, "Permission denied: Consumer 'api_key:AIza"),
        ("model_retired", 404, "models/gemini-3.8-flash is not found for API version v1beta"),
    ],
)
def test_any_error_may_come(
    talkative: Gemini, ask: Ask, error: str | int, code: int, text: str
) -> None:
    """By name or by status; it knows the call, and the key it came with."""
    talkative.fail(stream.error_event(error, after=0))

    said = ask(method=STREAM, params=SSE).content.removeprefix(b"data: ")

    assert json.loads(said)["error"]["code"] == code
    assert json.loads(said)["error"]["message"].startswith(text)


def test_the_same_in_an_array(talkative: Gemini, ask: Ask) -> None:
    """An element more, a tail behind no bracket, an element that is no JSON, an end in order."""
    talkative.fail(
        stream.error_event(after=1),
        stream.error_tail(after=1),
        stream.malformed(after=1),
        stream.end(after=1),
    )

    event, tail, malformed, end = (ask(method=STREAM).content for _ in range(4))

    assert json.loads(event)[1] == ERROR
    assert tail.decode().endswith("}\n" + PRETTY)
    assert tail.startswith(b"[{\n")
    assert malformed.count(b",\r\n{") == 2
    assert malformed.endswith(b"}\n]")
    assert not is_json(malformed)
    assert end.endswith(b"}\n")


def test_a_tail_and_its_writes(talkative: Gemini) -> None:
    """In the same write as the events, or each by itself."""
    talkative.fail(faults.together(stream.error_tail(), stream.writes("all")))
    wire = Wire(talkative)

    with wire.socket:
        came = wire.socket.recv(65536)

    assert PRETTY.encode() in came
    assert talkative.trace.faults == ["stream_error_tail + slicer all"]


def test_a_tail_that_comes_late() -> None:
    """Behind events that were read long before."""
    with VirtualClock() as clock, Gemini() as gemini:
        gemini.say(THREE)
        gemini.fail(faults.together(stream.error_tail(after=2), stream.slow(3)))
        wire = Wire(gemini)
        with wire.socket:
            moments = []
            while wire.socket.recv(65536) and clock.now < 9:
                moments.append(clock.now)

    assert moments == [0, 3, 6]


# Who meets them


@pytest.mark.parametrize(
    "fault", [stream.cut(), stream.slow(1), stream.end(), stream.error_tail(), stream.malformed()]
)
def test_what_is_no_stream_is_left_alone(talkative: Gemini, ask: Ask, fault: faults.Fault) -> None:
    """The fault waits for one."""
    rule = talkative.fail(fault)

    assert ask().json()["candidates"][0]["content"]["parts"] == [{"text": "one two three"}]
    assert rule.met == 0


@pytest.mark.parametrize("fault", ["stream_malformed", "stream_error_event", "stream_error_tail"])
def test_they_have_names(talkative: Gemini, ask: Ask, fault: str) -> None:
    """For other languages: behind the first event, overloaded."""
    talkative.fail(fault)

    assert ask(method=STREAM, params=SSE).content.startswith(b"data: {")
    assert talkative.trace.faults == [fault]


@pytest.mark.parametrize("fault", [stream.malformed(), stream.error_tail()])
def test_a_refusal_is_no_stream(talkative: Gemini, ask: Ask, fault: faults.Fault) -> None:
    """It stays what it is."""
    talkative.fail(fault)

    assert ask({}, STREAM, params=SSE).status_code == 400


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: stream.error_event("overload"), "stream: no error is 'overload'; there are: 400"),
        (lambda: stream.error_tail(200), "stream: no error is 200; there are"),
        (lambda: stream.error_tail(True), "stream: no error is True"),  # noqa: FBT003
        (lambda: stream.malformed(after=-1), "stream: after=-1 is not allowed: wanted a number"),
        (lambda: stream.malformed(after=True), "stream: after=True is not allowed"),
        (lambda: stream.malformed(after=1.5), "stream: after=1.5 is not allowed"),  # type: ignore[arg-type]  # that is the point
        (lambda: stream.cut(after=-1), r"cut_stream\(after\)=-1 is not allowed"),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Callable[[], object], message: str) -> None:
    """Where it is written."""
    with pytest.raises(PlanError, match=message):
        make()
