"""Who may import what, where import-linter cannot say it: our own third parties, and pytest."""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("pytest_resilience", "pytest_resilience_gemini", "pytest_resilience_vault")
ALSO_PYTEST = ("plugin.py", "reporting")


def imports_of(source: str) -> Iterator[tuple[str, str | None]]:
    """Each imported module with the name taken from it; None where the module itself is taken."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                yield str(node.module), alias.name


def top(module: str) -> str:
    """The top-level package that a module is in."""
    return module.partition(".")[0]


def public_modules(package: str) -> dict[str, ModuleType]:
    """The package, and those of its public names that are modules, by their full names."""
    whole = importlib.import_module(package)
    named = (getattr(whole, name) for name in whole.__all__)
    parts = {part.__name__: part for part in named if isinstance(part, ModuleType)}
    return {package: whole, **parts}


def private_imports(source: str, *, inside: str | None = None) -> list[str]:
    """What a piece of code takes from our packages without its being public there.

    Args:
        source: The code.
        inside: The package that the code is part of; it may use all of itself.
    """
    found = []
    for module, name in imports_of(source):
        if top(module) not in OURS or top(module) == inside:
            continue
        public = public_modules(top(module)).get(module)
        if public is None or (name is not None and name not in public.__all__):
            found.append(module if name is None else f"{module}:{name}")
    return found


def python_files(*parts: str) -> list[Path]:
    """The Python files at or below a path of the checkout; none would prove nothing."""
    where = ROOT.joinpath(*parts)
    files = [where] if where.is_file() else sorted(where.rglob("*.py"))
    assert files, f"no Python file under {where}"
    return files


@pytest.mark.parametrize("fake", ["pytest_resilience_vault", "pytest_resilience_gemini"])
def test_fakes_use_public_names_only(fake: str) -> None:
    """A fake of ours needs nothing that a third party's fake could not have."""
    private = {
        path.name: found
        for path in python_files("fakes", fake)
        if (found := private_imports(path.read_text(), inside=fake))
    }

    assert private == {}


def test_examples_use_public_names_only() -> None:
    """Everything in examples/ is written as a stranger could write it."""
    private = {
        str(path.relative_to(ROOT)): found
        for path in python_files("examples")
        if (found := private_imports(path.read_text()))
    }

    assert private == {}


@pytest.mark.parametrize("example", ["gds_vault", "tweet_generator"])
def test_clients_know_nothing_of_us(example: str) -> None:
    """An example's client imports none of our packages; only its tests may."""
    knowing = [
        str(path.relative_to(ROOT))
        for path in python_files("examples", example)
        if "tests" not in path.parts[len(ROOT.parts) :] and path.name != "conftest.py"
        if any(top(module) in OURS for module, _ in imports_of(path.read_text()))
    ]

    assert knowing == []


def test_only_plugin_and_reporting_import_pytest() -> None:
    """Below the top floor nothing knows that pytest exists, so servers run without it."""
    knowing = [
        str(path.relative_to(ROOT))
        for package in ("pytest_resilience", "fakes")
        for path in python_files(package)
        if path.relative_to(ROOT).parts[1] not in ALSO_PYTEST
        if any(top(module) in ("pytest", "_pytest") for module, _ in imports_of(path.read_text()))
    ]

    assert knowing == []


def test_importing_us_takes_the_standard_library_only() -> None:
    """The package's front door loads nothing but the standard library."""
    code = """
import sys
before = set(sys.modules)
import pytest_resilience
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(loaded - sys.stdlib_module_names))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.split() == ["pytest_resilience"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from pytest_resilience import Fake", []),
        ("from pytest_resilience import faults", []),
        ("import pytest_resilience", []),
        ("import json", []),
        ("from pytest_resilience import _nothing", ["pytest_resilience:_nothing"]),
        ("from pytest_resilience.server import x", ["pytest_resilience.server:x"]),
        ("import pytest_resilience.server", ["pytest_resilience.server"]),
        ("from pytest_resilience_vault.tokens import T", ["pytest_resilience_vault.tokens:T"]),
        ("def late():\n    import pytest_resilience.plan", ["pytest_resilience.plan"]),
    ],
)
def test_private_imports_are_seen(line: str, found: list[str]) -> None:
    """The rules above are kept by a reader of imports that sees every kind of private one."""
    assert private_imports(line) == found
