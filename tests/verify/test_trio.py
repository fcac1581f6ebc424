"""Clients that trio runs: what blocks it, what is not awaited, and what takes its cancellation."""

from __future__ import annotations

import functools
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx
import pytest
import requests
import trio

from pytest_resilience import RetryPolicy, verify

POLICY = RetryPolicy(attempts=3, backoff=[1, 2], statuses=["5xx"], timeout=5)
SCENES = ["event-loop", "cancelled-during-its-attempt", "cancelled-during-its-wait"]

Get = Callable[[str], Awaitable[Any]]
Wait = Callable[[float], Awaitable[object]]


async def by_httpx(url: str) -> Any:
    async with httpx.AsyncClient(timeout=5, verify=False) as client:  # noqa: S501 -- plain HTTP
        return await client.get(url)


async def in_a_thread(url: str) -> Any:
    return await trio.to_thread.run_sync(lambda: requests.get(url, timeout=5))


async def in_the_loop(url: str) -> Any:
    return requests.get(url, timeout=5)  # noqa: ASYNC210 -- the bug


async def time_sleep(seconds: float) -> None:
    time.sleep(seconds)  # noqa: ASYNC251 -- the bug


async def forgotten(seconds: float) -> None:
    trio.sleep(seconds)  # type: ignore[unused-coroutine]  # noqa: ASYNC105 -- the bug


async def in_three(get: Get, wait: Wait, url: str) -> Any:
    for seconds in (1, 2, None):
        response = await get(url)
        if response.status_code < 500 or seconds is None:
            response.raise_for_status()
            return response.json()
        await wait(seconds)
    return None


async def swallows(url: str) -> Any:
    try:
        return await in_three(by_httpx, trio.sleep, url)
    except trio.Cancelled:
        return None


async def turns_into_its_own(url: str) -> Any:
    try:
        return await in_three(by_httpx, trio.sleep, url)
    except trio.Cancelled:
        raise RuntimeError("it did not work") from None


ANYIO = functools.partial(anyio.run, backend="trio")


@pytest.mark.parametrize(
    ("call", "runner", "codes"),
    [
        (functools.partial(in_three, by_httpx, trio.sleep), trio.run, []),
        (functools.partial(in_three, in_a_thread, trio.sleep), trio.run, []),
        (functools.partial(in_three, by_httpx, anyio.sleep), ANYIO, []),
        (functools.partial(in_three, by_httpx, time_sleep), trio.run, ["blocking-sleep"]),
        (functools.partial(in_three, by_httpx, time_sleep), ANYIO, ["blocking-sleep"]),
        (functools.partial(in_three, in_the_loop, trio.sleep), trio.run, ["blocking-io"]),
        (functools.partial(in_three, by_httpx, forgotten), trio.run, ["sleep-not-awaited"]),
        (swallows, trio.run, ["cancellation-swallowed"]),
        (turns_into_its_own, trio.run, ["cancellation-swallowed"]),
    ],
    ids=["httpx", "thread", "anyio", "sleep", "anyio sleep", "network", "forgotten", "none", "own"],
)
def test_what_trio_runs(call: Callable[[str], Any], runner: Any, codes: list[str]) -> None:
    """The same is found as in asyncio, and nothing where nothing is wrong."""
    # Python warns of what is not awaited wherever it comes, and only one scenario listens.
    only = SCENES[:1] if codes == ["sleep-not-awaited"] else SCENES

    assert verify(call, POLICY, runner=runner, only=only).codes == codes


def test_another_runner_of_asyncio() -> None:
    """A runner may as well run asyncio."""

    def run(function: Callable[[], Awaitable[object]]) -> object:
        return anyio.run(function)

    call = functools.partial(in_three, by_httpx, anyio.sleep)

    assert verify(call, POLICY, runner=run, only=SCENES).codes == []


def test_ctrl_c_is_not_pressed_within_trio() -> None:
    """It would come out of its selector, as an internal error, and no run would begin after it."""

    def client(url: str) -> Any:
        async def ride() -> Any:
            async with httpx.AsyncClient(timeout=5) as http:
                for wait in (1, 2, None):
                    response = await http.get(url)
                    if response.status_code != 503 or wait is None:
                        break
                    await trio.sleep(wait)
            return response.raise_for_status().json()

        return trio.run(ride)

    policy = RetryPolicy(attempts=3, backoff=[1, 2], statuses=[503])
    verdict = verify(client, policy, only=["ctrl-c-during-its-wait", "status-503-then-ok"])

    assert verdict.codes == [], verdict
    assert len(verdict.scenarios) == 3
