"""Limits of the machine, and connections that end or fill at a bad moment."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import ssl
import subprocess
import sys
import time
from typing import Any

import pytest

from pytest_resilience import (
    FakeServer,
    Outcome,
    ServerError,
    engine,
    faults,
)
from tests.wire.apps import ManualClock, app_of
from tests.wire.raw import GET, End, Raw, Seen, ask

pytestmark = pytest.mark.usefixtures("gives_back")


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
