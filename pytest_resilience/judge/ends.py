"""The end of the process, which a client may bring about in many ways: it is noted, and refused."""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from pytest_resilience.judge._replaced import replaced

__all__ = ["ProcessEnded", "no_end"]

HARMLESS = {
    getattr(signal, name)
    for name in ("SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH", "SIGINFO")
    if hasattr(signal, name)
}
"""What a process survives that has not asked to hear of it."""


class ProcessEnded(BaseException):
    """Raised in place of the end of the process."""


@contextlib.contextmanager
def no_end(note: Callable[[str], None]) -> Iterator[None]:
    """The process goes on, whatever the client does; what it did is noted.

    Args:
        note: Called with how the process would have ended.
    """
    us = os.getpid()
    stack = contextlib.ExitStack()

    def refuse(text: str) -> None:
        note(text)
        raise ProcessEnded(text)

    places = _places()

    def stand_in(owner: Any, name: str, ends: Callable[..., bool]) -> None:  # noqa: ANN401 -- a module
        def refusing(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any) -> Any:  # noqa: ANN401 -- a function's
                # A process that a client has forked may end as it likes.
                if os.getpid() == us and ends(*arguments):
                    shown = ", ".join(map(repr, arguments))
                    refuse(f"{owner.__name__}.{name}({shown})")
                return real(*arguments)

            return call

        for module, known_as in places[id(getattr(owner, name))]:
            stack.enter_context(replaced(module, known_as, refusing))

    with stack:
        for (owner, name), ends in WAYS.items():
            stand_in(owner, name, ends)
        yield


def _places() -> dict[int, list[tuple[Any, str]]]:
    """Where each of them stands: its owner, and clients that say ``from os import _exit``."""
    found: dict[int, list[tuple[Any, str]]] = {id(getattr(owner, name)): [] for owner, name in WAYS}
    for module in list(sys.modules.values()):
        if module is sys.modules.get("posix"):
            continue
        for key, value in list(getattr(module, "__dict__", {}).items()):
            if id(value) in found:
                found[id(value)].append((module, key))
    return found


def _ends(number: int) -> bool:
    """Whether this signal would end the process, or what is run in its main thread."""
    if number == 0 or number in HARMLESS:
        return False
    return signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler)


def _always(*_: object) -> bool:
    return True


WAYS: dict[tuple[Any, str], Callable[..., bool]] = {
    **{(os, name): _always for name in ("_exit", "abort", "execv", "execve")},
    (os, "kill"): lambda pid, number: pid in (os.getpid(), 0) and _ends(number),
    (os, "killpg"): lambda group, number: group in (os.getpgrp(), 0) and _ends(number),
    (signal, "raise_signal"): _ends,
    (signal, "pthread_kill"): lambda _, number: _ends(number),
    (signal, "alarm"): lambda seconds: seconds > 0 and _ends(signal.SIGALRM),
    (_thread, "interrupt_main"): lambda number=signal.SIGINT: _ends(number),
}
"""The functions that may end a process, and whether they do so with these arguments."""
