"""What is in the wheel, and what is not. Using it from elsewhere is `make outside`."""

import configparser
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "pytest_resilience": ROOT / "pytest_resilience",
    "pytest_resilience_gemini": ROOT / "fakes" / "pytest_resilience_gemini",
    "pytest_resilience_vault": ROOT / "fakes" / "pytest_resilience_vault",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built with the pinned hatchling, without the network."""
    folder = tmp_path_factory.mktemp("dist")
    code = f"import hatchling.build; print(hatchling.build.build_wheel({str(folder)!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    """All files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def text(wheel: Path, ending: str) -> str:
    """The one file in the wheel that ends so."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(ending))
        return archive.read(name).decode()


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """What the wheel says of itself."""
    return Parser().parsestr(text(wheel, ".dist-info/METADATA"))


def test_three_packages_and_nothing_else(names: set[str]) -> None:
    """The wheel takes three names of site-packages: no tests, no examples, no `fakes`."""
    tops = {name.partition("/")[0] for name in names}
    (info,) = (top for top in tops if top.endswith(".dist-info"))

    assert tops - {info} == {
        "pytest_resilience",
        "pytest_resilience_gemini",
        "pytest_resilience_vault",
    }


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_package_is_in_it_whole(names: set[str], package: str) -> None:
    """Every module of the checkout is in the wheel, and the wheel has no module of its own."""
    source = PACKAGES[package]
    here = {f"{package}/{path.relative_to(source).as_posix()}" for path in source.rglob("*.py")}
    there = {name for name in names if name.startswith(f"{package}/") and name.endswith(".py")}

    assert there == here


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_types_are_announced(names: set[str], package: str) -> None:
    """Type checkers read the annotations of each package."""
    assert f"{package}/py.typed" in names


def test_nothing_compiled_or_left_over(names: set[str]) -> None:
    """No caches, no secrets of a developer's machine."""
    odd = {name for name in names if "__pycache__" in name or "/." in name}

    assert odd == set()


def test_few_dependencies(metadata: Message) -> None:
    """Who installs the plugin gets three packages with it, and others only by an extra."""
    wanted = {str(line).split(">=")[0] for line in metadata.get_all("Requires-Dist", [])}

    assert wanted == {"h11", "pytest", "werkzeug", "trustme; extra == 'tls'"}
    assert metadata["Requires-Python"] == ">=3.11"


def test_entry_points(wheel: Path) -> None:
    """pytest, the fakes and the command line find their way in."""
    points = configparser.ConfigParser(delimiters=("=",))
    points.read_string(text(wheel, ".dist-info/entry_points.txt"))

    assert {section: dict(points[section]) for section in points.sections()} == {
        "console_scripts": {"pytest-resilience": "pytest_resilience.cli:main"},
        "pytest11": {"resilience": "pytest_resilience.plugin"},
        "pytest_resilience.fakes": {
            "gemini": "pytest_resilience_gemini:Gemini",
            "vault": "pytest_resilience_vault:Vault",
        },
    }


def test_licence_is_in_it(metadata: Message, wheel: Path) -> None:
    """The licence travels along and has a name that machines know."""
    assert metadata["License-Expression"] == "MIT"
    assert text(wheel, ".dist-info/licenses/LICENSE").startswith("MIT License")


def test_the_source_distribution_has_its_tests(tmp_path: Path) -> None:
    """And all that they need: whoever packages it for a system can run them."""
    code = f"import hatchling.build; hatchling.build.build_sdist({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    (built,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"Makefile", "noxfile.py", "constraints/dev.txt", "tools/run_tests.py"} <= names
    assert {"tests/conftest.py", "docs/faults.md", "examples/gds_vault/pyproject.toml"} <= names
    assert not [name for name in names if "node_modules" in name or "__pycache__" in name]
