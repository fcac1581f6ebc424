"""The hands that make the calls: a thread of their own, an event loop for coroutines.

*Problem.* A client may never come back, spin, end the process or leave its thread dead, and
the judge has to say so and go on. It may also keep an async client from one call to the next,
which only works on one event loop.

*Solution.* One worker thread makes all calls, with one loop. The judge waits for it in virtual
time, so a call that sleeps for ever is found at once, and a call that computes for ever is
stopped by an exception from a watchdog in real time. A worker that does not come back is left
behind, and a new one takes its place.
"""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import functools
import inspect
import itertools
import queue
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Self, TypeAlias

from pytest_resilience.clock import interrupt, looking_on, new_lock
from pytest_resilience.errors import ClockError
from pytest_resilience.judge.halting import Halted, Worker

__all__ = ["Ended", "Hands", "Runner", "awaited"]

PATIENCE = 10.0
"""Seconds of a processor after which a call that computes is stopped, and real ones after which
one that does not is."""

TRIES = 3
"""How often a call that waits for ever is told to end; it may catch what tells it."""

Runner: TypeAlias = Callable[[Callable[[], Awaitable[object]]], object]
"""Runs an async function to its end: ``trio.run``, say."""

Ended: TypeAlias = tuple[object, BaseException | None]
"""What a call returned, and what it raised."""


class Hands:
    """Make calls, one after the other or several at once.

    Args:
        is_async: Whether calls have to be made inside of a loop.
        runner: Runs async functions; None for asyncio, in one loop for all calls.
    """

    def __init__(self, *, is_async: bool = False, runner: Runner | None = None) -> None:
        self.is_async = is_async or runner is not None
        self._runner = runner
        self.awaits = False
        """Whether a call has returned something that is to be awaited."""
        self._jobs: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Ended | None] = queue.SimpleQueue()
        self.thread = Worker(self._work, "verify")
        self.thread.start()

    def call(self, function: Callable[[], object], limit: float) -> Ended | None:
        """What a call returned and raised; None when it is not back in time.

        Args:
            function: The call; what it returns is awaited when it can be.
            limit: Virtual seconds.
        """
        with self._watched(self.thread, lambda: self._done.put(None)):
            self._jobs.put(lambda: self._finish(function))
            try:
                return self._done.get(timeout=limit)
            except (queue.Empty, ClockError):
                return None  # Or it wakes up again and again, and nothing ever comes of it.

    def together(
        self, functions: Sequence[Callable[[], object]], limit: float
    ) -> list[Ended | None]:
        """The same for several calls at once, each in a thread of its own."""
        ended: list[Ended | None] = [None] * len(functions)
        if self.is_async and self._runner is None:
            # A client that keeps a session for all its calls has it on one loop.
            return self._gathered(functions, ended, limit)

        def work(place: int) -> None:
            with Turn(self._runner) as turn:
                ended[place] = _outcome(lambda: turn.finish(functions[place], self.is_async))

        threads = [
            Worker(functools.partial(work, place), f"verify {place + 1}")
            for place in range(len(functions))
        ]
        with contextlib.ExitStack() as stack:
            for thread in threads:
                stack.enter_context(self._watched(thread))
                thread.start()
            for thread in threads:
                thread.join(limit)
            for thread in threads:
                _free(thread)
        return ended

    def _gathered(
        self, functions: Sequence[Callable[[], object]], ended: list[Ended | None], limit: float
    ) -> list[Ended | None]:
        async def one(place: int) -> None:
            try:
                ended[place] = await awaited(functions[place]()), None
            except BaseException as error:  # noqa: BLE001 -- evidence
                ended[place] = None, error

        async def all_of_them() -> None:
            await asyncio.gather(*(one(place) for place in range(len(functions))))

        self.call(all_of_them, limit)
        return ended

    def close(self) -> bool:
        """Let the worker end; whether it did by itself. One that cannot be freed stays behind."""
        self._jobs.put(None)
        with contextlib.suppress(ClockError):
            self.thread.join(1)
        if not self.thread.is_alive():
            return True
        computes = True
        with contextlib.suppress(ClockError):
            computes = _free(self.thread)
        if computes:  # It is not to do so for ever.
            _thread.start_new_thread(self.thread.halt, ())
        return False

    # In the worker's thread

    def _work(self) -> None:
        with Turn(self._runner) as turn:
            self._turn = turn
            while (job := self._jobs.get()) is not None:
                self._done.put(_outcome(job))

    def _finish(self, function: Callable[[], object]) -> object:
        try:
            return self._turn.finish(function, self.is_async)
        finally:
            self.awaits = self._turn.awaits

    @contextlib.contextmanager
    def _watched(
        self, thread: Worker, give_up: Callable[[], object] = lambda: None
    ) -> Iterator[None]:
        """Throw into the thread when it has computed for too long.

        One that waits for another process has not noticed when it is too long twice: it is
        given up.
        """
        over = new_lock()
        over.acquire()

        def watch() -> None:  # pragma: no cover -- no tracer is on a raw thread, and must not be
            for end in itertools.chain([lambda: None], itertools.repeat(give_up)):
                if not _lasts_too_long(thread, over):
                    return
                thread.halt()
                end()

        _thread.start_new_thread(watch, ())
        try:
            with looking_on():
                yield
        finally:
            over.release()


