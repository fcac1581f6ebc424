"""The documents' Python blocks, and one pytest session that runs all of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser

from tests.docs import tutorial

ROOT = Path(__file__).parents[2]
DOCUMENTS = (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")))
TWEETS = ROOT / "examples" / "tweet_generator" / "README.md"
"""Of this one only the tests run here; the rest is about a program and its API key."""
EXAMPLES = (ROOT / "examples" / "gds_vault", TWEETS.parent)
PRELUDES = {"VaultClient": "from gds_vault import VaultClient\n"}
"""What a block may leave out because the text around it says what it is."""


@dataclass(frozen=True)
class Block:
    """One block of code and where it stands."""

    document: Path
    line: int
    code: str

    @property
    def tests(self) -> list[str]:
        """The tests that it defines."""
        return re.findall(r"^def (test_\w+)", self.code, re.MULTILINE)

    @property
    def module(self) -> str:
        """A name for a file of its own."""
        place = self.document.relative_to(ROOT).with_suffix("").as_posix()
        return f"test_{place.replace('/', '_')}_{self.line}"

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Ran:
    """One test of the session."""

    name: str
    seconds: float
    said: str
    """How it failed; empty when it passed."""


def blocks(language: str, *documents: Path) -> list[Block]:
    """The blocks of a language, in their order."""
    parser = Sybil([CodeBlockParser(language, evaluator=lambda _: None)])
    return [
        Block(path, example.line, example.parsed)
        for path in documents
        for example in parser.parse(path).examples()
    ]


def python_blocks() -> list[Block]:
    """All that must run."""
    return [
        *blocks("python", *DOCUMENTS),
        *(block for block in blocks("python", TWEETS) if block.tests),
    ]


def run(folder: Path, blocks: list[Block]) -> dict[str, list[Ran]]:
    """Run each block as a module of its own, in one session; the outcomes by module.

    A block with tests is a file of tests. One without is a test that runs it.
    """
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    for block in blocks:
        left_out = [
            line
            for name, line in PRELUDES.items()
            if f"{name}(" in block.code and line not in block.code
        ]
        code = "".join([*left_out, block.code])
        if not block.tests:
            code = f"def test_block():\n    exec({code!r}, {{'__name__': 'block'}})\n"
        (folder / f"{block.module}.py").write_text(code)
    # The tests of the tutorial need its package, installed.
    installed = folder / "installed"
    tutorial.write(folder / "project")
    tutorial.install(folder / "project", installed)
    report = folder / "junit.xml"
    environment = {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join(map(str, [*EXAMPLES, installed])),
    }
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-m", "pytest", "-p", "resilience", f"--junit-xml={report}"]
    command += ["--ignore=project", "--ignore=installed"]
    subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True)
    return _outcomes(report)


def _outcomes(report: Path) -> dict[str, list[Ran]]:
    found: dict[str, list[Ran]] = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 -- our own pytest wrote it
        said = "\n".join(problem.text or "" for problem in case)
        ran = Ran(case.get("name", ""), float(case.get("time", "0")), said)
        found.setdefault(case.get("classname", "").rpartition(".")[2], []).append(ran)
    return found
