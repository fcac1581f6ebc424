"""Start, stop, down, up: what a server takes and gives back, and how fast."""

from __future__ import annotations

import contextlib
import errno
import gc
import multiprocessing
import os
import resource
import select
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_resilience import (
    Attempt,
    Fake,
    FakeServer,
    Outcome,
    PlanError,
    ServerError,
    engine,
    faults,
    use_clock,
)
from pytest_resilience.clock import Job
from pytest_resilience.engine._loop import Loop
from pytest_resilience.server._workers import Workers
from tests.wire.apps import ManualClock, app_of
from tests.wire.raw import GET, End, Raw, Seen, ask, ended, talk


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def engines() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("pytest-resilience")]


@pytest.fixture(autouse=True)
def gives_back(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test here no thread and no descriptor is left."""
    # A test before may have used our own fixtures, which keep the engine for the session.
    plugin: Any = request.config.pluginmanager.get_plugin("resilience")
    plugin.desk_of(request.config).release_engine()
    gc.collect()
    before = descriptors()
    yield
    assert engines() == []
    gc.collect()
    assert descriptors() == before
    assert engine.take_errors() == []
    assert engine.running() is None


# --- stop ------------------------------------------------------------------------------


def test_stop_ends_connections() -> None:
    """Connections that idle or hang when the server stops end with a FIN, and are recorded."""
    with FakeServer(app_of(), blocking=False) as server, Raw(server) as idle, Raw(server) as hangs:
        idle.send(GET).answer()
        server.fail(faults.timeout())
        hangs.send(GET).silence()
        server.stop()
        ends = [idle.rest(), hangs.rest()]

    assert ends == [Seen(b"", End.FIN)] * 2
    assert [a.outcome for a in server.trace] == [Outcome.ANSWERED, Outcome.CUT]


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


def test_start_and_stop_are_quick() -> None:
    """Start, first answer and stop, with a connection that hangs, take milliseconds."""
    took = []
    for _ in range(20):
        began = time.perf_counter()
        with FakeServer(app_of(), blocking=False) as server:
            ask(server)
            with Raw(server) as raw:
                server.fail(faults.timeout())
                raw.send(GET)
                server.stop()
        took.append(time.perf_counter() - began)

    assert min(took) < 0.01  # 2 + 5 ms wanted; the best of many, the machine may be busy


def test_stop_twice_and_start_again() -> None:
    """Stopping twice is stopping; a stopped server can start again and its trace goes on."""
    server = FakeServer(app_of(), blocking=False)
    server.stop()
    for _ in range(2):
        server.start()
        ask(server)
        server.stop()
        server.stop()

    assert [a.number for a in server.trace] == [1, 2]
    assert not server.running
    assert repr(server) == "<FakeServer not running>"


def test_start_twice() -> None:
    """A server that runs refuses to start."""
    with FakeServer(app_of()) as server:
        assert repr(server) == f"<FakeServer at {server.url}>"
        with pytest.raises(ServerError, match=f"FakeServer runs already, at {server.url}"):
            server.start()


def test_not_started() -> None:
    """A server that was never started has no address, and cannot go down."""
    server = FakeServer(app_of())
    with pytest.raises(ServerError, match=r"FakeServer has no address yet: use it in a with"):
        _ = server.url
    with pytest.raises(ServerError, match=r"FakeServer is not running: start\(\) it first"):
        server.down()
    assert list(server.trace) == []


def test_stop_by_the_application() -> None:
    """An application may stop its own server, on the server's thread or on a worker's."""
    for blocking in (False, True):

        def app(environ: Any, start: Callable[..., Any]) -> list[bytes]:
            server.stop()  # noqa: B023 -- called before the next turn
            start("200 OK", [])
            return [b"x"]

        server = FakeServer(app, blocking=blocking).start()
        seen = talk(server)
        _quiet()

        assert seen.end is End.FIN
        assert not server.running


def test_stop_by_a_predicate_while_another_server_runs() -> None:
    """The others go on when one server stops on the engine's own thread."""
    with FakeServer(app_of(), blocking=False) as other:
        server = FakeServer(app_of(), blocking=False).start()

        def when(attempt: Attempt) -> bool:
            server.stop()
            return True

        server.fail(503, when=when)
        talk(server)

        assert ask(other).status == 200


def test_application_that_answers_after_the_stop() -> None:
    """An answer that comes when the server has stopped harms nobody."""
    go = threading.Event()

    def app(environ: Any, start: Callable[..., Any]) -> list[bytes]:
        go.wait(20)
        start("200 OK", [])
        return [b"late"]

    with FakeServer(app) as server:
        raws = [Raw(server).send(GET) for _ in range(5)]
        _ = [raw.silence() for raw in raws[-1:]]
    go.set()
    for raw in raws:
        assert raw.rest() == Seen(b"", End.FIN)
        raw.sock.close()
    _quiet()


def test_start_over() -> None:
    """Starting over empties trace and plan, and brings a server that is down up again."""
    with FakeServer(app_of(), blocking=False) as server:
        server.fail(503, times=5)
        ask(server)
        server.down()
        server.start_over()
        answer = ask(server)

        assert answer.status == 200
        assert [a.number for a in server.trace] == [1]
        assert server.plan.rules == ()


def test_attempt_that_began_before_starting_over() -> None:
    """What hung before is not in the new trace, not even when it ends."""
    with FakeServer(app_of(), blocking=False) as server:
        server.fail(faults.timeout())
        with Raw(server) as raw:
            raw.send(GET).silence()
            server.start_over()
        ask(server)

        assert [(a.number, a.outcome) for a in server.trace] == [(1, Outcome.ANSWERED)]


# --- where it listens --------------------------------------------------------------


def test_ipv6() -> None:
    """A server on ::1 has an address with brackets, and answers there."""
    if not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    with FakeServer(app_of(), host="::1", blocking=False) as server:
        url, seen = server.url, ask(server)
        server.down()
        server.up()
        again = ask(server)
        server.fail(faults.reset_peer())
        reset = talk(server)

    assert url == f"http://[::1]:{server.port}"
    assert seen.status == again.status == 200
    assert reset.end is End.RST


def test_busy_port() -> None:
    """A busy port is an error that says so and what to do, and leaves nothing behind."""
    with FakeServer(app_of()) as server:
        with pytest.raises(ServerError) as caught:
            FakeServer(app_of(), port=server.port).start()

        assert str(caught.value) == (
            f"port {server.port} of 127.0.0.1 is busy: another program listens there; "
            "choose another port, or 0 for a free one"
        )


def test_address_of_another_machine() -> None:
    """An address that is not this machine's is an error that names it."""
    with pytest.raises(ServerError, match=r"cannot listen on 192\.0\.2\.1 port 0: "):
        FakeServer(app_of(), host="192.0.2.1").start()


@pytest.mark.parametrize("host", ["", " ", "127.0.0.1\0", None, b"127.0.0.1"])
def test_no_address(host: Any) -> None:
    """Nothing would mean every address of this machine, so it is refused where it is written."""
    with pytest.raises(PlanError, match=r"^host=.* is not allowed: wanted an address of this mach"):
        FakeServer(app_of(), host=host)


def test_chosen_port() -> None:
    """A port of one's own choice can be had again and again, whatever hangs on it."""
    with FakeServer(app_of()) as server:
        port = server.port
        talk(server, b"GET / HTTP/1.0\r\n\r\n")
    for _ in range(5):
        with FakeServer(app_of(), port=port) as server:
            assert server.port == port
            assert talk(server, b"GET / HTTP/1.0\r\n\r\n").status == 200


# --- down and up -------------------------------------------------------------------------


def test_down_and_up() -> None:
    """Down resets what is open and refuses what comes; up answers on the same port."""
    with FakeServer(app_of(), blocking=False) as server, Raw(server) as idle, Raw(server) as hangs:
        port = server.port
        idle.send(GET).answer()
        server.fail(faults.timeout())
        hangs.send(GET).silence()
        with server.outage():
            ends = [idle.rest(), hangs.rest()]
            for _ in range(3):
                with pytest.raises(ConnectionRefusedError):
                    Raw(server)
        answer = ask(server)

        assert server.port == port
    assert ends == [Seen(b"", End.RST)] * 2
    assert answer.status == 200
    assert server.trace[1].outcome is Outcome.CUT


def test_down_twice_and_up_twice() -> None:
    """Down twice is down, up twice is up."""
    with FakeServer(app_of(), blocking=False) as server:
        server.down()
        server.down()
        with pytest.raises(ConnectionRefusedError):
            Raw(server)
        server.up()
        server.up()

        assert ask(server).status == 200


def test_down_for_seconds() -> None:
    """down(seconds) ends by itself; a later down() outlives it."""
    clock = ManualClock()
    with FakeServer(app_of(), blocking=False, clock=clock) as server:
        server.down(5)
        clock.advance(5)
        answer = ask(server)
        server.down(5)
        server.down()
        clock.advance(5)
        with pytest.raises(ConnectionRefusedError):
            Raw(server)
        server.stop()
        clock.advance(5)

    assert answer.status == 200


def test_stop_while_down() -> None:
    """A server that is down stops like any other, and gives its port back."""
    with FakeServer(app_of()) as server:
        server.down()
        port = server.port
    with FakeServer(app_of(), port=port) as again:
        assert ask(again).status == 200


@pytest.mark.parametrize("reuse", [(), ("SO_REUSEADDR",), ("SO_REUSEADDR", "SO_REUSEPORT")])
def test_nobody_takes_the_port_of_a_server_that_is_down(reuse: tuple[str, ...]) -> None:
    """The port is held while the server is down, whatever options another socket has."""
    with FakeServer(app_of()) as server, server.outage():
        with socket.socket() as other:
            for option in reuse:
                other.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
            with pytest.raises(OSError, match="in use") as caught:
                other.bind((server.host, server.port))
        assert caught.value.errno == errno.EADDRINUSE
        with pytest.raises(ServerError, match="is busy"):
            FakeServer(app_of(), port=server.port).start()


def test_hundreds_of_outages() -> None:
    """Up and down hundreds of times, with clients on it: always refused, always answered."""
    with FakeServer(app_of(), blocking=False) as server:
        for _ in range(300):
            with Raw(server) as raw:
                assert raw.send(GET).answer().status == 200
                server.down()
                with pytest.raises(ConnectionRefusedError):
                    Raw(server)
                assert raw.rest() == Seen(b"", End.RST)
                server.up()


def test_no_client_is_connected_to_itself() -> None:
    """A client that tries a closed port of loopback often enough never gets through to itself."""
    with FakeServer(app_of(), blocking=False) as server, server.outage():
        for _ in range(2000):
            with socket.socket() as sock:
                assert sock.connect_ex((server.host, server.port)) == errno.ECONNREFUSED


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


# --- limits of the machine ---------------------------------------------------------------


def test_out_of_descriptors() -> None:
    """Without descriptors clients wait; when some are free again they are served."""
    program = """
import os, resource, time
from pytest_resilience import FakeServer
from tests.wire.apps import app_of
from tests.wire.raw import GET, Raw, ask
taken = []
def exhaust():
    try:
        while True:
            taken.append(os.dup(0))
    except OSError as error:
        return error.errno
def free(number):
    for _ in range(number):
        os.close(taken.pop())
with FakeServer(app_of(), blocking=False) as server:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    ask(server)
    _ = server.trace
    print(exhaust())
    free(1)
    waits = Raw(server).send(GET)
    busy = os.times().user
    hung = not waits.readable(0.1)
    busy = os.times().user - busy
    free(9)
    print(hung, busy < 0.09, waits.answer().status)
    exhaust()
    free(1)
    refused = Raw(server)
    time.sleep(0.05)
    server.down()
    print("down")
    free(9)
    server.up()
    print(ask(server).status)
    exhaust()
    free(1)
    waits = Raw(server)
    time.sleep(0.05)
print("stopped")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=60, check=False, text=True
    )

    assert done.stderr == ""
    assert done.stdout.split("\n")[:-1] == [
        "24",
        "True True 200",
        "down",
        "200",
        "stopped",
    ]


def test_start_without_descriptors() -> None:
    """Whichever descriptor a server lacks, it does not start and leaves nothing behind."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    server = FakeServer(app_of())
    spare = os.dup(0)
    os.close(spare)
    refused = 0
    for more in range(20):
        resource.setrlimit(resource.RLIMIT_NOFILE, (spare + more, hard))
        try:
            with pytest.raises((OSError, ServerError), match="Too many open files"):
                server.start()
            refused += 1
        except pytest.fail.Exception:
            break
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        gc.collect()
    server.stop()

    assert refused >= 4  # epoll, pipe, holder, listener


# --- leaks ---------------------------------------------------------------------------------


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


# --- fork ------------------------------------------------------------------------------------


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


# --- the loop ------------------------------------------------------------------------------------


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


def test_answers_that_nobody_reads() -> None:
    """Answers that fill the client's buffers wait, and come when they are read."""
    with FakeServer(app_of(bytes(50_000)), blocking=False) as server, Raw(server) as raw:
        raw.send(GET * 500).readable(5)
        waiting = server.trace
        sizes = {len(raw.answer().body) for _ in range(500)}

        assert len(server.trace) == 500
    assert len(waiting) < 500
    assert sizes == {50_000}


def test_a_close_that_meets_a_reset() -> None:
    """A FIN for a client that has just reset the connection is none, and harms nobody."""
    clock = ManualClock()
    with FakeServer(app_of(), blocking=False, clock=clock) as server:
        server.fail(faults.timeout(close_after=1))
        raw = Raw(server)
        raw.send(GET).silence()
        timer = clock.timers[0]
        loop = engine.running()
        assert loop is not None

        def at_once() -> None:
            raw.reset()
            time.sleep(0.01)
            timer.callback()

        loop.run(at_once)

        assert server.trace[0].outcome is Outcome.CUT
        assert ask(server).status == 200


def test_an_idle_reset_that_comes_too_late() -> None:
    """A reset that was due while the connection was idle leaves a request alone."""
    clock = ManualClock()
    with FakeServer(app_of(), blocking=False, clock=clock) as server:
        server.fail(faults.reset_idle(after=1), faults.timeout())
        with Raw(server) as raw:
            raw.send(GET).silence()
            timer = clock.timers[0]
            raw.send(GET).silence()
            timer.loop.call_soon_threadsafe(timer.callback)

            assert raw.silence() == Seen(b"", End.OPEN)


def test_a_connection_that_cannot_be_welcomed() -> None:
    """Its client finds it closed, the defect is told, and others are served."""

    class Broken(ssl.SSLContext):
        def wrap_bio(self, *_: Any, **__: Any) -> Any:
            raise KeyError("no TLS today")

    with FakeServer(app_of(), tls=Broken(ssl.PROTOCOL_TLS_SERVER)) as server:
        with Raw(server) as first, Raw(server) as second:
            assert first.rest() == second.rest() == Seen(b"", End.FIN)
        assert server._started().connections == set()
    assert [type(error) for error in engine.take_errors()] == [KeyError, KeyError]


def test_errors_without_end() -> None:
    """A server that runs for days keeps the first hundred errors of its application."""

    def fails(environ: Any, start: Any) -> Any:
        raise LookupError(environ["QUERY_STRING"])

    with FakeServer(fails, blocking=False) as server, Raw(server) as raw:
        for number in range(120):
            raw.send(b"GET /?%d HTTP/1.1\r\nHost: x\r\n\r\n" % number)
            assert raw.answer().status == 500

    assert len(server.errors) == 100
    assert repr(server.errors[0]) == "LookupError('0')"


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
    _quiet()


def test_a_job_that_came_with_the_end() -> None:
    """A job that no thread has begun when the workers end is not begun."""
    workers = Workers()
    with workers._lock:
        workers._stopped = True
        workers._start()
    workers._jobs.put(Job(lambda: pytest.fail("ran")))
    _quiet()


def test_a_clock_that_comes_into_force() -> None:
    """A server without a clock of its own goes by the one in force, from its beginning on."""
    clock = ManualClock()
    with FakeServer(app_of(), blocking=False) as server:
        with use_clock(clock):
            ask(server)
            clock.advance(3)
            ask(server)
            times = [attempt.at for attempt in server.trace]
        ask(server)

    assert times == [0.0, 3.0]


def test_renewed_is_told() -> None:
    """Whoever asked is told when a server has started, and when it has started over."""
    told = []
    server = FakeServer(app_of(), blocking=False)
    server.renewed = lambda: told.append(1)
    server.start_over()
    with server:
        server.start_over()

    assert len(told) == 3
    assert server.environment == {}
    assert server.state() == {}
    server.set_state({})
    with pytest.raises(ServerError, match="FakeServer keeps no state that could be set"):
        server.set_state({"a": 1})


def test_an_observer_hears_of_each_attempt() -> None:
    """A journal's observer is told of each attempt, and of each change."""
    told: list[Attempt] = []
    with FakeServer(app_of(), blocking=False) as server:
        server.journal.observer = told.append
        ask(server)
        _ = server.trace

    assert [one.outcome for one in told] == [Outcome.PENDING, Outcome.ANSWERED]


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


def test_a_full_buffer() -> None:
    """An answer for which the kernel has no room at all waits like any other."""
    clock = ManualClock()
    with FakeServer(app_of(), blocking=False, clock=clock) as server, Raw(server) as raw:
        server.fail(faults.latency(1))
        raw.send(GET).silence()
        loop = engine.running()
        (connection,) = server._started().connections
        assert loop is not None

        def fill() -> None:
            with contextlib.suppress(BlockingIOError):
                while True:
                    filled.append(connection.sock.send(bytes(65_536)))

        filled: list[int] = []
        loop.run(fill)
        clock.advance(1)
        pending = server.trace[0].outcome
        junk = raw.exactly(sum(filled))
        answer = raw.answer()

    assert pending is Outcome.PENDING
    assert not junk.strip(b"\0")
    assert answer.status == 200
    assert server.trace[0].outcome is Outcome.ANSWERED


@pytest.mark.parametrize("fault", [faults.reset_peer(), faults.empty_reply()])
def test_stop_by_an_observer(fault: Any) -> None:
    """An observer may stop the server at the very moment an attempt ends."""

    def observer(one: Attempt) -> None:
        if one.outcome is Outcome.CUT:
            server.stop()

    server = FakeServer(app_of(), blocking=False).start()
    server.fail(fault)
    server.journal.observer = observer
    seen = talk(server)
    _quiet()

    assert seen.data == b""
    assert seen.end is not End.OPEN


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


def test_control_application_that_fails() -> None:
    """A control application that raises is a 500, and unseen by the trace."""

    def control(environ: Any, start: Callable[..., Any]) -> list[bytes]:
        raise KeyError("control")

    with FakeServer(app_of(), blocking=False) as server:
        server.control = control
        seen = ask(server, b"GET /_resilience/x HTTP/1.1\r\nHost: x\r\n\r\n")

        assert (seen.status, seen.body) == (500, b"KeyError('control')")
        assert len(server.trace) == 0


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


def _quiet() -> None:
    patience = time.monotonic() + 20
    while engines():
        assert time.monotonic() < patience, engines()
        time.sleep(0.001)
