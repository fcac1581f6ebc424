"""The tutorial's package is a project of its own: it is built, and its tests run with its wheel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pytest_resilience.conformance.flaw import FLAWS
from tests.docs import tutorial


def test_the_tutorial_works_as_a_project_of_its_own(tmp_path: Path) -> None:
    """Its fixture is found by the entry point of the wheel, and its tests pass."""
    project, target, elsewhere = (tmp_path / name for name in ("project", "target", "tests"))
    tutorial.write(project)
    tutorial.install(project, target)
    elsewhere.mkdir()
    (project / "test_notes.py").rename(elsewhere / "test_notes.py")
    environment = {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": str(target),
    }
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-m", "pytest", "-p", "resilience", "-W", "error", "-v", "."]
    run = subprocess.run(
        command, cwd=elsewhere, env=environment, check=False, capture_output=True, text=True
    )

    assert run.returncode == 0, run.stdout
    assert "2 passed" in run.stdout


def test_the_fake_of_the_tutorial_is_short() -> None:
    """Fewer than thirty lines, and a package in three files."""
    files = tutorial.files()
    lines = [line for line in files["acme_notes.py"].splitlines() if line.strip()]

    assert sorted(files) == ["acme_notes.py", "pyproject.toml", "test_notes.py"]
    assert len(lines) < 30


def test_the_document_has_the_table_of_flaws() -> None:
    """Each code with its meaning, in the order of the table, and none that is not there."""
    rows = [line for line in tutorial.DOCUMENT.read_text().splitlines() if line.startswith("| `")]

    assert rows == [f"| `{code}` | {meaning} |" for code, meaning in FLAWS.items()]
