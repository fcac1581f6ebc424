"""The servers that one test uses: started for it, watched, judged at its end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from pytest_resilience import engine
from pytest_resilience.checks import leftovers
from pytest_resilience.errors import (
    ResilienceError,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)
from pytest_resilience.records import MASKS
from pytest_resilience.reporting import settings
from pytest_resilience.reporting.environment import Environment
from pytest_resilience.reporting.mask import Mask

if TYPE_CHECKING:
    from pytest_resilience.reporting.desk import Desk
    from pytest_resilience.reporting.leaks import Ear
    from pytest_resilience.server.server import FakeServer

Server = TypeVar("Server", bound="FakeServer")


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
        try:
            self.settings = settings.of_item(item)
        except pytest.UsageError as error:  # Of a variable that was set since the run began.
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        self.seed = desk.seed(self.settings)
        self.servers: list[Watched] = []
        self.environment = Environment()
        self.mask = Mask(self.servers)
        self.passed = False
        """Whether the test's own code has run, and passed."""
        self.closed = False
        self._made = 0
        self._ear: Ear | None = None

    def open(self) -> None:
        """Begin: shared fakes have a new trace and plan for each test."""
        MASKS.append(self.mask)
        if self.settings.leaks:
            from pytest_resilience.reporting.leaks import Ear

            self._ear = Ear(self.item)
            self._ear.begin()
        names = getattr(self.item, "fixturenames", ())
        for label, servers in self._desk.shared.items():
            for server in servers:
                if not server.running:  # A test before has stopped it.
                    server.start()
                server.new_trace()
                if label in names:
                    self.watch(label, server)

    def start(self, label: str, server: Server) -> Server:
        """The server, up until `stop`, and its variables with it."""
        self._desk.lease_engine()
        server.start()
        try:
            self.watch(label, server)
        except BaseException:
            self.stop(server)
            raise
        return server

    def stop(self, server: FakeServer) -> None:
        """The test is done with this server: a fixture that it came after ends after it."""
        server.renewed = None
        try:
            server.stop()
        finally:
            self.environment.undo_of(server)

    @contextlib.contextmanager
    def sharing(self, label: str, server: Server) -> Iterator[Server]:
        """The server, up for the length of the block, for other tests as well."""
        shared = self._desk.shared.setdefault(label, [])
        shared.append(self.start(label, server))
        try:
            yield server
        finally:
            shared.remove(server)
            self.stop(server)

    def watch(self, label: str, server: FakeServer) -> None:
        """Report and judge this server with the test, and point clients at it."""
        if self.servers:  # Most tests have one.
            if any(watched.server is server for watched in self.servers):
                return
            same = sum(watched.label.partition(" ")[0] == label for watched in self.servers)
            label = f"{label} {same + 1}" if same else label
        self.servers.append(Watched(label, server))
        server.renewed = lambda: self._point_at(server)
        self._point_at(server)

    def _point_at(self, server: FakeServer) -> None:
        from pytest_resilience.server.credentials import variables

        said = variables(server)
        self.mask.add(said)
        if self.settings.env and not self.closed:
            self.environment.set(said, server)

    def fake(self, name: str, *, shared: bool = False) -> FakeServer:
        """A new fake by the name of its entry point, not started yet."""
        from pytest_resilience import registry

        try:
            return registry.create(name, **(self.shared_options() if shared else self.options()))
        except ResilienceError as error:
            text = f"fake_{name} cannot be built: {error}"
        # Outside of the handler, so that the report shows this line and no chain.
        pytest.fail(text, pytrace=False)

    def options(self) -> dict[str, Any]:
        """What the settings say of the next server of this test."""
        # Each server of a test has a random stream of its own, and the same one in a replay.
        seed = self.seed + self._made
        self._made += 1
        return {"seed": seed, "keep": self.settings.keep}

    def shared_options(self) -> dict[str, Any]:
        """A shared server belongs to no test, so no marker speaks for it."""
        general = settings.of_config(self.item.config)
        return {"seed": self._desk.seed(general), "keep": general.keep}

    def raised(self, error: BaseException) -> None:
        """This has made the test fail; it may show what it should not."""
        if self._ear is not None:
            self._ear.caught(error)

    def leftovers(self) -> list[leftovers.Leftover]:
        """What the settings do not allow to be left behind."""
        found: list[leftovers.Leftover] = []
        traces = [watched.server.trace for watched in self.servers]
        # Before the errors are looked at: a fake that cannot tell its secrets has one more.
        leaked = self._ear.found(self.servers, traces) if self._ear else []
        for watched, trace in zip(self.servers, traces, strict=True):
            label, server = watched.label, watched.server
            # Errors first: a predicate that fails leaves its fault unmet.
            if server.errors and not self.settings.errors:
                found += leftovers.errors(label, server.errors)
            if not self.settings.unmatched:
                found += leftovers.unmatched(label, trace)
            if not self.settings.unmet and (missing := server.plan.unmet):
                found += leftovers.unmet(label, missing, trace)
        return found + leaked

    def close(self) -> None:
        """The last thing that happens to a test: put everything back, and judge."""
        self.closed = True
        MASKS.remove(self.mask)
        if self._ear is not None:
            self._ear.end()
        try:
            text = self.environment.again(self._judgement) if self.passed else ""
        finally:
            self.environment.undo()
        if text:
            pytest.fail(text, pytrace=False)

    def _judgement(self) -> str:
        found = self.leftovers() + leftovers.engine(engine.take_errors())
        if not found:
            return ""
        from pytest_resilience.reporting import sections

        return self.mask(sections.judgement(found))
