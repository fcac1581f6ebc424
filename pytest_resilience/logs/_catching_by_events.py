"""What a function catches, told by the interpreter: since Python 3.12.

Of a handler that is entered, ``sys.monitoring`` tells for the whole process only, which costs
a call for each of the forty exceptions that a request handles by itself. Of an instruction it
tells for one piece of code, and tells no more of one that is of no interest: so what is asked
for is the second instruction of each handler, when what was raised is what is handled.

There are six tools at most. Where all places are taken, nothing is heard.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from types import CodeType
from typing import Any

from pytest_resilience.logs import _helpers
from pytest_resilience.logs._handlers import WIDTH, Catching, Heard, entries, handlers

NAME = "pytest-resilience"
_UNKNOWN: tuple[None, frozenset[int], Heard] = (None, frozenset(), lambda _: None)
_FREE = (4, 3)
"""Places that no kind of tool has for its own; see the documentation of sys.monitoring."""


def listen(  # pragma: no cover -- Python 3.12 and newer, where the tests of it run
    functions: Iterable[Catching],
) -> Callable[[], None]:
    """Be told of these functions' handlers; returns the end of it."""
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
    place = _place(monitoring)
    if place is None:
        return lambda: None
    event = monitoring.events.INSTRUCTION
    known: dict[int, tuple[CodeType, frozenset[int], Heard]] = {}
    for function, heard, within in functions:
        for code, hears in _with_inner(function.__code__, heard, within):
            known.setdefault(id(code), (code, _second(code), hears))  # The tests come first.

    def told(code: CodeType, offset: int) -> object:
        _, second, hears = known.get(id(code), _UNKNOWN)
        if offset not in second:
            return monitoring.DISABLE
        error = sys.exception()
        if error is not None:
            hears(error)
        return None

    monitoring.register_callback(place, event, told)
    for code, _, _ in known.values():
        monitoring.set_local_events(place, code, event)

    def end() -> None:
        for code, _, _ in known.values():
            monitoring.set_local_events(place, code, 0)
        monitoring.register_callback(place, event, None)
        monitoring.free_tool_id(place)

    return end


def _place(monitoring: Any) -> int | None:  # pragma: no cover -- the same  # noqa: ANN401
    """A place among the tools, taken; None when there is none."""
    for place in _FREE:
        if monitoring.get_tool(place) is None:
            monitoring.use_tool_id(place, NAME)
            return place
    return None


def _with_inner(  # pragma: no cover -- the same
    code: CodeType, heard: Heard, within: Heard
) -> Iterator[tuple[CodeType, Heard]]:
    """It, and the functions that are defined in it, with who is told of theirs."""
    yield code, heard
    for one in _helpers.within(code):
        yield from _with_inner(one, within, within)


@lru_cache(maxsize=256)
def _second(code: CodeType) -> frozenset[int]:  # pragma: no cover -- the same
    """The second instruction of each handler."""
    return frozenset(place + WIDTH for place in handlers(code.co_code, entries(code)))
