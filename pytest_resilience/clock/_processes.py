"""Other processes, which take real time, and signals, which are handled when they are sent."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import Any

from pytest_resilience.clock._here import conducting, outside
from pytest_resilience.clock._polling import OUTSIDE, note_look
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's


def _named(call: Callable[..., Any], real: Any) -> Callable[..., Any]:
    call.__name__, call.__qualname__, call.__doc__ = real.__name__, real.__qualname__, real.__doc__
    return call


def _real_time(name: str, place: int) -> Callable[..., Any]:
    """Popen.wait and communicate, with the place of the timeout among the arguments."""
    real = getattr(subprocess.Popen, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        conductor = conducting()
        if conductor is None:
            return real(*args, **kwargs)
        timeout = kwargs.get("timeout", args[place] if len(args) > place else None)
        with outside(conductor, "another process", timeout):
            return real(*args, **kwargs)

    return _named(call, real)


real_popen_poll = subprocess.Popen.poll


def _poll(self: subprocess.Popen[Any]) -> Any:
    """Popen.poll: one whose end is polled for is waited for."""
    result = real_popen_poll(self)
    if result is None:
        conductor = conducting()
        if conductor is not None:
            note_look(conductor, OUTSIDE)
    return result


METHODS: dict[str, Callable[..., Any]] = {
    "wait": _real_time("wait", 1),
    "communicate": _real_time("communicate", 2),
    "poll": _named(_poll, real_popen_poll),
}
"""The stand-in for each method of subprocess.Popen that is replaced."""


def _waiting(real: Callable[..., Any]) -> Callable[..., Any]:
    """os.waitpid and its kin, which do not wait when their last argument says so."""

    def call(_: object, *args: Any, **kwargs: Any) -> Any:
        conductor = conducting()
        if conductor is None:
            return real(*args, **kwargs)
        if kwargs.get("options", args[-1] if args else 0) & os.WNOHANG:
            note_look(conductor, OUTSIDE)
            return real(*args, **kwargs)
        with outside(conductor, "another process"):
            return real(*args, **kwargs)

    return _named(call, real)


WAITS: dict[str, Callable[..., Any]] = {
    name: _waiting(getattr(os, name))
    for name in ("wait", "waitpid", "waitid", "wait3", "wait4")
    if hasattr(os, name)
}
"""The stand-in for each function of os that waits for a process."""


def _signalling(real: Callable[..., Any]) -> Callable[..., Any]:
    """Python's handlers run on the main thread, at the moment at which the signal is sent.

    Its wait would not notice before time has gone on, so it is woken, for a false alarm.
    """

    def call(_: object, *args: Any, **kwargs: Any) -> Any:
        result = real(*args, **kwargs)
        conductor = conducting()
        if conductor is not None:
            main = conductor.parties.get(threading.main_thread().ident or 0)
            if main is not None:
                conductor.wake(main)
        return result

    return _named(call, real)


SIGNALS: dict[tuple[Any, str], Callable[..., Any]] = {
    (module, name): _signalling(getattr(module, name))
    for module, name in ((os, "kill"), (signal, "raise_signal"), (signal, "pthread_kill"))
    if hasattr(module, name)
}
"""The stand-in for each function, by module and name, that sends a signal to this process."""
