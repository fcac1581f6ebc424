"""Each covered name waits, or reads the clock, in virtual time: one snippet a name."""

# Lambdas do one thing after another by returning a tuple of what nobody looks at.
# mypy: disable-error-code="func-returns-value"

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import queue
import select
import selectors
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
import trio

from pytest_resilience import FakeServer, VirtualClock, faults
from pytest_resilience.clock.covered import COVERED

Snippet = Callable[[VirtualClock, FakeServer], object]
SNIPPETS: dict[str, Snippet] = {}
"""Each lets exactly 5 virtual seconds pass, in or around the name it is about."""


def about(*names: str) -> Callable[[Snippet], Snippet]:
    def register(snippet: Snippet) -> Snippet:
        SNIPPETS.update(dict.fromkeys(names, snippet))
        return snippet

    return register


@about("time.sleep")
def sleeping(clock: VirtualClock, server: FakeServer) -> None:
    time.sleep(5)


def reading(read: Callable[[], float], unit: float = 1) -> Snippet:
    def snippet(clock: VirtualClock, server: FakeServer) -> None:
        before = read()
        time.sleep(5)
        assert read() - before == 5 * unit
        assert read() == read()

    return snippet


for name in ("time", "monotonic", "perf_counter"):
    about(f"time.{name}")(reading(lambda name=name: getattr(time, name)()))  # type: ignore[misc]
    about(f"time.{name}_ns")(
        reading(lambda name=name: getattr(time, name + "_ns")(), 1_000_000_000)  # type: ignore[misc]
    )
about("time.localtime")(reading(lambda: time.mktime(time.localtime())))
about("time.gmtime")(reading(lambda: time.mktime(time.gmtime())))
about("time.ctime")(reading(lambda: time.mktime(time.strptime(time.ctime()))))
about("time.asctime")(reading(lambda: time.mktime(time.strptime(time.asctime()))))
about("time.strftime")(reading(lambda: float(time.strftime("%s"))))
about("datetime.datetime.now")(reading(lambda: dt.datetime.now(dt.UTC).timestamp()))
about("datetime.datetime.utcnow")(
    reading(lambda: dt.datetime.utcnow().replace(tzinfo=dt.UTC).timestamp())  # noqa: DTZ003
)


@about("datetime.date.today")
def the_next_day(clock: VirtualClock, server: FakeServer) -> None:
    before = dt.date.today()  # noqa: DTZ011
    clock.advance(86_400)
    assert (dt.date.today() - before).days == 1  # noqa: DTZ011
    clock.advance(5)


@about("select.select")
def selecting(clock: VirtualClock, server: FakeServer) -> None:
    with socketpair() as (one, _):
        assert select.select([one], [], [], 5) == ([], [], [])


@about("select.poll")
def polling(clock: VirtualClock, server: FakeServer) -> None:
    with socketpair() as (one, _):
        poll = select.poll()
        poll.register(one)
        poll.modify(one, select.POLLIN)
        assert poll.poll(5000) == []
        poll.unregister(one)


@about("select.epoll")
def epolling(clock: VirtualClock, server: FakeServer) -> None:
    with socketpair() as (one, _), select.epoll() as epoll:
        epoll.register(one, select.EPOLLIN)
        assert epoll.poll(5) == []
        epoll.unregister(one)
    assert epoll.closed


@about("selectors.DefaultSelector.select", "selectors.DefaultSelector.register")
def selector(clock: VirtualClock, server: FakeServer) -> None:
    with socketpair() as (one, _), selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ)
        assert selector.select(5) == []


@about("threading.Lock")
def lock(clock: VirtualClock, server: FakeServer) -> None:
    lock = threading.Lock()
    with lock:
        assert not lock.acquire(timeout=5)


