"""Many calls, one after the other: what still goes on when all of them have come back.

*Problem.* A client may well have a thread or a task that goes on: a pool's worker, a janitor,
something that renews a token. What it must not have is one more of them after every call.

*Solution.* They are counted after several calls and a rest, and if there are as many as calls,
after so many more calls that any pool is full. A timer ends by itself and does not count.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator

from pytest_resilience.checks import left_behind
from pytest_resilience.judge.halting import Worker
from pytest_resilience.judge.hands import awaited
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.stage import Stage

__all__ = ["scenarios"]

ORDER = 0
"""What is left behind disturbs all that comes after."""

OURS = "pytest-resilience"
"""How the names of the engine's and the server's own threads begin."""
CALLS = 4
MOST = 40
"""Calls that fill a pool; that of ``asyncio.to_thread`` has 32 threads at most."""
REST = 600.0
"""Seconds after which a thread that ends by itself has ended."""


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """Threads of every client, tasks of those that live on a loop of asyncio."""
    on_a_loop = subject.is_async and not subject.is_foreign
    yield Scenario(
        name="many-calls",
        clause="leaves no thread and no task behind",
        play=lambda stage: _threads(stage) or (_tasks(stage) if on_a_loop else {}),
        checks=[left_behind.nothing],
    )


def _threads(stage: Stage) -> dict[str, object]:
    stage.call()
    before = _going_on()
    calls = 0
    left: set[threading.Thread] = set()
    for calls, rest in ((CALLS, REST), (MOST, 1.0)):
        for _ in range(calls - len(left)):
            stage.call()
        stage.forget()
        gc.collect()
        stage.advance(rest)
        left = _going_on() - before
        if len(left) < calls:
            return {}
    return {"calls": calls, "threads": len(left), "such_as": left.pop().name}


def _going_on() -> set[threading.Thread]:
    return {
        thread
        for thread in threading.enumerate()
        if not isinstance(thread, Worker | threading.Timer) and not thread.name.startswith(OURS)
    }


def _tasks(stage: Stage) -> dict[str, object]:
    found: list[str] = []

    async def many() -> None:
        await awaited(stage.client())
        before = asyncio.all_tasks()
        for _ in range(CALLS):
            await awaited(stage.client())
        gc.collect()
        await asyncio.sleep(REST)
        found.extend(str(task.get_coro()) for task in asyncio.all_tasks() - before)

    stage.call(many)
    return {"calls": CALLS, "tasks": len(found), "such_as": "".join(found[:1])}
