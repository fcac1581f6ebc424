"""The page about the clock says what is true."""

from __future__ import annotations

from pathlib import Path

from pytest_resilience import VirtualClock
from pytest_resilience.clock.covered import COVERED

PAGE = Path(__file__).parents[2] / "docs" / "clock.md"


def table() -> str:
    """All covered names, a line for each module or class."""
    lines: dict[str, list[str]] = {}
    for name in COVERED:
        whole, _, note = name.partition(", ")
        owner, _, attribute = whole.rpartition(".")
        lines.setdefault(owner, []).append(f"`{attribute}`" + (f" ({note})" if note else ""))
    rows = [f"| `{owner}` | {', '.join(names)} |" for owner, names in lines.items()]
    return "\n".join(["| of | covered |", "|---|---|", *rows])


def test_the_table_of_what_is_covered() -> None:
    """It is made from the one list; this test's message is the table to put there."""
    page = PAGE.read_text()
    start, end = "<!-- covered -->\n", "\n<!-- end of covered -->"
    shown = page[page.index(start) + len(start) : page.index(end)]

    assert shown == table(), f"put this into docs/clock.md:\n{table()}"


def test_grace_and_patience_are_what_the_page_says() -> None:
    """The defaults stand in the page."""
    clock = VirtualClock()
    page = PAGE.read_text()

    assert f"`VirtualClock(grace={clock._grace:g})`" in page
    assert f"`VirtualClock(patience={clock._patience:g})`" in page
