"""Run every test of the project, then each example's as a stranger would run them.

The project's run as two sessions side by side, one of which is shown when it has ended: each
is one process, so that all of it can be measured. The examples are projects of their own:
each is run from its own folder, with its own configuration, by the `pytest` command. One exit
code for all, and a last line that says how many tests there were.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import sysconfig
import tempfile
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
PYTEST = Path(sysconfig.get_path("scripts"), "pytest")
EXAMPLES = ("examples/gds_vault", "examples/tweet_generator")
ASIDE = tuple(f"tests/{folder}" for folder in ("cli", "docs", "packaging", "pytester", "verify"))
"""What takes about as long as all others together."""


@dataclass(frozen=True)
class Run:
    """What one pytest session came to."""

    name: str
    exit_code: int
    tests: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def passed(self) -> int:
        """Tests that ran and held."""
        return self.tests - self.failed - self.skipped

    def line(self) -> str:
        """One line of the summary."""
        ended = "" if self.exit_code == 0 else f"  exit code {self.exit_code}"
        return (
            f"{self.name:<26} {self.passed:>5} passed {self.failed:>4} failed"
            f" {self.skipped:>4} skipped{ended}"
        )


def run(name: str, command: list[str], folder: Path, output: IO[bytes] | None = None) -> Run:
    """Run one pytest session in a folder, let it talk, and count its tests."""
    if output is None:
        print(f"\n=== {name} ===", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "junit.xml")
        done = subprocess.run(
            [*command, f"--junit-xml={report}"],
            cwd=folder,
            check=False,
            stdout=output,
            stderr=output and subprocess.STDOUT,
        )
        if not report.exists():
            return Run(name, done.returncode or 1)
        # Our own pytest wrote it a moment ago.
        suites = list(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314

    def total(*keys: str) -> int:
        return sum(int(suite.get(key, 0)) for suite in suites for key in keys)

    return Run(name, done.returncode, total("tests"), total("failures", "errors"), total("skipped"))


def run_halves(command: list[str]) -> list[Run]:
    """Run the project's tests as two sessions at once."""
    others = [f"--ignore={folder}" for folder in ASIDE]
    with tempfile.TemporaryFile() as said, ThreadPoolExecutor() as pool:
        aside = pool.submit(run, "project: one half", [*command, *ASIDE], ROOT, said)
        runs = [run("project: the other", [*command, *others], ROOT), aside.result()]
        print("\n=== project: one half ===", flush=True)
        said.seek(0)
        sys.stdout.buffer.write(said.read())
    return runs


def main() -> int:
    """Run all sessions; 0 when every one of them ran tests and all of them held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--coverage", action="store_true", help="measure the project's tests")
    parser.add_argument("args", nargs="*", help="handed to the project's own pytest run")
    asked = parser.parse_args()

    # A shell's background job ignores Ctrl-C, and so would the programs that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    # A plugin is imported before pytest-cov could start, so coverage starts pytest.
    measured = ["-m", "coverage", "run"] if asked.coverage else []
    command = [sys.executable, *measured, "-m", "pytest", *asked.args]
    runs = [run("project", command, ROOT)] if asked.args else run_halves(command)
    runs += [run(example, [str(PYTEST)], ROOT / example) for example in EXAMPLES]

    print("\n=== all ===", *(each.line() for each in runs), sep="\n")
    passed, failed, skipped = (
        sum(getattr(each, count) for each in runs) for count in ("passed", "failed", "skipped")
    )
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return max(each.exit_code for each in runs)


if __name__ == "__main__":
    sys.exit(main())
