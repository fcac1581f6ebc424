"""Futures that know whether anybody has ever waited for them.

*Problem.* A task may well go on by itself, and whoever waits for what ``gather`` or ``shield``
have made of it waits for it too.

*Solution.* Each sees what is hung on it: a callback of asyncio's own that passes it on leads to
what was made, and all other callbacks are somebody who waits. Futures of threads, which others
may have made before, are known by whether any of their methods was called.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import sys
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Collection, Generator, Iterator
from concurrent import futures
from concurrent.futures import _base
from typing import Any

from pytest_resilience.judge._replaced import replaced

__all__ = ["Minded", "MindedTask", "minding"]

PASSING_ON = {
    "gather.<locals>._done_callback": "outer",
    "shield.<locals>._inner_done_callback": "outer",
    "_chain_future.<locals>._call_set_state": "destination",
}
"""What asyncio tells others of it by: its name for what they wait for."""
THEIR_OWN = ("shield.<locals>._outer_done_callback", "_chain_future.<locals>._call_check_cancel")
"""What ``shield`` and ``run_in_executor`` hang on the futures that they have made."""
GROUPING = "TaskGroup._on_task_done"
MAKERS = (asyncio.shield.__code__, asyncio.wrap_future.__code__)


class Minded(asyncio.Future[Any]):
    """What knows whether somebody has ever waited for it, or has ended it."""

    _waited_for = False
    _passed_on: Callable[..., object] | None = None
    """What is told of it for what was made of it: who waits, waits for that."""
    group: object = None
    """The group of tasks that it is in, which ends when it has ended."""

    def is_minded(self, of_threads: Collection[object]) -> bool:
        """Whether somebody has, or has been given no chance to be seen doing so.

        Args:
            of_threads: The futures of threads that somebody has waited for.
        """
        if self._waited_for or self._passed_on is None:
            return self._waited_for
        known_as = PASSING_ON[self._passed_on.__qualname__]
        made = inspect.getclosurevars(self._passed_on).nonlocals.get(known_as)
        if isinstance(made, futures.Future):
            return made in of_threads
        return not isinstance(made, Minded) or made.is_minded(of_threads)

    def __await__(self) -> Generator[Any, None, Any]:
        self._waited_for = True
        return super().__await__()

    def add_done_callback(self, call: Callable[..., object], **more: Any) -> None:  # noqa: ANN401 -- its context
        """Note who calls, or for whom."""
        name = getattr(call, "__qualname__", "")
        if name in PASSING_ON:
            self._passed_on = call
        elif name == GROUPING:
            self.group = getattr(call, "__self__", None)
        elif name not in THEIR_OWN:
            self._waited_for = True
        super().add_done_callback(call, **more)

    def cancel(self, *arguments: Any, **more: Any) -> bool:  # noqa: ANN401 -- a message
        """Who ends it has had it in mind."""
        self._waited_for = True
        return super().cancel(*arguments, **more)


class MindedTask(Minded, asyncio.Task[Any]):
    """A task that knows it."""

    def done(self) -> bool:
        """Whether it is done: who asks has it in mind."""
        asking = sys._getframe(1).f_globals.get("__name__", "")  # noqa: SLF001 -- as inspect does
        self._waited_for = self._waited_for or not str(asking).startswith("asyncio.")
        return super().done()


@contextlib.contextmanager
def minding(of_threads: set[object]) -> Iterator[None]:
    """What is made of futures meanwhile knows it too.

    Args:
        of_threads: Where futures of threads are noted that somebody waits for.
    """

    def noting(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(future: Any, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 -- a future's method
            if not any(getattr(one, "__qualname__", "") in THEIR_OWN for one in arguments):
                of_threads.add(future)
            return real(future, *arguments, **more)

        return call

    def waiting(real: Callable[..., Any]) -> Callable[..., Any]:
        def acquire(several: Collection[object]) -> object:
            of_threads.update(several)
            return real(several)

        return acquire

    with contextlib.ExitStack() as stack:
        stack.enter_context(replaced(BaseEventLoop, "create_future", _creating))
        stack.enter_context(replaced(asyncio.tasks, "_GatheringFuture", _of_many))
        for name in ("result", "exception", "done", "cancel", "add_done_callback"):
            stack.enter_context(replaced(futures.Future, name, noting))
        stack.enter_context(replaced(_base, "_AcquireFutures", waiting))
        yield


def _creating(real: Callable[..., Any]) -> Callable[..., Any]:
    """Of those that ``shield`` and ``run_in_executor`` return, each knows who waits for it."""

    def create_future(loop: BaseEventLoop) -> Any:  # noqa: ANN401 -- a loop's own
        maker = sys._getframe(1).f_code  # noqa: SLF001 -- as inspect does
        return Minded(loop=loop) if maker in MAKERS else real(loop)

    return create_future


def _of_many(real: type) -> type:
    return type("_Gathering", (Minded, real), {})