@about(
    "threading.Lock, bound early", "threading.RLock, bound early", "queue.SimpleQueue, bound early"
)
def bound_early(clock: VirtualClock, server: FakeServer) -> None:
    """See also test_early_names.py."""
    lock, rlock, fifo = EARLY["Lock"](), EARLY["RLock"](), EARLY["SimpleQueue"]()
    with lock:
        assert not lock.acquire(timeout=2)
    in_thread(lambda: (rlock.acquire(), time.sleep(1), rlock.release()))
    time.sleep(0)
    assert rlock.acquire(timeout=3)
    with pytest.raises(queue.Empty):
        fifo.get(timeout=2)


EARLY: dict[str, Callable[[], Any]] = {
    "Lock": threading.Lock,
    "RLock": threading.RLock,
    "SimpleQueue": queue.SimpleQueue,
}


@about("threading.RLock")
def rlock(clock: VirtualClock, server: FakeServer) -> None:
    lock = threading.RLock()
    with lock, lock:
        taken: list[bool] = []
        thread = in_thread(lambda: taken.append(lock.acquire(timeout=5)))
        thread.join()
    assert taken == [False]


@about("threading.Condition.wait", "threading.Event.is_set", "threading.Event.wait")
def event(clock: VirtualClock, server: FakeServer) -> None:
    event = threading.Event()
    assert not event.wait(5)
    assert not event.is_set()


@about("threading.Thread.start", "threading.Thread.run", "threading.Thread.join")
def thread(clock: VirtualClock, server: FakeServer) -> None:
    thread = in_thread(lambda: time.sleep(5))
    thread.join(2)
    assert thread.is_alive()
    assert clock.now == 2
    thread.join()
    assert not thread.is_alive()


@about("queue.SimpleQueue")
def simple_queue(clock: VirtualClock, server: FakeServer) -> None:
    with pytest.raises(queue.Empty):
        queue.SimpleQueue[int]().get(timeout=5)


@about("concurrent.futures.ThreadPoolExecutor.submit")
def pool(clock: VirtualClock, server: FakeServer) -> None:
    """See also test_threads.py."""
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(time.sleep, 5).result() is None


@about(
    *(f"queue.Queue.{name}" for name in ("empty", "full", "get", "put", "qsize")),
    "concurrent.futures.Future.done",
    "concurrent.futures.Future.running",
    "threading.Semaphore.acquire",
    "threading.Thread.is_alive",
)
def asked_in_a_loop(clock: VirtualClock, server: FakeServer) -> None:
    """Each of them by itself in test_polls.py; here what they say is what they always say."""
    numbers: queue.Queue[int] = queue.Queue(1)
    assert (numbers.empty(), numbers.full(), numbers.qsize()) == (True, False, 0)
    numbers.put(1)
    assert (numbers.empty(), numbers.full(), numbers.qsize()) == (False, True, 1)
    with pytest.raises(queue.Full):
        numbers.put(2, timeout=1)
    assert numbers.get() == 1
    with pytest.raises(queue.Empty):
        numbers.get(timeout=1)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(time.sleep, 1)
        time.sleep(0)
        assert (future.done(), future.running()) == (False, True)
        future.result()
        assert (future.done(), future.running()) == (True, False)
    semaphore = threading.Semaphore()
    assert semaphore.acquire()
    assert not semaphore.acquire(timeout=1)
    thread = in_thread(lambda: time.sleep(1))
    assert thread.is_alive()
    thread.join()
    assert not thread.is_alive()


@about("socket.socket.connect", "socket.socket.recv", "socket.socket.send", "socket.socket.close")
def receive(clock: VirtualClock, server: FakeServer) -> None:
    with hanging(server) as sock, pytest.raises(TimeoutError):
        sock.recv(10)


def _receive(call: Callable[[socket.socket], object]) -> Snippet:
    def snippet(clock: VirtualClock, server: FakeServer) -> None:
        with hanging(server) as sock, pytest.raises(TimeoutError):
            call(sock)

    return snippet


