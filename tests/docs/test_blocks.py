"""What the documents show is what happens: their Python runs, and their failure fails like that."""

from __future__ import annotations

import dataclasses

import pytest

from tests.docs.blocks import ROOT, Block, Ran, blocks, python_blocks, run

BLOCKS = python_blocks()
README = ROOT / "README.md"
FIRST = BLOCKS[0]
ONCE_TOO_OFTEN = dataclasses.replace(
    FIRST, line=0, code=FIRST.code.replace("(1, 2, 4, None)", "(1, 2, 5, None)")
)
"""README's first test, with a client that waits 5 seconds in place of 4."""


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Ran]]:
    """The tests of each block, run in one session."""
    return run(tmp_path_factory.mktemp("blocks"), [*BLOCKS, ONCE_TOO_OFTEN])


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_runs(block: Block, outcomes: dict[str, list[Ran]]) -> None:
    """A reader can copy any block of the documents, and it works."""
    ran = outcomes.get(block.module, [])

    assert [test.said for test in ran if test.said] == []
    names = dict.fromkeys(test.name.partition("[")[0] for test in ran)
    assert list(names) == (block.tests or ["test_block"])


def test_the_first_screen_is_the_first_block() -> None:
    """The README shows a test before anything else, within ten lines."""
    assert FIRST.document == README
    assert FIRST.line < 10
    assert FIRST.tests == ["test_rides_out_the_outage"]


def test_seven_seconds_take_milliseconds(outcomes: dict[str, list[Ran]]) -> None:
    """The README's first test does not wait, however busy the machine is."""
    (test,) = outcomes[FIRST.module]

    assert test.seconds < 3.5


def test_the_failing_output_is_what_pytest_prints(outcomes: dict[str, list[Ran]]) -> None:
    """The README's second block, from its first E to its last."""
    shown = blocks("text", README)[0].code.splitlines()
    (test,) = outcomes[ONCE_TOO_OFTEN.module]

    assert ONCE_TOO_OFTEN.code != FIRST.code
    assert [line for line in test.said.splitlines() if line.startswith("E ")] == shown
