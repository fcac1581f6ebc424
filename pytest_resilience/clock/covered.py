"""What a virtual clock covers: the one list. It is put in place from here and printed in the docs."""

from __future__ import annotations

import datetime
import queue
import select
import selectors
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from pytest_resilience.clock import _readers, _sockets, _waits


class Function(NamedTuple):
    """A function that is replaced wherever it is referenced, names bound early included."""

    name: str
    real: Any
    stand_in: Any
    users_only: bool = False
    """Only where code outside of the standard library refers to it."""


class Attribute(NamedTuple):
    """An attribute of a module or class that is replaced."""

    name: str
    owner: Any
    attribute: str
    stand_in: Any


class ClassMethod(NamedTuple):
    """A class method of a class written in C."""

    name: str
    cls: type
    attribute: str
    function: Callable[..., Any]


def _of_module(module: Any, name: str, stand_in: Any) -> Function:
    return Function(f"{module.__name__}.{name}", getattr(module, name), stand_in)


FUNCTIONS: tuple[Function, ...] = (
    _of_module(time, "sleep", _waits.sleep),
    *(_of_module(time, name, stand_in) for name, stand_in in _readers.READERS.items()),
    *(_of_module(time, name, stand_in) for name, stand_in in _readers.CALENDAR.items()),
    _of_module(select, "select", _waits.select_select),
    *([_of_module(select, "poll", _waits.Poll)] if hasattr(select, "poll") else []),
    Function("threading.Lock, bound early", threading.Lock, _waits.Lock, users_only=True),
    Function("threading.RLock, bound early", threading.RLock, _waits.rlock, users_only=True),
)

ATTRIBUTES: tuple[Attribute, ...] = (
    # Condition.wait makes a lock of this name for each wait, and Event, Semaphore, Barrier,
    # Queue and Future wait on a Condition: those from before the clock are covered too.
    Attribute("threading.Condition.wait", threading, "_allocate_lock", _waits.Lock),
    Attribute("threading.Lock", threading, "Lock", _waits.Lock),
    Attribute("threading.RLock", threading, "RLock", _waits.rlock),
    Attribute("threading.Thread.start", threading.Thread, "start", _waits.start),
    Attribute("threading.Thread.run", threading.Thread, "_bootstrap_inner", _waits.bootstrap),
    Attribute("threading.Thread.join", threading.Thread, "join", _waits.join),
    Attribute("queue.SimpleQueue", queue, "SimpleQueue", _waits.SimpleQueue),
    Attribute(
        "selectors.DefaultSelector.select",
        selectors.DefaultSelector,
        "select",
        _waits.selector_select,
    ),
    *(
        Attribute(f"{owner.__module__}.{owner.__name__}.{name}", owner, name, stand_in)
        for owner, name, stand_in in _sockets.methods()
    ),
)

CLASS_METHODS: tuple[ClassMethod, ...] = (
    ClassMethod("datetime.datetime.now", datetime.datetime, "now", _readers.now),
    ClassMethod("datetime.datetime.utcnow", datetime.datetime, "utcnow", _readers.utcnow),
    ClassMethod("datetime.date.today", datetime.date, "today", _readers.today),
)

COVERED: tuple[str, ...] = tuple(
    sorted(
        [function.name for function in FUNCTIONS]
        + [attribute.name for attribute in ATTRIBUTES]
        + [method.name for method in CLASS_METHODS]
    )
)
"""The names of all that waits, or reads the clock, in virtual time."""