class Turn:
    """Finishes what a call has begun, on one event loop; of one thread."""

    def __init__(self, runner: Runner | None) -> None:
        self._runner = runner
        self._loop: asyncio.Runner | None = None
        self.awaits = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None:
            self._loop.close()

    def finish(self, function: Callable[[], object], is_async: bool) -> object:  # noqa: FBT001 -- of one caller
        """Call it, await what it returns when that can be awaited, and exhaust a generator."""
        if is_async:
            return self._run(lambda: awaited(function()))
        value = function()
        if inspect.isawaitable(value) or inspect.isasyncgen(value):
            self.awaits = True
            return self._run(lambda: awaited(value))
        return list(value) if inspect.isgenerator(value) else value

    def _run(self, function: Callable[[], Any]) -> object:
        async def main() -> object:
            return await function()

        if self._runner is not None:
            return self._runner(main)
        if self._loop is None:
            self._loop = asyncio.Runner()
        loop = self._loop
        value, error = _outcome(lambda: loop.run(main()))
        # Not while the error is on its way: what is cancelled then would keep it as its context.
        _cancel_rest(loop.get_loop())
        try:
            if error is not None:
                raise error
            return value
        finally:
            del error


def _lasts_too_long(  # pragma: no cover -- as above
    thread: Worker, over: _thread.LockType
) -> bool:
    """Whether what the thread does is not over when it ought to be.

    On a busy machine imports alone may take a call longer than that, a little at a time.
    """
    began = before = thread.ran()
    while not over.acquire(timeout=PATIENCE):
        now = thread.ran()
        # All of a processor's time but what it takes to switch, or hardly any.
        if now - began >= PATIENCE * 0.9 or now - before < PATIENCE * 0.1:
            return True
        before = now
    return False


def _free(thread: threading.Thread) -> bool:
    """Get a thread out of whatever it waits for in virtual time; whether it computes instead."""
    for _ in range(TRIES):
        if not thread.is_alive():
            break
        if not interrupt(thread, Halted()):
            return True
        thread.join(1)
    return False


def _outcome(job: Callable[[], object]) -> Ended:
    try:
        return job(), None
    except BaseException as error:  # noqa: BLE001 -- whatever a client raises is evidence
        return None, error


async def awaited(value: object) -> object:
    """What comes of a value that may be awaited, or be a generator of either kind."""
    if inspect.isawaitable(value):
        value = await value
    if inspect.isasyncgen(value):
        return [item async for item in value]
    return list(value) if inspect.isgenerator(value) else value


def _cancel_rest(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what a call has left running, as ``asyncio.run`` does at its end."""
    rest = [] if loop.is_closed() else asyncio.all_tasks(loop)
    for task in rest:
        task.cancel()
    if rest:
        loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
