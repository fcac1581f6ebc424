"""Who says something in a test: its author, or the code under test."""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cached_property
from types import CodeType, FrameType, FunctionType, TracebackType
from typing import TYPE_CHECKING, Any

from pytest_resilience.logs import _whose

if TYPE_CHECKING:
    import pytest

CONFTEST = f"{os.sep}conftest.py"
SET_UP = re.compile(
    r"(setup|teardown)_(module|class|function|method)"
    r"|(setUp|tearDown)(Module|Class)?|async(SetUp|TearDown)"
)
"""What pytest and unittest call without any fixture."""
WRAPPING = frozenset({"__wrapped__", "hypothesis"})
"""What a function has that stands for another one."""
Place = tuple[str, int, str]
"""A file, a line and a name: what runs there may be a copy of the code that stands there."""


class Author:
    """Of a test. What stands in its own lines and those of its fixtures is his.

    So is what a lambda or a comprehension there says; a function that is defined there may
    well be the code under test.
    """

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self._function = getattr(item, "obj", None)

    @property
    def functions(self) -> list[FunctionType]:
        """What runs as the test, under all that wraps it."""
        return _functions(self._function)

    @cached_property
    def _codes(self) -> frozenset[Place]:
        # Looked up when somebody says something: in most tests nobody does.
        item = self._item
        fixtures = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
        wrapped = [self._function]
        wrapped += [_meant(one.func) for found in fixtures.values() for one in found]
        wrapped += _steps()
        module, cls = getattr(item, "module", None), getattr(item, "cls", None)
        for around in [*filter(None, [module]), *getattr(cls, "__mro__", ())]:
            wrapped += [one for name, one in vars(around).items() if SET_UP.fullmatch(name)]
        return _places(wrapped)

    def speaks(self, frame: FrameType | None) -> bool:
        """Whether it is he who says something, behind all that passes it on."""
        speaker = _whose.speaker(frame)
        return speaker is not None and self.wrote(speaker.f_code)

    def raised(self, where: TracebackType | None) -> bool:
        """Whether this is the traceback of an exception that he has raised, if only by pytest."""
        ours = None
        while where is not None:
            if not str(where.tb_frame.f_globals.get("__name__")).startswith("_pytest."):
                ours = where.tb_frame.f_code
            where = where.tb_next
        return ours is None or self.wrote(ours)

    def wrote(self, code: CodeType) -> bool:
        """Whether this code is his."""
        return (
            _place(code) in self._codes
            or code.co_filename.endswith(CONFTEST)
            or self._is_of_a_fixture(code)
        )

    def _is_of_a_fixture(self, code: CodeType) -> bool:
        """Whether it is that of a fixture which nobody knew of before `getfixturevalue`."""
        name = code.co_qualname.partition(".<locals>")[0].rpartition(".")[2]
        manager = self._item.session._fixturemanager  # noqa: SLF001 -- the one who knows
        found = manager.getfixturedefs(name, self._item) or ()
        return _place(code) in _places(_meant(definition.func) for definition in found)


def _meant(fixture: Any) -> Any:  # noqa: ANN401 -- whatever a fixture is
    """A fixture's function, while anyio sets it up as well.

    It puts a function of its own in its place for so long, which does not tell what it wraps.
    """
    if getattr(fixture, "__module__", None) != "anyio.pytest_plugin":
        return fixture
    return inspect.getclosurevars(fixture).nonlocals.get("func", fixture)


def _steps() -> list[Any]:
    """The steps of pytest-bdd, which calls them by itself."""
    known = getattr(sys.modules.get("pytest_bdd.steps"), "step_function_context_registry", {})
    return [context.step_func for context in known.values()]


def _places(wrapped: Iterable[Any]) -> frozenset[Place]:
    """Where these functions stand."""
    return frozenset(
        _place(code)
        for one in wrapped
        for function in _functions(one)
        for code in _with_expressions(function.__code__)
    )


def _place(code: CodeType) -> Place:
    return code.co_filename, code.co_firstlineno, code.co_qualname


def _functions(wrapped: Any) -> list[FunctionType]:  # noqa: ANN401 -- whatever a test is
    """A test function, and what it wraps."""
    plain = getattr(wrapped, "__func__", wrapped)
    if type(plain) is FunctionType and WRAPPING.isdisjoint(vars(plain)):
        return [plain]  # Nearly every one.
    inner = getattr(getattr(wrapped, "hypothesis", None), "inner_test", None)
    # Of methods, the function; a doctest has none.
    found = [getattr(one, "__func__", one) for one in (wrapped, inspect.unwrap(wrapped), inner)]
    return list(dict.fromkeys(one for one in found if isinstance(one, FunctionType)))


def _with_expressions(code: CodeType) -> Iterator[CodeType]:
    """And the code of each lambda and comprehension in it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType) and inner.co_name.startswith("<"):
            yield from _with_expressions(inner)
