"""What the fixture ``logs`` gives: everything said during a test, joined to its servers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pytest_resilience.logs.recorder import Recorder

if TYPE_CHECKING:
    import pytest

    from pytest_resilience.reporting.desk import Desk
    from pytest_resilience.server.server import FakeServer


def of_test(request: pytest.FixtureRequest, desk: Desk) -> Iterator[Recorder]:
    """Record until the test ends."""

    def servers() -> Iterable[FakeServer]:
        custody = desk.has_custody_of(request.node)
        return [] if custody is None else [watched.server for watched in custody.servers]

    def mask(text: str) -> str:
        custody = desk.has_custody_of(request.node)
        return text if custody is None else custody.mask(text)

    with Recorder(servers, mask=mask) as recorder:
        yield recorder
