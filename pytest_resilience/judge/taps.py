"""What is heard, and done, at the client's end of its sockets while a scenario is played."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import sys
import threading
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pytest_resilience.judge._replaced import replaced

__all__ = ["ConnectTimeouts", "Interrupt", "Knock", "connect_timeouts", "interrupt", "senders"]

REQUEST = re.compile(rb"[A-Z]+ [^ ]+ HTTP/1")


HAPPY_EYEBALLS = 0.3
"""Seconds: a shorter timer than this tries the next address (0.25 in RFC 8305)."""


@dataclass(frozen=True, slots=True)
class Knock:
    """That somebody has begun to connect."""

    address: object
    at_ns: int
    timeout: float | None
    """Seconds after which it gives up; None or 0 where its socket does not say."""


class ConnectTimeouts(list[float]):
    """The timeouts that were in force when the client connected, in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.knocks: list[Knock] = []
        """Each time that somebody has begun to connect."""


@contextlib.contextmanager
def connect_timeouts(now_ns: Callable[[], int]) -> Iterator[ConnectTimeouts]:
    """Note who connects, by this clock, and which timeouts hold meanwhile."""
    seen = ConnectTimeouts()

    def connect(real: Callable[..., Any], sock: socket.socket, *arguments: Any) -> Any:  # noqa: ANN401 -- a socket's
        timeout = sock.gettimeout()
        seen.knocks.append(Knock(arguments[0] if arguments else None, now_ns(), timeout))
        if timeout:
            seen.append(timeout)
        return real(sock, *arguments)

    async def sock_connect(real: Callable[..., Any], loop: Any, *arguments: Any) -> Any:  # noqa: ANN401 -- a loop's
        for timer in getattr(loop, "_scheduled", ()):
            if not timer.cancelled() and timer.when() - loop.time() > HAPPY_EYEBALLS:
                seen.append(timer.when() - loop.time())
        return await real(loop, *arguments)

    loops = asyncio.selector_events.BaseSelectorEventLoop
    with _wrapped(socket.socket, "connect", connect), _wrapped(loops, "sock_connect", sock_connect):
        yield seen


class Interrupt:
    """A Ctrl-C that comes with a request; `happened` says whether it has come."""

    def __init__(self, request: int) -> None:
        self.request = request
        self.sent = 0

    @property
    def happened(self) -> bool:
        """Whether the client has got that far."""
        return self.sent >= self.request


@contextlib.contextmanager
def interrupt(request: int, thread: threading.Thread) -> Iterator[Interrupt]:
    """Press Ctrl-C while this thread sends its nth request; Ctrl-C reaches no other."""
    pressed = Interrupt(request)

    def send(real: Callable[..., Any], sock: socket.socket, data: Any, *rest: Any) -> Any:  # noqa: ANN401 -- a socket's
        if threading.current_thread() is thread and REQUEST.match(bytes(data[:2048])):
            pressed.sent += 1
            if pressed.sent == pressed.request:
                raise KeyboardInterrupt
        return real(sock, data, *rest)

    with _wrapped(socket.socket, "send", send), _wrapped(socket.socket, "sendall", send):
        yield pressed


@contextlib.contextmanager
def senders() -> Iterator[set[str]]:
    """Note the files of all code that is at work when something is sent."""
    files: set[str] = set()

    def send(real: Callable[..., Any], sock: socket.socket, *arguments: Any) -> Any:  # noqa: ANN401 -- a socket's
        frame: types.FrameType | None = sys._getframe()  # noqa: SLF001 -- as inspect does
        while frame is not None:
            files.add(frame.f_code.co_filename)
            frame = frame.f_back
        return real(sock, *arguments)

    with _wrapped(socket.socket, "send", send), _wrapped(socket.socket, "sendall", send):
        yield files


def _wrapped(
    owner: type, name: str, wrapper: Callable[..., Any]
) -> contextlib.AbstractContextManager[None]:
    def make(real: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> Any:  # noqa: ANN401 -- whatever it was
            return wrapper(real, *arguments)

        return wrapped

    return replaced(owner, name, make)
