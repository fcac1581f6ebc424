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

    def stand_in(owner: Any, name: str, ends: Callable[..., bool]) -> None:  # noqa: ANN401 -- a module
        def refusing(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any) -> Any:  # noqa: ANN401 -- a function's
                # A process that a client has forked may end as it likes.
                if os.getpid() == us and ends(*arguments):
                    shown = ", ".join(map(repr, arguments))
                    refuse(f"{owner.__name__}.{name}({shown})")
                return real(*arguments)

            return call

        real = getattr(owner, name)
        for module, known_as in _where(real, owner, name):
            stack.enter_context(replaced(module, known_as, refusing))

    with stack:
        stand_in(os, "_exit", lambda *_: True)
        stand_in(os, "abort", lambda *_: True)
        stand_in(os, "execv", lambda *_: True)
        stand_in(os, "execve", lambda *_: True)
        stand_in(os, "kill", lambda pid, number: pid in (us, 0) and _ends(number))
        stand_in(os, "killpg", lambda group, number: group in (os.getpgrp(), 0) and _ends(number))
        stand_in(signal, "raise_signal", _ends)
        stand_in(_thread, "interrupt_main", lambda number=signal.SIGINT: _ends(number))
        yield


def _where(real: object, owner: Any, name: str) -> list[tuple[Any, str]]:  # noqa: ANN401 -- a module
    """The modules of clients that have taken it in, ``from os import _exit``, and its owner."""
    found = [(owner, name)]
    for module in list(sys.modules.values()):
        held = getattr(module, "__dict__", {})
        if module not in (owner, sys.modules.get("posix")):
            found += [(module, key) for key, value in list(held.items()) if value is real]
    return found


def _ends(number: int) -> bool:
    """Whether this signal would end the process, or what is run in its main thread."""
    if number == 0 or number in HARMLESS:
        return False
    return signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler)
