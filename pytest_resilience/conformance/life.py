"""Starting, stopping, what is left behind, and the variables that lead to a fake."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from pytest_resilience.conformance.asking import ask
from pytest_resilience.conformance.flaw import Flaw
from pytest_resilience.conformance.trial import Trial
from pytest_resilience.server.server import FakeServer

__all__ = ["life"]

DESCRIPTORS = Path("/proc/self/fd")
LAST_WORDS = 1.0
"""Real seconds that a thread which was told to end is given."""


class Left(NamedTuple):
    """What is there that could be left behind."""

    threads: frozenset[threading.Thread]
    descriptors: frozenset[str]
    variables: dict[str, str]


def life(trial: Trial) -> Iterator[Flaw]:
    """Let it live three times. What each of the last two leaves behind is a leak.

    What only the first one leaves was made once for all: a pool, an import.
    """
    found = list(_one_life(trial))
    if found:
        yield from found
        return
    first, second = _left_by_a_life(trial), _left_by_a_life(trial)
    if first and second:
        yield Flaw("left-behind", "start() and stop()", "nothing left", ", ".join(second))


def _left_by_a_life(trial: Trial) -> list[str]:
    before = _there()
    list(_one_life(trial))
    return list(_more(before, _there()))


def _one_life(trial: Trial) -> Iterator[Flaw]:
    server = trial.new()
    for _ in range(2):
        with trial.serving(server):
            given: object = server.environment
            if not isinstance(given, Mapping):
                yield Flaw("environment-not-text", "environment", "names and texts", repr(given))
                return
            ask(server, trial.gets()[0])
            yield from _environment(server)


def _environment(server: FakeServer) -> Iterator[Flaw]:
    environment = server.environment
    for name, value in environment.items():
        if not all(isinstance(part, str) for part in (name, value)):
            yield Flaw("environment-not-text", str(name), "a text", repr(value))
            return
    if server.environment != environment:
        changed = [
            name for name, value in server.environment.items() if value != environment.get(name)
        ]
        yield Flaw("environment-changes", ", ".join(changed), "the same value twice", "two values")
    at = f"{server.host}:{server.port}"
    addresses = {
        name: urlsplit(value).netloc
        for name, value in environment.items()
        if value.startswith(("http://", "https://"))
    }
    for name, address in addresses.items():
        if address != at and (at not in addresses.values() or _is_here(address)):
            yield Flaw("environment-elsewhere", name, at, address)


def _is_here(address: str) -> bool:
    return address.startswith(("127.", "localhost:", "[::1]:"))


def _there() -> Left:
    gc.collect()
    links = set()
    for entry in DESCRIPTORS.glob("*"):
        try:
            links.add(f"{entry.name} {entry.readlink()}")
        except OSError:  # The descriptor that listed them is closed by now.
            continue
    return Left(frozenset(threading.enumerate()), frozenset(links), dict(os.environ))


def _more(before: Left, after: Left) -> Iterator[str]:
    new = after.threads - before.threads
    yield from [f"the thread {thread.name}" for thread in new if _outlives(thread)]
    for link in sorted(after.descriptors - before.descriptors):
        yield f"the open descriptor {link.partition(' ')[2]}"
    for name in sorted(before.variables.keys() | after.variables.keys()):
        if before.variables.get(name) != after.variables.get(name):
            yield f"the environment variable {name}"


def _outlives(thread: threading.Thread) -> bool:
    thread.join(LAST_WORDS)
    return thread.is_alive()
