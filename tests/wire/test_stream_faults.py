"""Every fault of a stream as a raw socket sees it: the bytes, their writes, and the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_resilience import FakeServer, Outcome, PlanError, faults
from tests.wire.apps import ManualClock, app_of
from tests.wire.raw import GET, HEAD, End, Raw, Seen, ask, talk

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

EVENTS = (b"data: one\n\n", b"data: two\n\n", b"data: three\n\n")  # 11, 11 and 13 bytes
CODED = (b"b\r\ndata: one\n\n\r\n", b"b\r\ndata: two\n\n\r\n", b"d\r\ndata: three\n\n\r\n")
LAST = b"0\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\n\r\n"
"""A client that knows no chunks."""


def stream(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """Three events."""
    start("200 OK", [("Content-Type", "text/event-stream")])
    return list(EVENTS)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def server(clock: ManualClock) -> Iterator[FakeServer]:
    with FakeServer(stream, blocking=False, clock=clock) as server:
        yield server


def writes_of(server: FakeServer, clock: ManualClock, request: bytes = GET) -> list[bytes]:
    """What comes at once, and then with each moment that something is due."""
    with Raw(server) as raw:
        came = [raw.send(request).silence().data]
        while clock.due:
            clock.advance(clock.due[0])
            came.append(raw.silence().data)
    return came


# --- cut ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "came"),
    [
        ({"after": 0}, b""),
        ({}, CODED[0]),
        ({"after": 2}, CODED[0] + CODED[1]),
        ({"within": 6}, CODED[0] + b"b\r\ndata: "),
        ({"after": 2, "within": 0.5}, CODED[0] + CODED[1] + b"d\r\ndata: "),
        ({"within": 99}, CODED[0] + b"b\r\ndata: two\n"),
        ({"at": 13}, CODED[0] + b"b\r\nda"),
        ({"at": 11}, CODED[0]),
        ({"at": 0.5}, CODED[0] + b"b\r\ndata: "),
        ({"at": 1.0}, CODED[0] + CODED[1] + b"d\r\ndata: three\n"),
        ({"after": 3}, b"".join(CODED)),
        ({"after": 9, "within": 0.5}, b"".join(CODED)),
    ],
)
def test_cut_stream(server: FakeServer, place: dict[str, Any], came: bytes) -> None:
    """So many events come whole, a part of the next one, and then a FIN: never the last chunk."""
    server.fail(faults.cut_stream(**place))

    seen = talk(server)

    assert (seen.status, seen.body, seen.end) == (200, came, End.FIN)
    assert seen.head.endswith(b"Transfer-Encoding: chunked")
    assert server.trace[0].outcome is Outcome.CUT
    assert server.trace.faults == ["cut_stream"]


def test_cut_stream_by_a_reset(server: FakeServer) -> None:
    """With a RST in place of the FIN."""
    server.fail(faults.cut_stream(after=1, within=6, reset=True))

    seen = talk(server)

    assert (seen.body, seen.end) == (CODED[0] + b"b\r\ndata: ", End.RST)


@pytest.mark.parametrize(
    ("place", "came"),
    [({}, b"data: one\n\n"), ({"within": 6}, b"data: one\n\ndata: "), ({"after": 3}, None)],
)
def test_cut_stream_for_http_1_0(
    server: FakeServer, place: dict[str, Any], came: bytes | None
) -> None:
    """Without chunks a length is announced, so that the FIN comes too soon for it, too."""
    server.fail(faults.cut_stream(**place))

    seen = talk(server, OLD)

    assert seen.body == (b"".join(EVENTS) if came is None else came)
    assert b"Content-Length: %d\r\n" % (36 if came is None else 35) in seen.head
    assert seen.end is End.FIN


@pytest.mark.parametrize("status", ["200 OK", "204 No Content"])
@pytest.mark.parametrize("place", [{}, {"at": 5}])
def test_cut_stream_of_no_events(status: str, place: dict[str, Any]) -> None:
    """An answer without a body becomes a stream whose end is missing."""
    with FakeServer(app_of(b"", status), blocking=False) as server:
        server.fail(faults.cut_stream(**place))
        seen = talk(server)

    assert (seen.status, seen.body, seen.end) == (200, b"", End.FIN)
    assert seen.head.endswith(b"Transfer-Encoding: chunked")
    assert server.trace.statuses == [200]


def test_a_body_in_one_piece_is_one_event() -> None:
    """Its Content-Length gives way to chunks."""
    with FakeServer(app_of(b"0123456789"), blocking=False) as server:
        server.fail(faults.cut_stream(after=0, within=0.5))
        seen = talk(server)

    assert (seen.body, seen.end) == (b"a\r\n01234", End.FIN)
    assert b"Content-Length" not in seen.head


# --- stall ------------------------------------------------------------------------


def test_stall_stream(server: FakeServer, clock: ManualClock) -> None:
    """So many events come, then nothing more, and the connection stays."""
    server.fail(faults.stall_stream(after=2, within=3))

    with Raw(server) as raw:
        seen = raw.send(GET).silence()

    assert (seen.body, seen.end) == (CODED[0] + CODED[1] + b"d\r\ndat", End.OPEN)
    assert clock.due == []


def test_stall_stream_and_resume(server: FakeServer, clock: ManualClock) -> None:
    """With a time to wait the rest follows, and the connection can be used again."""
    server.fail(faults.stall_stream(after=1, within=4, resume_after=60))
    with Raw(server) as raw:
        first = raw.send(GET).silence()
        due = clock.due
        clock.advance(60)
        rest = raw.silence()
        again = raw.send(GET).silence()

    assert (first.body, due) == (CODED[0] + b"b\r\ndata", [60.0])
    assert rest == Seen(b": two\n\n\r\n" + CODED[2] + LAST, End.OPEN)
    assert again.body == b"".join(CODED) + LAST
    assert server.trace.statuses == [200, 200]


def test_stall_stream_and_close(server: FakeServer, clock: ManualClock) -> None:
    """A stalled stream on a connection that ends with it ends with a FIN."""
    server.fail(faults.stall_stream(resume_after=5))
    with Raw(server) as raw:
        raw.send(OLD).silence()
        clock.advance(5)

        assert raw.rest() == Seen(EVENTS[1] + EVENTS[2], End.FIN)


def test_a_stream_that_stalls_before_its_end_is_whole_for_http_1_0(clock: ManualClock) -> None:
    """No length is announced that it does not have: what is late is the FIN."""
    with FakeServer(app_of(b"0123456789"), blocking=False, clock=clock) as server:
        server.fail(faults.stall_stream(resume_after=5))
        with Raw(server) as raw:
            first = raw.send(OLD).silence()
            clock.advance(5)

            assert raw.rest() == Seen(b"", End.FIN)

    assert (first.body, first.end) == (b"0123456789", End.OPEN)
    assert b"Content-Length" not in first.head


# --- the end comes too soon -----------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "came"),
    [
        ({}, CODED[0] + LAST),
        ({"after": 0}, LAST),
        ({"after": 7}, CODED[0] + CODED[1] + LAST),
        ({"within": 6}, CODED[0] + b"6\r\ndata: \r\n" + LAST),
        ({"at": 24}, CODED[0] + CODED[1] + b"2\r\nda\r\n" + LAST),
    ],
)
def test_end_stream(server: FakeServer, place: dict[str, Any], came: bytes) -> None:
    """What comes is a whole answer to HTTP, and the connection is kept; events are missing."""
    server.fail(faults.end_stream(**place))

    with Raw(server) as raw:
        seen = raw.send(GET).silence()

    assert (seen.body, seen.end) == (came, End.OPEN)
    assert server.trace[0].outcome is Outcome.ANSWERED


def test_end_stream_of_no_events() -> None:
    """Nothing can be missing."""
    with FakeServer(app_of(b""), blocking=False) as server:
        server.fail(faults.end_stream())

        with Raw(server) as raw:
            assert raw.send(GET).silence().body == LAST


def test_end_stream_goes_together_with_others(server: FakeServer, clock: ManualClock) -> None:
    """It changes the answer, not how it is sent."""
    both = faults.together(faults.slicer(seconds=1), faults.end_stream(after=2))
    server.fail(both)

    came = writes_of(server, clock)

    assert both.label == "end_stream + slicer event 1 s"
    assert came[1:] == [CODED[0], CODED[1] + LAST]


# --- the writes --------------------------------------------------------------------------


def test_slicer_with_time_between_events(server: FakeServer, clock: ManualClock) -> None:
    """The head at once, an event after each wait, and the end with the last of them."""
    server.fail(faults.slicer(seconds=0.5))

    head, *came = writes_of(server, clock)

    assert head.endswith(b"chunked\r\n\r\n")
    assert came == [CODED[0], CODED[1], CODED[2] + LAST]
    assert server.trace[0].ended == 1.5
    assert server.trace.faults == ["slicer event 0.5 s"]


def test_slicer_by_bytes(server: FakeServer, clock: ManualClock) -> None:
    """Writes of so many bytes, wherever events or the head end."""
    server.fail(faults.slicer(writes=100, seconds=1))

    came = writes_of(server, clock)

    assert [len(piece) for piece in came[:-1]] == [100] * (len(came) - 1)
    assert b"".join(came).endswith(b"\r\n\r\n" + b"".join(CODED) + LAST)


def test_slicer_within_the_head(server: FakeServer) -> None:
    """A head that comes in many writes is a head all the same."""
    server.fail(faults.slicer(writes=7))

    assert talk(server, OLD).status == 200
    assert server.trace.statuses == [200]


def test_slicer_all_at_once(server: FakeServer) -> None:
    """Head and events in one write, which one read takes."""
    server.fail(faults.slicer("all"))

    with Raw(server) as raw:
        raw.send(GET).readable(20)
        came = raw.sock.recv(65536)

    assert came.endswith(b"\r\n\r\n" + b"".join(CODED) + LAST)


def test_slicer_of_a_body_that_is_no_stream(clock: ManualClock) -> None:
    """It keeps its Content-Length."""
    with FakeServer(app_of(b"0123456789"), blocking=False, clock=clock) as server:
        server.fail(faults.slicer(seconds=1))
        head, body = writes_of(server, clock)

    assert b"Content-Length: 10\r\n" in head
    assert body == b"0123456789"


def test_slicer_and_close(server: FakeServer) -> None:
    """A connection that ends with the answer ends with a FIN."""
    server.fail(faults.slicer(3))

    seen = talk(server, OLD)

    assert (seen.body, seen.end) == (b"".join(EVENTS), End.FIN)
    assert server.trace[0].outcome is Outcome.ANSWERED


@pytest.mark.parametrize(
    "fault",
    [
        faults.cut_stream(after=2, within=6, writes="all"),
        faults.stall_stream(after=2, within=6, writes="all"),
    ],
)
def test_a_place_and_one_write(server: FakeServer, fault: faults.Fault) -> None:
    """All that comes before the place comes in one write."""
    server.fail(fault)

    with Raw(server) as raw:
        raw.send(GET).readable(20)
        came = raw.sock.recv(65536)

    assert came.endswith(b"\r\n\r\n" + CODED[0] + CODED[1] + b"d\r\ndata: ")


def test_a_place_and_small_writes(server: FakeServer) -> None:
    """Byte by byte, and then the FIN."""
    server.fail(faults.cut_stream(writes=1))

    seen = talk(server)

    assert (seen.body, seen.end) == (CODED[0], End.FIN)


# --- as values ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [faults.cut_stream(), faults.stall_stream(), faults.end_stream(), faults.slicer()],
)
def test_a_head_request_is_left_alone(server: FakeServer, fault: faults.Fault) -> None:
    """It has no body that could break; the fault waits for one that has."""
    rule = server.fail(fault)

    assert ask(server, HEAD).status == 200
    assert rule.met == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: faults.cut_stream(after=-1), r"cut_stream\(after\)=-1 is not allowed"),
        (lambda: faults.stall_stream(within=1.5), r"stall_stream\(within\)=1.5 is not allowed"),
        (lambda: faults.end_stream(at=-1), r"end_stream\(at\)=-1 is not allowed"),
        (
            lambda: faults.cut_stream(after=2, at=0.5),
            r"cut_stream\(at\)=0.5 is not allowed: wanted a place by at, or by after and within",
        ),
        (lambda: faults.end_stream(within=1, at=9), r"end_stream\(at\)=9 is not allowed"),
        (lambda: faults.stall_stream(resume_after=-1), r"stall_stream\(resume_after\)=-1 is not"),
        (lambda: faults.cut_stream(writes=0), r"cut_stream\(writes\)=0 is not allowed"),
        (lambda: faults.cut_stream(writes=True), r"cut_stream\(writes\)=True is not allowed"),
        (
            lambda: faults.slicer("word"),  # type: ignore[arg-type]  # that is the point
            r"slicer\(writes\)='word' is not allowed: wanted \"event\"",
        ),
        (lambda: faults.slicer(seconds=-1), r"slicer\(seconds\)=-1 is not allowed"),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Any, message: str) -> None:
    """Where it is written, by its name."""
    with pytest.raises(PlanError, match=message):
        make()


def test_labels() -> None:
    """What the trace calls them."""
    assert faults.slicer(7).label == "slicer 7"
    assert faults.stall_stream().label == "stall_stream"
    assert faults.end_stream().label == "end_stream"
