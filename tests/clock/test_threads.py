"""Several threads and tasks: waits overlap, and each is woken at exactly its moment."""

# Lambdas do one thing after another by returning a tuple of what nobody looks at.
# mypy: disable-error-code="func-returns-value"

from __future__ import annotations

import asyncio
import collections
import concurrent.futures
import queue
import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import anyio
import pytest
import requests
import trio

from pytest_resilience import ClockError, FakeServer, VirtualClock, faults
from pytest_resilience.clock import _sleep
from pytest_resilience.engine import running

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def start(*targets: object) -> list[threading.Thread]:
    threads = [threading.Thread(target=target) for target in targets]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    return threads


def test_sleeps_overlap(clock: VirtualClock) -> None:
    """Ten threads that sleep a second each end at 1, in the order in which they began."""
    ended: list[tuple[int, float]] = []

    def nap(number: int) -> None:
        time.sleep(1)
        ended.append((number, clock.now))

    for thread in start(*(lambda n=n: nap(n) for n in range(10))):
        thread.join()

    assert ended == [(number, 1) for number in range(10)]


def test_a_sleep_times_out_nobody_else(clock: VirtualClock, server: FakeServer) -> None:
    """A request that takes 4 s under a timeout of 5 succeeds beside a sleep of 3,600."""
    server.fail(faults.latency(4))
    (sleeper,) = start(lambda: time.sleep(3600))

    assert requests.get(server.url, timeout=5).status_code == 200
    assert clock.now == 4
    sleeper.join()
    assert clock.now == 3600


def test_whoever_is_woken_runs_in_turn(clock: VirtualClock) -> None:
    """Ten waiters of one event go on one at a time, in their order, however busy the machine."""
    event, order = threading.Event(), list[int]()

    def wait(number: int) -> None:
        event.wait()
        order.append(number)
        sum(range(10_000))
        order.append(number)

    threads = start(*(lambda n=n: wait(n) for n in range(10)))
    time.sleep(1)
    event.set()
    for thread in threads:
        thread.join()

    assert order == [number for number in range(10) for _ in range(2)]


def test_primitives(clock: VirtualClock) -> None:
    """Semaphore, Barrier, Condition, Queue and Future wait in virtual time."""
    assert not threading.Semaphore(0).acquire(timeout=1)
    with pytest.raises(threading.BrokenBarrierError):
        threading.Barrier(2).wait(timeout=1)
    condition = threading.Condition()
    with condition:
        assert not condition.wait_for(lambda: False, timeout=1)
    with pytest.raises(queue.Empty):
        queue.Queue[int]().get(timeout=1)
    full = queue.Queue[int](1)
    full.put(1)
    with pytest.raises(queue.Full):
        full.put(1, timeout=1)
    with pytest.raises(TimeoutError):
        concurrent.futures.Future[int]().result(timeout=1)

    assert clock.now == 6


@pytest.mark.parametrize("seconds", [0.1, 0.3, 1 / 3, 1e-9, 0.7])
def test_a_loop_until_a_moment_ends_at_it(seconds: float, clock: VirtualClock) -> None:
    """Rounding errors of a deadline neither overshoot nor hang: `end - time.monotonic()`."""
    condition = threading.Condition()
    for _ in range(50):
        end = time.monotonic() + seconds
        with condition:
            condition.wait_for(lambda: False, seconds)
        while (left := end - time.monotonic()) > 0:
            time.sleep(left)

    assert clock.now == pytest.approx(50 * seconds, abs=50e-9)


def test_an_executor(clock: VirtualClock) -> None:
    """Ten naps of a second by five workers take 2."""
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        list(pool.map(time.sleep, [1] * 10))

    assert clock.now == 2


def nap_for(seconds: int) -> int:
    time.sleep(seconds)
    return seconds


