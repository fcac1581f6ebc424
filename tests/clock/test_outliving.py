"""Who waits in turns, or in a loop, and outlives the clock goes on in real time."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Awaitable, Callable

import pytest
import trio

from pytest_resilience import VirtualClock

real_monotonic = time.monotonic
TURN = 0.1


def get() -> None:
    with pytest.raises(queue.Empty):
        queue.Queue[None]().get(timeout=TURN)


def put() -> None:
    full = queue.Queue[None](1)
    full.put(None)
    with pytest.raises(queue.Full):
        full.put(None, timeout=TURN)


def wait_for() -> None:
    condition = threading.Condition()
    with condition:
        condition.wait_for(lambda: False, TURN)


def acquire() -> None:
    threading.Semaphore(0).acquire(timeout=TURN)


def meet() -> None:
    with pytest.raises(threading.BrokenBarrierError):
        threading.Barrier(2).wait(TURN)


class Worker:
    """A thread that takes one turn after the other until it is told to stop."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.turned = threading.Event()

    def in_a_thread(self, turn: Callable[[], object]) -> None:
        while not self.stop.is_set():
            turn()
            self.turned.set()

    async def in_a_task(self, sleep: Callable[[float], Awaitable[object]]) -> None:
        while not self.stop.is_set():
            await sleep(TURN)
            self.turned.set()

    def by_asyncio(self) -> None:
        asyncio.run(self.in_a_task(asyncio.sleep))

    def by_trio(self) -> None:
        trio.run(self.in_a_task, trio.sleep)


WAYS: dict[str, Callable[[Worker], None]] = {
    **{
        turn.__name__: lambda worker, turn=turn: worker.in_a_thread(turn)  # type: ignore[misc]
        for turn in (get, put, wait_for, acquire, meet)
    },
    "asyncio": Worker.by_asyncio,
    "trio": Worker.by_trio,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_worker_goes_on(way: str) -> None:
    """Its next turn ends a moment later, and not when real time is where virtual time was."""
    worker = Worker()
    thread = threading.Thread(target=WAYS[way], args=(worker,))
    with VirtualClock() as clock:
        thread.start()
        clock.advance(100)
    worker.turned.clear()

    assert worker.turned.wait(20)

    worker.stop.set()
    thread.join(20)
    assert not thread.is_alive()


def test_a_loop_that_rests() -> None:
    """A loop that nobody runs when the clock stops keeps what is left of its timers."""

    async def start() -> asyncio.Task[None]:
        return asyncio.create_task(asyncio.sleep(100.5))

    with asyncio.Runner() as runner:
        with VirtualClock():
            task = runner.run(start())
            runner.run(asyncio.sleep(100))
        began = real_monotonic()
        runner.run(asyncio.wait_for(task, 20))
        assert real_monotonic() - began >= 0.4


def test_a_loop_that_never_waited() -> None:
    """So do those of one that was not yet waiting while time passed."""

    async def start(clock: VirtualClock) -> asyncio.Task[None]:
        clock.advance(100)
        return asyncio.create_task(asyncio.sleep(0.1))

    with asyncio.Runner() as runner:
        with VirtualClock() as clock:
            task = runner.run(start(clock))
        runner.run(asyncio.wait_for(task, 20))


def test_a_clock_within_a_task() -> None:
    """So does the loop in which the clock was switched on and off."""

    async def main() -> None:
        with VirtualClock() as clock:
            timer = asyncio.create_task(asyncio.sleep(100.1))
            await asyncio.sleep(100)
            assert clock.now == 100
        await asyncio.wait_for(timer, 20)

    asyncio.run(main())


def test_a_clock_within_a_task_of_trio() -> None:
    """The same for trio."""

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            with VirtualClock() as clock:
                nursery.start_soon(trio.sleep, 100.1)
                await trio.sleep(100)
                assert clock.now == 100

    trio.run(main)
