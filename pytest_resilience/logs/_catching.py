"""What a function catches by itself, with ``try`` and ``except`` or ``with``.

*Problem.* An exception that a test catches is gone when its ``except`` is left, and nobody is
told of it. To trace the test, or to be told of every exception that anybody handles, costs
more than the test itself, and takes the place of debuggers and of what measures coverage.

*Solution.* Only the function's own handlers are watched, and a function without any costs
nothing. Since Python 3.12 the interpreter tells when one is entered (`_catching_by_events`).
Before, the function runs for that time with a copy of its code whose handlers say so
themselves (`_catching_by_code`). Where neither can be, nothing is heard, and nothing else
is different.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import FunctionType

Heard = Callable[[BaseException], None]
Undo = Callable[[], None]


def listen(functions: Iterable[FunctionType], heard: Heard) -> Undo:
    """Tell of what these functions catch, at the moment when they do; returns the end of it.

    Whoever is told must raise nothing.
    """
    catching = [one for one in functions if one.__code__.co_exceptiontable]
    if not catching:
        return _nothing
    if sys.version_info >= (3, 12):  # pragma: no cover -- the gate is measured on Python 3.11
        from pytest_resilience.logs import _catching_by_events

        return _catching_by_events.listen(catching, heard)
    from pytest_resilience.logs import _catching_by_code

    return _catching_by_code.listen(catching, heard)


def _nothing() -> None:
    """Nobody listens."""
