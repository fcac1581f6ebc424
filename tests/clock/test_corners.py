"""Corners of the clock that nobody meets every day: each still does what it says."""

# Lambdas do one thing after another by returning a tuple of what nobody looks at.
# mypy: disable-error-code="func-returns-value"

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import datetime as dt
import functools
import multiprocessing
import multiprocessing.pool
import os
import select
import selectors
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import requests

from pytest_resilience import FakeServer, RealClock, VirtualClock, faults
from pytest_resilience.clock import (
    Job,
    _conductor,
    _counting,
    _current,
    _ends,
    _foreign,
    _here,
    _kernel,
    _links,
    _parties,
    _rivals,
    _sleep,
    _sockets,
    _watchers,
)


def in_thread(function: Callable[[], object], *, daemon: bool = False) -> threading.Thread:
    thread = threading.Thread(target=function, daemon=daemon)
    thread.start()
    return thread


def test_the_real_clock() -> None:
    """Its seconds are its nanoseconds."""
    clock = RealClock()
    assert clock.monotonic() == pytest.approx(clock.monotonic_ns() / 1e9, abs=5)
    assert clock.time() == pytest.approx(clock.time_ns() / 1e9, abs=5)


def test_a_handler_in_the_middle_of_a_wait(clock: VirtualClock) -> None:
    """Its own wait takes the place of that of its thread, which then waits on."""
    seen: list[float] = []
    old = signal.signal(
        signal.SIGALRM, lambda *_: (seen.append(clock.now), time.sleep(3), seen.append(clock.now))
    )

    def run_until_it_comes() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        while not seen:
            pass

    try:
        in_thread(run_until_it_comes)
        time.sleep(10)
    finally:
        signal.signal(signal.SIGALRM, old)
    assert seen == [0, 3]
    assert clock.now == 10


def test_a_child_that_goes_on(clock: VirtualClock) -> None:
    """What a forked child forgets: who conducts, and what was due."""
    conductor = clock._conductor
    assert conductor is not None
    try:
        _current._forget_in_child()

        assert _here.conducting() is None
        assert not conductor.active
        assert conductor.conduct() == -1
        assert conductor.dues.next() is None
        assert conductor.park(conductor.me(str), "nothing", 1) is _parties.Reason.STOPPED
        assert not conductor.step_out(conductor.me(str), "nothing")
        with _here.outside(conductor, "nothing"), _here.in_real_time():
            pass
        _sleep.sleep_until(conductor, 0, "nothing")
        with socket.socket() as sock:
            assert _sockets.wait(sock, conductor, select.POLLPRI, None) is None
        _current._forget_in_child()
    finally:
        conductor.active = True


@pytest.mark.parametrize("seconds", [Decimal("1.5"), Fraction(3, 2), "1.5"])
def test_what_nobody_can_wait_for(seconds: Any, clock: VirtualClock) -> None:
    """It is refused, as it is in real time."""
    for wait in (time.sleep, threading.Event().wait):
        with pytest.raises(TypeError):
            wait(seconds)
    assert clock.now == 0


def test_a_negative_sleep(clock: VirtualClock) -> None:
    """Is the same mistake as in real time."""
    with pytest.raises(ValueError, match="must be non-negative"):
        time.sleep(-1)


def test_lock_s_own_words(clock: VirtualClock) -> None:
    """A lock refuses what the real one refuses, and is fresh in a forked child."""
    lock = threading.Lock()
    with pytest.raises(ValueError, match="timeout"):
        lock.acquire(blocking=False, timeout=1)
    lock.acquire()
    lock._at_fork_reinit()  # type: ignore[attr-defined]
    assert not lock.locked()


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")  # From 3.12 on.
def test_code_that_keeps_real_time(clock: VirtualClock) -> None:
    """pytest and its kin read real clocks, whichever function they call."""
    names = {"__name__": "_pytest.timing", "time": time, "dt": dt}
    for read in ("time.time()", "time.time_ns()", "time.localtime()", "time.strftime('%c')"):
        eval(read, names)  # noqa: S307 -- as if a module of pytest's had it
    clock.advance(1e9)
    today = eval("(dt.datetime.now(), dt.datetime.utcnow(), dt.date.today())", names)  # noqa: S307

    assert all(moment.year < dt.datetime.now().year - 20 for moment in today)  # noqa: DTZ005
    assert dt.datetime.today().year > today[0].year  # noqa: DTZ002
    assert time.gmtime(0).tm_year == 1970
    assert time.strftime("%Y", time.gmtime(0)) == "1970"


