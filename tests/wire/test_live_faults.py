"""Faults of answers that are still being made: what is there goes out, as from the application."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import count
from queue import SimpleQueue
from typing import Any

import pytest

from pytest_resilience import FakeServer, Outcome, faults
from tests.wire.apps import ManualClock
from tests.wire.raw import GET, LONG, End, Raw, Seen, ended, talk

ONE, TWO, THREE = (b"5\r\nevent\r\n", b"6\r\nsecond\r\n", b"5\r\nthird\r\n")
EVENTS = (b"event", b"second", b"third")
LAST = b"0\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\n\r\n"


class Live:
    """An application that makes an event when the test says so, and ends after the last."""

    def __init__(self, status: str = "200 OK") -> None:
        self._status = status
        self._made: SimpleQueue[bytes | None] = SimpleQueue()
        self.closed = threading.Event()

    def __call__(self, environ: Any, start: Callable[..., Any]) -> Iterator[bytes]:
        start(self._status, [("Content-Type", "text/event-stream")])
        try:
            while (event := self._made.get(timeout=LONG)) is not None:
                yield event
        finally:
            self.closed.set()

    def make(self, *events: bytes | None) -> None:
        for event in events:
            self._made.put(event)


@pytest.fixture
def app() -> Live:
    return Live()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def server(app: Live, clock: ManualClock) -> Iterator[FakeServer]:
    with FakeServer(app, clock=clock) as server:
        yield server
        app.make(None)


def test_latency_delays_the_beginning(server: FakeServer, app: Live, clock: ManualClock) -> None:
    """What follows comes when it is made."""
    server.fail(faults.latency(5))
    with Raw(server) as raw:
        app.make(EVENTS[0])
        assert raw.send(GET).silence() == Seen(b"", End.OPEN)
        clock.advance(5)
        assert raw.until(ONE).endswith(b"\r\n\r\n" + ONE)
        app.make(EVENTS[1], None)
        assert raw.until(LAST) == TWO + LAST

    assert (server.trace[0].outcome, server.trace.faults) == (Outcome.ANSWERED, ["latency 5 s"])


@pytest.mark.parametrize(
    ("place", "needs", "came"),
    [
        ({}, 1, ONE),
        ({"after": 2}, 2, ONE + TWO),
        ({"after": 1, "within": 2}, 2, ONE + TWO[:5]),
        ({"after": 1, "within": 0.5}, 2, ONE + TWO[:6]),
        ({"after": 1, "within": 0.01}, 2, ONE),
    ],
)
@pytest.mark.parametrize("reset", [False, True])
def test_cut_stream(
    server: FakeServer, app: Live, place: dict[str, Any], needs: int, came: bytes, *, reset: bool
) -> None:
    """It is cut where the place is, though nobody knows yet what follows; the rest is not made."""
    server.fail(faults.cut_stream(**place, reset=reset))
    with Raw(server) as raw:
        app.make(*EVENTS[:needs])
        seen = raw.send(GET).rest()
        app.make(EVENTS[2], EVENTS[2])

    assert (seen.body, seen.end) == (came, End.RST if reset else End.FIN)
    assert server.trace[0].outcome is Outcome.CUT
    assert app.closed.wait(LONG)


def test_cut_stream_before_any_event(server: FakeServer, app: Live) -> None:
    """The head is there once the first event is."""
    server.fail(faults.cut_stream(after=0))
    with Raw(server) as raw:
        app.make(EVENTS[0])
        seen = raw.send(GET).rest()

    assert (seen.status, seen.body, seen.end) == (200, b"", End.FIN)


def test_cut_stream_at_its_end(server: FakeServer, app: Live) -> None:
    """Where there are no more events, the stream's end is missing."""
    server.fail(faults.cut_stream(after=5))
    with Raw(server) as raw:
        app.make(*EVENTS, None)
        seen = raw.send(GET).rest()

    assert (seen.body, seen.end) == (ONE + TWO + THREE, End.FIN)


def test_stall_stream(server: FakeServer, app: Live) -> None:
    """Whatever is made after the place, it does not come."""
    server.fail(faults.stall_stream(after=1, within=2))
    with Raw(server) as raw:
        app.make(*EVENTS, None)
        seen = raw.send(GET).silence()

    assert (seen.body, seen.end) == (ONE + TWO[:5], End.OPEN)
    assert ended(server).outcome is Outcome.GONE


