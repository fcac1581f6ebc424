"""What all checks of a fake share: how to make one, and how to let it serve."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_resilience.clock import RealClock
from pytest_resilience.conformance.asking import Ask, Said, ask
from pytest_resilience.conformance.watching import Watch
from pytest_resilience.server.server import FakeServer

__all__ = ["Still", "Trial"]

SEED = 7


class Still(RealClock):
    """A wall clock that stands still, so that equal answers are equal."""

    def __init__(self) -> None:
        self._at = super().time_ns()

    def time_ns(self) -> int:
        """The moment at which it was made."""
        return self._at

    def time(self) -> float:
        """The same in seconds."""
        return self._at / 1_000_000_000


@dataclass(frozen=True, slots=True)
class Trial:
    """A class of fakes under examination."""

    make: Callable[..., FakeServer]
    asks: list[Ask]
    watch: Watch
    clock: Still

    def new(self, seed: int = SEED) -> FakeServer:
        """Another one, not started."""
        return self.make(seed=seed, clock=self.clock)

    @contextlib.contextmanager
    def serving(self, server: FakeServer) -> Iterator[FakeServer]:
        """The same, while it serves."""
        with server:
            self.watch.follow(server)
            try:
                yield server
            finally:
                self.watch.leave()

    def gets(self) -> list[Ask]:
        """The requests that only read."""
        return [one for one in self.asks if one.method == "GET"] or [Ask("GET", "/", given=False)]

    def play(self, server: FakeServer) -> list[Said]:
        """All requests in their order."""
        return [ask(server, one) for one in self.asks]
