"""What stops a loop and takes no virtual time: other processes, and names that are looked up."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

from pytest_resilience.judge._replaced import replaced

__all__ = ["blocked"]


@contextlib.contextmanager
def blocked() -> Iterator[list[str]]:
    """Note what a thread meanwhile waits for in which an event loop of asyncio runs.

    asyncio and its libraries have threads for all of it; trio has ways of its own.
    """
    found: list[str] = []

    def noting(what: str, takes_time: Callable[[Any], bool]) -> Callable[..., Callable[..., Any]]:
        def make(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(first: Any, *rest: Any, **more: Any) -> Any:  # noqa: ANN401 -- whatever it was
                if asyncio._get_running_loop() is not None and takes_time(first):  # noqa: SLF001 -- documented
                    found.append(what)
                return real(first, *rest, **more)

            return call

        return make

    process, name = "another process", "a name to be looked up"
    with (
        replaced(subprocess.Popen, "wait", noting(process, lambda one: one.returncode is None)),
        replaced(os, "system", noting(process, bool)),
        replaced(socket, "getaddrinfo", noting(name, _is_name)),
        replaced(socket, "gethostbyname", noting(name, _is_name)),
    ):
        yield found


def _is_name(host: object) -> bool:
    """Whether it takes a resolver; an address is read at once, and nothing is any address."""
    if not host or not isinstance(host, str):
        return False
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return True
    return False