@pytest.mark.parametrize(("within", "came"), [(0, ONE), (2, ONE + TWO[:5])])
def test_stall_stream_and_resume(
    server: FakeServer, app: Live, clock: ManualClock, within: int, came: bytes
) -> None:
    """The rest follows, and what is made later, too; the connection can be used again."""
    server.fail(faults.stall_stream(after=1, within=within, resume_after=60))
    with Raw(server) as raw:
        app.make(*EVENTS[:2])
        first = raw.send(GET).silence()
        clock.advance(60)
        second = raw.until(TWO[-4:])
        app.make(EVENTS[2], None)
        rest = raw.until(LAST)

    assert first.body + second == ONE + TWO
    assert (first.body, rest) == (came, THREE + LAST)
    assert server.trace[0].outcome is Outcome.ANSWERED


def test_slicer(server: FakeServer, app: Live, clock: ManualClock) -> None:
    """Each event comes so much later, and no later than that."""
    server.fail(faults.slicer(seconds=2))
    with Raw(server) as raw:
        app.make(EVENTS[0])
        head = raw.send(GET).silence()
        clock.advance(2)
        one = raw.until(ONE)
        app.make(EVENTS[1], None)
        assert raw.silence() == Seen(b"", End.OPEN)
        clock.advance(2)
        rest = raw.until(LAST)

    assert (head.body, one, rest) == (b"", ONE, TWO + LAST)


def test_several_together(server: FakeServer, app: Live, clock: ManualClock) -> None:
    """If each of them can do without the rest."""
    server.fail(faults.together(faults.latency(5), faults.cut_stream(after=1)))
    with Raw(server) as raw:
        app.make(EVENTS[0])
        assert raw.send(GET).silence() == Seen(b"", End.OPEN)
        clock.advance(5)
        seen = raw.rest()

    assert (seen.body, seen.end) == (ONE, End.FIN)


def test_an_application_that_fails_before_the_place() -> None:
    """Its answer ends there, as without a fault."""

    def app(environ: Any, start: Callable[..., Any]) -> Iterator[bytes]:
        start("200 OK", [])
        yield b"event"
        raise KeyError("second")

    with FakeServer(app) as server:
        server.fail(faults.stall_stream(after=7))
        seen = talk(server)

    assert (seen.body, seen.end) == (ONE, End.FIN)
    assert "KeyError('second')" in server.trace[0].note


@pytest.mark.parametrize(
    "fault", [faults.slicer("all"), faults.limit_data(), faults.cut_stream(at=0.5)]
)
@pytest.mark.parametrize("stops", [False, True])
def test_a_body_without_an_end_is_made_for_somebody(fault: faults.Fault, *, stops: bool) -> None:
    """What needs all of it waits for ever; the body is closed when nobody waits any more."""
    closed, made = threading.Event(), threading.Event()

    def app(environ: Any, start: Callable[..., Any]) -> Iterator[bytes]:
        start("200 OK", [])
        try:
            for number in count():
                if number == 100:
                    made.set()
                yield b"x"
        finally:
            closed.set()

    with FakeServer(app) as server:
        server.fail(fault)
        with Raw(server) as raw:
            raw.send(GET)
            assert made.wait(LONG)
            if stops:
                server.stop()
                assert closed.wait(LONG)
        assert closed.wait(LONG)


@pytest.mark.parametrize("fault", [faults.cut_stream(after=0), faults.slicer()])
def test_a_status_without_a_body(server: FakeServer, app: Live, fault: faults.Fault) -> None:
    """Is answered at once: nothing is waited for that will not be sent."""
    app._status = "204 No Content"
    server.fail(fault)
    app.make(EVENTS[0])
    with Raw(server) as raw:
        seen = raw.send(GET).silence()

    assert (seen.status, seen.body) == (200 if "cut" in fault.label else 204, b"")
    assert app.closed.wait(LONG)


def test_http_1_0_is_told_the_length(server: FakeServer, app: Live) -> None:
    """So that a FIN is not taken for the proper end; for that, all must be there."""
    server.fail(faults.cut_stream(after=1))
    with Raw(server) as raw:
        app.make(*EVENTS, None)
        seen = raw.send(OLD).rest()

    assert (seen.body, seen.end) == (EVENTS[0], End.FIN)
    assert b"Content-Length: 16\r\n" in seen.head


def test_a_fault_of_ones_own_that_fails(server: FakeServer, app: Live) -> None:
    """It is a 500, and the application is told that nobody reads."""

    class Mine:
        label = "mine"
        live = True

        def apply(self, script: Any, context: Any) -> Any:
            assert script.live
            raise KeyError("mine")

    server.fail(Mine())
    with Raw(server) as raw:
        app.make(EVENTS[0])
        assert raw.send(GET).answer().status == 500
        app.make(EVENTS[1], EVENTS[2])

    assert app.closed.wait(LONG)
    assert "KeyError('mine')" in server.trace[0].note
