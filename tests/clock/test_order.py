"""The same seed gives the same order of attempts, however far the server has got in real time."""

from __future__ import annotations

import _thread
import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable

import aiohttp
import httpx
import pytest
import requests

from pytest_resilience import FakeServer, VirtualClock
from pytest_resilience.clock import _current, _kernel, _vigil

Fetch = Callable[[str], Awaitable[int]]
CROWD = 16
SECOND = 1_000_000_000


async def retry(fetch: Fetch, url: str, number: int) -> None:
    """Waits that are often equal, so that many tasks are due at one moment."""
    rng, wait = random.Random(number), 1.0
    while await fetch(f"{url}/{number}") != 200:
        await asyncio.sleep(wait * rng.choice([0.5, 1, 1]))
        wait = min(8, wait * 2)


async def gather(fetch: Fetch, url: str) -> None:
    await asyncio.gather(*(retry(fetch, url, number) for number in range(CROWD)))


async def by_httpx(url: str) -> None:
    """Fewer connections than tasks, so that some are used again and others are new."""
    limits = httpx.Limits(max_connections=10)
    async with httpx.AsyncClient(trust_env=False, limits=limits) as client:

        async def fetch(target: str) -> int:
            return (await client.get(target)).status_code

        await gather(fetch, url)


async def by_aiohttp(url: str) -> None:
    async with aiohttp.ClientSession() as session:

        async def fetch(target: str) -> int:
            async with session.get(target) as response:
                return response.status

        await gather(fetch, url)


async def by_tasks_and_threads(url: str) -> None:
    """Half of them in threads that the loop has started."""
    async with httpx.AsyncClient(trust_env=False) as client:

        async def fetch(target: str) -> int:
            if int(target.rpartition("/")[2]) % 2:
                return await asyncio.to_thread(lambda: requests.get(target, timeout=30).status_code)
            return (await client.get(target)).status_code

        await gather(fetch, url)


async def by_new_and_kept_connections(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:

        async def fetch(target: str) -> int:
            kept = int(target.rpartition("/")[2]) % 2
            headers = {} if kept else {"Connection": "close"}
            return (await client.get(target, headers=headers)).status_code

        await gather(fetch, url)


WAYS = [by_httpx, by_aiohttp, by_tasks_and_threads, by_new_and_kept_connections]


def through_an_outage(server: FakeServer, run: Callable[[str], Awaitable[None]]) -> list[object]:
    async def main() -> None:
        await run(server.url)

    with VirtualClock() as clock:
        server.start_over()
        server.fail(503, between=(0, 10))
        asyncio.run(main())
    assert clock.reports == ()
    return [(attempt.target, attempt.at) for attempt in server.trace]


@pytest.mark.parametrize("run", WAYS)
def test_tasks_keep_one_order(run: Callable[[str], Awaitable[None]], server: FakeServer) -> None:
    """Tasks that share connections try in the same order each time."""
    first = through_an_outage(server, run)

    assert all(through_an_outage(server, run) == first for _ in range(2))


def test_a_loop_that_never_waits_hears_of_others(clock: VirtualClock) -> None:
    """Tasks that only yield are not kept from what another thread tells them."""
    told = threading.Event()

    async def main() -> float:
        loop = asyncio.get_running_loop()
        heard = loop.create_future()

        def tell() -> None:
            time.sleep(0)
            loop.call_soon_threadsafe(heard.set_result, "news")
            told.set()

        threading.Thread(target=tell).start()
        while not heard.done():
            await asyncio.sleep(0)
        return clock.now

    assert asyncio.run(main()) == 0
    assert told.is_set()


@pytest.mark.parametrize(
    ("awake", "wanted"),
    [
        ([0, 9 * SECOND], False),
        ([0, SECOND], True),
        ([None, None], True),
    ],
    ids=["has waited for a processor", "has slept", "nobody counts"],
)
def test_whose_turn_is_lost(
    awake: list[int | None], *, wanted: bool, monkeypatch: pytest.MonkeyPatch, clock: VirtualClock
) -> None:
    """A turn passes on from a thread that sleeps and sleeps, not from one that is not let run."""
    conductor = _current.conductor
    assert conductor is not None
    vigil = _vigil.Vigil(conductor, SECOND)
    counted = iter([*awake[:1] * 2, awake[1]])
    monkeypatch.setattr(_kernel, "awake_ns", lambda _: next(counted))
    with conductor.lock:
        now = conductor.progress.real_ns + SECOND
        at_first = vigil._is_asleep(now)
        later = vigil._is_asleep(now + 9 * SECOND)

    assert [at_first, later] == [False, wanted]


def test_what_the_kernel_counts() -> None:
    """A thread that computes is awake; of one that is not there nothing is known."""
    before = _kernel.awake_ns(_thread.get_native_id())
    sum(range(1_000_000))

    assert before is not None
    assert (_kernel.awake_ns(_thread.get_native_id()) or 0) > before
    assert _kernel.awake_ns(0) is None


def test_tasks_that_share_a_pool(clock: VirtualClock, server: FakeServer) -> None:
    """The pool looks at each of its connections again and again: that lets no time pass."""

    async def ride(client: httpx.AsyncClient) -> None:
        for wait in (1, 2, 0):
            await client.get(server.url)
            await asyncio.sleep(wait)

    async def main() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            await asyncio.gather(*(ride(client) for _ in range(12)))

    asyncio.run(main())
    assert server.trace.times == [0] * 12 + [1] * 12 + [3] * 12
