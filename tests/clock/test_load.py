"""Exactness under load: the same figures, whoever else holds the processors."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import requests

from pytest_resilience import FakeServer, VirtualClock, faults


@contextlib.contextmanager
def two_busy_processes() -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            busy = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(busy.kill)
        yield


def ride(url: str) -> None:
    for wait in (1, 2, 4, 0):
        with contextlib.suppress(requests.RequestException):
            if requests.get(url, timeout=30).status_code == 200:
                return
        time.sleep(wait)


async def ride_async(url: str) -> None:
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        for wait in (1, 2, 4, 0):
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(url)).status_code == 200:
                    return
            await asyncio.sleep(wait)


def schedules(server: FakeServer) -> list[object]:
    """Everything that has to be exact, in figures."""
    seen: list[object] = []
    for fault, run in (
        (503, ride),
        (faults.timeout(), ride),
        (faults.reset_peer(), ride),
        (faults.stall(), ride),
        (503, lambda url: asyncio.run(ride_async(url))),
        (faults.timeout(), lambda url: asyncio.run(ride_async(url))),
    ):
        with VirtualClock() as clock:
            server.start_over()
            server.fail(fault, times=3)
            run(server.url)
            seen += [server.trace.times, server.trace.waits, clock.now, clock.reports]
    with VirtualClock() as clock:
        server.start_over()
        server.fail(faults.latency(4), times=4)
        threads = [threading.Thread(target=ride, args=(f"{server.url}/{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seen += [[a.target for a in server.trace], server.trace.times, clock.now, clock.reports]
    return seen


ERRORS = [[0, 1, 3, 7], [1, 2, 4], 7, ()]
TIMEOUTS = [[0, 31, 63, 97], [1, 2, 4], 97, ()]
EXACT = [
    *ERRORS,
    *TIMEOUTS,
    *ERRORS,
    *TIMEOUTS,
    *ERRORS,
    *TIMEOUTS,
    *(["/0", "/1", "/2", "/3"], [0, 0, 0, 0], 4, ()),
]


def repeat(server: FakeServer, times: int) -> None:
    with two_busy_processes():
        for turn in range(times):
            assert schedules(server) == EXACT, f"repetition {turn}"


def test_exact_beside_two_busy_processes(server: FakeServer) -> None:
    """A few repetitions of what `make soak` does a thousand times."""
    repeat(server, 5)


@pytest.mark.soak
def test_exact_a_thousand_times(server: FakeServer) -> None:
    """No failure and no difference in a thousand repetitions on processors that are held."""
    repeat(server, 1000)
