"""What a session keeps between its tests: shared fakes, the engine's lease, the seed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from pytest_resilience.reporting import settings

if TYPE_CHECKING:
    from pytest_resilience.clock.virtual import VirtualClock
    from pytest_resilience.engine._loop import Loop
    from pytest_resilience.reporting.custody import Custody
    from pytest_resilience.server.server import FakeServer


class Desk:
    """Of one session. Nothing is loaded, started or drawn before a test wants it."""

    def __init__(
        self, config: pytest.Config, fixtures: Iterable[str], *, always_virtual: bool
    ) -> None:
        self._config = config
        self._leased: Loop | None = None
        self._seed: int | None = None
        self._keeps_taps = False
        self.clock: VirtualClock | None = None
        """The virtual clock of the test that runs."""
        self.always_virtual = always_virtual
        """Whether tests run in virtual time unless their marker says otherwise."""
        self.fixtures = set(fixtures)
        """Names of the fixtures that make or give a server."""
        self.shared: dict[str, list[FakeServer]] = {}
        """Servers that are up for all tests, by the name of their fixture."""
        self.item: pytest.Item | None = None
        """The test that runs now, or ran last."""
        self.custody: Custody | None = None
        """Of the test that runs now, or ran last, if it used a fake."""

    def expects(self, item: pytest.Item) -> bool:
        """Whether this test will use a fake, as far as its arguments tell."""
        return not self.fixtures.isdisjoint(getattr(item, "fixturenames", ()))

    def attend(self, item: pytest.Item) -> None:
        """Begin the custody of this test before any fixture of its own, which end before it."""
        set_up = item.setup

        def setup() -> None:
            self.custody_of(item)
            set_up()

        item.setup = setup  # type: ignore[method-assign]  # a fixture costs more than all we do

    def custody_of(self, item: pytest.Item) -> Custody:
        """The custody of this test, begun when it is asked for first."""
        current = self.custody
        if current is None or current.item is not item or current.closed:
            from pytest_resilience.reporting.custody import Custody

            current = self.custody = Custody(self, item)
            # Torn down last of what the test has for itself, and before what it shares.
            item.addfinalizer(current.close)
            current.open()
        return current

    def current_custody(self) -> Custody:
        """The custody of the test that runs now."""
        if self.item is None:  # pragma: no cover -- pytest sets nothing up while no test runs
            raise pytest.UsageError("a fake was asked for while no test runs")
        return self.custody_of(self.item)

    def has_custody_of(self, item: pytest.Item) -> Custody | None:
        """The custody of this test, if it has used a fake."""
        current = self.custody
        return current if current is not None and current.item is item else None

    def lease_engine(self) -> None:
        """Keep the engine's thread from now on, so that a server for each test is cheap."""
        if self._leased is None or self._leased.given_up:
            from pytest_resilience import engine

            self._leased = engine.acquire()

    def release_engine(self) -> None:
        """Give the engine's thread back."""
        if self._leased is not None:
            from pytest_resilience import engine

            loop, self._leased = self._leased, None
            engine.release(loop)

    def keep_taps(self, *, wanted: bool) -> None:
        """Whether to go on listening when this test has ended, since the next one comes soon."""
        if wanted is not self._keeps_taps:
            from pytest_resilience.logs import _hub

            self._keeps_taps = wanted
            _hub.keep(wanted=wanted)

    def seed(self, asked: settings.Settings) -> int:
        """The seed of a test: the one that was set, otherwise one for the whole session."""
        if asked.seed is not None:
            return asked.seed
        if self._seed is None:
            import secrets

            self._seed = secrets.randbits(32)
        return self._seed
