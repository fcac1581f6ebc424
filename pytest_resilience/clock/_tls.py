"""Timeouts of TLS sockets, in virtual time.

What the record layer holds back is not seen by polling the socket, so each call is tried
first, without waiting.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

from pytest_resilience.clock import _foreign, _links
from pytest_resilience.clock._here import conducting, outside, settle
from pytest_resilience.clock._sockets import (
    READABLE,
    WRITABLE,
    due_of,
    is_ours,
    named,
    touch,
    unblocked,
    wait,
)
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's


def _tls(name: str, operation: str, *, receives: bool = False) -> Callable[..., Any]:
    """The stand-in for this method; the operation is what OpenSSL's timeouts call it."""
    real = getattr(ssl.SSLSocket, name)

    def call(self: ssl.SSLSocket, *args: Any, **kwargs: Any) -> Any:
        conductor = conducting()
        if conductor is None or self.gettimeout() == 0:
            touch(self)
            return real(self, *args, **kwargs)
        if not is_ours(self):
            with outside(conductor, "somebody else's server", self.gettimeout()):
                return real(self, *args, **kwargs)
        deadline = due_of(self, conductor)
        if receives and _links.touched():
            settle(conductor)
        while True:
            touch(self)
            try:
                with unblocked(self):
                    return real(self, *args, **kwargs)
            except ssl.SSLWantReadError:
                events = READABLE
            except ssl.SSLWantWriteError:
                events = WRITABLE
            try:
                wait(self, conductor, events, deadline)
            except TimeoutError:
                raise TimeoutError(f"The {operation} operation timed out") from None

    return named(call, real, name)


def _read(name: str) -> Callable[..., Any]:
    inner = _tls(name, name, receives=True)

    def call(self: ssl.SSLSocket, *args: Any, **kwargs: Any) -> Any:
        result = inner(self, *args, **kwargs)
        _foreign.received(self)
        return result

    return named(call, getattr(ssl.SSLSocket, name), name)


METHODS: dict[str, Callable[..., Any]] = {
    "read": _read("read"),
    "send": _tls("send", "write"),
    "do_handshake": _tls("do_handshake", "handshake"),
}
"""The stand-in for each method of ssl.SSLSocket that is replaced."""
