"""Fixtures of the tests of the wire."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_resilience import engine
from tests.wire.leftovers import descriptors, engines


@pytest.fixture
def gives_back(request: pytest.FixtureRequest) -> Iterator[None]:
    """After the test no thread and no descriptor is left."""
    # A test before may have used our own fixtures, which keep the engine for the session.
    plugin: Any = request.config.pluginmanager.get_plugin("resilience")
    plugin.desk_of(request.config).release_engine()
    gc.collect()
    before = descriptors()
    yield
    assert engines() == []
    gc.collect()
    assert descriptors() == before
    assert engine.take_errors() == []
    assert engine.running() is None
