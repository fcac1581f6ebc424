"""Waiting for another process: it takes real time, and so does everybody else meanwhile."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

from pytest_resilience.clock._here import conducting, outside


def _real_time(name: str) -> Callable[..., Any]:
    real = getattr(subprocess.Popen, name)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        conductor = conducting()
        if conductor is None:
            return real(self, *args, **kwargs)
        with outside(conductor, "another process"):
            return real(self, *args, **kwargs)

    call.__name__, call.__qualname__, call.__doc__ = name, real.__qualname__, real.__doc__
    return call


METHODS: dict[str, Callable[..., Any]] = {
    name: _real_time(name) for name in ("wait", "communicate")
}
"""The stand-in for each method of subprocess.Popen that is replaced."""
