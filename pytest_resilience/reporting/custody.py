"""The servers that one test uses: started for it, watched, judged at its end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from pytest_resilience.errors import ResilienceError
from pytest_resilience.reporting import settings
from pytest_resilience.reporting.environment import Environment

if TYPE_CHECKING:
    from pytest_resilience.reporting.desk import Desk
    from pytest_resilience.server.server import FakeServer

    Server = TypeVar("Server", bound=FakeServer)


@dataclass(frozen=True, slots=True)
class Watched:
    """A server that the test uses."""

    label: str
    server: FakeServer


class Custody:
    """Of one test, from its first fake to the end of its teardown."""

    def __init__(self, desk: Desk, item: pytest.Item) -> None:
        self._desk = desk
        self.item = item
        self.settings = settings.of_item(item)
        self.seed = desk.seed(self.settings)
        self.servers: list[Watched] = []
        self.environment = Environment()
        self.passed = False
        """Whether the test's own code has run and passed."""
        self.closed = False
        for server in desk.shared.values():
            server.new_trace()

    @contextlib.contextmanager
    def running(self, label: str, server: Server) -> Iterator[Server]:
        """The server, up for the length of the block, its variables set until the test ends."""
        self._desk.lease_engine()
        with server:
            self.watch(label, server)
            yield server

    def watch(self, label: str, server: FakeServer) -> None:
        """Report and judge this server with the test, and point clients at it."""
        if any(watched.server is server for watched in self.servers):
            return
        self.servers.append(Watched(label, server))
        if self.settings.env:
            self.environment.set(server.environment)

    def fake(self, name: str) -> FakeServer:
        """A new fake by the name of its entry point, not started yet."""
        from pytest_resilience import registry

        try:
            return registry.create(name, **self.options())
        except ResilienceError as error:
            pytest.fail(f"fake_{name}: {error}", pytrace=False)

    def options(self) -> dict[str, Any]:
        """What the settings say of the next server of this test."""
        # Each server of a test has a stream of its own, and the same one in each replay.
        return {"seed": self.seed + len(self.servers), "keep": self.settings.keep}

    def close(self) -> None:
        """The last thing that happens to a test: undo, and judge."""
        self.closed = True
        self.environment.undo()
