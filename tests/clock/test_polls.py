"""Loops that poll and never wait: they end, and what they poll for comes at its exact moment."""

# Lambdas do one thing after another by returning a tuple of what nobody looks at.
# mypy: disable-error-code="func-returns-value"

from __future__ import annotations

import asyncio
import concurrent.futures
import importlib
import queue
import select
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import requests
import trio
import trio.lowlevel

from pytest_resilience import ClockError, FakeServer, VirtualClock, faults
from pytest_resilience.clock import _current, _polling


def after_five(act: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=lambda: (time.sleep(5), act()))
    thread.start()
    return thread


def until_it_is_there(take: Callable[[], object], *nothing: type[Exception]) -> None:
    while True:
        try:
            take()
        except nothing:
            continue
        return


def fifo(take: Callable[[queue.Queue[int]], object]) -> None:
    numbers: queue.Queue[int] = queue.Queue()
    after_five(lambda: numbers.put(1))
    until_it_is_there(lambda: take(numbers), queue.Empty)


def simple(take: Callable[[queue.SimpleQueue[int]], object]) -> None:
    numbers: queue.SimpleQueue[int] = queue.SimpleQueue()
    after_five(lambda: numbers.put(1))
    until_it_is_there(lambda: take(numbers), queue.Empty)


def until(there: Callable[[], object]) -> None:
    while not there():
        pass


def full(put: Callable[[queue.Queue[int]], object]) -> None:
    numbers: queue.Queue[int] = queue.Queue(1)
    numbers.put(0)
    after_five(numbers.get)
    until_it_is_there(lambda: put(numbers), queue.Full)


def thread(look: Callable[[threading.Thread], object]) -> None:
    ending = after_five(lambda: None)
    until(lambda: look(ending))


def event(look: Callable[[threading.Event], bool]) -> None:
    it = threading.Event()
    after_five(it.set)
    until(lambda: look(it))


def lock(look: Callable[[threading.Lock], bool]) -> None:
    it = threading.Lock()
    it.acquire()
    after_five(it.release)
    until(lambda: look(it))


def semaphore() -> None:
    it = threading.Semaphore(0)
    after_five(it.release)
    until(lambda: it.acquire(blocking=False))


def future(look: Callable[[concurrent.futures.Future[None]], object]) -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        it = pool.submit(time.sleep, 5)
        until_it_is_there(lambda: until(lambda: look(it)), TimeoutError)


def pair(look: Callable[[socket.socket], object]) -> None:
    one, other = socket.socketpair()
    with one, other:
        after_five(lambda: other.send(b"x"))
        until_it_is_there(lambda: until(lambda: look(one)), BlockingIOError)


def selecting(one: socket.socket) -> object:
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ)
        return selector.select(0)


def polling(one: socket.socket) -> object:
    poll = select.poll()
    poll.register(one, select.POLLIN)
    return poll.poll(0)


def non_blocking(one: socket.socket) -> object:
    one.settimeout(0)
    return one.recv(1)


def accepting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        after_five(lambda: socket.create_connection(listening.getsockname()).close())
        until_it_is_there(lambda: listening.accept()[0].close(), BlockingIOError)


async def in_a_loop(done: asyncio.Future[None]) -> None:
    while not done.done():
        await asyncio.sleep(0)


async def a_timer() -> None:
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    loop.call_later(5, done.set_result, None)
    await in_a_loop(done)


async def a_task() -> None:
    await in_a_loop(asyncio.create_task(asyncio.sleep(5)))


async def a_thread() -> None:
    await in_a_loop(asyncio.get_running_loop().run_in_executor(None, time.sleep, 5))


def flag_and_sleep_0() -> None:
    flag: list[int] = []
    after_five(lambda: flag.append(1))
    while not flag:
        time.sleep(0)


