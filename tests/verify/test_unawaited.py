"""Sleeps that nobody awaits, by whatever name; and what only looks like one."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import threading
import time
import warnings
from asyncio import sleep as pause
from collections.abc import Awaitable, Callable
from concurrent import futures
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

    def note(self) -> None:
        """Be of no account."""

    async def refresh(self) -> None:
        await asyncio.sleep(1)
        self.token = "new"

    async def sleepy(self) -> None:
        await asyncio.get_running_loop().create_future()


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


POOL = futures.ThreadPoolExecutor(2)


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
        lambda: asyncio.create_task(CLIENT.linger(1)),
        lambda: asyncio.ensure_future(anyio.sleep(1)),
        lambda: asyncio.get_running_loop().call_later(1, CLIENT.note),
        lambda: asyncio.get_running_loop().call_later(1, functools.partial(CLIENT.note)),
        lambda: threading.Timer(1, lambda: None).start(),
        lambda: threading.Timer(1, time.sleep, [0]).start(),
        lambda: threading.Thread(target=time.sleep, args=[1]).start(),
        lambda: POOL.submit(functools.partial(time.sleep, 1)),
        lambda: asyncio.run_coroutine_threadsafe(pause(1), asyncio.get_running_loop()),
    ],
    ids=itertools.count(),
)
def test_a_sleep_that_is_begun_for_nobody(begin: Callable[..., object]) -> None:
    """The client goes on at once."""
    found = verdict(begin, awaits=False)

    assert found.codes == ["sleep-not-awaited"]
    assert found.findings[0].sentence == "it did not wait: nobody awaited the task of a sleep"


@pytest.mark.parametrize(
    ("group", "begin", "runner"),
    [
        (asyncio.TaskGroup, lambda group: group.create_task(asyncio.sleep(1)), None),
        (asyncio.TaskGroup, lambda group: group.create_task(CLIENT.linger(1)), None),
        (anyio.create_task_group, lambda group: group.start_soon(anyio.sleep, 1), None),
        (trio.open_nursery, lambda group: group.start_soon(trio.sleep, 1), trio.run),
    ],
    ids=itertools.count(),
)
@pytest.mark.parametrize("once", [True, False])
def test_a_group_waits_when_it_is_too_late(
    group: Callable[[], Any],
    begin: Callable[[Any], object],
    runner: Any,
    *,
    once: bool,
) -> None:
    """One for all attempts ends behind them; one for each attempt keeps a pace."""

    async def call(url: str) -> Any:
        async with (
            httpx.AsyncClient(timeout=5, verify=False) as client,  # noqa: S501 -- plain HTTP
            group() if once else contextlib.AsyncExitStack() as of_all,
        ):
            for number in range(3):
                async with contextlib.AsyncExitStack() if once else group() as of_one:
                    if number or not once:
                        begin(of_all if once else of_one)
                    response = await client.get(url)
                if response.status_code != 503 or number == 2:
                    break
        return response.raise_for_status().json()

    found = verify(call, only="event-loop", runner=runner)

    assert found.codes == (["sleep-not-awaited"] if once else [])


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


async def with_a_task_that_does_something() -> None:
    CLIENT.beat = asyncio.create_task(CLIENT.refresh())  # type: ignore[attr-defined]  # the same
    CLIENT.turn = asyncio.create_task(CLIENT.sleepy())  # type: ignore[attr-defined]


async def until_it_is_over() -> None:
    task = asyncio.create_task(CLIENT.linger(1))
    while not task.done():  # noqa: ASYNC110 -- as many write it
        await asyncio.sleep(0.1)


async def in_threads() -> None:
    loop = asyncio.get_running_loop()
    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(CLIENT.linger(1), loop))
    await asyncio.to_thread(futures.wait, [POOL.submit(time.sleep, 1)])
    for target in (functools.partial(time.sleep, 1), CLIENT.note):
        thread = threading.Thread(target=target)
        thread.start()
        await asyncio.to_thread(thread.join)


async def with_timers_that_are_stopped() -> None:
    asyncio.get_running_loop().call_later(9, CLIENT.note).cancel()
    timer = threading.Timer(9, CLIENT.note)
    timer.start()
    timer.cancel()


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
        with_a_task_that_does_something,
        until_it_is_over,
        in_threads,
        with_timers_that_are_stopped,
        with_tasks_made_by_others,
    ],
)
def test_whoever_waits_in_the_end_is_not_accused(wait: Wait) -> None:
    """Timers may run beside other things, and tasks may go on by themselves."""
    assert verdict(wait, awaits=True).codes == []


def test_a_coroutine_that_would_not_have_slept_is_another_matter() -> None:
    """Python's own warning is all that there is to say of it."""
    assert verdict(note, awaits=False).codes == []
