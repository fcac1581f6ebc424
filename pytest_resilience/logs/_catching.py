"""What a function catches by itself, with ``try`` and ``except`` or ``with``.

*Problem.* An exception that a test catches is gone when its ``except`` is left, and nobody is
told of it. To trace the test, or to be told of every exception that anybody handles, costs
more than the test itself, and takes the place of debuggers and of what measures coverage.

*Solution.* Only the function's own handlers are watched, and those of the functions around it
(`_helpers`); where there are none, it costs nothing. Since Python 3.12 the interpreter tells
when one is entered (`_catching_by_events`). Before, the function runs for that time with a copy
of its code whose handlers say so themselves (`_catching_by_code`). Where neither can be,
nothing is heard, and nothing else is different.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable
from types import FunctionType

from pytest_resilience.logs import _helpers
from pytest_resilience.logs._handlers import Catching, Heard

Undo = Callable[[], None]


def listen(functions: Iterable[FunctionType], heard: Heard) -> Undo:
    """Tell of what these functions catch, at the moment when they do; returns the end of it.

    Of what functions within them and around them catch, only what the client has raised.
    Whoever is told must raise nothing.
    """
    tests = list(functions)
    helped = _helpers.caught
    catching = [Catching(one, heard, helped) for one in tests if _helpers.catches(one.__code__)]
    catching += [Catching(one, helped, helped) for one in _helpers.around(tests)]
    if not catching:
        return _nothing
    ends = contextlib.ExitStack()
    ends.enter_context(_helpers.telling(heard))
    if sys.version_info >= (3, 12):  # pragma: no cover -- the gate is measured on Python 3.11
        from pytest_resilience.logs import _catching_by_events

        ends.callback(_catching_by_events.listen(catching))
    else:
        from pytest_resilience.logs import _catching_by_code

        ends.callback(_catching_by_code.listen(catching))
    return ends.close


def _nothing() -> None:
    """Nobody listens."""
