"""What a pytest run that does not use us pays for having us as a plugin.

No other plugin is loaded in either run, but an empty one in place of ours: what those of a
real project compute is a hundred times what is looked for.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from rounds import Figure, Goal

# Where no bytecode may be written, pytest compiles every plugin anew in each run.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
ENVIRONMENT["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
US, NOTHING = ("-p", "pytest_resilience.plugin"), ("-p", "a_plugin_that_is_empty")
TEST = "def test_nothing():\n    pass\n"


def _spent() -> float:
    """Seconds that ended child processes have computed: all that an idle run does."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(folder: str, *options: str) -> float:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, folder]
    env = ENVIRONMENT | {"PYTHONPATH": folder}
    before = _spent()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, env=env)
    return (_spent() - before) * 1000


def measure(*, quick: bool) -> list[Figure]:
    """Milliseconds of computing in a run with one empty test; minima, since noise only adds."""
    rounds = 20 if quick else 60
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_it.py").write_text(TEST)
        Path(folder, f"{NOTHING[1]}.py").touch()
        _run(folder, *US), _run(folder, *NOTHING)  # To have their bytecode.
        pairs = [(_run(folder, *US), _run(folder, *NOTHING)) for _ in range(rounds)]
    ours, without = min(a for a, _ in pairs), min(b for _, b in pairs)
    extra = ours - without
    goal = Goal(most=5)
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
