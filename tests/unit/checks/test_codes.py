"""The codes: a promise that the documents repeat."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_resilience.checks.codes import CODES

TEXT = (Path(__file__).parents[3] / "docs" / "verify.md").read_text()
DESCRIBED = re.findall(
    r"^#### `([a-z0-9-]+)`\n\n(.+)\n(?:.+\n)*\n```diff\n(?:.*\n)*?```$", TEXT, re.MULTILINE
)


def test_each_code_is_described() -> None:
    """A heading, the sentence of the table, and a broken and a mended line."""
    assert dict(DESCRIBED) == dict(CODES)


def test_each_code_shows_the_mistake_and_its_cure() -> None:
    """In every block something is taken away and something put in its place."""
    blocks = re.findall(r"```diff\n((?:.*\n)*?)```", TEXT)

    assert len(blocks) == len(CODES)
    assert all({"-", "+"} <= {line[:1] for line in block.splitlines()} for block in blocks)


def test_codes_are_kebab_case() -> None:
    """So that they can be typed, searched, and used as names."""
    assert [code for code in CODES if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)] == []
