"""The loop thread and its workers: calls, timers, errors of ours, the end."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable

import pytest

from pytest_resilience import (
    FakeServer,
    Outcome,
    engine,
    faults,
)
from pytest_resilience.clock import Job
from pytest_resilience.server._workers import Workers
from tests.wire.apps import app_of
from tests.wire.leftovers import quiet
from tests.wire.raw import GET, End, Raw, Seen, ask, ended, talk

pytestmark = pytest.mark.usefixtures("gives_back")


def test_without_epoll(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no epoll the loop polls, and everything is the same."""
    monkeypatch.delattr(select, "epoll")
    with FakeServer(app_of(bytes(3_000_000)), blocking=True) as server:
        server.fail(faults.latency(0.01), faults.reset_peer(), faults.timeout())
        late = ask(server)
        reset = talk(server)
        with Raw(server) as raw:
            raw.send(GET).silence()
        gone = ended(server, 3)

    assert len(late.body) == 3_000_000
    assert reset == Seen(b"", End.RST)
    assert gone.outcome is Outcome.GONE


def test_an_error_of_the_engine_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A defect of ours is printed and kept, and the engine goes on."""
    with FakeServer(app_of(), blocking=False) as server:
        loop = engine.running()
        assert loop is not None
        loop.call_soon_threadsafe(lambda: 1 / 0)
        answer = ask(server)
    errors = engine.take_errors()

    assert answer.status == 200
    assert [type(error) for error in errors] == [ZeroDivisionError]
    assert "the engine caught an error of its own" in capsys.readouterr().err


def test_an_error_in_a_call_comes_back() -> None:
    """An error of a call on the engine's thread is raised where it was asked for."""
    with FakeServer(app_of(), blocking=False):
        loop = engine.running()
        assert loop is not None
        with pytest.raises(ZeroDivisionError):
            loop.run(lambda: 1 / 0)


def test_a_loop_that_has_ended_still_answers() -> None:
    """Nobody waits for a loop that has ended: a call is made at once."""
    with FakeServer(app_of(), blocking=False):
        loop = engine.running()
    assert loop is not None

    assert loop.run(lambda: 7) == 7
    loop.settle()


def test_ceaseless_traffic_does_not_keep_the_trace() -> None:
    """The trace is given out although there is never a quiet moment."""
    with FakeServer(app_of(), blocking=False) as server:
        loop = engine.running()
        assert loop is not None
        going = True

        def again() -> None:
            if going:
                loop.call_soon_threadsafe(again)

        again()
        readers, writer = os.pipe()
        os.write(writer, b"x")
        loop.run(lambda: loop.add(readers, lambda mask: None, select.POLLIN))
        trace = server.trace
        going = False
        loop.run(lambda: loop.remove(readers))
        os.close(readers)
        os.close(writer)

    assert len(trace) == 0


def test_a_handler_that_fails() -> None:
    """A defect in a handler is told, and a handler removed in the same turn is not called."""
    with FakeServer(app_of(), blocking=False) as server:
        loop = engine.running()
        assert loop is not None
        pipes = [os.pipe() for _ in range(2)]
        called = []

        def handle(mask: int) -> None:
            called.append(mask)
            for readable, _ in pipes:
                loop.remove(readable, handle)
            raise KeyError("handler")

        def begin() -> None:
            for readable, writable in pipes:
                loop.add(readable, handle, select.POLLIN)
                os.write(writable, b"x")

        loop.run(begin)
        loop.settle()
        loop.remove(pipes[0][0], handle)

        assert len(called) == 1
        assert ask(server).status == 200
        for pipe in pipes:
            os.close(pipe[0])
            os.close(pipe[1])
    assert [type(error) for error in engine.take_errors()] == [KeyError]


def test_a_job_after_the_end() -> None:
    """Workers that have ended take no jobs; a job that waits for a thread is dropped."""
    workers = Workers()
    ran = threading.Event()
    go = threading.Event()

    def job(_: object) -> None:
        ran.set()
        go.wait(20)

    workers.run(job)
    assert ran.wait(20)
    assert workers.stop() == []
    workers.run(lambda _: pytest.fail("ran"))
    go.set()
    quiet()


def test_a_job_that_came_with_the_end() -> None:
    """A job that no thread has begun when the workers end is not begun."""
    workers = Workers()
    with workers._lock:
        workers._stopped = True
        workers._start()
    workers._jobs.put(Job(lambda: pytest.fail("ran")))
    quiet()


def test_wake_ups_without_cause() -> None:
    """A connection or a listener that is woken for nothing does nothing."""
    with FakeServer(app_of(), blocking=False) as server, Raw(server) as raw:
        raw.send(GET).answer()
        loop = engine.running()
        assert loop is not None
        listener = server._started()
        (connection,) = listener.connections
        loop.run(connection._receive)
        loop.run(lambda: listener._accept(0))
        assert raw.send(GET).answer().status == 200
        server.down()
        loop.run(lambda: listener._accept(0))


def test_a_timer_that_was_cancelled_in_time() -> None:
    """A timer may be cancelled by another that is due with it."""
    with FakeServer(app_of(), blocking=False):
        loop = engine.running()
        assert loop is not None
        called = []

        def begin() -> None:
            first = loop.call_at_real(0, lambda: (called.append(1), second.cancel()))  # type: ignore[func-returns-value]
            second = loop.call_at_real(0, lambda: called.append(2))
            assert first is not second

        loop.run(begin)
        loop.settle()

    assert called == [1]


def test_leftovers_that_another_thread_has_taken() -> None:
    """Two threads may find the same leftover of a loop that has ended; one makes the call."""

    class Slow(deque[Callable[[], object]]):
        def popleft(self) -> Callable[[], object]:
            taken.append(super().popleft())
            raise IndexError

    taken: list[object] = []
    with FakeServer(app_of(), blocking=False):
        loop = engine.running()
    assert loop is not None
    loop._soon = Slow()
    loop.call_soon_threadsafe(print)

    assert taken == [print]
