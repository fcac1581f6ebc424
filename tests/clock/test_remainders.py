"""What no other law of the clock's runs into by itself."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from pytest_resilience import FakeServer, VirtualClock
from pytest_resilience.clock import Job, _foreign, _here, _links, _polling, interrupt

if TYPE_CHECKING:
    import pytest


def test_an_interrupted_wait(clock: VirtualClock) -> None:
    """A thread that waits in virtual time can be got out of it, and one that has ended cannot."""
    seen: list[BaseException] = []

    def wait() -> None:
        try:
            threading.Event().wait()
        except ValueError as error:
            seen.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(1)
    error = ValueError("enough")
    assert interrupt(thread, error)
    thread.join()
    assert seen == [error]
    assert not interrupt(thread, error)


def test_no_clock_to_interrupt() -> None:
    """Without a clock nobody waits in virtual time, and no job is waited for."""
    assert not interrupt(threading.main_thread(), ValueError())
    Job(lambda: None).expect()


def test_a_process_that_is_looked_at_in_real_time(clock: VirtualClock) -> None:
    """It is no look of a thread whose time is real."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        with _here.in_real_time():
            assert child.poll() is None
        child.communicate(b"\n")


def test_waits_among_the_looks(clock: VirtualClock) -> None:
    """Whoever has waited meanwhile is no loop before the patience."""
    conductor = clock._conductor
    assert conductor is not None
    looks = conductor.me(str).looks
    looks.begin(0)
    looks.count, looks.parks = _polling.LOOKS, 1
    assert not _polling._is_loop(conductor, looks)


def test_a_failure_that_reaches_nobody(
    clock: VirtualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said once."""
    conductor = clock._conductor
    assert conductor is not None
    assert not conductor._fail("why")
    assert not conductor._fail("why")
    assert capsys.readouterr().err.count("pytest-resilience: why") == 1
    assert len(conductor.reports) == 1
    conductor.reports.clear()


def test_sockets_and_names(server: FakeServer) -> None:
    """A socket is no pipe, localhost is one of ours by its port, and who was never linked goes."""
    with socket.socket() as sock:
        assert not _foreign.is_pipe(sock.fileno())
        assert _links.ours(("localhost", server.port))
        assert not _links.ours(("localhost", 1))
        key = ("127.0.0.1", 1, 1)
        _links.serve(key, sock)
        _links.unserve(key)
    assert not _links.touched() or key not in _links._touched
