"""The table of exceptions in the docs is true."""

from __future__ import annotations

import re

import pytest

from pytest_resilience import faults
from tests.wire import exceptions


def test_table_in_the_docs() -> None:
    """docs/faults.md says what requests, urllib3, httpx and aiohttp do today."""
    untrue = []
    for said, row in zip(exceptions.committed().splitlines()[2:], exceptions.CASES, strict=True):
        # A head that a busy machine sends too late for a client makes another exception.
        if exceptions.line(row) != said and (now := exceptions.line(row, patience=3)) != said:
            untrue.append(f"docs: {said}\nnow:  {now}")
    if untrue:
        pytest.fail(
            "docs/faults.md is untrue; `python -m tests.wire.exceptions --write` mends it\n"
            + "\n".join(untrue)
        )


@pytest.mark.parametrize("name", sorted(set(faults.__all__) - {"Context", "Fault", "Script"}))
def test_every_fault_is_in_the_docs(name: str) -> None:
    """The page describes every fault and every value that a fault takes."""
    assert f"`{name}" in exceptions.PAGE.read_text().replace(exceptions.committed(), "")


@pytest.mark.parametrize("number", range(3))
def test_examples_in_the_docs(number: int) -> None:
    """Each example of the page runs as it stands."""
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```$", exceptions.PAGE.read_text())

    assert len(blocks) == 3
    exec(compile(blocks[number], "docs/faults.md", "exec"), {})  # noqa: S102 -- our own page
