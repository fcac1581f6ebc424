"""From the word on the command line to a server: a fake's name, or ``MODULE:APP``."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from typing import Any

from pytest_resilience import registry
from pytest_resilience.errors import ResilienceError
from pytest_resilience.faults._check import nearest
from pytest_resilience.server._options import is_async, takes_two
from pytest_resilience.server.server import FakeServer


class TargetError(ResilienceError):
    """There is nothing to serve under this name."""


def server_for(target: str, **options: Any) -> FakeServer:  # noqa: ANN401 -- FakeServer's own
    """The server that this word means, not started.

    Args:
        target: The name of an installed fake, or ``MODULE:APP``.
        options: Keyword arguments of `FakeServer`.

    Raises:
        TargetError: Nothing is there, or it cannot be loaded; says why.
    """
    if ":" not in target:
        return _named(target, **options)
    what = _from_module(target)
    if isinstance(what, type) and issubclass(what, FakeServer):
        with _failing(target, "start up"):
            return what(**options)
    _check_wsgi(target, what)
    return FakeServer(what, **options)


def _named(name: str, **options: Any) -> FakeServer:  # noqa: ANN401 -- as above
    if registry.find(name) is None:
        raise TargetError(f"{registry.unknown(name)}; an application of yours is MODULE:APP")
    return registry.create(name, **options)


def _from_module(target: str) -> Any:  # noqa: ANN401 -- whatever is there
    module_name, _, path = target.partition(":")
    calls = path.endswith("()")
    names = path.removesuffix("()").split(".")
    if not all(module_name.split(".")) or not all(name.isidentifier() for name in names):
        raise TargetError(f"{target!r} names nothing: wanted MODULE:APP or MODULE:FACTORY()")
    if os.sep in module_name or module_name.endswith(".py"):
        raise TargetError(f"{module_name!r} is a file; wanted a module: package.module, no .py")
    here = os.getcwd()  # noqa: PTH109 -- an entry of sys.path is text
    if here not in sys.path:
        sys.path.insert(0, here)
    with _failing(module_name, "import"):
        found: Any = importlib.import_module(module_name)
    for name in names:
        with _failing(target, "look up"):
            if not hasattr(found, name):
                there = [known for known in dir(found) if not known.startswith("_")]
                raise TargetError(f"{module_name} has no {name!r}{nearest(name, there)}")
            found = getattr(found, name)
    if calls:
        with _failing(target, "call"):
            return found()
    return found


@contextlib.contextmanager
def _failing(what: str, verb: str) -> Iterator[None]:
    """The other side's error, whatever it is, as one of ours with its place."""
    try:
        yield
    except TargetError:
        raise
    except (Exception, SystemExit) as error:
        raise TargetError(f"cannot {verb} {what}: {_words(error)}") from error


def _words(error: BaseException) -> str:
    words = f"{type(error).__name__}: {error}"
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or trace.tb_frame.f_code.co_filename.startswith(("<", __file__)):
        return words  # raised by the machinery of imports, or here: no line of the user's
    return f"{words} ({trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno})"


def _check_wsgi(target: str, app: object) -> None:
    if not callable(app):
        raise TargetError(f"{target} is {type(app).__name__}, not a WSGI application")
    if is_async(app):
        raise TargetError(
            f"{target} is an ASGI application and serve takes WSGI; a2wsgi makes one of the other"
        )
    if not takes_two(app):
        hint = "" if target.endswith("()") else f"; is it a factory? {target}() calls it"
        raise TargetError(f"{target} does not take environ and start_response{hint}")
