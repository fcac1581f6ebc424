"""A handler that blocks the server's own thread: nobody waits for it for ever."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from pytest_resilience import Fake, FakeServer, ServerError, VirtualClock, engine, route
from pytest_resilience.clock import kernel
from pytest_resilience.engine import _watchdog
from pytest_resilience.engine._loop import Loop
from tests.wire.apps import app_of
from tests.wire.raw import GET, Raw, ask

pytestmark = pytest.mark.skipif(
    not kernel.HAS_PROC, reason="the kernel does not tell whether a thread sleeps"
)


class Stuck:
    """An application that waits for what the test has."""

    def __init__(self) -> None:
        self.entered, self.go = threading.Event(), threading.Event()
        self.thread = threading.current_thread()

    def __call__(self, environ: object, start_response: Any) -> list[bytes]:
        self.thread = threading.current_thread()
        self.entered.set()
        self.go.wait()  # Here it is.
        start_response("200 OK", [])
        return [b""]


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stuck]:
    """It goes on after the test, and its thread ends then."""
    monkeypatch.setattr(_watchdog, "PATIENCE_NS", 300_000_000)
    monkeypatch.setattr(sys.modules[Loop.__module__], "LOOK", 0.05)
    app = Stuck()
    yield app
    app.go.set()
    app.thread.join()


WORDS = r"own thread has been blocked for 0\.3 real seconds .*test_blocked\.py.*Here it is\."


def test_the_trace_says_so(stuck: Stuck) -> None:
    """And the server can be stopped, and the next one has a thread that works."""
    with FakeServer(stuck, blocking=False) as server, Raw(server) as client:
        client.send(GET)
        stuck.entered.wait()
        with pytest.raises(ServerError, match=WORDS):
            _ = server.trace
        assert server.trace.statuses == [None]
        assert server.plan.rules == ()
    with FakeServer(app_of(), blocking=False) as other:
        assert ask(other).status == 200
        assert engine.running() is not None


def test_it_can_be_started_again(stuck: Stuck) -> None:
    """Without a stop: it does not run any more, whoever has noticed."""
    server = FakeServer(stuck, blocking=False).start()
    with Raw(server) as client:
        client.send(GET)
        stuck.entered.wait()
        with pytest.raises(ServerError, match=WORDS):
            _ = server.trace
        assert not server.running
        server.start()
        assert client.rest().data == b""
        stuck.go.set()
        stuck.thread.join()
        assert ask(server).status == 200
        server.stop()


def test_nobody_waits_for_the_lock_of_a_handler(stuck: Stuck) -> None:
    """What a test asks a fake for, and what a report does, takes the same lock."""

    class Notes(Fake):
        @route("GET", "/")
        def read(self, _request: object) -> object:
            return stuck({}, lambda *_: None)

    with Notes() as fake, Raw(fake) as client:
        client.send(GET)
        stuck.entered.wait()
        with pytest.raises(ServerError, match=WORDS):
            _ = fake.trace
        assert fake.lock.acquire(timeout=20)
        fake.lock.release()


def test_the_end_says_so(stuck: Stuck) -> None:
    """Everything is closed all the same."""
    server = FakeServer(stuck, blocking=False).start()
    with Raw(server) as client:
        client.send(GET)
        stuck.entered.wait()
        with pytest.raises(ServerError, match=WORDS):
            server.stop()
        assert client.rest().data == b""
    assert not server.running
    assert engine.running() is None


def test_whoever_waits_in_virtual_time_is_told(stuck: Stuck) -> None:
    """A client without a timeout, too; the clock is off afterwards."""
    with FakeServer(stuck, blocking=False) as server:
        with pytest.raises(ServerError, match=WORDS), VirtualClock():
            requests.get(server.url, timeout=None)
        with VirtualClock() as clock:
            clock.advance(1)
            assert clock.now == 1


def test_a_clock_that_is_switched_on_is_put_away(stuck: Stuck) -> None:
    """It may be the first to wait for the loop."""
    with FakeServer(stuck, blocking=False) as server, Raw(server) as client:
        client.send(GET)
        stuck.entered.wait()
        with pytest.raises(ServerError, match=WORDS):
            VirtualClock().__enter__()
        with VirtualClock() as clock:
            clock.advance(1)
            assert clock.now == 1


def test_a_call_is_made_once(stuck: Stuck) -> None:
    """By whoever waits for it: the loop that comes back later does not make it again."""
    calls: list[threading.Thread] = []
    with FakeServer(stuck, blocking=False) as server, Raw(server) as client:
        loop = engine.running()
        assert loop is not None
        client.send(GET)
        stuck.entered.wait()
        with pytest.raises(ServerError, match=WORDS):
            loop.run(lambda: calls.append(threading.current_thread()))
        loop.run(lambda: calls.append(threading.current_thread()))
        stuck.go.set()
        stuck.thread.join()

    assert calls == [threading.current_thread()] * 2


def test_a_handler_that_takes_its_time_is_waited_for(stuck: Stuck) -> None:
    """Within the patience, and for as long as its thread moves."""
    with FakeServer(stuck, blocking=False) as server, Raw(server) as client:
        client.send(GET)
        stuck.entered.wait()
        timer = threading.Timer(0.1, stuck.go.set)
        timer.start()
        assert server.trace.statuses == [200]
        timer.join()
        stuck.thread = timer
        loop = engine.running()
        assert loop is not None
        loop.check()

    watchdog = _watchdog.Watchdog()
    assert not any(watchdog.is_blocked(1, threading.get_native_id()) for _ in range(3))
