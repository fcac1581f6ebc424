"""The documents know every name that a user can write."""

from __future__ import annotations

import re

import pytest

import pytest_resilience
from pytest_resilience import faults, plugin
from pytest_resilience.reporting.settings import SETTINGS
from tests.docs.blocks import ROOT

README = (ROOT / "README.md").read_text()
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
TYPES = {"Context", "Fault", "Script"}
"""What a fault is made of: for who writes one, and described in the code."""


@pytest.mark.parametrize(
    "name", [*pytest_resilience.__all__, *plugin.WRITTEN, "virtual_clock", "logs"]
)
def test_the_changelog_names_it(name: str) -> None:
    """Every public name and every fixture is in the changelog."""
    assert re.search(rf"`(\w+\.)?{name}\b", CHANGELOG)


@pytest.mark.parametrize("name", sorted(set(faults.__all__) - TYPES))
def test_the_changelog_names_the_fault(name: str) -> None:
    """Every fault is in the changelog."""
    assert f"`{name}`" in CHANGELOG


@pytest.mark.parametrize("name", SETTINGS)
def test_the_changelog_names_the_setting(name: str) -> None:
    """Every setting is in the changelog."""
    assert f"`{name}`" in CHANGELOG


def test_the_readme_lists_the_settings() -> None:
    """Its table has each setting, and nothing else."""
    part = README[README.index("## The settings") : README.index("## By hand")]

    assert set(re.findall(r"^\| `(\w+)`", part, re.MULTILINE)) == set(SETTINGS)


@pytest.mark.parametrize("name", [*plugin.WRITTEN, "virtual_clock", "logs"])
def test_the_readme_lists_the_fixtures(name: str) -> None:
    """Its table has each fixture."""
    part = README[README.index("## The fixtures") : README.index("## The faults")]

    assert re.search(rf"^\| .*`{name}`.* \|", part, re.MULTILINE)
