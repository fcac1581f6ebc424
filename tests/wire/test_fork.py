"""Processes that fork while a server is up."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Callable

import pytest

from pytest_resilience import (
    Fake,
    FakeServer,
    Outcome,
    engine,
    faults,
)
from pytest_resilience.engine._loop import Loop
from tests.wire.apps import app_of
from tests.wire.raw import GET, End, Raw, Seen, ask

pytestmark = pytest.mark.usefixtures("gives_back")


def in_child(work: Callable[[], None]) -> int:
    """Fork, do the work in the child, and return its exit code."""
    child = os.fork()
    if child == 0:  # pragma: no cover -- the child is not measured
        code = 1
        with contextlib.suppress(BaseException):
            work()
            code = 0
        os._exit(code)
    patience = time.monotonic() + 20
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > patience:
            os.kill(child, 9)
        time.sleep(0.002)


def test_fork() -> None:
    """A child stops its copy of a server without a trace in the parent, and starts its own."""
    with FakeServer(app_of(), blocking=False) as server, Raw(server) as hangs:
        server.fail(faults.timeout())
        hangs.send(GET).silence()

        def work() -> None:
            assert len(server.trace) == 1
            server.stop()
            with FakeServer(app_of()) as own:
                assert ask(own).status == 200
            server.start()
            assert ask(server).status == 200
            server.stop()

        code = in_child(work)
        after = ask(server).status

        assert code == 0
        assert after == 200
        assert server.trace[0].outcome is Outcome.PENDING


def test_fork_while_a_thread_holds_the_locks() -> None:
    """A child is not held up by what a thread of its parent held when it was forked."""

    class Notes(Fake):
        """Nothing to see."""

    with Notes() as server:
        held, go = threading.Event(), threading.Event()

        def hold() -> None:
            with server.lock, server.plan._lock, server.journal.lock:
                held.set()
                go.wait(20)

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait(20)

        def work() -> None:
            server.fail(503)
            assert len(server.trace) == 0
            with server.lock:
                server.plan.clear()

        code = in_child(work)
        go.set()
        thread.join()

    assert code == 0


def test_fork_keeps_resets_true() -> None:
    """A child that lives on does not hold connections open that the parent ends."""
    with FakeServer(app_of(), blocking=False) as server, Raw(server) as idle:
        idle.send(GET).answer()
        readable, writable = os.pipe()

        child = os.fork()
        if child == 0:  # pragma: no cover -- the child is not measured
            os.read(readable, 1)
            os._exit(0)
        server.down()
        seen = idle.rest()
        with pytest.raises(ConnectionRefusedError):
            Raw(server)
        os.write(writable, b"x")
        os.waitpid(child, 0)
        os.close(readable)
        os.close(writable)

    assert seen == Seen(b"", End.RST)


def test_fork_by_multiprocessing() -> None:
    """A client in a forked process speaks to the parent's server."""
    context = multiprocessing.get_context("fork")
    with FakeServer(app_of()) as server:
        port = server.port
        process = context.Process(target=_client, args=(port,))
        process.start()
        process.join(20)

        assert process.exitcode == 0
        assert server.trace.statuses == [200]
    process.close()


def _client(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(GET)
        assert sock.recv(12) == b"HTTP/1.1 200"


def test_a_loop_forgets_its_parent() -> None:
    """In a forked child a loop gives its descriptors back and makes calls at once."""
    loop = Loop(print)
    forgotten = []
    loop.at_fork.add(lambda: forgotten.append(1))
    loop.call_soon_threadsafe(lambda: forgotten.append(2))
    loop.forget_in_child()

    assert forgotten == [1]
    assert loop.run(lambda: 7) == 7
    engine.release(loop)


def test_a_listener_forgets_its_connections() -> None:
    """And a server gives back its copies of every socket, the port's included."""
    with FakeServer(app_of(), blocking=False) as server, Raw(server) as raw:
        raw.send(GET).answer()
        port = server.port
        loop = engine.running()
        assert loop is not None
        for forget in tuple(loop.at_fork):
            for sock_of in server._started().connections:
                loop.run(lambda: loop.remove(sock_of.sock.fileno()))  # noqa: B023 -- run at once
            listening = server._started()._sock
            assert listening is not None
            loop.run(lambda: loop.remove(listening.fileno()))  # noqa: B023 -- run at once
            loop.run(forget)
        assert raw.rest() == Seen(b"", End.FIN)
    with FakeServer(app_of(), port=port) as again:
        assert ask(again).status == 200


def test_an_engine_forgets_in_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a forked child there is no engine, and the parent's is let go of."""
    loop = Loop(print)
    monkeypatch.setattr(engine, "_loop", loop)
    monkeypatch.setattr(engine, "_users", 1)
    engine._forget_in_child()

    assert engine.running() is None
    assert loop.run(lambda: 7) == 7
    engine._forget_in_child()


def test_a_server_that_is_down_forgets_in_a_child() -> None:
    """A server that is down gives back the port that it held."""
    with FakeServer(app_of(), blocking=False) as server:
        server.down()
        port = server.port
        loop = engine.running()
        assert loop is not None
        for forget in tuple(loop.at_fork):
            loop.run(forget)
        with FakeServer(app_of(), port=port) as other:
            assert ask(other).status == 200


def test_a_fake_that_handles_a_request_forgets_in_a_child() -> None:
    """A handler that runs in the parent holds no lock of the child's."""
    fake = Fake()
    fake.lock.acquire()
    fake.renew_locks()
    got: list[bool] = []
    thread = threading.Thread(target=lambda: got.append(fake.lock.acquire(timeout=20)))
    thread.start()
    thread.join()

    assert got == [True]
