"""``pytest-resilience serve``: one server in the foreground, for a person and for programs."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Iterator, Mapping

from pytest_resilience.cli._env_file import EnvFile
from pytest_resilience.cli._lines import Lines, Output
from pytest_resilience.cli._signals import ending_signals
from pytest_resilience.cli._target import server_for
from pytest_resilience.errors import ResilienceError
from pytest_resilience.server._guard import is_loopback
from pytest_resilience.server.control import ROOT, Control, environment
from pytest_resilience.server.server import FakeServer

KEEP = 10_000
"""Attempts kept for ``GET trace``: a server may run for days."""


def serve(
    target: str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    env_file: str | None = None,
    seed: int | None = None,
    quiet: bool = False,
) -> int:
    """Serve until a signal ends it; returns the exit code.

    Raises:
        ResilienceError: It cannot begin; the message is one line for the user.
    """
    server = server_for(target, host=host, port=port, seed=seed, keep=KEEP)
    lines = Lines(Output(sys.stdout), quiet=quiet, mask=server.masked)
    server.journal.observer = lines.put
    server.control = Control(server, lambda text: lines.put(f"  -- {text}"))
    with ending_signals() as wait:
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(EnvFile(env_file)) if env_file else None
            stack.enter_context(server)
            if file is not None:
                file.write(environment(server))
            for line in _welcome(server, target):
                lines.put(line)
            server.renewed = lambda: _renew(server, lines, file)
            lines.start()
            wait()
        # Still within: the same Ctrl-C may come twice, to us and to our process group.
        lines.stop(server.plan)
    return 0


def _renew(server: FakeServer, lines: Lines, file: EnvFile | None) -> None:
    """A service that has started over may have other keys and tokens: say them anew."""
    variables = environment(server)
    for line in _exports(variables):
        lines.put(line)
    if file is not None:
        try:
            file.write(variables)
        except ResilienceError as error:
            lines.put(f"  -- {error}")


def _welcome(server: FakeServer, target: str) -> Iterator[str]:
    yield f"{target} at {server.url}, seed {server.plan.seed}; Ctrl-C ends it"
    if is_loopback(server.host):
        yield f"faults, trace and state: {server.url}{ROOT}"
    else:
        yield f"faults, trace and state: under {ROOT}, to this machine's loopback addresses only"
    yield from _exports(environment(server))
    yield ""


def _exports(variables: Mapping[str, str]) -> Iterator[str]:
    for name, value in variables.items():
        yield f"export {name}={shlex.quote(value)}"