@pytest.mark.parametrize("plugin", ["pytest_benchmark", "pytest_codspeed", "allure_commons"])
def test_plugins_that_measure_keep_real_time(plugin: str, clock: VirtualClock) -> None:
    """An hour of virtual time is no duration, and whoever measures for a while comes to an end."""
    names = {"__name__": f"{plugin}.module", "time": time}
    read = eval("lambda: time.perf_counter()", names)  # noqa: S307 -- as if a module of theirs had it
    began = read()
    clock.advance(3600)

    assert began < read() < began + 600


def test_selectors_outlive_the_clock() -> None:
    """A wait that lasts when the clock stops goes on in real time, in selectors and select."""
    found: list[object] = []
    one, other = socket.socketpair()
    selector = selectors.DefaultSelector()
    selector.register(one, selectors.EVENT_READ)
    with one, other, selector:
        with VirtualClock():
            threads = [
                in_thread(lambda: found.append(bool(selector.select()))),
                in_thread(lambda: found.append(bool(select.select([one], [], [])[0]))),
            ]
            time.sleep(1)
        with _here.in_real_time():
            assert select.select([one], [], [], 0) == ([], [], [])
            assert selector.select(0) == []
        other.send(b"x")
        for thread in threads:
            thread.join()
    assert found == [True, True]


def test_pipes_in_pollers(clock: VirtualClock, tmp_path: Path) -> None:
    """A pipe with a name is anybody's: who waits for one lets time pass as it does out there."""
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDWR | os.O_NONBLOCK)
    began = time.clock_gettime(time.CLOCK_MONOTONIC)
    with selectors.DefaultSelector() as selector, select.epoll() as epoll:
        selector.register(reading, selectors.EVENT_READ)
        assert selector.select(0.05) == []
        epoll.register(reading, select.EPOLLIN)
        assert epoll.poll(0.05) == []
        with select.epoll.fromfd(epoll.fileno()) as same:
            os.write(reading, b"x")
            assert same.poll(1) == [(reading, select.EPOLLIN)]
    os.close(reading)
    assert time.clock_gettime(time.CLOCK_MONOTONIC) - began >= 0.1
    assert clock.now == 0.1


@contextlib.contextmanager
def pipe_within() -> Iterator[tuple[int, int]]:
    """Both ends of a pipe."""
    ends = os.pipe()
    try:
        yield ends
    finally:
        for fd in ends:
            os.close(fd)


def test_a_pipe_within_this_process(clock: VirtualClock) -> None:
    """One whose ends are both here is virtual: somebody who can be seen writes into it."""
    with pipe_within() as (reading, writing):
        timer = threading.Timer(100, os.write, (writing, b"x"))
        timer.start()
        assert select.select([reading], [], [], 60) == ([], [], [])
        assert select.select([reading], [], [], 60) == ([reading], [], [])
        timer.join()
    assert clock.now == 100


def test_a_pipe_that_a_child_may_have(clock: VirtualClock) -> None:
    """Children inherit what they do not close."""
    command = [sys.executable, "-c", "input()"]
    with (
        pipe_within() as (reading, _),
        subprocess.Popen(command, stdin=subprocess.PIPE) as child,
    ):
        began = time.clock_gettime(time.CLOCK_MONOTONIC)
        assert select.select([reading], [], [], 0.05) == ([], [], [])
        assert time.clock_gettime(time.CLOCK_MONOTONIC) - began >= 0.05
        child.communicate(b"\n")


def test_a_socket_that_a_child_may_have(clock: VirtualClock) -> None:
    """The same for what multiprocessing.Pipe() is made of: the child takes its real time."""
    here, there = multiprocessing.get_context("fork").Pipe()
    with (
        here,
        there,
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child,
        socket.socket(fileno=os.dup(here.fileno())) as sock,
    ):
        began = time.clock_gettime(time.CLOCK_MONOTONIC)
        assert not here.poll(0.05)
        sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        assert time.clock_gettime(time.CLOCK_MONOTONIC) - began >= 0.1
        child.communicate(b"\n")
        assert not here.poll(100)


