"""Sleeps that nobody awaits, by whatever name; and what only looks like one."""

from __future__ import annotations

import asyncio
import functools
import itertools
import time
import warnings
from asyncio import sleep as pause
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx
import pytest
import trio

from pytest_resilience import verify

Wait = Callable[[], object]
nap = functools.partial(asyncio.sleep, 1)


async def rest(seconds: float) -> None:
    await pause(seconds)


async def at_ease(seconds: float) -> None:
    await rest(seconds)


class Client:
    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def linger(self, seconds: float) -> None:
        await self.stay(seconds)

    async def stay(self, seconds: float) -> None:
        await pause(seconds)

    def later(self, seconds: float) -> Awaitable[None]:
        return asyncio.sleep(seconds)

    def keep(self, seconds: float) -> None:
        self.kept = self.later(seconds)


CLIENT = Client()


def asking(wait: Wait, *, awaits: bool) -> Callable[[str], Any]:
    async def call(url: str) -> Any:
        async with httpx.AsyncClient(timeout=5, verify=False) as client:  # noqa: S501 -- plain HTTP
            for number in range(3):
                response = await client.get(url)
                if response.status_code != 503 or number == 2:
                    break
                wait_for = wait()
                if awaits:
                    await wait_for  # type: ignore[misc]  # what can be awaited here
                del wait_for
        return response.raise_for_status().json()

    return call


def verdict(wait: Wait, *, awaits: bool) -> Any:
    with warnings.catch_warnings(record=True):  # Python's own, of what is thrown away.
        warnings.simplefilter("always")
        found = verify(asking(wait, awaits=awaits), only="event-loop")
        vars(CLIENT).clear()
        return found


@pytest.mark.parametrize(
    ("wait", "name"),
    [
        (lambda: pause(1), "sleep"),
        (lambda: anyio.sleep(1), "sleep"),
        (lambda: trio.sleep(1), "sleep"),  # noqa: ASYNC105 -- the bug
        (nap, "sleep"),
        (lambda: rest(1), "rest"),
        (lambda: at_ease(1), "at_ease"),
        (lambda: CLIENT._sleep(1), "Client._sleep"),
        (lambda: CLIENT.linger(1), "Client.linger"),
        (lambda: CLIENT.later(1), "sleep"),
        (lambda: CLIENT.keep(1), "sleep"),
        (lambda: asyncio.to_thread(time.sleep, 1), "to_thread"),
        (lambda: asyncio.to_thread(functools.partial(time.sleep, 1)), "to_thread"),
    ],
    ids=itertools.count(),
)
def test_a_sleep_is_found_under_any_name(wait: Wait, name: str) -> None:
    """What the coroutine would have called counts, and not what it is called itself."""
    found = verdict(wait, awaits=False)

    assert found.codes == ["sleep-not-awaited"]
    assert found.findings[0].sentence.endswith(f"coroutine '{name}' was never awaited")


def in_a_thread(seconds: float = 1) -> Awaitable[None]:
    return asyncio.get_running_loop().run_in_executor(None, time.sleep, seconds)


@pytest.mark.parametrize(
    "begin",
    [
        lambda: asyncio.create_task(asyncio.sleep(1)),
        lambda: asyncio.ensure_future(asyncio.sleep(1)),
        lambda: asyncio.gather(asyncio.sleep(0.2), note()),
        lambda: asyncio.gather(asyncio.gather(asyncio.sleep(1))),
        lambda: asyncio.shield(asyncio.sleep(0.2)),
        lambda: asyncio.shield(asyncio.gather(asyncio.sleep(1))),
        lambda: asyncio.create_task(asyncio.to_thread(time.sleep, 1)),
        in_a_thread,
        lambda: asyncio.gather(in_a_thread()),
    ],
    ids=itertools.count(),
)
def test_a_sleep_that_is_begun_for_nobody(begin: Callable[..., object]) -> None:
    """The client goes on at once."""
    found = verdict(begin, awaits=False)

    assert found.codes == ["sleep-not-awaited"]
    assert found.findings[0].sentence == "it did not wait: nobody awaited the task of a sleep"


async def note() -> None:
    """Be of no account."""


async def hedged() -> None:
    timers = {asyncio.create_task(asyncio.sleep(seconds)) for seconds in (0.1, 0.2)}
    await asyncio.wait(timers, return_when=asyncio.FIRST_COMPLETED)


async def at_least_so_long() -> None:
    timer = asyncio.create_task(asyncio.sleep(0.1))
    await asyncio.sleep(0.5)
    await timer


async def of_several_kinds() -> None:
    await asyncio.gather(asyncio.shield(asyncio.sleep(0.1)), in_a_thread(0.1))
    await asyncio.wait_for(asyncio.shield(asyncio.gather(asyncio.sleep(0.1))), 5)
    await asyncio.to_thread(time.sleep, 0.1)


async def no_longer_than_the_rest() -> None:
    timer = asyncio.gather(asyncio.sleep(60), in_a_thread(0.1))
    await asyncio.sleep(1)
    timer.cancel()


async def of_a_loop_of_its_own() -> None:
    loop = asyncio.get_running_loop()
    loop.create_future = lambda: asyncio.Future(loop=loop)  # type: ignore[method-assign]
    try:
        await asyncio.shield(asyncio.sleep(0.1))
        await in_a_thread(0.1)
    finally:
        del loop.create_future


async def in_a_group() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(1))


async def with_a_task_of_its_own() -> None:
    async def beat() -> None:
        while True:  # noqa: ASYNC110 -- for ever
            await asyncio.sleep(1)

    CLIENT.beat = asyncio.create_task(beat())  # type: ignore[attr-defined]  # kept alive


async def with_tasks_made_by_others() -> None:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, coroutine, **_: asyncio.Task(coroutine, loop=loop))
    try:
        await asyncio.create_task(asyncio.sleep(1))
    finally:
        loop.set_task_factory(None)


@pytest.mark.parametrize(
    "wait",
    [
        hedged,
        at_least_so_long,
        of_several_kinds,
        no_longer_than_the_rest,
        of_a_loop_of_its_own,
        in_a_group,
        with_a_task_of_its_own,
        with_tasks_made_by_others,
    ],
)
def test_whoever_waits_in_the_end_is_not_accused(wait: Wait) -> None:
    """Timers may run beside other things, and tasks may go on by themselves."""
    assert verdict(wait, awaits=True).codes == []


def test_a_coroutine_that_would_not_have_slept_is_another_matter() -> None:
    """Python's own warning is all that there is to say of it."""
    assert verdict(note, awaits=False).codes == []
