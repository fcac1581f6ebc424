"""What a virtual clock covers: the one list, put in place from here and printed in the docs."""

from __future__ import annotations

import datetime as dt
import os
import queue
import select
import selectors
import ssl
import subprocess
import threading
import time
import types
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from pytest_resilience.clock import (
    _locks,
    _pools,
    _processes,
    _queues,
    _readers,
    _selecting,
    _sleep,
    _sockets,
    _threads,
    _tls,
)
from pytest_resilience.clock._genuine import Socket
from pytest_resilience.clock._references import no_method


class Function(NamedTuple):
    """A function that is replaced wherever it is referenced, names bound early included."""

    name: str
    real: Any
    stand_in: Any
    users_only: bool = False
    """Only where code outside of the standard library refers to it."""
    spared: tuple[str, ...] = ()
    """Packages that keep the real one."""


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
    if isinstance(stand_in, types.FunctionType):
        stand_in = no_method(stand_in)
    return Function(f"{module.__name__}.{name}", getattr(module, name), stand_in)


def _of_class(title: str, owner: type, methods: dict[str, Callable[..., Any]]) -> list[Attribute]:
    return [
        Attribute(f"{title}.{_PUBLIC.get(name, name)}", owner, name, stand_in)
        for name, stand_in in methods.items()
    ]


_PUBLIC = {"_accept": "accept", "_real_close": "close"}
"""What a private method is to its users."""
_EPOLL = hasattr(select, "epoll")

FUNCTIONS: tuple[Function, ...] = (
    _of_module(time, "sleep", _sleep.sleep),
    *(_of_module(time, name, stand_in) for name, stand_in in _readers.READERS.items()),
    *(_of_module(time, name, stand_in) for name, stand_in in _readers.CALENDAR.items()),
    _of_module(select, "select", _selecting.select_select),
    *([_of_module(select, "poll", _selecting.Poll)] if hasattr(select, "poll") else []),
    *(_of_module(os, name, stand_in) for name, stand_in in _processes.WAITS.items()),
    *(_of_module(m, name, stand_in) for (m, name), stand_in in _processes.SIGNALS.items()),
    Function("threading.Lock, bound early", threading.Lock, _locks.Lock, users_only=True),
    Function(
        "threading.RLock, bound early",
        threading.RLock,
        _locks.rlock,
        users_only=True,
        spared=("trio",),  # It insists on the one written in C, which it never holds for long.
    ),
    Function(
        "queue.SimpleQueue, bound early", queue.SimpleQueue, _queues.SimpleQueue, users_only=True
    ),
)

ATTRIBUTES: tuple[Attribute, ...] = (
    # Condition.wait makes a lock of this name for each wait, and Event, Semaphore, Barrier,
    # Queue and Future wait on a Condition: those from before the clock are covered too.
    Attribute("threading.Condition.wait", threading, "_allocate_lock", _locks.Lock),
    Attribute("threading.Lock", threading, "Lock", _locks.Lock),
    Attribute("threading.RLock", threading, "RLock", _locks.rlock),
    Attribute("threading.Thread.start", threading.Thread, "start", _threads.start),
    Attribute("threading.Thread.run", threading.Thread, "_bootstrap_inner", _threads.bootstrap),
    Attribute("threading.Thread.join", threading.Thread, "join", _threads.join),
    Attribute("threading.Thread.is_alive", threading.Thread, "is_alive", _threads.is_alive),
    Attribute("threading.Semaphore.acquire", threading.Semaphore, "acquire", _queues.acquire),
    *(_of_class("queue.Queue", queue.Queue, _queues.QUEUE)),
    *(_of_class("concurrent.futures.Future", Future, _queues.FUTURE)),
    Attribute(
        "concurrent.futures.ThreadPoolExecutor.submit", ThreadPoolExecutor, "submit", _pools.submit
    ),
    Attribute("queue.SimpleQueue", queue, "SimpleQueue", _queues.SimpleQueue),
    Attribute(
        "selectors.DefaultSelector.select",
        selectors.DefaultSelector,
        "select",
        _selecting.selector_select,
    ),
    Attribute(
        "selectors.DefaultSelector.register",
        selectors.DefaultSelector,
        "register",
        _selecting.register,
    ),
    Attribute("threading.Event.is_set", threading.Event, "is_set", _locks.is_set),
    Attribute("threading.Event.wait", threading.Event, "wait", _locks.event_wait),
    *([Attribute("select.epoll", select, "epoll", _selecting.Epoll)] if _EPOLL else []),
    *(_of_class("socket.socket", Socket, _sockets.METHODS)),
    *(_of_class("ssl.SSLSocket", ssl.SSLSocket, _tls.METHODS)),
    *(_of_class("subprocess.Popen", subprocess.Popen, _processes.METHODS)),
)

CLASS_METHODS: tuple[ClassMethod, ...] = (
    ClassMethod("datetime.datetime.now", dt.datetime, "now", _readers.now),
    ClassMethod("datetime.datetime.utcnow", dt.datetime, "utcnow", _readers.utcnow),
    ClassMethod("datetime.date.today", dt.date, "today", _readers.today),
)

METHODS = (
    _sockets.METHODS,
    _tls.METHODS,
    _processes.METHODS,
    _queues.QUEUE,
    _queues.FUTURE,
)
"""Where those of classes are kept."""

SPARED = ("trio._core._entry_queue",)
"""Modules that keep the real threading.RLock, also when they are imported under a clock."""

COVERED: tuple[str, ...] = tuple(
    sorted(
        [function.name for function in FUNCTIONS]
        + [attribute.name for attribute in ATTRIBUTES]
        + [method.name for method in CLASS_METHODS]
    )
)
"""The names of all that waits, or reads the clock, in virtual time."""
