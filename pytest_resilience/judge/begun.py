"""Sleeps that go on by themselves, in tasks, timers and threads, where the client should wait.

*Problem.* Heartbeats, watchdogs and refreshers sleep by themselves too, and so does who keeps
a pace and waits for it later.

*Solution.* Only what comes to nothing but a sleep counts, and only if nobody was seen to wait
for it. What is not just a task called ``sleep`` must besides have been begun between a failure
and the retry, and still be going on when the retry comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import sys
import threading
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pytest_resilience.judge._replaced import replaced
from pytest_resilience.judge.minded import Minded, MindedTask, minding
from pytest_resilience.judge.unawaited import comes_to_a_sleep, does_nothing, sleeps

__all__ = ["Sleeps"]

GROUPS = (
    ("asyncio.taskgroups", "TaskGroup"),
    ("anyio._backends._asyncio", "TaskGroup"),
    ("trio._core._run", "NurseryManager"),
)
STARTERS = (("anyio._backends._asyncio", "TaskGroup"), ("trio._core._run", "Nursery"))
"""Groups that begin functions, not coroutines; anyio's for trio asks trio's."""

Waits = Sequence[tuple[int, int]]
"""When each failure ended, and when it was tried again, in nanoseconds."""
SECOND = 1_000_000_000


@dataclass(slots=True)
class _Sleep:
    began: int
    is_minded: Callable[[], bool]
    over: int | None = None
    loop: BaseEventLoop | None = None
    """The one that runs it: nobody will wait for it when that has stopped."""
    is_plain: bool = False
    """Whether nobody ever begins such a one to let it go on by itself."""
    group: Callable[[], object] = lambda: None

    def is_in_place_of_waiting(self, waits: Waits, entered: Mapping[int, int]) -> bool:
        """Whether the retry came while it was still going on.

        A group that was entered for the retry alone waits for it in time for the next one.
        """
        since = entered.get(id(self.group()), -1)
        return any(
            since < failed <= self.began <= again and (self.over is None or again < self.over)
            for failed, again in waits
        )


class Sleeps:
    """Sleeps that go on by themselves; whether somebody waits for them.

    Args:
        now_ns: Tells the time of the scenario.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._begun: list[_Sleep] = []
        self._given_up = 0
        self._asked_after: set[object] = set()
        self._groups: list[object] = []
        self._entered: dict[int, int] = {}

    def alone(self, waits: Waits) -> int:
        """For how many nobody waited."""
        return self._given_up + sum(
            not sleep.is_minded() and sleep.is_in_place_of_waiting(waits, self._entered)
            for sleep in self._begun
        )

    def look(self, loop: BaseEventLoop) -> None:
        """The loop has stopped: who was to wait for what it runs has done so."""
        for sleep in [one for one in self._begun if one.loop is loop]:
            minded, alone = sleep.is_minded(), sleep.is_plain and sleep.group() is None
            if minded or alone:
                self._given_up += not minded
                self._begun.remove(sleep)
            sleep.is_minded = lambda: False  # What is cancelled from now on is for us.

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Note each of them from its beginning."""
        wrapped: list[tuple[Any, str, Callable[..., Any]]] = [
            (BaseEventLoop, "create_task", self._creating),
            (BaseEventLoop, "run_in_executor", self._executing),
            (BaseEventLoop, "call_at", self._calling),
            (ThreadPoolExecutor, "submit", self._submitting),
            (threading.Thread, "start", self._starting),
            (threading.Thread, "join", self._asking),
            (threading.Thread, "is_alive", self._asking),
            (threading.Timer, "cancel", self._asking),
            *((group, "__aenter__", self._entering) for group in _loaded(GROUPS)),
            *((group, "start_soon", self._spawning) for group in _loaded(STARTERS)),
        ]
        with minding(self._asked_after), contextlib.ExitStack() as stack:
            for owner, name, make in wrapped:
                stack.enter_context(replaced(owner, name, make))
            yield

    def _note(self, is_minded: Callable[[], bool], **more: Any) -> _Sleep:  # noqa: ANN401 -- of a sleep
        sleep = _Sleep(self._now_ns(), is_minded, **more)
        self._begun.append(sleep)
        return sleep

    def _is_asked_after(self, thing: object) -> Callable[[], bool]:
        return lambda: thing in self._asked_after

    def _after(self, seconds: float) -> int:
        return self._now_ns() + round(seconds * SECOND)

    # Tasks and timers of a loop

    def _creating(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def create_task(loop: BaseEventLoop, coroutine: Any, **more: Any) -> Any:  # noqa: ANN401 -- a loop's own
            plain = _is_plain(coroutine)
            may = plain or (inspect.iscoroutine(coroutine) and sleeps(coroutine))
            if not may or loop.get_task_factory() is not None:
                return real(loop, coroutine, **more)
            task = MindedTask(coroutine, loop=loop, **more)
            if plain:
                self._note_task(loop, task, is_plain=True)
            else:  # By then it has begun, and is where it first waits.
                loop.call_soon(self._look_into, loop, task, coroutine)
            return task

        return create_task

    def _look_into(self, loop: BaseEventLoop, task: MindedTask, coroutine: object) -> None:
        if comes_to_a_sleep(coroutine):
            self._note_task(loop, task)

    def _note_task(self, loop: BaseEventLoop, task: MindedTask, *, is_plain: bool = False) -> None:
        sleep = self._note(
            lambda: task.is_minded(self._asked_after),
            loop=loop,
            is_plain=is_plain,
            group=lambda: task.group,
        )

        def end(_: object) -> None:
            sleep.over = self._now_ns()

        asyncio.Task.add_done_callback(task, end)

    def _executing(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def run_in_executor(loop: BaseEventLoop, executor: Any, *call: Any) -> Any:  # noqa: ANN401 -- the same
            future = real(loop, executor, *call)
            if _is_sleep(*call[:1]) and isinstance(future, Minded):
                self._note(lambda: future.is_minded(self._asked_after), loop=loop, is_plain=True)
            return future

        return run_in_executor

    def _calling(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call_at(loop: BaseEventLoop, when: float, call: Any, *rest: Any, **more: Any) -> Any:  # noqa: ANN401 -- the same
            handle = real(loop, when, call, *rest, **more)
            if does_nothing(call) or _is_sleep(call):
                self._note(handle.cancelled, over=self._after(when - loop.time()))
            return handle

        return call_at

    # Threads

    def _submitting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def submit(pool: Any, function: Any, /, *rest: Any, **more: Any) -> Any:  # noqa: ANN401 -- a pool's own
            future = real(pool, function, *rest, **more)
            if (seconds := _seconds(function, rest)) is not None:
                self._note(self._is_asked_after(future), over=self._after(seconds))
            return future

        return submit

    def _starting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def start(thread: Any) -> None:  # noqa: ANN401 -- with what threads have for themselves
            if isinstance(thread, threading.Timer):
                idle = does_nothing(thread.function) or _is_sleep(thread.function)
                seconds = thread.interval if idle else None
            else:
                seconds = _seconds(thread._target, thread._args)  # noqa: SLF001 -- nobody tells
            if seconds is not None:
                self._note(self._is_asked_after(thread), over=self._after(seconds))
            real(thread)

        return start

    def _asking(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def ask(thread: object, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 -- a thread's
            self._asked_after.add(thread)
            return real(thread, *arguments, **more)

        return ask

    # Groups of tasks

    def _entering(self, real: Callable[..., Any]) -> Callable[..., Any]:
        async def enter(manager: object) -> Any:  # noqa: ANN401 -- a group
            group = await real(manager)
            self._groups.append(group)  # While it is there, nobody else has its number.
            self._entered[id(group)] = self._now_ns()
            return group

        return enter

    def _spawning(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def start_soon(group: object, function: Any, *rest: Any, **more: Any) -> Any:  # noqa: ANN401 -- a group's
            if (seconds := _seconds(function, rest)) is not None:
                self._note(lambda: False, over=self._after(seconds), group=lambda: group)
            return real(group, function, *rest, **more)

        return start_soon


def _is_plain(coroutine: Any) -> bool:  # noqa: ANN401 -- a coroutine, or what asyncio refuses
    name = getattr(coroutine, "__name__", "")
    if name == "to_thread" and inspect.iscoroutine(coroutine) and coroutine.cr_frame:
        return _is_sleep(coroutine.cr_frame.f_locals.get("func"))
    return name == "sleep"


def _is_sleep(function: object = None) -> bool:
    """Whether it only sleeps; what is called ``sleep_and_ask`` may do more."""
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__name__", "") == "sleep"


def _seconds(function: object, rest: Sequence[object]) -> float | None:
    """For how long a function sleeps that is called with this; None if it does not."""
    if not _is_sleep(function):
        return None
    given = [*getattr(function, "args", ()), *rest]
    return next((float(one) for one in given if isinstance(one, int | float)), None)


def _loaded(names: Sequence[tuple[str, str]]) -> list[Any]:
    """Of these classes those whose modules are loaded."""
    found = [getattr(sys.modules.get(module), name, None) for module, name in names]
    return [owner for owner in found if owner is not None]
