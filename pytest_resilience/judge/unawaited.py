"""Coroutines that nobody awaits, and which of them would have slept, whatever their names are.

*Problem.* Python warns of a coroutine that was thrown away by the name of its function, and says
nothing of a task that nobody waits for.

*Solution.* The coroutine is at hand where Python warns of it: what it was to call is looked up.
Of tasks only those that are nothing but a sleep count, and only if nobody was seen to wait for
them: a task may well go on by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import re
import sys
import types
import warnings
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

from pytest_resilience.judge._replaced import replaced

__all__ = ["Tasks", "forgotten", "sleeps"]

SLEEPS = re.compile(r"sleep", re.IGNORECASE)
DEEP = 4
"""How many calls lie between a coroutine and the sleep at most."""


def sleeps(coroutine: Any) -> bool:  # noqa: ANN401 -- a coroutine of any library
    """Whether this coroutine, which has not begun, would sleep."""
    given = coroutine.cr_frame.f_locals
    if any(map(_is_sleep, given.values())):
        return True  # A function that it was to call, such as ``asyncio.to_thread(time.sleep, 1)``.
    known = coroutine.cr_frame.f_globals
    return _calls_sleep(coroutine.cr_code, known, given.get("self"), DEEP)


def _is_sleep(thing: object) -> bool:
    while isinstance(thing, functools.partial):
        thing = thing.func
    return callable(thing) and bool(SLEEPS.search(str(getattr(thing, "__name__", ""))))


def _calls_sleep(
    code: types.CodeType, known: Mapping[str, object], owner: object, deep: int
) -> bool:
    if SLEEPS.search(code.co_name) or any(map(SLEEPS.search, code.co_names)):
        return True
    used = [known.get(name, getattr(type(owner), name, None)) for name in code.co_names]
    if any(map(_is_sleep, used)):
        return True
    functions = [thing for thing in used if isinstance(thing, types.FunctionType)]
    return deep > 0 and any(
        _calls_sleep(function.__code__, function.__globals__, owner, deep - 1)
        for function in functions
        if asyncio.iscoroutinefunction(function)
    )


@contextlib.contextmanager
def forgotten() -> Iterator[list[str]]:
    """Note the names of coroutines that are thrown away meanwhile and would have slept."""
    names: list[str] = []

    def noting(real: Callable[[Any], None]) -> Callable[[Any], None]:
        def warn(coroutine: Any) -> None:  # noqa: ANN401 -- the same
            if sleeps(coroutine):
                names.append(coroutine.__qualname__)
            real(coroutine)

        return warn

    # CPython's _PyErr_WarnUnawaitedCoroutine calls what stands there.
    with replaced(warnings, "_warn_unawaited_coroutine", noting):
        yield names


class Tasks:
    """Sleeps that go on by themselves, in tasks and threads; whether somebody waits for them."""

    def __init__(self) -> None:
        self._begun: list[_Minded] = []
        self.alone = 0
        """For how many nobody waited until their loop stopped."""

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Note each of them, of any loop, from its beginning."""
        with (
            replaced(BaseEventLoop, "create_task", self._creating),
            replaced(BaseEventLoop, "run_in_executor", self._executing),
            replaced(BaseEventLoop, "create_future", _minding),
            replaced(asyncio.tasks, "_GatheringFuture", _of_many),
        ):
            yield

    def _creating(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def create_task(loop: BaseEventLoop, coroutine: Any, **more: Any) -> Any:  # noqa: ANN401 -- a loop's own
            if not _only_sleeps(coroutine) or loop.get_task_factory() is not None:
                return real(loop, coroutine, **more)
            task = _Sleep(coroutine, loop=loop, **more)
            self._begun.append(task)
            return task

        return create_task

    def _executing(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def run_in_executor(loop: BaseEventLoop, executor: Any, *call: Any) -> Any:  # noqa: ANN401 -- the same
            future = real(loop, executor, *call)
            if any(map(_is_sleep, call[:1])) and isinstance(future, _Minded):
                self._begun.append(future)
            return future

        return run_in_executor

    def look(self) -> None:
        """The loop has stopped: who was to wait for them has done so."""
        self.alone += sum(not sleep.is_minded for sleep in self._begun)
        self._begun.clear()


def _only_sleeps(coroutine: Any) -> bool:  # noqa: ANN401 -- a coroutine, or what asyncio refuses
    name = getattr(coroutine, "__name__", "")
    in_thread = name == "to_thread" and inspect.iscoroutine(coroutine)
    return name == "sleep" or (in_thread and sleeps(coroutine))


class _Minded(asyncio.Future[Any]):
    """What knows whether somebody has ever waited for it, or has ended it."""

    _waited_for = False
    _passed_on: Callable[..., object] | None = None
    """What ``gather`` or ``shield`` is told of it by: who waits, waits for what they have made."""

    @property
    def is_minded(self) -> bool:
        """Whether somebody has, or has been given no chance to be seen doing so."""
        if self._waited_for or self._passed_on is None:
            return self._waited_for
        made = inspect.getclosurevars(self._passed_on).nonlocals.get("outer")
        return not isinstance(made, _Minded) or made.is_minded

    def __await__(self) -> Generator[Any, None, Any]:
        self._waited_for = True
        return super().__await__()

    def add_done_callback(self, call: Callable[..., object], **more: Any) -> None:  # noqa: ANN401 -- its context
        name = getattr(call, "__qualname__", "")
        if name in PASSING_ON:
            self._passed_on = call
        elif name not in THEIR_OWN:
            self._waited_for = True
        super().add_done_callback(call, **more)

    def cancel(self, *arguments: Any, **more: Any) -> bool:  # noqa: ANN401 -- a message
        self._waited_for = True
        return super().cancel(*arguments, **more)


class _Sleep(_Minded, asyncio.Task[Any]):
    """A task that only sleeps."""


PASSING_ON = ("gather.<locals>._done_callback", "shield.<locals>._inner_done_callback")
THEIR_OWN = ("shield.<locals>._outer_done_callback", "_chain_future.<locals>._call_check_cancel")
"""What ``shield`` and ``run_in_executor`` hang on the futures that they have made."""
MAKERS = (asyncio.shield.__code__, asyncio.wrap_future.__code__)


def _minding(real: Callable[..., Any]) -> Callable[..., Any]:
    """Of those that ``shield`` and ``run_in_executor`` return, each knows who waits for it."""

    def create_future(loop: BaseEventLoop) -> Any:  # noqa: ANN401 -- the same
        maker = sys._getframe(1).f_code  # noqa: SLF001 -- as inspect does
        return _Minded(loop=loop) if maker in MAKERS else real(loop)

    return create_future


def _of_many(real: type) -> type:
    return type("_Gathering", (_Minded, real), {})