def test_as_completed(clock: VirtualClock) -> None:
    """In the order of their ends; its timeout comes at its moment, and so does that of wait."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        naps = [pool.submit(nap_for, seconds) for seconds in (3, 1, 2)]
        assert [nap.result() for nap in concurrent.futures.as_completed(naps, 10)] == [1, 2, 3]
        assert clock.now == 3
        nap = pool.submit(time.sleep, 10)
        assert concurrent.futures.wait([nap], timeout=4).not_done == {nap}
        assert clock.now == 7
        with pytest.raises(TimeoutError):
            list(concurrent.futures.as_completed([nap], timeout=1))
        assert clock.now == 8
    assert clock.now == 13


def test_a_pool_from_before_the_clock() -> None:
    """A worker that idled in C before the clock: its work is waited for."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert pool.submit(int).result() == 0
        for _ in range(5):
            with VirtualClock() as clock:
                assert pool.submit(time.sleep, 5).result(timeout=10) is None
                assert clock.now == 5


def test_a_pool_from_before_the_clock_without_threads() -> None:
    """Its queue is one in C, and its first thread is started under the clock."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool, VirtualClock() as clock:
        for _ in range(3):
            assert pool.submit(compute_and_nap).result(timeout=1000) is None
        assert clock.now == 15


def test_a_queue_in_c_from_before_the_clock() -> None:
    """Whoever is blocked in it under the clock is waited for as soon as there is work."""
    fifo: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
    done = threading.Event()

    def work() -> None:
        fifo.get()()
        fifo.get()()
        done.set()

    with VirtualClock(grace=0.1) as clock:
        (thread,) = start(work)
        time.sleep(1)  # Begins when the thread has been given up as blocked.
        fifo.put(compute_and_nap)
        time.sleep(100)
        fifo.put(compute_and_nap)
        assert done.wait(10)
        thread.join()
        assert clock.now == 106


def compute_and_nap() -> None:
    """Time passes in virtual time only after some of it has been computed for."""
    end = time.perf_counter_ns() + 1
    sum(range(2_000_000))
    assert time.perf_counter_ns() < end
    time.sleep(5)


def test_an_exception_in_a_thread(clock: VirtualClock) -> None:
    """It ends the thread, and nobody waits for it."""
    caught: list[BaseException | None] = []
    hook, threading.excepthook = threading.excepthook, lambda args: caught.append(args.exc_value)
    try:
        (thread,) = start(lambda: 1 / 0)
        thread.join()
    finally:
        threading.excepthook = hook
    time.sleep(5)

    assert [type(error) for error in caught] == [ZeroDivisionError]
    assert clock.now == 5


def test_a_daemon_that_loops(clock: VirtualClock) -> None:
    """A daemon that does something every 10 s does it six times a minute."""
    ticks: list[float] = []
    done = threading.Event()

    def loop() -> None:
        while not done.wait(10):
            ticks.append(clock.now)

    (thread,) = start(loop)
    time.sleep(60)
    done.set()
    thread.join()

    assert ticks == [10, 20, 30, 40, 50]


def test_a_loop_in_a_thread_beside_sync_threads(clock: VirtualClock) -> None:
    """asyncio.run in a thread and sleeping threads share one time."""
    seen: list[tuple[str, float]] = []

    async def tasks() -> None:
        await asyncio.sleep(2)
        seen.append(("task", clock.now))
        await asyncio.to_thread(time.sleep, 2)
        seen.append(("to_thread", clock.now))

    def sync() -> None:
        time.sleep(3)
        seen.append(("thread", clock.now))

    for thread in start(lambda: asyncio.run(tasks()), sync):
        thread.join()

    assert seen == [("task", 2), ("thread", 3), ("to_thread", 4)]


def test_asyncio(clock: VirtualClock) -> None:
    """timeout, wait_for, call_later, call_at and gather, exactly."""

    async def main() -> None:
        loop, done = asyncio.get_running_loop(), list[float]()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.sleep(10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 1)
        loop.call_later(1, lambda: done.append(clock.now))
        loop.call_at(loop.time() + 2, lambda: done.append(clock.now))
        await asyncio.gather(*(asyncio.sleep(3) for _ in range(100)))
        assert done == [3, 4]

    asyncio.run(main())
    assert clock.now == 5


def test_anyio(clock: VirtualClock) -> None:
    """Its asyncio backend bound asyncio.sleep early."""

    async def main() -> None:
        with anyio.move_on_after(2):
            await anyio.sleep(10)
        await anyio.to_thread.run_sync(time.sleep, 3)

    anyio.run(main)
    assert clock.now == 5


def test_trio(clock: VirtualClock) -> None:
    """Its default clock reads perf_counter, and its epoll is seen: nothing to be passed."""

    async def main() -> None:
        with trio.move_on_after(2):
            await trio.sleep(10)
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(trio.sleep, 1)
        await trio.to_thread.run_sync(time.sleep, 2)

    trio.run(main)
    assert clock.now == 5


def test_trio_over_a_socket(clock: VirtualClock, server: FakeServer) -> None:
    """A trio client's timeout towards our server."""
    server.fail(faults.timeout())

    async def main() -> None:
        stream = await trio.open_tcp_stream(server.host, server.port)
        async with stream:
            await stream.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            with pytest.raises(trio.TooSlowError), trio.fail_after(30):
                await stream.receive_some()

    trio.run(main)
    assert clock.now == 30