about("socket.socket.recv_into")(_receive(lambda s: s.recv_into(bytearray(9))))
about("socket.socket.recvfrom")(_receive(lambda s: s.recvfrom(9)))
about("socket.socket.recvfrom_into")(_receive(lambda s: s.recvfrom_into(bytearray(9))))
about("socket.socket.recvmsg")(_receive(lambda s: s.recvmsg(9)))
about("socket.socket.recvmsg_into")(_receive(lambda s: s.recvmsg_into([bytearray(9)])))
about("socket.socket.shutdown")(
    _receive(lambda s: (s.shutdown(socket.SHUT_RD), time.sleep(5), _raise(TimeoutError)))
)


def _send(call: Callable[[socket.socket], object]) -> Snippet:
    def snippet(clock: VirtualClock, server: FakeServer) -> None:
        with socketpair() as (one, _):
            one.settimeout(5)
            with pytest.raises(TimeoutError):
                _for_ever(lambda: call(one))

    return snippet


def _for_ever(call: Callable[[], object]) -> None:
    while True:
        call()


MUCH = bytes(1_000_000)
about("socket.socket.sendall")(_send(lambda s: s.sendall(MUCH)))
about("socket.socket.sendmsg")(_send(lambda s: s.sendmsg([MUCH])))
about("socket.socket.sendto")(_send(lambda s: s.send(MUCH)))


@about("socket.socket.sendfile")
def send_file(clock: VirtualClock, server: FakeServer) -> None:
    with tempfile.TemporaryFile() as file, socketpair() as (one, _):
        file.write(MUCH)
        file.seek(0)
        one.settimeout(5)
        with pytest.raises(TimeoutError):
            one.sendfile(file)


@about("socket.socket.connect_ex", "socket.socket.detach")
def connect(clock: VirtualClock, server: FakeServer) -> None:
    server.fail(faults.timeout())
    sock = socket.socket()
    sock.settimeout(5)
    assert sock.connect_ex((server.host, server.port)) == 0
    sock.sendall(REQUEST)
    with socket.socket(fileno=sock.detach()) as same:
        same.settimeout(5)
        with pytest.raises(TimeoutError):
            same.recv(10)


@about("socket.socket.accept")
def accept(clock: VirtualClock, server: FakeServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)
        with pytest.raises(TimeoutError):
            listening.accept()


@about("ssl.SSLSocket.read", "ssl.SSLSocket.send", "ssl.SSLSocket.do_handshake")
def tls(clock: VirtualClock, server: FakeServer) -> None:
    """The other end accepts and says nothing; see also test_tls.py."""
    server.fail(faults.never_read())
    context = ssl.create_default_context()
    with (
        socket.create_connection((server.host, server.port), 5) as plain,
        pytest.raises(TimeoutError, match="handshake operation timed out"),
    ):
        context.wrap_socket(plain, server_hostname="localhost")


@about("subprocess.Popen.wait", "subprocess.Popen.communicate", "subprocess.Popen.poll")
def process(clock: VirtualClock, server: FakeServer) -> None:
    """Another process takes real time, which is none of the clock's: see test_foreign.py."""
    for call in (subprocess.Popen.wait, subprocess.Popen.communicate):
        child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
        with child:
            call(child, timeout=20)
    assert clock.now == 0
    time.sleep(5)


CHILD = [sys.executable, "-c", ""]
WAITS: dict[str, Callable[[int], object]] = {
    "wait": lambda pid: os.wait(),
    "waitpid": lambda pid: os.waitpid(pid, 0),
    "waitid": lambda pid: os.waitid(os.P_PID, pid, os.WEXITED),
    "wait3": lambda pid: os.wait3(0),
    "wait4": lambda pid: os.wait4(pid, 0),
}


