"""Applications and a clock for the tests of the wire."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pytest_resilience.clock import Scheduler, Timer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

EPOCH = 1_700_000_000
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
"""The Date field on a `ManualClock` that has not been moved."""


def app_of(
    body: bytes = b'{"ok": true}',
    status: str = "200 OK",
    headers: Iterable[tuple[str, str]] = (("Content-Type", "application/json"),),
) -> WSGIApplication:
    """An application that always says the same."""

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start(status, list(headers))
        return [body]

    return app


def echo(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """Answers with the request's body."""
    start("200 OK", [("Content-Type", "application/octet-stream")])
    return [environ["wsgi.input"].read()]


def whole(body: bytes, status: str = "200 OK", kind: str = "application/json") -> bytes:
    """The answer of `app_of` as it is on the wire, by a `ManualClock`."""
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nDate: {DATE}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


class ManualTimer:
    def __init__(self, due: int, loop: Scheduler, callback: Callable[[], object]) -> None:
        self.due, self.loop, self.callback = due, loop, callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class ManualClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 0
        self.timers: list[ManualTimer] = []
        self._lock = threading.Lock()

    def monotonic_ns(self) -> int:
        return self.now

    def time_ns(self) -> int:
        return EPOCH * 1_000_000_000 + self.now

    def monotonic(self) -> float:
        return self.now / 1e9

    def time(self) -> float:
        return EPOCH + self.now / 1e9

    def call_at(self, when_ns: int, loop: Scheduler, callback: Callable[[], object]) -> Timer:
        timer = ManualTimer(when_ns, loop, callback)
        with self._lock:
            self.timers.append(timer)
        return timer

    @property
    def due(self) -> list[float]:
        """Seconds from now to each callback that waits."""
        with self._lock:
            return sorted((t.due - self.now) / 1e9 for t in self.timers if not t.cancelled)

    def advance(self, seconds: float) -> None:
        """Move, and return when what is due has been done."""
        with self._lock:
            self.now += round(seconds * 1e9)
            due = [t for t in self.timers if t.due <= self.now]
            self.timers = [t for t in self.timers if t.due > self.now]
        for timer in sorted(due, key=lambda t: t.due):
            if not timer.cancelled:
                timer.loop.call_soon_threadsafe(timer.callback)
                done = threading.Event()
                timer.loop.call_soon_threadsafe(done.set)
                done.wait(20)
