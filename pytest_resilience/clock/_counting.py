"""Counts the sleeps of tasks. They need no stand-in, and so have nobody else who could.

The code object of a coroutine function is exchanged, not the function: so it does not matter
who has imported it by name, as anyio has asyncio's, and nothing has to be searched for.
"""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from pytest_resilience.clock._here import conducting
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's

_real: dict[str, Any] = {}
"""Functions with the code that was taken out, by the names of the modules they are from."""


@contextlib.contextmanager
def counted() -> Iterator[None]:
    """Add the virtual time that this block takes to what has been slept."""
    conductor = conducting()
    if conductor is None:
        yield
        return
    began = conductor.now_ns
    try:
        yield
    finally:
        conductor.note_sleep(conductor.now_ns - began)


# These run with the names of the module from which they have taken the code.


async def _asyncio_sleep(delay: Any, result: Any = None) -> Any:
    from pytest_resilience.clock import _counting  # noqa: PLW0406 -- see above

    with _counting.counted():
        return await _counting._real["asyncio.tasks"](delay, result)


async def _trio_sleep_until(deadline: Any) -> Any:
    from pytest_resilience.clock import _counting  # noqa: PLW0406 -- see above

    with _counting.counted():
        return await _counting._real["trio._timeouts"](deadline)


SLEEPS = (
    ("asyncio.tasks", "sleep", _asyncio_sleep),
    ("trio._timeouts", "sleep_until", _trio_sleep_until),
)
"""Module, name, and what to run instead. trio.sleep is made of sleep_until, anyio.sleep of both."""


def count_sleeps(undo: Callable[..., object]) -> None:
    """Count what is loaded; ``undo`` takes what puts the code back."""
    for name, attribute, counting in SLEEPS:
        function = getattr(sys.modules.get(name), attribute, None)
        if isinstance(function, types.FunctionType) and not function.__closure__:
            code = function.__code__
            _real[name] = real = types.FunctionType(code, function.__globals__)
            real.__defaults__, real.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
            undo(setattr, function, "__code__", code)
            function.__code__ = counting.__code__