def test_waiting_for_nobody(clock: VirtualClock) -> None:
    """A look at a process that has not ended is a look, and a loop of looks ends."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            assert os.waitpid(child.pid, os.WNOHANG) == (0, 0)
        child.communicate(b"\n")


def _child(wait: Callable[[int], object]) -> Snippet:
    """It takes the real time that it takes, and none of the clock's."""

    def snippet(clock: VirtualClock, server: FakeServer) -> None:
        wait(os.spawnv(os.P_NOWAIT, sys.executable, CHILD))  # noqa: S606 -- our own Python
        assert clock.now == 0
        time.sleep(5)

    return snippet


for name, wait in WAITS.items():
    about(f"os.{name}")(_child(wait))


def _signal(send: Callable[[int], object]) -> Snippet:
    """The main thread handles it at the moment at which another thread sends it."""

    def snippet(clock: VirtualClock, server: FakeServer) -> None:
        seen: list[float] = []
        old = signal.signal(signal.SIGUSR1, lambda *_: seen.append(clock.now))
        try:
            in_thread(lambda: (time.sleep(2), send(signal.SIGUSR1)))
            time.sleep(5)
        finally:
            signal.signal(signal.SIGUSR1, old)
        assert seen == [2]

    return snippet


about("os.kill")(_signal(lambda number: os.kill(os.getpid(), number)))
about("signal.raise_signal")(_signal(signal.raise_signal))
about("signal.pthread_kill")(
    _signal(lambda number: signal.pthread_kill(threading.main_thread().ident or 0, number))
)


REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@contextlib.contextmanager
def hanging(server: FakeServer) -> Iterator[socket.socket]:
    """A client that has sent a request which is not answered."""
    server.fail(faults.timeout())
    with socket.create_connection((server.host, server.port), 5) as sock:
        assert sock.send(REQUEST) == len(REQUEST)
        yield sock


@contextlib.contextmanager
def socketpair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def in_thread(function: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=function)
    thread.start()
    return thread


def _raise(error: type[Exception]) -> None:
    raise error


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")  # From 3.12 on.
@pytest.mark.parametrize("name", COVERED)
def test_covered(name: str, clock: VirtualClock, server: FakeServer) -> None:
    """Every covered name takes exactly its virtual time."""
    SNIPPETS[name](clock, server)

    assert clock.now == (86_405 if name == "datetime.date.today" else 5)


def test_no_snippet_too_many() -> None:
    """A snippet is about a name that is covered."""
    assert set(SNIPPETS) == set(COVERED)


def test_asyncio_is_made_of_these(clock: VirtualClock) -> None:
    """asyncio needs nothing of its own: it waits in a selector and reads time.monotonic."""
    asyncio.run(asyncio.sleep(5))

    assert clock.now == 5


def test_sleeps_are_counted(clock: VirtualClock) -> None:
    """`slept` adds up the sleeps of threads and tasks, and nothing else that takes time."""

    async def by_asyncio() -> None:
        await asyncio.gather(*(asyncio.sleep(1) for _ in range(10)))
        assert await asyncio.sleep(1, "result") == "result"
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(100), 2)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 50)

    async def by_anyio() -> None:
        await anyio.sleep(3)

    async def by_trio() -> None:
        await trio.sleep(4)

    time.sleep(5)
    threading.Event().wait(60)
    asyncio.run(by_asyncio())
    assert clock.slept == 5 + 10 + 1 + 2
    anyio.run(by_anyio)
    anyio.run(by_anyio, backend="trio")
    trio.run(by_trio)

    assert clock.slept == 18 + 3 + 3 + 4


def test_a_sleep_is_what_it_was_after_the_clock() -> None:
    """One that outlives the clock ends in real time, and its function is the old one."""
    code = asyncio.sleep.__code__

    async def main() -> None:
        with VirtualClock() as clock:
            assert asyncio.sleep.__code__ is not code
            task = asyncio.create_task(asyncio.sleep(0.01, "result"))
            await asyncio.sleep(0)
        assert asyncio.sleep.__code__ is code
        assert await task == "result"
        assert clock.slept <= 0.01

    asyncio.run(main())