POLLS: dict[str, Callable[[], object]] = {
    "Queue.get_nowait": lambda: fifo(lambda q: q.get_nowait()),
    "Queue.empty": lambda: fifo(lambda q: until(lambda: not q.empty())),
    "Queue.qsize": lambda: fifo(lambda q: until(q.qsize)),
    "Queue.put_nowait": lambda: full(lambda q: q.put_nowait(1)),
    "Queue.full": lambda: full(lambda q: until(lambda: not q.full())),
    "SimpleQueue.get_nowait": lambda: simple(lambda q: q.get_nowait()),
    "SimpleQueue.empty": lambda: simple(lambda q: until(lambda: not q.empty())),
    "SimpleQueue.qsize": lambda: simple(lambda q: until(q.qsize)),
    "Thread.is_alive": lambda: thread(lambda t: not t.is_alive()),
    "Thread.join(0)": lambda: thread(lambda t: (t.join(0), t.ident not in ids())[1]),
    "Event.is_set": lambda: event(lambda e: e.is_set()),
    "Event.wait(0)": lambda: event(lambda e: e.wait(0)),
    "Lock.acquire": lambda: lock(lambda it: it.acquire(blocking=False)),
    "Lock.locked": lambda: lock(lambda it: not it.locked()),
    "Semaphore.acquire": semaphore,
    "Future.done": lambda: future(lambda f: f.done()),
    "Future.running": lambda: future(lambda f: not f.running() and f.done()),
    "Future.result(0)": lambda: future(lambda f: (f.result(0), True)),
    "futures.wait(0)": lambda: future(lambda f: concurrent.futures.wait([f], 0).done),
    "select(0)": lambda: pair(lambda one: select.select([one], [], [], 0)[0]),
    "selector": lambda: pair(selecting),
    "poll": lambda: pair(polling),
    "recv": lambda: pair(non_blocking),
    "recv, MSG_DONTWAIT": lambda: pair(lambda one: one.recv(1, socket.MSG_DONTWAIT)),
    "accept": accepting,
    "asyncio, a timer": lambda: asyncio.run(a_timer()),
    "asyncio, a task": lambda: asyncio.run(a_task()),
    "asyncio, a thread": lambda: asyncio.run(a_thread()),
    "sleep(0)": flag_and_sleep_0,
}


def ids() -> set[int | None]:
    return {known.ident for known in threading.enumerate()}


@pytest.fixture
def sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop is taken for one after fewer turns: the same, in less time."""
    monkeypatch.setattr(_polling, "LOOKS", 2_000)
    monkeypatch.setattr(_polling, "SLOW_LOOKS", 1_000)


@pytest.mark.parametrize("poll", POLLS)
@pytest.mark.usefixtures("sooner")
def test_what_is_polled_for_comes_at_its_moment(poll: str, clock: VirtualClock) -> None:
    """Whoever polls, and reads no clock, waits for the next thing that is due."""
    POLLS[poll]()

    assert clock.now == 5


@pytest.mark.parametrize("fault", [503, faults.timeout()], ids=["503", "timeouts"])
@pytest.mark.usefixtures("sooner")
def test_a_ride_that_is_polled_for(fault: int | faults.Fault, server: FakeServer) -> None:
    """Polling for the end of a client's work changes none of its times."""

    def ride() -> int:
        for wait in (1, 2, 4, 0):
            try:
                if (status := requests.get(server.url, timeout=30).status_code) == 200:
                    return status
            except requests.Timeout:
                pass
            time.sleep(wait)
        return 0

    with VirtualClock() as clock, concurrent.futures.ThreadPoolExecutor(1) as pool:
        server.fail(fault, times=3)
        done = pool.submit(ride)
        until(done.done)
        assert done.result() == 200
        assert server.trace.waits == [1, 2, 4]
        assert clock.now == (7 if fault == 503 else 97)


@pytest.mark.usefixtures("sooner")
def test_a_deadline_beside_it(clock: VirtualClock) -> None:
    """Whoever polls and reads the clock sees what comes at its moment, too."""
    it = threading.Event()
    after_five(it.set)
    end = time.monotonic() + 30
    while not it.is_set():
        assert time.monotonic() < end

    assert clock.now == 5


@pytest.mark.usefixtures("sooner")
def test_two_that_poll(clock: VirtualClock) -> None:
    """They do not wait for each other."""
    it = threading.Event()
    after_five(it.set)
    other = threading.Thread(target=lambda: until(it.is_set))
    other.start()
    until(it.is_set)
    other.join()

    assert clock.now == 5


def test_trio_s_checkpoints(clock: VirtualClock) -> None:
    """A task that goes round in a loop of checkpoints ends, if not at an exact moment."""

    async def main() -> None:
        done = trio.Event()

        async def nap() -> None:
            await trio.sleep(5)
            done.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(nap)
            while not done.is_set():
                await trio.lowlevel.checkpoint()

    trio.run(main)

    assert 5 <= clock.now <= 10


@pytest.mark.usefixtures("sooner")
def test_work_that_asks_whether_to_stop(clock: VirtualClock) -> None:
    """A thread that computes from one look to the next does not wait: time stands still."""
    stop = threading.Event()
    for _ in range(2_500):
        assert not stop.is_set()
        sum(range(24_000))

    assert clock.now == 0


def test_a_queue_that_is_emptied(clock: VirtualClock) -> None:
    """Whoever gets something each time does not poll."""
    numbers: queue.Queue[int] = queue.Queue()
    for number in range(60_000):
        numbers.put(number)
    while True:
        try:
            numbers.get_nowait()
        except queue.Empty:
            break

    assert clock.now == 0


