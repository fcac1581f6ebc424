"""Clients that make several requests at once, or none that is tried again after a status."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from pytest_resilience import RetryPolicy, verify

TIMEOUT = aiohttp.ClientTimeout(sock_read=5)
SCENES = ["outage-without-end", "outage-of-1", "outage-of-2", "status-400-without-end"]


async def one(session: aiohttp.ClientSession, url: str, attempts: int = 3) -> Any:
    for wait in range(1, attempts + 1):
        async with session.get(url) as said:
            if said.status != 503 or wait == attempts:
                said.raise_for_status()
                return await said.json()
        await asyncio.sleep(wait)
    raise AssertionError


async def pages(url: str) -> list[Any]:
    """Different ones, at most two at once."""
    places = asyncio.Semaphore(2)
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:

        async def page(number: int) -> Any:
            async with places:
                return await one(session, f"{url}/page?number={number}")

        return await asyncio.gather(*(page(number) for number in range(3)))


async def the_same(url: str) -> list[Any]:
    """One page several times."""
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        return await asyncio.gather(*(one(session, f"{url}/page") for _ in range(3)))


async def not_again(url: str) -> list[Any]:
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session, asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(session, f"{url}/page", 1)) for _ in range(2)]
    return [task.result() for task in tasks]


@pytest.mark.parametrize("client", [pages, the_same])
def test_requests_at_once_that_are_tried_again(client: Any) -> None:
    """Each is counted, and has its waits, by itself."""
    kept = RetryPolicy(attempts=3, backoff=[1, 2], statuses=[503])
    broken = RetryPolicy(attempts=2, backoff=[1], statuses=[503])

    assert not verify(client, kept, only=SCENES).findings
    assert verify(client, broken, only="outage-without-end").codes == ["too-many-attempts"]


def test_requests_at_once_that_are_made_once() -> None:
    """The second one is no second attempt at the first."""
    only = ["outage-without-end", "status-400-without-end"]

    assert not verify(not_again, RetryPolicy(attempts=1), only=only).findings


async def after_refusals(url: str) -> Any:
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        for _ in range(2):
            try:
                return await one(session, url, 1)
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(1)
        return await one(session, url, 1)


def test_only_refused_connections_are_tried_again() -> None:
    """Who claims that, claims nothing of a 503."""
    policy = RetryPolicy(attempts=3, backoff=[1, 1], failures=["refused"])

    verdict = verify(after_refusals, policy, only=["outage-without-end", "refused-then-ok"])

    assert not verdict.findings, verdict


async def stops_its_loop(url: str) -> Any:
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        value = await one(session, url, 1)
    asyncio.get_running_loop().stop()
    return value


def test_a_client_that_stops_its_loop() -> None:
    """Nothing can be said of how it is cancelled."""
    assert not verify(stops_its_loop, only="cancelled-during-its-attempt").findings
