"""What is made of locks, and asked in loops instead of being waited for."""

from __future__ import annotations

import functools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from pytest_resilience.clock._polling import note_state
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's


def _asked(real: Callable[..., Any]) -> Callable[..., Any]:
    """One that returns something false as long as what it is asked for is not there."""

    @functools.wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = real(*args, **kwargs)
        note_state(there=bool(result))
        return result

    return call


def _refused(real: Callable[..., Any]) -> Callable[..., Any]:
    """One that returns something true as long as what it is asked for is not there."""

    @functools.wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = real(*args, **kwargs)
        note_state(there=not result)
        return result

    return call


def _tried(real: Callable[..., Any]) -> Callable[..., Any]:
    """One that raises when it cannot be done at once."""

    @functools.wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return real(*args, **kwargs)
        except (queue.Empty, queue.Full):
            note_state(there=False)
            raise

    return call


QUEUE: dict[str, Callable[..., Any]] = {
    "get": _tried(queue.Queue.get),
    "put": _tried(queue.Queue.put),
    "qsize": _asked(queue.Queue.qsize),
    "empty": _refused(queue.Queue.empty),
    "full": _refused(queue.Queue.full),
}
"""The stand-in for each method of queue.Queue that is replaced."""

acquire = _asked(threading.Semaphore.acquire)

FUTURE: dict[str, Callable[..., Any]] = {
    "done": _asked(Future.done),
    "running": _refused(Future.running),
}
"""The stand-in for each method of concurrent.futures.Future that is replaced."""


class SimpleQueue(queue._PySimpleQueue):  # type: ignore[name-defined,misc]  # the standard library's own
    """queue.SimpleQueue, made of a semaphore."""

    qsize = _asked(queue._PySimpleQueue.qsize)  # type: ignore[attr-defined]
    empty = _refused(queue._PySimpleQueue.empty)  # type: ignore[attr-defined]
