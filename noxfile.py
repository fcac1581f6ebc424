"""The tests on every Python that pyproject.toml names. `make nox` runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nox

PYTHONS = ("3.11", "3.12", "3.13")

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "venv"
# Nothing is fetched but packages: a Python that is not here is skipped, and named.
nox.options.download_python = "never"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False


def show_pyenvs_pythons() -> None:
    """Put pyenv's interpreters on PATH, those too that are not switched on."""
    if shutil.which("pyenv") is None:
        return
    for version in PYTHONS:
        asked = subprocess.run(
            ["pyenv", "prefix", version], capture_output=True, text=True, check=False
        )
        if asked.returncode == 0:
            folder = str(Path(asked.stdout.strip(), "bin"))
            os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], folder])


show_pyenvs_pythons()


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run all tests, the project's and the examples'."""
    for pins in ("dev", "clock"):
        session.install("--quiet", "--require-hashes", "-r", f"constraints/{pins}.txt")
    session.install(
        *("--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--editable", ".")
    )
    session.run("python", "tools/run_tests.py", "--", *session.posargs)
