"""Judged clients leave connections open on purpose: here, and in nobody else's test."""

import gc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

UNCLOSED = "unclosed <s(ocket.socket|sl.SSLSocket)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What they forget to close fails no test below this folder."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.filterwarnings(f"ignore:{UNCLOSED}:ResourceWarning"))


@pytest.fixture(autouse=True, scope="module")
def nothing_for_others() -> Iterator[None]:
    """What only the collector can close is closed before a test of another kind comes."""
    yield
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=UNCLOSED, category=ResourceWarning)
        gc.collect()
