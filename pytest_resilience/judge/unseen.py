"""Tasks of the client's that die, and nobody ever looks at what they died of.

*Problem.* asyncio says so in its log when such a task is thrown away, also of one that lost a
race: somebody waited for it, and went on with another one.

*Solution.* Each task knows whether anybody has ever waited for it. A callback that only lets go
of it, such as ``tasks.discard``, does not count.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Generator, Iterator
from typing import Any

from pytest_resilience.judge._replaced import replaced

__all__ = ["unseen_errors"]


@contextlib.contextmanager
def unseen_errors(
    scene: Callable[[], int], note: Callable[[int, BaseException], object]
) -> Iterator[None]:
    """Note what tasks of any loop die of for nobody; asyncio says what it has to say as ever.

    Args:
        scene: Tells what is on when a task begins.
        note: Called with what was on then, and the exception.
    """

    def creating(real: Callable[..., Any]) -> Callable[..., Any]:
        def create_task(loop: BaseEventLoop, coroutine: Any, **more: Any) -> Any:  # noqa: ANN401 -- a loop's own
            if loop.get_task_factory() is not None:
                return real(loop, coroutine, **more)
            task = Task(coroutine, loop=loop, **more)
            task.scene = scene()
            return task

        return create_task

    def handling(real: Callable[..., Any]) -> Callable[..., Any]:
        def call_exception_handler(loop: BaseEventLoop, context: dict[str, Any]) -> None:
            task, error = context.get("future"), context.get("exception")
            told = loop.get_exception_handler() is not None
            if isinstance(task, Task) and error is not None and not (task.is_awaited or told):
                note(task.scene, error)
            real(loop, context)

        return call_exception_handler

    with (
        replaced(BaseEventLoop, "create_task", creating),
        replaced(BaseEventLoop, "call_exception_handler", handling),
    ):
        yield


class Task(asyncio.Task[Any]):
    """A task that knows whether somebody has ever waited for it."""

    scene = 0
    is_awaited = False

    def __await__(self) -> Generator[Any, None, Any]:
        self.is_awaited = True
        return super().__await__()

    def add_done_callback(self, call: Callable[..., object], **more: Any) -> None:  # noqa: ANN401 -- its context
        self.is_awaited = self.is_awaited or not _lets_go(call)
        super().add_done_callback(call, **more)


def _lets_go(call: Callable[..., object]) -> bool:
    """Whether it takes the task off a list: ``tasks.discard``, or a function that does so."""
    names = {
        getattr(call, "__name__", ""),
        *getattr(getattr(call, "__code__", None), "co_names", ()),
    }
    return bool(names & {"discard", "remove", "pop"})
