"""``pytest-resilience serve``: one server in the foreground, for a person and for programs."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping

from pytest_resilience.cli._env_file import EnvFile
from pytest_resilience.cli._lines import Lines, Output
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
    with _ending_signals() as wait:
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


@contextlib.contextmanager
def _ending_signals() -> Iterator[Callable[[], None]]:
    """Ctrl-C, SIGTERM and the end of the terminal, as a function that waits for one of them."""
    # A signal may be delivered to any thread, or just before a wait begins; only the wake-up
    # descriptor is sure to end the wait. A queue or an event missed one in three of a burst.
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    woken = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    # A shell starts background jobs with SIGINT ignored, yet one that is sent is meant;
    # an ignored SIGHUP is nohup's.
    numbers = {signal.SIGINT, signal.SIGTERM}
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.add(signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}

    def wait() -> None:
        while os.read(reading, 1)[0] not in numbers:
            pass

    try:
        yield wait
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(woken)
        os.close(reading)
        os.close(writing)
