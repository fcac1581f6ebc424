"""The world outside: foreign servers, other processes, rivals, forks, and what is left after."""

# Lambdas do one thing after another by returning a tuple of what nobody looks at.
# mypy: disable-error-code="func-returns-value"

from __future__ import annotations

import ast
import asyncio
import contextlib
import http.server
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests

import pytest_resilience
from pytest_resilience import ClockError, FakeServer, VirtualClock, faults


def real_monotonic() -> float:
    """The system's clock, which no stand-in hides."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


class Slow(http.server.BaseHTTPRequestHandler):
    """Answers after 0.3 seconds."""

    def do_GET(self) -> None:
        time.sleep(0.3)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None: ...


@contextlib.contextmanager
def in_a_thread() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.2,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


PROGRAM = """
import http.server, time
class Slow(http.server.BaseHTTPRequestHandler):
    wbufsize = 65536  # One write: see "stalls in the middle" among the limits in docs/clock.md.
    def do_GET(self):
        time.sleep(0.3)
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *a): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextlib.contextmanager
def in_a_process() -> Iterator[str]:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


@pytest.mark.parametrize("where", [in_a_thread, in_a_process])
def test_a_foreign_server_takes_real_time(where: object) -> None:
    """Its answer of 0.3 real seconds is no timeout of 20, and others' time keeps its pace."""
    with where() as url, VirtualClock() as clock:  # type: ignore[operator]
        began = real_monotonic()
        sleeper = threading.Thread(target=time.sleep, args=(1000,))
        sleeper.start()

        assert requests.get(url, timeout=20).text == "ok"
        took = real_monotonic() - began
        assert took >= 0.3
        assert clock.now <= took
        sleeper.join()
        assert clock.now == 1000
        assert clock.reports == ()


def test_a_foreign_server_and_asyncio() -> None:
    """A loop that waits for one does not run ahead to its own timeout."""

    async def main(url: str) -> None:
        async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
            assert (await client.get(url)).text == "ok"
        await asyncio.sleep(1000)

    with in_a_process() as url, VirtualClock() as clock:
        began = real_monotonic()
        asyncio.run(main(url))
        assert 1000 <= clock.now < 1000 + real_monotonic() - began
        assert clock.reports == ()


def test_another_process_takes_real_time(clock: VirtualClock) -> None:
    """Its timeouts are real, and nobody's time runs ahead meanwhile."""
    code = "import time; time.sleep(0.2); print('done')"
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], timeout=20, capture_output=True, check=True
        )
        assert done.stdout == b"done\n"
    assert clock.now == 0


