"""What tasks die of: told to nobody, or to somebody after all."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import requests

from pytest_resilience import verify

log = logging.getLogger(__name__)
Spoiled = Callable[[], Awaitable[object]]


async def spoil() -> None:
    raise LookupError("nothing of that name")


def asking(beside: Spoiled, status: int = 200) -> Callable[[str], Any]:
    async def call(url: str) -> Any:
        await beside()
        gc.collect()
        response = await asyncio.to_thread(requests.get, url, timeout=5)
        response.raise_for_status()
        if status != 200:
            raise ConnectionError(status)
        return response.json()

    return call


async def alone() -> None:
    asyncio.create_task(spoil())  # noqa: RUF006 -- the bug
    await asyncio.sleep(0)


async def let_go() -> None:
    task = asyncio.create_task(spoil())
    kept = {task}
    task.add_done_callback(lambda task: kept.discard(task))  # noqa: PLW0108 -- as many write it
    del task
    await asyncio.sleep(0)


@pytest.mark.parametrize("beside", [alone, let_go])
def test_nobody_is_told(beside: Spoiled, caplog: pytest.LogCaptureFixture) -> None:
    """It is a finding, and asyncio says in its log what it always says."""
    verdict = verify(asking(beside), only="undisturbed")

    (found,) = verdict
    assert found.code == "task-raised"
    assert found.sentence == "a task of the call died of LookupError, and nobody was told"
    assert "Task exception was never retrieved" in caplog.text


async def raced() -> None:
    others = {asyncio.create_task(spoil()), asyncio.create_task(spoil())}
    await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)


async def looked_at() -> None:
    task = asyncio.create_task(spoil())
    task.add_done_callback(lambda task: log.info("%r", task.exception()))
    await asyncio.sleep(0)


async def of_a_loop_that_tells() -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: log.info("%s", context["message"]))
    try:
        await alone()
    finally:
        loop.set_exception_handler(None)


async def of_others_making() -> None:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, coroutine, **_: asyncio.Task(coroutine, loop=loop))
    try:
        await alone()
    finally:
        loop.set_task_factory(None)


@pytest.mark.parametrize("beside", [raced, looked_at, of_a_loop_that_tells, of_others_making])
def test_somebody_has_seen_it(beside: Spoiled) -> None:
    """Whoever waits for one of several may leave the others alone."""
    assert verify(asking(beside), only="undisturbed").codes == []


def test_a_caller_who_gets_an_error_knows() -> None:
    """The call itself says that something is wrong."""
    assert verify(asking(alone, 503), only="undisturbed").codes == ["unexpected-exception"]


def test_one_that_is_thrown_away_late() -> None:
    """It is no matter of the scenario that is played by then."""
    kept: list[object] = []

    async def call(url: str) -> Any:
        kept[:] = [asyncio.create_task(spoil())]
        response = await asyncio.to_thread(requests.get, url, timeout=5)
        response.raise_for_status()
        return response.json()

    assert verify(call, only="event-loop").codes == []
