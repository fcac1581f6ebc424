"""The pinned files: complete, hashed, and silent about where things came from."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CORE = PYPROJECT["project"]["dependencies"]
FILES = ["clients", "clock", "conformance", "core", "dev", "lowest", "sdks"]


def pins(name: str) -> dict[str, tuple[Requirement, str]]:
    """Each pinned package of a file: what is asked for, and the text of its hashes."""
    text = (ROOT / "constraints" / f"{name}.txt").read_text().replace("\\\n", " ")
    found: dict[str, tuple[Requirement, str]] = {}
    for line in text.splitlines():
        asked, _, hashes = line.partition("--hash=")
        requirement = Requirement(asked.strip())
        found[canonicalize_name(requirement.name)] = (requirement, hashes)
    return found


def version(requirement: Requirement) -> Version:
    """The one version that a requirement names."""
    (specifier,) = requirement.specifier
    return Version(specifier.version)


def group(name: str) -> Iterator[str]:
    """A dependency group's members, those of the groups that it includes too."""
    for member in PYPROJECT["dependency-groups"][name]:
        if isinstance(member, str):
            yield member
        else:
            yield from group(member["include-group"])


@pytest.mark.parametrize("name", FILES)
def test_every_pin_is_exact_and_hashed(name: str) -> None:
    """What is installed is what was looked at, whoever serves it."""
    loose = [
        package
        for package, (requirement, hashes) in pins(name).items()
        if not re.fullmatch(r"==[^*]+", str(requirement.specifier))
        or not re.fullmatch(r"sha256:[0-9a-f]{64}(\s+--hash=sha256:[0-9a-f]{64})*\s*", hashes)
    ]

    assert loose == []


def test_nodes_packages_are_exact_and_hashed() -> None:
    """The same for what npm installs."""
    lines = (ROOT / "constraints" / "node.txt").read_text().splitlines()
    pin = r"[@a-z0-9/._-]+==\d+\.\d+\.\d+\S* --hash=sha512-[A-Za-z0-9+/]{86}=="

    assert len(lines) > 1
    assert [line for line in lines if not re.fullmatch(pin, line)] == []


@pytest.mark.parametrize("name", FILES)
def test_no_pin_says_where_it_came_from(name: str) -> None:
    """The files hold on every machine: no registry's address and no path."""
    text = (ROOT / "constraints" / f"{name}.txt").read_text()

    assert re.findall(r"(?m)://|^-|\s@\s|file:|^\s*/", text) == []


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
def test_no_lock_file_is_kept() -> None:
    """They record where packages came from."""
    kept = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()

    assert "pyproject.toml" in kept
    assert [name for name in kept if re.search(r"([.-]lock(\.\w+)?|/package\.json)$", name)] == []


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("core", CORE),
        ("lowest", CORE),
        ("dev", [*CORE, *group("dev")]),
        ("clients", [*group("clients")]),
        ("clock", [*group("clock")]),
    ],
)
def test_pins_follow_what_is_declared(name: str, declared: list[str]) -> None:
    """Whoever changes a dependency in pyproject.toml runs `make pins`."""
    pinned = pins(name)
    astray = [
        wanted
        for wanted in map(Requirement, declared)
        if (pin := pinned.get(canonicalize_name(wanted.name))) is None
        or not wanted.specifier.contains(version(pin[0]))
    ]

    assert astray == []


def test_lowest_is_the_lower_bound() -> None:
    """`make lowest` runs the very versions that the package claims to work with."""
    bounds = {wanted.name: version(wanted) for wanted in map(Requirement, CORE)}
    lowest = pins("lowest")
    run = {name: version(lowest[canonicalize_name(name)][0]) for name in bounds}

    assert run == bounds


@pytest.mark.parametrize("name", ["core", "clients", "clock"])
def test_files_agree(name: str) -> None:
    """Files that are installed into one environment ask for the same version."""
    dev = pins("dev")
    apart = [
        package
        for package, (requirement, _) in pins(name).items()
        if package in dev and dev[package][0].specifier != requirement.specifier
    ]

    assert apart == []
