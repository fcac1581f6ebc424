"""What the tests of the clock share: a server, a clock, and a bound on real time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_resilience import FakeServer, VirtualClock
from pytest_resilience.clock import _references

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

real_monotonic = time.monotonic


def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """Always the same, and long enough to be cut in two."""
    start("200 OK", [("Content-Type", "application/json")])
    return [b'{"hello": "world, this is a body"}']


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Bound the real time of a block; generous, because the machine may be busy."""
    began = real_monotonic()
    yield
    took = real_monotonic() - began
    assert took < seconds, f"took {took:.3f} real seconds"


@pytest.fixture(autouse=True)
def in_little_real_time() -> Iterator[None]:
    """Every test of virtual time ends in little real time."""
    with within(30):
        yield


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """A server whose application answers on the engine's thread."""
    with FakeServer(answer, blocking=False) as server:
        yield server


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    """A virtual clock, and nobody that it has not waited for."""
    with VirtualClock() as clock:
        yield clock
    assert clock.reports == ()


@pytest.fixture
def holding() -> Callable[[object], object]:
    """Hides an object's identity from type checkers and linters."""
    return lambda thing: thing


assert _references  # The places of every stand-in are noted on first use.
