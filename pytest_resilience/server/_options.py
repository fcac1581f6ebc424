"""What a server is made with, checked where it is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

from pytest_resilience.faults import _check

WSGI = "a WSGI application, which is called with environ and start_response"
CLOCK = ("monotonic_ns", "time_ns", "call_at")


def check(
    app: object, host: object, *, blocking: object, clock: object, secrets: object, tls: object
) -> None:
    """Refuse what cannot be meant; numbers are checked where they are kept.

    Raises:
        PlanError: Names the option, the value and what is allowed.
    """
    if app is not None:
        _check_app(app)
    _check_host(host)
    _check.flag("blocking", blocking)
    if clock is not None:
        _check_clock(clock)
    if secrets is not None:
        _check_secrets(secrets)
    if not isinstance(tls, bool):
        _check_tls(tls)


def _check_app(app: object) -> None:
    if not callable(app):
        _check.refuse("app", app, WSGI)
    if isinstance(app, type):
        from pytest_resilience.server.server import FakeServer

        if issubclass(app, FakeServer):
            _check.refuse("app", app, f"{WSGI}; {app.__name__}() is a server already")
    if is_async(app):
        _check.refuse("app", app, f"{WSGI}; this is an ASGI application, a2wsgi makes one of it")


def is_async(app: Callable[..., object]) -> bool:
    """Whether calling it gives a coroutine, as ASGI applications do."""
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__)


def _check_clock(clock: object) -> None:
    if any(not callable(getattr(clock, name, None)) for name in CLOCK):
        _check.refuse("clock", clock, "a clock: an object with " + ", ".join(CLOCK))


def _check_host(host: object) -> None:
    # Nothing would be every address of this machine, as the system takes it.
    if not isinstance(host, str) or not host.strip() or not host.isprintable():
        _check.refuse("host", host, 'an address of this machine, such as "127.0.0.1" or "::1"')


def _check_secrets(secrets: object) -> None:
    wanted = "a mapping of names to texts"
    if not isinstance(secrets, Mapping):
        _check.refuse("secrets", type(secrets), wanted)
    for name, value in secrets.items():
        if not isinstance(name, str) or not isinstance(value, str):
            _check.refuse(f"secrets[{name!r}]", type(value), wanted)


def _check_tls(tls: object) -> None:
    import ssl

    wanted = "True, False or an ssl.SSLContext of a server"
    if not isinstance(tls, ssl.SSLContext):
        _check.refuse("tls", tls, wanted)
    if tls.protocol is ssl.PROTOCOL_TLS_CLIENT:  # ssl.create_default_context() makes one.
        _check.refuse("tls", tls, f"{wanted}; this one is a client's")
