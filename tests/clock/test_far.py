"""After months, of virtual time or of the machine's, floats are coarser than nanoseconds."""

from __future__ import annotations

import asyncio
import queue
import select
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import nullcontext

import pytest
import requests

from pytest_resilience import FakeServer, VirtualClock
from pytest_resilience.clock import virtual

DAY = 86_400
FAR = 400 * DAY


def sleep_till_deadlines() -> None:
    for _ in range(20):
        end = time.monotonic() + 0.1
        while (left := end - time.monotonic()) > 0:
            time.sleep(left)


def get_of_a_queue() -> None:
    empty: queue.Queue[int] = queue.Queue()
    for _ in range(20):
        with pytest.raises(queue.Empty):
            empty.get(timeout=0.1)


def wait_for_a_condition() -> None:
    condition = threading.Condition()
    with condition:
        for _ in range(20):
            assert not condition.wait_for(lambda: False, 0.1)


def sleep_in_tasks() -> None:
    async def main() -> None:
        async def sleeps() -> None:
            for _ in range(20):
                await asyncio.sleep(0.1)

        await asyncio.gather(*(sleeps() for _ in range(3)))

    asyncio.run(main())


def be_called_at_once() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        for _ in range(20):
            called = asyncio.Event()
            loop.call_later(0, called.set)
            await called.wait()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 0.1)

    asyncio.run(main())


WAYS = (
    *(sleep_till_deadlines, get_of_a_queue, wait_for_a_condition),
    *(sleep_in_tasks, be_called_at_once),
)


@pytest.mark.parametrize("days", [100, 400, 3000])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_waits_end_when_they_are_due(way: Callable[[], None], days: int) -> None:
    """And none of them looks again and again whether it is late enough."""
    with VirtualClock(patience=5) as clock:
        clock.advance(days * DAY)
        way()

        assert clock.now == days * DAY + 2
        assert not clock.reports


TOO_FAR: dict[str, Callable[[], object]] = {
    "sleep": lambda: time.sleep(2**64),
    "event": lambda: threading.Event().wait(9_223_372_037),
    "queue": lambda: queue.Queue[int]().get(timeout=1e11),
    "simple queue": lambda: queue.SimpleQueue[int]().get(timeout=1e11),
    "semaphore": lambda: threading.Semaphore(0).acquire(timeout=1e11),
    "future": lambda: Future[int]().result(timeout=1e11),
    "select": lambda: select.select([], [], [], 1e20),
}


@pytest.mark.parametrize("way", TOO_FAR)
@pytest.mark.parametrize("virtual", [True, False])
def test_waits_that_no_machine_can_count_are_refused(way: str, *, virtual: bool) -> None:
    """As without the clock: who asks for 293 years has made a mistake."""
    with VirtualClock() if virtual else nullcontext(), pytest.raises(OverflowError):
        TOO_FAR[way]()


def test_a_child_may_be_waited_for_as_long_as_one_likes() -> None:
    """Popen.wait looks again and again, and counts nothing."""
    with VirtualClock(), subprocess.Popen(["true"]) as child:
        assert child.wait(timeout=1e11) == 0


def test_a_machine_that_has_run_for_months(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own clock is as coarse from the beginning."""
    monkeypatch.setattr(virtual, "real_monotonic_ns", lambda: FAR * 10**9 + 123_456_789)
    with FakeServer() as server, VirtualClock() as clock:
        server.fail(503, times=3)
        for delay in (0.1, 0.2, 0.4, None):
            if requests.get(server.url, timeout=30).ok or delay is None:
                break
            end = time.monotonic() + delay
            time.sleep(end - time.monotonic())

        assert server.trace.waits == [0.1, 0.2, 0.4]
        sleep_in_tasks()
        assert clock.now == 2.7
