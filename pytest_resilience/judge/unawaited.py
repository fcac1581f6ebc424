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
import re
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
    """Tasks that do nothing but sleep, and whether somebody waits for them."""

    def __init__(self) -> None:
        self._begun: list[_Sleep] = []
        self.alone = 0
        """For how many nobody waited until their loop stopped."""

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Note each such task of any loop from its beginning."""

        def noting(real: Callable[..., Any]) -> Callable[..., Any]:
            def create_task(loop: BaseEventLoop, coroutine: Any, **more: Any) -> Any:  # noqa: ANN401 -- a loop's own
                name = getattr(coroutine, "__name__", "")
                if name != "sleep" or loop.get_task_factory() is not None:
                    return real(loop, coroutine, **more)
                task = _Sleep(coroutine, loop=loop, **more)
                self._begun.append(task)
                return task

            return create_task

        with replaced(BaseEventLoop, "create_task", noting):
            yield

    def look(self) -> None:
        """The loop has stopped: who was to wait for them has done so."""
        self.alone += sum(not task.is_awaited for task in self._begun)
        self._begun.clear()


class _Sleep(asyncio.Task[Any]):
    """A task that knows whether somebody has ever waited for it."""

    is_awaited = False

    def __await__(self) -> Generator[Any, None, Any]:
        self.is_awaited = True
        return super().__await__()

    def add_done_callback(self, call: Callable[..., object], **more: Any) -> None:  # noqa: ANN401 -- its context
        self.is_awaited = True
        super().add_done_callback(call, **more)