def test_a_child_takes_real_time() -> None:
    """A fork under the clock ends it for the child, which goes on in real time."""
    with VirtualClock() as clock:
        time.sleep(3)
        child = os.fork()
        if child == 0:
            began = real_monotonic()
            time.sleep(0.05)
            os._exit(0 if real_monotonic() - began >= 0.05 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert clock.now == 3


def test_sockets_within_the_process(clock: VirtualClock) -> None:
    """A socketpair's ends are both here: its waits are virtual."""
    one, other = socket.socketpair()
    with one, other:
        threading.Thread(target=lambda: (time.sleep(5), other.send(b"x"))).start()
        one.settimeout(60)
        assert one.recv(1) == b"x"
    assert clock.now == 5


# Endings


def hang_on_our_server(server: FakeServer) -> None:
    server.fail(faults.timeout())
    requests.get(server.url, timeout=None)


WAITS: dict[str, Callable[[FakeServer], object]] = {
    "our server": hang_on_our_server,
    "an event": lambda server: threading.Event().wait(),
    "a loop": lambda server: asyncio.run(asyncio.Event().wait()),
    "a thread": lambda server: in_thread(threading.Event().wait).join(),
}


def in_thread(function: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


real_kill = (os.kill,)  # In a tuple, where it stays itself: as if sent from outside.


@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_during_a_wait(wait: str, server: FakeServer) -> None:
    """KeyboardInterrupt reaches whoever waits, and time is real again after it."""

    def press() -> None:
        # Not before all wait: one in the middle of connecting leaves urllib3's socket open,
        # and the warning of that meets some other test.
        time.sleep(5)
        real_kill[0](os.getpid(), signal.SIGINT)

    def ride() -> None:
        with VirtualClock(patience=40):
            in_thread(press)
            WAITS[wait](server)

    with pytest.raises(KeyboardInterrupt):
        ride()
    began = real_monotonic()
    time.sleep(0.01)
    assert real_monotonic() - began >= 0.01


def test_ctrl_c_that_wakes_nobody() -> None:
    """One that the kernel gives to another thread reaches the main thread all the same."""

    def press() -> None:
        time.sleep(5)
        real_kill[0](os.getpid(), signal.SIGINT)

    with VirtualClock(patience=40):
        in_thread(press)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with pytest.raises(KeyboardInterrupt):
                threading.Event().wait()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_a_signal_that_does_not_raise(clock: VirtualClock) -> None:
    """A handler runs in the middle of a wait, and the wait goes on."""
    seen: list[float] = []
    old = signal.signal(signal.SIGUSR1, lambda *_: seen.append(clock.now))
    try:
        threading.Thread(
            target=lambda: (time.sleep(1), os.kill(os.getpid(), signal.SIGUSR1), time.sleep(1))
        ).start()
        time.sleep(5)
    finally:
        signal.signal(signal.SIGUSR1, old)
    assert clock.now == 5


def test_a_thread_that_outlives_the_clock() -> None:
    """It sleeps the rest in real time, and the next clock has nothing to do with it."""
    ended: list[float] = []
    began = real_monotonic()
    with VirtualClock():
        thread = threading.Thread(target=lambda: (time.sleep(0.2), ended.append(real_monotonic())))
        thread.start()
    with VirtualClock() as clock:
        time.sleep(3)
        assert clock.now == 3
    thread.join()

    assert ended[0] - began >= 0.2


def test_locks_that_outlive_the_clock() -> None:
    """Made under a clock, they are locks like any other after it."""
    with VirtualClock():
        lock, event, condition = threading.Lock(), threading.Event(), threading.Condition()
    with lock:
        assert not lock.acquire(timeout=0.01)
        assert "locked" in repr(lock)
    threading.Thread(target=event.set).start()
    assert event.wait(20)
    with condition:
        assert not condition.wait(0.01)


@pytest.mark.parametrize("way", ["sleep", "advance"])
def test_a_fake_handler_that_lets_time_pass_is_told(clock: VirtualClock, way: str) -> None:
    """A handler on the engine's thread must not wait: the error says what to plan instead."""

    def app(environ: object, start: object) -> list[bytes]:
        {"sleep": time.sleep, "advance": clock.advance}[way](1)
        return []

    with FakeServer(app, blocking=False) as server:
        assert requests.get(server.url, timeout=5).status_code == 500
        assert "faults.latency" in str(server.errors[0])
        server.errors.clear()


def test_a_timeout_out_there_has_passed_here(clock: VirtualClock) -> None:
    """A loop that waits for somebody else until some moment ends at that moment."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.02)
        ends = time.monotonic() + 0.06
        while time.monotonic() < ends:
            with pytest.raises(TimeoutError):
                sock.recv(1)
    assert clock.now == 0.06


def test_a_timeout_of_a_process_has_passed_here(clock: VirtualClock) -> None:
    """As long as it took."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        for wait in (child.wait, lambda timeout: child.communicate(None, timeout)):
            with pytest.raises(subprocess.TimeoutExpired):
                wait(timeout=0.25)
        child.kill()
    assert clock.now == 0.5


def test_not_on() -> None:
    """advance needs a clock that is on, and goes forward."""
    clock = VirtualClock()
    with pytest.raises(ClockError, match="not on"):
        clock.advance(1)
    with clock, pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
    for seconds in ("1", None, float("inf"), float("nan")):
        with clock, pytest.raises(ValueError, match=r"^advance\(.*\): wanted a number of seconds$"):
            clock.advance(seconds)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"grace": -1}, "grace=-1 is not allowed: wanted seconds, 0 or more"),
        ({"grace": "x"}, "grace='x' is not allowed"),
        ({"grace": float("nan")}, "grace=nan is not allowed"),
        ({"patience": 0}, "patience=0 is not allowed: wanted seconds, more than 0"),
        ({"patience": float("inf")}, "patience=inf is not allowed"),
    ],
)
def test_what_is_no_time_is_refused(option: dict[str, Any], said: str) -> None:
    """Where it is written, not in the middle of a wait."""
    with pytest.raises(ValueError, match=f"^{said}"):
        VirtualClock(**option)


def test_it_says_where_it_stands() -> None:
    """As a failed assertion shows it."""
    with VirtualClock() as clock:
        clock.advance(1.5)
        assert repr(clock) == "<VirtualClock at 1.5 s>"
    assert repr(clock) == "<VirtualClock at 1.5 s, not on>"


def test_advance(clock: VirtualClock, server: FakeServer) -> None:
    """What falls due meanwhile happens in order."""
    server.down(1800)
    clock.advance(3600)

    assert requests.get(server.url, timeout=5).status_code == 200
    assert server.trace[0].at == 3600


def test_garbage_is_collected_in_the_middle_of_everything(
    clock: VirtualClock, server: FakeServer
) -> None:
    """Finalizers run at any moment and may wake others: nothing deadlocks."""
    import gc

    old = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(5):
            event = threading.Event()
            knot: list[object] = [Waking(event)]
            knot.append(knot)
            thread = threading.Thread(target=event.wait)
            thread.start()
            del knot
            server.fail(faults.latency(1))
            requests.get(server.url, timeout=5)
            event.set()
            thread.join()
    finally:
        gc.set_threshold(*old)
    assert clock.now == 5


class Waking:
    def __init__(self, event: threading.Event) -> None:
        self.event = event

    def __del__(self) -> None:
        self.event.set()


# One truth

READ = re.compile(
    r"\b(time\.(time|monotonic|perf_counter|process_time|thread_time|clock_gettime)(_ns)?"
    r"|time\.(sleep|ctime|localtime)|(datetime|date)\.(now|utcnow|today))\b"
)


def test_only_the_clock_reads_the_system_s_time() -> None:
    """No module but clock/ reads a clock of the system's, or sleeps by it."""
    root = Path(pytest_resilience.__file__).parent
    found = []
    for path in [*root.rglob("*.py"), *(root.parent / "fakes").rglob("*.py")]:
        if (root / "clock") in path.parents:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            reads = isinstance(node, ast.Attribute) and READ.fullmatch(ast.unparse(node))
            if reads or (isinstance(node, ast.ImportFrom) and node.module == "time"):
                found.append(f"{path.relative_to(root.parent)}: {ast.unparse(node)}")
    assert found == []
