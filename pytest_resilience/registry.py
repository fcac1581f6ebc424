"""Entry points -> fakes. Nothing of a fake is loaded until it is asked for.

A distribution offers a fake in its ``pyproject.toml``::

    [project.entry-points."pytest_resilience.fakes"]
    github = "acme_fakes:GitHub"

and tests that run where it is installed can ask for ``fake_github``.
"""

from __future__ import annotations

import difflib
import functools
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

from pytest_resilience.errors import ResilienceError

if TYPE_CHECKING:
    from pytest_resilience.server.server import FakeServer

__all__ = ["GROUP", "create", "find", "load", "names"]

GROUP = "pytest_resilience.fakes"
OURS = "pytest-resilience"


def find(name: str) -> str | None:
    """Where the fake of this name is, as ``"module:Class"``; None when nobody offers it."""
    offers = _offers(name)
    return offers[0].value if offers else None


def names() -> list[str]:
    """The names of all fakes that are installed here, as they read in a fixture."""
    return sorted({_plain(point.name) for point in (*_ours(_path()), *_everybodys(_path()))})


def load(name: str) -> type[FakeServer]:
    """The class of the fake of this name.

    Raises:
        ResilienceError: There is no such fake, several, or it cannot be loaded; in one line.
    """
    from pytest_resilience.server.server import FakeServer

    point = _only(name)
    try:
        found = point.load()
    except Exception as error:
        reason = _line(error)
        raise ResilienceError(f"{_origin(point)} cannot be loaded: {reason}") from error
    if not isinstance(found, type) or not issubclass(found, FakeServer):
        raise ResilienceError(f"{_origin(point)} is not a class derived from Fake: {found!r}")
    return found


def create(name: str, **options: Any) -> FakeServer:  # noqa: ANN401 -- the class says what
    """A new fake of this name, not started yet.

    Raises:
        ResilienceError: As `load`, or the fake cannot be made from these options.
    """
    fake = load(name)
    try:
        return fake(**options)
    except ResilienceError:
        raise
    except Exception as error:
        said = ", ".join(f"{key}={value!r}" for key, value in options.items())
        reason = _line(error)
        origin = _origin(_only(name))
        raise ResilienceError(
            f"{origin} cannot be made by {fake.__name__}({said}): {reason}"
        ) from (error)


def unknown(name: str) -> str:
    """What to tell somebody who asked for a fake that nobody offers."""
    known = names()
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"no fake is named {name!r}{hint}; there are: {', '.join(known) or 'none'}"


def _only(name: str) -> metadata.EntryPoint:
    offers = _offers(name)
    if not offers:
        raise ResilienceError(unknown(name))
    if len({point.value for point in offers}) > 1:
        both = " and ".join(sorted(_origin(point) for point in offers))
        raise ResilienceError(f"several fakes are named {name!r}: {both}; uninstall all but one")
    return offers[0]


def _offers(name: str) -> list[metadata.EntryPoint]:
    """Ours are found by one look into one distribution; the others by a look into all."""
    wanted = _plain(name)
    for points in (_ours, _everybodys):
        offers = [point for point in points(_path()) if _plain(point.name) == wanted]
        if offers:
            return offers
    return []


def _path() -> tuple[str, ...]:
    """Where distributions are looked for: what was found holds until it changes."""
    return tuple(sys.path)


@functools.lru_cache(maxsize=2)
def _ours(path: tuple[str, ...]) -> tuple[metadata.EntryPoint, ...]:  # noqa: ARG001
    """Those of our own distribution, which is found without reading the others."""
    try:
        points = metadata.distribution(OURS).entry_points
    except metadata.PackageNotFoundError:  # Run from a checkout that nobody installed.
        return ()
    return tuple(points.select(group=GROUP))


@functools.lru_cache(maxsize=2)
def _everybodys(path: tuple[str, ...]) -> tuple[metadata.EntryPoint, ...]:  # noqa: ARG001
    """Those of every distribution. Reading them costs milliseconds."""
    return tuple(metadata.entry_points(group=GROUP))


def _plain(name: str) -> str:
    """A name as it can stand in a fixture's: ``my-api`` reads ``my_api``."""
    return name.replace("-", "_").replace(".", "_").lower()


def _origin(point: metadata.EntryPoint) -> str:
    dist = f" of {point.dist.name}" if point.dist is not None else ""
    return f"the fake {point.name!r}{dist} ({point.value})"


def _line(error: Exception) -> str:
    """An exception in one line."""
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
