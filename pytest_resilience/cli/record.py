"""``pytest-resilience record``: a proxy in the foreground that writes down what it passes on."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from pytest_resilience.cli._lines import Lines, Output
from pytest_resilience.cli._signals import ending_signals
from pytest_resilience.errors import ResilienceError
from pytest_resilience.recording.proxy import RecordingProxy
from pytest_resilience.secrets.names import tells

KEEP = 100
"""Attempts kept in memory: they are in the file."""


def record(
    to: str,
    out: str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    secrets: Sequence[str] = (),
    quiet: bool = False,
) -> int:
    """Record until a signal ends it; returns the exit code.

    Raises:
        ResilienceError: It cannot begin; the message is one line for the user.
    """
    known = {name: value for name, value in os.environ.items() if tells(name)}
    known |= {name: _of_environment(name) for name in secrets}
    proxy = RecordingProxy(to, out, known=known, host=host, port=port, keep=KEEP)
    lines = Lines(Output(sys.stdout), quiet=quiet, mask=proxy.masked)
    proxy.journal.observer = lines.put
    with ending_signals() as wait:
        with proxy:
            lines.put(f"{proxy.url} records what {to} answers; Ctrl-C ends it")
            lines.start()
            wait()
        lines.put("")
        lines.put(f"{proxy.recorded} exchanges in {out}")
        lines.stop(proxy.plan)
    return 0


def _of_environment(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise ResilienceError(f"--secret {name}: the environment has no such variable")
    return value
