"""Functions that catch for a test: in its module, its class and itself.

*Problem.* A test may have a helper catch what the client raises, and hand it on or forget it.
But what looks like a helper may as well be the client, who catches what a library raises, and
is right to do so.

*Solution.* The file decides. What comes out of the project's own code into a function of the
test's file was raised to a caller of the client. What comes from anywhere else, or is caught in
a function that the client has called back, is not looked at.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FrameType, FunctionType, TracebackType

from pytest_resilience.logs._whose import is_of_the_library, is_of_the_project

Heard = Callable[[BaseException], None]
MOST_KNOWN = 32


Known = tuple[FunctionType, ...]
_known: dict[tuple[int, int, object], Known] = {}
"""By module, as long as it has so many names, and class: tests of one come one after another.

First a test of it: whoever is kept here keeps the module, and so its identity."""
_listening: list[Heard] = []
"""Who is told; of tests within a test, the innermost."""


def around(functions: Iterable[FunctionType]) -> list[FunctionType]:
    """The functions that stand beside these, in their modules and classes, and catch."""
    tests = tuple(functions)
    found: dict[FunctionType, None] = {}
    for test in tests:
        cls = _class_of(test)
        names = test.__globals__
        key = id(names), len(names), cls
        known = _known.get(key)
        if known is None:
            if len(_known) > MOST_KNOWN:
                _known.clear()
            known = _known[key] = test, *_beside(test, cls)
        if len(known) > 1:
            found.update(dict.fromkeys(known[1:]))
    return [one for one in found if one not in tests] if found else []


def _beside(test: FunctionType, cls: type | None) -> Iterator[FunctionType]:
    owners = [test.__globals__, *(vars(one) for one in cls.__mro__)] if cls else [test.__globals__]
    for owner in owners:
        for one in owner.values():
            if isinstance(one, FunctionType) and _stands_beside(one, test):
                yield one
    if cls is not None and any(one.__module__ == "unittest.case" for one in cls.__mro__):
        from unittest import case

        # assertRaises(Error, function); with a block, the test catches by itself.
        yield vars(case._AssertRaisesBaseContext)["handle"]  # noqa: SLF001 -- the one place


def _stands_beside(one: FunctionType, test: FunctionType) -> bool:
    if one.__name__.startswith("test_"):  # Whom no test calls.
        return False
    return one.__code__.co_filename == test.__code__.co_filename and catches(one.__code__)


def _class_of(test: FunctionType) -> type | None:
    name, _, method = test.__qualname__.partition(".")
    cls = test.__globals__.get(name) if method else None
    return cls if isinstance(cls, type) else None


def catches(code: CodeType) -> bool:
    """Whether it has handlers, or something in it has."""
    # In this order, since each test is asked: most have no handler and nothing in them.
    return bool(code.co_exceptiontable) or (
        CodeType in map(type, code.co_consts) and any(catches(one) for one in within(code))
    )


def within(code: CodeType) -> Iterator[CodeType]:
    """The functions that are defined in it."""
    return (one for one in code.co_consts if isinstance(one, CodeType))


@contextlib.contextmanager
def telling(heard: Heard) -> Iterator[None]:
    """Tell this one what `caught` hears."""
    _listening.append(heard)
    try:
        yield
    finally:
        _listening.remove(heard)


def caught(error: BaseException) -> None:
    """A helper has just caught this; of interest is what the client has raised."""
    where = error.__traceback__
    if where is None or not _listening:
        return
    if _raised_by_project(where) and not _called_back(where.tb_frame):
        _listening[-1](error)


def _raised_by_project(where: TracebackType) -> bool:
    """Whether it has come to this file from the project, if through the standard library."""
    helper = where.tb_frame.f_code.co_filename
    inner: TracebackType | None = where
    while inner is not None:
        file = inner.tb_frame.f_code.co_filename
        if file != helper and not is_of_the_library(file):
            return is_of_the_project(file)
        inner = inner.tb_next
    return False


def _called_back(helper: FrameType) -> bool:
    """Whether it is the project who has called this."""
    caller = helper.f_back
    while caller is not None and not str(caller.f_globals.get("__name__")).startswith("_pytest."):
        if is_of_the_project(caller.f_code.co_filename):
            return True
        caller = caller.f_back
    return False