def test_what_wakes_a_loop_is_no_childs() -> None:
    """A loop that polls for a thread need not look at it in real time, whatever children run."""

    async def ask() -> bool:
        loop: Any = asyncio.get_running_loop()
        return _foreign.is_shared(loop._ssock)

    one, other = socket.socketpair()
    with (
        one,
        other,
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child,
    ):
        assert _foreign.is_shared(one)
        assert not asyncio.run(ask())
        child.communicate(b"\n")


def test_a_pool_of_threads_of_multiprocessing(clock: VirtualClock) -> None:
    """It looks after its threads by a pipe."""
    with multiprocessing.pool.ThreadPool(2) as pool:
        result = pool.map_async(time.sleep, [3000, 1000, 1000], chunksize=1)
        with pytest.raises(multiprocessing.TimeoutError):
            result.get(timeout=2500)
        result.get()
    assert clock.now == 3000


def test_a_descriptor_that_is_closed() -> None:
    """It is nobody's end."""
    assert not _foreign._is_inner(1_000_000)


def test_what_is_foreign() -> None:
    """A Unix socket to nobody, a process's descriptor, a file, and what is closed."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        fd = os.pidfd_open(child.pid)
        assert _foreign.is_pipe(fd)
        os.close(fd)
        assert not _foreign.is_pipe(fd)
        child.communicate(b"\n")
    with socket.socket(socket.AF_UNIX) as nobody, Path(__file__).open() as file:
        assert _foreign.is_foreign(nobody)
        assert not _foreign.is_pipe(file.fileno())
    assert _foreign.is_foreign(nobody)


def test_a_connection_that_stays_odd(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that never arrive are waited for a while, and then a report says whose they are."""
    monkeypatch.setattr(_conductor, "ODD_NS", 10_000_000)
    with FakeServer(lambda e, s: [], blocking=False) as server:
        server.fail(faults.timeout())
        with socket.create_connection((server.host, server.port)) as sock:
            sock.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(1)
            monkeypatch.setattr(_links, "_is_quiet", lambda key: False)
            _links.touch(sock)
            time.sleep(1)
            monkeypatch.undo()
    assert clock._conductor is not None
    (report,) = clock._conductor.reports
    assert report.startswith("took a connection as quiet that is not: client port ")
    clock._conductor.reports.clear()


def test_links_that_are_no_more() -> None:
    """What the kernel cannot be asked any more holds nothing back."""
    with socket.socket() as closed:
        pass
    assert _ends.counts(closed) is None
    assert _ends.unread(closed) == 0
    _links.connect(closed, 1)
    assert not _links.is_linked(closed)
    assert not _links.ours("a path")
    assert _links._is_quiet(("127.0.0.1", 1, 1))
    _links.served_sent(("127.0.0.1", 1, 1), finished=True)
    _links.forget_all()


def test_no_kernel_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no /proc, no thread is known, and none is given up."""
    monkeypatch.setattr(_kernel, "TASKS", Path("/nowhere"))
    monkeypatch.setattr(_kernel, "HAS_PROC", False)
    monkeypatch.setattr(_ends, "HAS_TCP_INFO", False)

    assert _kernel.threads() == set()
    assert not _kernel.exists(1)
    with socket.socket() as sock:
        assert _ends.info(sock) is None
    with VirtualClock() as clock:
        thread = in_thread(lambda: time.sleep(5))
        sum(range(1_000_000))
        thread.join()
        assert clock.now == 5


def test_a_party_without_a_thread() -> None:
    """One that is expected, or excused, is not blocked and has not ended."""
    party = _parties.Party(types.SimpleNamespace(), 1, "x", adopted=False)  # type: ignore[arg-type]
    assert party.blocked_for(10**18) == 0
    assert not party.has_ended()
    party.native_id = 2**22 + 5
    assert party.blocked_for(10**18) == 0
    assert party.has_ended()


def test_no_asyncio_no_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's loop is looked for in a process that has none."""
    monkeypatch.delitem(sys.modules, "asyncio")
    assert _rivals._loops() == []