def test_trio_before_the_clock(server: FakeServer) -> None:
    """A loop that runs already is in virtual time for as long as the clock is on, twice here."""
    server.fail(faults.timeout())

    async def main() -> None:
        async with await trio.open_tcp_stream(server.host, server.port) as stream:
            with VirtualClock() as clock:
                await stream.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                with pytest.raises(trio.TooSlowError), trio.fail_after(30):
                    await stream.receive_some()
                await trio.to_thread.run_sync(time.sleep, 2)
                assert (clock.now, clock.reports) == (32, ())
        await trio.sleep(0.001)
        with VirtualClock() as clock:
            await trio.sleep(3)
            assert clock.now == 3

    trio.run(main)


# Loops that never wait


def test_a_loop_that_reads_the_clock_ends(clock: VirtualClock) -> None:
    """Polling time.monotonic for a minute takes a minute, and not much more."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pass

    assert 60 <= clock.now <= 120


def test_a_loop_that_yields_ends(clock: VirtualClock) -> None:
    """sleep(0) until another thread has slept 5 s."""
    (thread,) = start(lambda: time.sleep(5))
    while thread.is_alive():
        time.sleep(0)

    assert 5 <= clock.now <= 10


def test_a_loop_that_asks_an_event_ends(clock: VirtualClock) -> None:
    """is_set() until another thread has slept 5 s and sets it."""
    event = threading.Event()
    start(lambda: (time.sleep(5), event.set()))
    while not event.is_set():
        pass

    assert 5 <= clock.now <= 10


def test_a_task_that_yields_ends(clock: VirtualClock) -> None:
    """asyncio.sleep(0) until another task has slept 5 s."""

    async def main() -> None:
        task = asyncio.create_task(asyncio.sleep(5))
        while not task.done():
            await asyncio.sleep(0)

    asyncio.run(main())
    assert 5 <= clock.now <= 10


def test_a_loop_that_only_looks_at_a_flag_ends(server: FakeServer) -> None:
    """Nobody can see it look: after the patience time goes on without it, and that is reported."""
    flag: list[bool] = []
    with VirtualClock(patience=0.3) as clock:
        (thread,) = start(lambda: (time.sleep(5), flag.append(True)))
        while not flag:
            pass
        thread.join()

    assert clock.now == 5
    assert "has computed for 0.3 seconds without a wait" in clock.reports[0]


def test_retrying_at_once_through_an_outage_ends(server: FakeServer) -> None:
    """A client that retries without any wait: after the patience its attempts take time."""
    server.fail(503, between=(0, 5))
    with VirtualClock(patience=0.2) as clock, requests.Session() as session:
        while session.get(server.url).status_code != 200:
            pass

        assert 5 <= clock.now <= 10


# Applications in worker threads


def sleepy(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    time.sleep(2)
    start("200 OK", [])
    return [b"ok"]


def test_applications_that_sleep_and_lock(clock: VirtualClock) -> None:
    """Three requests to an application that holds a lock for 2 s each are answered at 2, 4, 6."""
    ended: list[float] = []
    lock = threading.Lock()

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        with lock:
            return sleepy(environ, start)

    def ask() -> None:
        requests.get(server.url, timeout=30)
        ended.append(clock.now)

    with FakeServer(app) as server:
        for thread in start(ask, ask, ask):
            thread.join()

    assert ended == [2, 4, 6]


def test_more_requests_than_threads(clock: VirtualClock) -> None:
    """256 are served at once; those that have to wait hold no time back."""

    def ask() -> None:
        requests.get(server.url, timeout=30)
        ended[clock.now] += 1

    ended: dict[float, int] = collections.Counter()
    with FakeServer(sleepy) as server:
        for thread in start(*[ask] * 260):
            thread.join()

    assert ended == {2: 256, 4: 4}


def test_a_server_that_stops(clock: VirtualClock) -> None:
    """A client that hangs is let go at once when its server stops."""
    outcome: list[object] = []

    def ask() -> None:
        try:
            requests.get(server.url, timeout=3600)
        except requests.ConnectionError:
            outcome.append(clock.now)

    with FakeServer(sleepy) as server:
        server.fail(faults.timeout())
        (thread,) = start(ask)
        time.sleep(5)
    thread.join()

    assert outcome == [5]


# Many


def empty(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    start("200 OK", [])
    return []


def test_many_threads_in_one_order() -> None:
    """A hundred clients through a minute's outage leave the same trace for the same seed."""

    def client(server: FakeServer, seed: int, number: int) -> None:
        delays, wait = random.Random(f"{seed}/{number}"), 1.0
        while requests.get(f"{server.url}/{number}", timeout=10).status_code != 200:
            time.sleep(wait * delays.uniform(0.5, 1))
            wait *= 2

    def run(server: FakeServer, seed: int) -> list[tuple[str, int]]:
        with VirtualClock() as clock:
            server.start_over()
            server.fail(503, between=(0, 60))
            threads = start(*(lambda n=n: client(server, seed, n) for n in range(30)))
            for thread in threads:
                thread.join()
            assert clock.reports == ()
            return [(attempt.target, attempt.started_ns) for attempt in server.trace]

    with FakeServer(empty, blocking=False) as server:
        assert run(server, 1) == run(server, 1) != run(server, 2)


