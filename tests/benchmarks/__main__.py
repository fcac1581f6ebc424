"""Our speed and size beside our peers', as ratios taken in one run: ``make bench``.

Every figure is a pair: what is measured runs in turn with what it is compared with, round
by round, so that a machine that slows down slows both. The ratio is the median of the
rounds' ratios. ``--write`` puts the table into docs/benchmarks.md; ``--quick`` does fewer
rounds, for a look.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import clocks
import idle
import memory
import one_test
import own_fakes
import servers
from rounds import Figure  # noqa: TC002 -- read at run time by dataclass

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


@dataclass(frozen=True)
class Part:
    """Some figures that belong together."""

    name: str
    measure: Callable[..., list[Figure]]


PARTS = (
    Part("server", servers.measure),
    Part("fakes", own_fakes.measure),
    Part("test", one_test.measure),
    Part("memory", memory.measure),
    Part("idle", idle.measure),
    Part("clock", clocks.measure),
)


def table(figures: list[Figure]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| figure | ours : compared with | ratio | goal | reached |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [figure.row() for figure in figures]
    return "\n".join(lines)


def write(text: str) -> None:
    """Put the table into the page, between its marks."""
    page = PAGE.read_text()
    head, rest = page.split(BEGIN)
    tail = rest.split(END)[1]
    where = f"Python {platform.python_version()}, {platform.system()}, two shared cores."
    PAGE.write_text(f"{head}{BEGIN}\n\n{where}\n\n{text}\n\n{END}{tail}")


def main() -> int:
    """Measure, show, and say whether every goal was reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(p.name for p in PARTS)}")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    figures: list[Figure] = []
    for part in PARTS:
        if asked.parts and part.name not in asked.parts:
            continue
        for figure in part.measure(quick=asked.quick):
            figures.append(figure)
            print(figure.line(), flush=True)
    if asked.write:
        write(table(figures))
    missed = [figure.name for figure in figures if not figure.reached]
    print(f"\ngoals missed: {', '.join(missed)}" if missed else "\nevery goal reached")
    return 0


if __name__ == "__main__":
    sys.exit(main())
