"""Who says something in a test: its author, or the code under test."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from functools import cached_property
from types import CodeType, FrameType, TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

PASSED_ON = (
    *("logging", "structlog", "warnings", "contextlib", "json", "pprint", "traceback"),
    "pytest_resilience.logs",
)
"""Modules that only pass on what somebody says."""
CONFTEST = f"{os.sep}conftest.py"


class Author:
    """Of a test. What stands in its own lines and those of its fixtures is his.

    So is what a lambda or a comprehension there says; a function that is defined there may
    well be the code under test.
    """

    def __init__(self, item: pytest.Item) -> None:
        self._function = getattr(item, "obj", None)
        self._fixtures = getattr(item, "_fixtureinfo", None)

    @cached_property
    def _codes(self) -> frozenset[int]:
        # Looked up when somebody says something: in most tests nobody does.
        fixtures = getattr(self._fixtures, "name2fixturedefs", {})
        functions = [self._function]
        functions += [definition.func for found in fixtures.values() for definition in found]
        return frozenset(id(code) for function in functions for code in _codes(function))

    def speaks(self, frame: FrameType | None) -> bool:
        """Whether it is he who says something, behind all that passes it on."""
        while frame is not None and _passes_on(str(frame.f_globals.get("__name__"))):
            frame = frame.f_back
        return frame is not None and self._wrote(frame.f_code)

    def raised(self, where: TracebackType | None) -> bool:
        """Whether this is the traceback of an exception that he has raised, if only by pytest."""
        ours = None
        while where is not None:
            if not str(where.tb_frame.f_globals.get("__name__")).startswith("_pytest."):
                ours = where.tb_frame.f_code
            where = where.tb_next
        return ours is None or self._wrote(ours)

    def _wrote(self, code: CodeType) -> bool:
        return id(code) in self._codes or code.co_filename.endswith(CONFTEST)


def _codes(function: Any) -> Iterator[CodeType]:  # noqa: ANN401 -- whatever a test is
    """The code of a test function, under all that wraps it."""
    inner = getattr(getattr(function, "hypothesis", None), "inner_test", None)
    for one in (function, inspect.unwrap(function), inner):
        code = getattr(one, "__code__", None)  # A doctest has none.
        if isinstance(code, CodeType):
            yield from _with_expressions(code)


def _with_expressions(code: CodeType) -> Iterator[CodeType]:
    """And the code of each lambda and comprehension in it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType) and inner.co_name.startswith("<"):
            yield from _with_expressions(inner)


def _passes_on(module: str) -> bool:
    return module in PASSED_ON or module.startswith(
        ("logging.", "structlog.", "json.", PASSED_ON[-1])
    )