def test_two_watch_one_descriptor(clock: VirtualClock) -> None:
    """One waits to read and one to send on the same socket, and each gets its turn."""
    one, other = socket.socketpair()
    done: list[tuple[str, float]] = []
    with one, other:
        one.settimeout(60)
        reader = in_thread(lambda: (one.recv(1), done.append(("read", clock.now))))
        writer = in_thread(
            lambda: (one.sendall(bytes(1_000_000)), done.append(("sent", clock.now)))
        )
        time.sleep(1)
        other.send(b"x")
        time.sleep(1)
        left = 1_000_000
        while left:
            left -= len(other.recv(65536))
        reader.join()
        writer.join()
    assert done == [("read", 1), ("sent", 2)]


def test_unwatching_what_is_not_watched() -> None:
    """Is no matter."""
    nobody: Any = types.SimpleNamespace()
    _watchers.Watchers(nobody, lambda watcher: None).unwatch(nobody, 1)


def test_connect_ex_elsewhere(clock: VirtualClock) -> None:
    """It returns the error of a refusal, raises what is none, and is real outside of time."""
    with socket.socket() as taken, socket.socket() as sock:
        taken.bind(("127.0.0.1", 0))
        assert sock.connect_ex(taken.getsockname()) != 0
        with pytest.raises(TypeError):
            sock.connect_ex(None)  # type: ignore[arg-type]
        with pytest.raises(socket.gaierror):
            sock.connect_ex(("::1", 80))
        with _here.in_real_time():
            assert sock.connect_ex(taken.getsockname()) != 0


def test_a_finalizer_of_ours(clock: VirtualClock) -> None:
    """Who is woken while the clock itself is at work is woken right after it."""
    conductor = clock._conductor
    assert conductor is not None
    event = threading.Event()
    thread = in_thread(event.wait)
    time.sleep(1)
    with conductor.lock:
        event.set()
    thread.join()
    assert clock.now == 1


def test_partials_that_have_changed() -> None:
    """A partial that was given another function meanwhile keeps it."""
    partial = functools.partial(time.sleep, 5)
    keyword = functools.partial(print, end=time.sleep)
    changed: Any = partial
    with VirtualClock():
        changed.__setstate__((len, (), {}, None))
        keyword.keywords["end"] = len
    assert changed.func is len
    assert keyword.keywords == {"end": len}