def test_the_engines_thread_waits_for_no_turn_when_it_starts_one(server: FakeServer) -> None:
    """A thread that the engine's starts needs no turn to say that it is there, only to run."""
    loop, ran = running(), threading.Lock()
    assert loop is not None
    ran.acquire()  # A lock from before the clock: waited for in real time.
    with VirtualClock():
        thread = threading.Thread(target=ran.release, daemon=True)
        with thread._started._cond:  # type: ignore[attr-defined]  # both have to wait for it
            loop.call_soon_threadsafe(thread.start)
            while thread.ident is None:
                _sleep.real_sleep(0.001)
            _sleep.real_sleep(0.02)

        assert ran.acquire(timeout=10)


# The end


def test_stuck(server: FakeServer) -> None:
    """Who waits for what can never come fails after the patience, with a picture."""
    with VirtualClock(patience=0.1) as clock:
        time.sleep(3)
        lock = threading.Lock()
        lock.acquire()
        start(lambda: lock.acquire())
        with pytest.raises(ClockError) as error:
            threading.Event().wait()
        lock.release()

    assert "nothing has moved for 0.1 real seconds" in str(error.value)
    assert "thread 'MainThread' waits for a lock, since t=3.000" in str(error.value)
    assert "waits for a lock, since t=3.000\n" in str(error.value) + "\n"
    assert clock.now == 3


def test_blocked_where_nobody_sees_it() -> None:
    """A thread that is blocked in C is waited for as long as the grace, and the report says so."""
    import _thread

    unseen = _thread.allocate_lock()
    unseen.acquire()
    with VirtualClock(grace=0.05) as clock:
        (thread,) = start(lambda: list(map(_acquire_in_c, [unseen])))
        time.sleep(5)
        unseen.release()
        thread.join()

    assert clock.now == 5
    assert "was blocked for 0.05 real seconds where nobody can see it" in clock.reports[0]


def _acquire_in_c(lock: object) -> None:
    type(lock).acquire(lock)  # type: ignore[attr-defined]
