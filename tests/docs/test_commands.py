"""What the documents tell a reader to type, and where their links lead, exists."""

from __future__ import annotations

import re
import shlex
from importlib.metadata import distribution, entry_points
from pathlib import Path

import pytest

from pytest_resilience.cli import _parser, main
from pytest_resilience.reporting.settings import SETTINGS
from tests.docs.blocks import DOCUMENTS, ROOT, TWEETS, blocks

TALKING = (*DOCUMENTS, ROOT / "CONTRIBUTING.md")
LINKING = (*TALKING, TWEETS, *ROOT.glob("examples/gds_vault/*.md"), ROOT / "CHANGELOG.md")
SHELL = {"curl", "until"}
"""First words of commands that are none of ours."""

COMMANDS = sorted(
    {
        line.removeprefix("$ ").rstrip(" &")
        for block in blocks("console", *TALKING)
        for line in block.code.splitlines()
        if line.startswith("$ ")
    }
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_exists(command: str) -> None:
    """Each line after a "$" is a command with options that it takes."""
    words = shlex.split(command, comments=True)

    match words:
        case ["pytest-resilience", *arguments]:
            assert _parser().parse_args(arguments).run
        case ["make", target]:
            assert target in make_targets()
        case ["pip", "install", name]:
            assert name == distribution("pytest-resilience").name
        case ["pytest", *options]:
            assert {option.partition("=")[0] for option in options} <= {
                setting.option for setting in SETTINGS.values()
            }
        case _:
            assert words[0] in SHELL


def test_there_are_commands() -> None:
    """The test above does see the README's."""
    assert {"pytest-resilience serve vault --env-file vault.env", "make demo"} <= {
        command.partition("#")[0].strip() for command in COMMANDS
    }


def test_the_command_is_installed() -> None:
    """`pytest-resilience` is what runs `pytest_resilience.cli.main`."""
    (script,) = entry_points(group="console_scripts", name="pytest-resilience")

    assert script.load() is main


@pytest.mark.parametrize("document", TALKING, ids=lambda path: path.name)
def test_every_target_of_make_exists(document: Path) -> None:
    """`make ...` in the text of a document is a target of the Makefile."""
    named = set(re.findall(r"`make (\w+)", document.read_text()))

    assert named <= make_targets()


@pytest.mark.parametrize("document", LINKING, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    """A relative link names a file that is there, and a heading that is in it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if "://" in target:
            continue
        name, _, heading = target.partition("#")
        path = document.parent / name if name else document
        assert path.exists(), target
        assert not heading or heading in headings(path), target


def make_targets() -> set[str]:
    """The targets that can be asked for."""
    return set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def headings(document: Path) -> set[str]:
    """The headings of a document, as links name them."""
    lines = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}