def test_time_out_of_a_proxy_of_ours(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that is sent to our server by its environment is on the clock."""
    with FakeServer(lambda e, s: (s("204 No Content", []), [])[1], blocking=False) as server:
        monkeypatch.setenv("http_proxy", server.url)
        monkeypatch.delenv("no_proxy", raising=False)
        server.fail(faults.latency(7))

        assert requests.get("http://example.invalid/", timeout=10).status_code == 204
    assert clock.now == 7


def test_localhost_by_name(clock: VirtualClock, server: FakeServer) -> None:
    """Whichever address family the name stands for first."""
    server.fail(faults.latency(3))

    assert requests.get(f"http://localhost:{server.port}", timeout=5).status_code == 200
    assert clock.now == 3


def test_jobs_that_are_not_made(clock: VirtualClock) -> None:
    """Time waits for a job that is expected, until it is forgotten, and for none in real time."""
    made: list[str] = []
    job = Job(lambda: made.append("made"))
    job.forget()
    job(lambda: made.append("left"))
    assert made == ["made", "left"]
    job.expect()
    job.forget()
    time.sleep(5)
    assert clock.now == 5


def test_nothing_to_count(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """In real time nothing is counted, and no library is loaded to count its sleeps."""
    with _here.in_real_time(), _counting.counted():
        pass
    assert clock.slept == 0
    monkeypatch.delitem(sys.modules, "trio._timeouts", raising=False)
    _counting.count_sleeps(lambda *_: None)
    assert clock.monotonic() == 0


def test_real_time_within_the_clock(clock: VirtualClock) -> None:
    """Each stand-in gives way to the function that it stands for."""
    one, other = socket.socketpair()
    seen: list[int] = []
    old = signal.signal(signal.SIGUSR1, lambda number, _: seen.append(number))
    with one, other, selectors.DefaultSelector() as selector, _here.in_real_time():
        selector.register(one, selectors.EVENT_READ)
        assert selector.select(0) == []
        assert select.select([one], [], [], 0) == ([], [], [])
        signal.raise_signal(signal.SIGUSR1)
        with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as sock:
            sock.connect(server.getsockname())
        assert os.waitstatus_to_exitcode(_child()) == 0
    signal.signal(signal.SIGUSR1, old)
    assert seen == [signal.SIGUSR1]


def _child() -> int:
    pid = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-c", ""])  # noqa: S606 -- ours
    return os.waitpid(pid, 0)[1]


def test_a_clock_of_another_thread() -> None:
    """The main thread takes no part, and handles signals all the same."""
    seen: list[int] = []
    old = signal.signal(signal.SIGUSR1, lambda number, _: seen.append(number))

    def run() -> None:
        with VirtualClock() as clock:
            signal.raise_signal(signal.SIGUSR1)
            time.sleep(5)
            assert clock.now == 5

    in_thread(run).join()
    signal.signal(signal.SIGUSR1, old)
    assert seen == [signal.SIGUSR1]


def test_a_file_that_is_sent(clock: VirtualClock) -> None:
    """All of it."""
    one, other = socket.socketpair()
    with one, other, Path(__file__).open("rb") as file:
        one.settimeout(5)
        assert one.sendfile(file, count=100) == 100
        assert len(other.recv(1000)) == 100


def test_a_unix_socket_within(clock: VirtualClock, tmp_path: Path) -> None:
    """A server of this process on a Unix socket: its waits are virtual once it is connected."""
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as sock:
        listening.bind(str(tmp_path / "socket"))
        listening.listen()
        sock.settimeout(5)
        sock.connect(str(tmp_path / "socket"))
        sock.connect_ex(str(tmp_path / "socket"))
        with pytest.raises(TimeoutError):
            sock.recv(1)
    assert clock.now == 5


def test_an_interrupted_waiter_passes_it_on() -> None:
    """Who was woken and then interrupted lets the next one have the lock."""
    woken: list[object] = []
    conductor: Any = types.SimpleNamespace(active=True, wake=woken.append)
    party: Any = types.SimpleNamespace(conductor=conductor)
    with VirtualClock():
        lock: Any = threading.Lock()
    lock._waiters.append(party)
    lock._pass_on(object())
    assert woken == [party]
    stopped: Any = types.SimpleNamespace(conductor=types.SimpleNamespace(active=False))
    lock._waiters.extend([stopped, party])
    lock._wake_next()
    assert woken == [party, party]
    lock._wake_next()
    assert woken == [party, party]


def test_a_join_that_outlives_the_clock() -> None:
    """It goes on in real time, until the thread has ended."""
    ended: list[str] = []
    release = threading.Event()
    with VirtualClock():
        thread = in_thread(lambda: (release.wait(), ended.append("thread")))
        joiner = in_thread(lambda: (thread.join(), ended.append("joiner")))
        time.sleep(1)
    release.set()
    joiner.join()
    assert ended == ["thread", "joiner"]


def test_a_tick_that_is_woken(clock: VirtualClock) -> None:
    """Who polls in a loop is made to wait, and being woken does not end that wait early."""
    lock = threading.Lock()
    lock.acquire()
    stop: list[bool] = []
    waiter = in_thread(lambda: (lock.acquire(timeout=3), stop.append(True)))
    me = clock._conductor.me(str) if clock._conductor else None
    assert me is not None
    waker = in_thread(lambda: [(time.sleep(0), me.conductor.wake(me)) for _ in range(50)])
    while not stop:
        time.monotonic()
    waiter.join()
    waker.join()
    assert 3 <= clock.now < 6


def test_waiting_for_less_than_nothing(clock: VirtualClock) -> None:
    """What is left of a timeout that is up to the nanosecond is waited for until it is less."""
    one, other = multiprocessing.Pipe()
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        server.timeout = 4
        server.handle_request()
        assert clock.now == 4
    assert not one.poll()
    assert clock.now == 4
    one.close()
    other.close()
    with _here.in_real_time():
        assert select.poll().poll(0) == []
        assert not threading.Event().wait(0)


def test_a_pool_of_processes(clock: VirtualClock) -> None:
    """What it does takes real time, and none of the clock's but what passes out there."""
    fork = multiprocessing.get_context("fork")
    began = time.clock_gettime(time.CLOCK_MONOTONIC)
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=fork) as pool:
        assert pool.submit(abs, -3).result(timeout=20) == 3
    assert clock.now <= time.clock_gettime(time.CLOCK_MONOTONIC) - began
    assert clock.reports == ()
