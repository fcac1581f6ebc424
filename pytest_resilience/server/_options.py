"""What a server is made with, checked where it is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's
from pytest_resilience.faults import _check

WSGI = "a WSGI application, which is called with environ and start_response"
USUAL_HOSTS = ("127.0.0.1", "::1", "localhost")
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
    if not takes_two(app):
        _check.refuse("app", app, f"{WSGI}; this takes other arguments")


def is_async(app: Callable[..., object]) -> bool:
    """Whether calling it gives a coroutine, as ASGI applications do."""
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__)


def takes_two(app: Callable[..., object]) -> bool:
    """Whether it can be called with environ and start_response, as far as can be seen."""
    code = getattr(app, "__code__", None)
    if code is not None and code.co_argcount == 2 and not code.co_kwonlyargcount:
        return True  # Nearly every one, without the price of a signature.
    try:
        # Not that of what it wraps: Request.application of werkzeug wraps an f(request).
        signature = inspect.signature(app, follow_wrapped=False)
    except (TypeError, ValueError):  # Of C, mostly: nothing can be seen.
        return True
    try:
        signature.bind(None, None)
    except TypeError:
        return False
    return True


def _check_clock(clock: object) -> None:
    if any(not callable(getattr(clock, name, None)) for name in CLOCK):
        _check.refuse("clock", clock, "a clock: an object with " + ", ".join(CLOCK))


def _check_host(host: object) -> None:
    wanted = 'an address of this machine, such as "127.0.0.1" or "::1"'
    # Nothing would be every address of this machine, as the system takes it.
    if not isinstance(host, str) or not host.strip() or not host.isprintable():
        _check.refuse("host", host, wanted)
    if host not in USUAL_HOSTS and not _may_be_ours(host):
        _check.refuse("host", host, wanted)


def _may_be_ours(host: str) -> bool:
    """Whether it is a name, or the address of one machine: the system listens on others as well."""
    import ipaddress

    if host == "<broadcast>":  # Python's own word for 255.255.255.255.
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return True
    return not address.is_multicast and str(address) != "255.255.255.255"


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
