"""What a pytest run that does not use us pays for having us installed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rounds import Figure, Goal

# Where no bytecode may be written, pytest compiles every plugin anew in each run.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
TEST = "def test_nothing():\n    pass\n"


def _run(folder: str, *options: str) -> float:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, folder]
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, env=ENVIRONMENT)
    return (time.perf_counter() - started) * 1000


def measure(*, quick: bool) -> list[Figure]:
    """Milliseconds of a run with one empty test; minima, since noise only adds."""
    rounds = 5 if quick else 15
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_it.py").write_text(TEST)
        _run(folder)
        pairs = [(_run(folder), _run(folder, "-p", "no:resilience")) for _ in range(rounds)]
    ours, without = min(a for a, _ in pairs), min(b for _, b in pairs)
    extra = ours - without
    goal = Goal(most=5, absolute=True)
    return [
        Figure(
            "an idle run: with us, without us",
            ours,
            without,
            "ms",
            f"extra {extra:.1f} ms",
            ours / without,
            "<= 5 ms extra",
            goal.met(extra),
        )
    ]
