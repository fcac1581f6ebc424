"""Coroutines that nobody awaits, and which of them would have slept, whatever their names are.

*Problem.* Python warns of a coroutine that was thrown away by the name of its function.

*Solution.* The coroutine is at hand where Python warns of it: what it was to call is looked up.
Of one that has begun, it is known where it is, and whether there is anything left to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import dis
import functools
import inspect
import itertools
import re
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pytest_resilience.judge._replaced import replaced

__all__ = ["comes_to_a_sleep", "does_nothing", "forgotten", "sleeps"]

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


NOTHING = frozenset(
    {
        "CACHE",
        "COPY_FREE_VARS",
        "END_SEND",
        "JUMP_BACKWARD_NO_INTERRUPT",
        "LOAD_CONST",
        "NOP",
        "POP_TOP",
        "RESUME",
        "RETURN_CONST",
        "RETURN_VALUE",
        "SEND",
    }
)
"""What a function consists of from where it waits to where it returns, if it does no more."""


def does_nothing(function: object) -> bool:
    """Whether calling it changes nothing, but that time may pass."""
    while isinstance(function, functools.partial | types.MethodType):
        function = function.func if isinstance(function, functools.partial) else function.__func__
    return (
        isinstance(function, types.FunctionType)
        and not inspect.iscoroutinefunction(function)
        and all(one.opname in NOTHING for one in dis.get_instructions(function))
    )


def comes_to_a_sleep(coroutine: object) -> bool:
    """Whether it waits in a sleep, and has nothing to do when that is over."""
    while inspect.iscoroutine(coroutine) and coroutine.cr_frame is not None:
        if coroutine.cr_code is asyncio.sleep.__code__:
            return True
        if not _returns_next(coroutine.cr_frame):
            return False
        coroutine = coroutine.cr_await
    return False


def _returns_next(frame: types.FrameType) -> bool:
    rest = (one for one in dis.get_instructions(frame.f_code) if one.offset > frame.f_lasti)
    until = itertools.takewhile(lambda one: "RETURN" not in one.opname, rest)
    return all(one.opname in NOTHING for one in until)


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