def test_work_until_some_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that works, and reads the clock now and then, ends after the patience."""
    monkeypatch.setattr(_polling, "BUSY_READINGS", 5)
    with VirtualClock(patience=0.1) as clock:
        end = time.monotonic() + 5
        while time.monotonic() < end:
            sum(range(300_000))
        assert 5 <= clock.now <= 10
        (report,) = clock.reports
    assert report.startswith("thread 'MainThread' has computed for 0.1 seconds and read the clock")


@pytest.mark.usefixtures("sooner")
def test_a_loop_for_a_year(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that reads the clock is given more and more of it, so that it ends."""
    monkeypatch.setattr(_polling, "EVERY", 10)
    year = 365 * 86_400
    end = time.monotonic() + year
    while time.monotonic() < end:
        pass

    assert year <= clock.now <= year * 1.01


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    code = "import time; time.sleep(0.5)"
    with subprocess.Popen([sys.executable, "-c", code]) as child:
        yield child


@pytest.mark.usefixtures("sooner")
def test_a_process_that_is_polled_for(child: subprocess.Popen[bytes], clock: VirtualClock) -> None:
    """It takes real time, and no virtual deadline is overtaken meanwhile."""
    began = time.clock_gettime(time.CLOCK_MONOTONIC)
    sleeper = threading.Thread(target=time.sleep, args=(3600,))
    sleeper.start()
    end = time.monotonic() + 1000
    while child.poll() is None:
        assert time.monotonic() < end

    assert clock.now <= time.clock_gettime(time.CLOCK_MONOTONIC) - began
    sleeper.join()
    assert clock.now == 3600


@pytest.mark.usefixtures("sooner")
def test_a_foreign_server_that_is_polled_for(clock: VirtualClock) -> None:
    """So does somebody else's answer."""
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as sock:
        sock.connect(listening.getsockname())
        served, _ = listening.accept()
        with served:
            sock.send(b"x")
            assert clock._conductor is not None
            party = clock._conductor.me(str)
            sock.settimeout(0)
            with pytest.raises(BlockingIOError):
                sock.recv(1)
            assert party.looks.outside
            assert _polling._next_look(clock._conductor, party)[1]


HOPELESS: dict[str, Callable[[threading.Event], object]] = {
    "an event": lambda it: until(it.is_set),
    "sleep(0)": lambda it: until(lambda: (time.sleep(0), it.is_set())[1]),
}


@pytest.mark.parametrize("way", HOPELESS)
@pytest.mark.usefixtures("sooner")
def test_what_nobody_can_bring(way: str) -> None:
    """The test fails after the patience, as one that waits for it."""
    with (
        pytest.raises(ClockError, match=r"nothing has moved for 0\.3 real seconds, .* cannot come"),
        VirtualClock(patience=0.3),
    ):
        HOPELESS[way](threading.Event())


@pytest.mark.usefixtures("sooner")
def test_a_helper_that_polls_for_what_nobody_can_bring() -> None:
    """The test that waits beside it fails."""
    stop: list[bool] = []
    it = threading.Event()
    helper = threading.Thread(target=lambda: until(lambda: stop or it.is_set()))
    with VirtualClock(patience=0.3):
        helper.start()
        with pytest.raises(ClockError, match="what is polled for cannot come"):
            threading.Event().wait()
        stop.append(True)
        helper.join()


def test_what_stirs_and_brings_nothing(clock: VirtualClock) -> None:
    """Others that move without anything being due are waited for six times as long."""
    conductor = clock._conductor
    assert conductor is not None
    me = conductor.me(str)
    conductor.give_up_hope(me, conductor.patience_ns - 1, 6 * conductor.patience_ns - 1)
    with pytest.raises(ClockError, match="for 30 real seconds nothing has been due"):
        conductor.give_up_hope(me, 0, 6 * conductor.patience_ns)


def test_a_look_of_nobody_s() -> None:
    """Without a clock, or from a thread that takes no part, a look is nothing."""
    assert _current.conductor is None
    assert not _polling.note_state(there=False)
    assert _polling.note_state(there=True)


def test_trio_that_is_imported_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """It insists on a lock that is written in C, and gets it; others do not."""
    name = "trio._core._entry_queue"
    monkeypatch.delitem(sys.modules, name)
    with VirtualClock():
        module = importlib.import_module(name)
        entries = module.EntryQueue()
        entries.close()
        assert type(entries.lock).__module__ == "_thread"
        assert type(threading.RLock()).__module__ == "threading"
