"""Many at once: clients that come together or hang together, answers, servers, threads."""

from __future__ import annotations

import contextlib
import resource
import threading
import time

import pytest

from pytest_resilience import (
    FakeServer,
    engine,
    faults,
)
from tests.wire.apps import app_of
from tests.wire.raw import GET, End, Raw, ask

pytestmark = pytest.mark.usefixtures("gives_back")


def test_stop_with_a_thousand_hanging() -> None:
    """A thousand connections hang at once, others are served, and stopping takes no time."""
    with FakeServer(app_of(), blocking=False) as server:
        server.fail(faults.timeout(), times=1000)
        hanging = [Raw(server).send(GET) for _ in range(1000)]
        pending = len(server.trace)
        answer = ask(server)
        began = time.perf_counter()
        server.stop()
        took = time.perf_counter() - began
    ends = {raw.rest().end for raw in hanging}
    for raw in hanging:
        raw.sock.close()

    assert pending == 1000
    assert answer.status == 200
    assert ends == {End.FIN}
    assert took < 1  # about 15 ms on an idle machine


def test_more_at_once_than_one_turn_accepts() -> None:
    """Of clients that come all at once, the loop takes some a turn and none is left out."""
    with FakeServer(app_of(), blocking=False) as server:
        loop, held = engine.running(), threading.Event()
        assert loop is not None
        loop.call_soon_threadsafe(held.wait)
        clients = [Raw(server).send(GET) for _ in range(100)]
        held.set()
        statuses = {client.answer().status for client in clients}
        for client in clients:
            client.sock.close()

    assert statuses == {200}
    assert len(server.trace) == 100


def test_a_crowd_is_let_in_together() -> None:
    """Who has come is let in before those who are there are served once more."""
    with FakeServer(app_of(), blocking=False) as server, contextlib.ExitStack() as crowd:
        loop, holding, held = engine.running(), threading.Event(), threading.Event()
        assert loop is not None
        regular = crowd.enter_context(Raw(server))
        assert regular.send(GET).answer().status == 200

        def hold() -> None:
            holding.set()
            held.wait()

        loop.call_soon_threadsafe(hold)
        assert holding.wait(20)
        clients = [crowd.enter_context(Raw(server)).send(GET) for _ in range(30)]
        let_in: list[int] = []
        # The loop calls it at the end of its next turn, the first that sees the crowd.
        loop.call_soon_threadsafe(lambda: let_in.append(len(server._started().connections)))
        held.set()
        assert {client.answer().status for client in clients} == {200}

    assert let_in == [1 + 30]


def test_answers_that_nobody_reads() -> None:
    """Answers that fill the client's buffers wait, and come when they are read."""
    with FakeServer(app_of(bytes(50_000)), blocking=False) as server, Raw(server) as raw:
        raw.send(GET * 500).readable(5)
        waiting = server.trace
        sizes = {len(raw.answer().body) for _ in range(500)}

        assert len(server.trace) == 500
    assert len(waiting) < 500
    assert sizes == {50_000}


def cycles(times: int) -> None:
    for number in range(times):
        with FakeServer(app_of(), blocking=number % 2 == 0) as server:
            if number % 10 == 0:
                server.fail(faults.timeout())
                raw = Raw(server).send(GET)
                assert server.trace.faults == ["timeout"]
            if number % 3 == 0:
                with server.outage():
                    pass
            if number % 7 == 0:
                ask(server)
        if number % 10 == 0:
            raw.sock.close()


def test_two_thousand_cycles() -> None:
    """Two thousand starts and stops, with hanging clients, leave nothing behind."""
    cycles(2000)


@pytest.mark.soak
def test_ten_thousand_cycles() -> None:
    """Ten thousand starts and stops leave neither thread nor descriptor, nor memory."""
    cycles(200)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cycles(10_000)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB


def test_servers_on_many_threads() -> None:
    """Servers may start and stop on many threads at once."""

    def life() -> None:
        for _ in range(50):
            with FakeServer(app_of(), blocking=False) as server:
                statuses.append(ask(server).status)

    statuses: list[int] = []
    threads = [threading.Thread(target=life) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 400
