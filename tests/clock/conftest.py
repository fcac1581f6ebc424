"""What the tests of the clock share: a server, a clock, and a bound on real time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_resilience import FakeServer, VirtualClock

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
def in_little_real_time(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test of virtual time ends in little real time, unless it is a soak."""
    if request.node.get_closest_marker("soak"):
        yield
    else:
        # Beside two busy processes and other workers the loaded tests took up to 65 s.
        with within(180 if "test_load" in request.node.nodeid else 30):
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
