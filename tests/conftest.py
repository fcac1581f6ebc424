"""For all tests: whole pytest sessions in tests, and nothing that outlives them."""

import gc
import os
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run, and no haste: a test fails by what it tests, not by the dice or
# by how busy the machine is. For others: --hypothesis-profile=default.
settings.register_profile(
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")

pytest_plugins = ["pytester"]

BEFORE = pytest.StashKey[tuple[dict[str, str], set[str]]]()
PYTESTS_OWN = ("PYTEST_",)
"""Variables that pytest and its plugins set while they run."""


def environment() -> dict[str, str]:
    """The environment as a test should leave it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PYTESTS_OWN)}


def sockets() -> set[str]:
    """The sockets that this process has open, where the system tells."""
    found = set()
    for entry in Path("/proc/self/fd").glob("*"):
        try:
            target = str(entry.readlink())
        except OSError:  # The descriptor that listed them is closed by now.
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


def our_threads() -> list[str]:
    """The names of our threads that still run."""
    return [t.name for t in threading.enumerate() if t.name.startswith("pytest-resilience")]


def lasting_threads() -> list[threading.Thread]:
    """The threads that the interpreter would wait for before it ends."""
    others = [t for t in threading.enumerate() if t is not threading.main_thread()]
    return [t for t in others if not t.daemon and getattr(t, "_tstate_lock", None) is not None]


def left_behind(before: tuple[dict[str, str], set[str]]) -> list[str]:
    """What the session leaves behind, in words."""
    gc.collect()  # A client that nobody holds any more is no leak.
    for thread in lasting_threads():
        thread.join(5)  # One that is about to end may.
    variables, descriptors = before
    now = environment()
    changed = {n for n in {*now, *variables} if now.get(n) != variables.get(n)}
    found = [f"thread {name}" for name in our_threads()]
    found += [f"thread that still runs: {thread!r}" for thread in lasting_threads()]
    found += [f"environment variable {name}" for name in sorted(changed)]
    found += [f"open {name}" for name in sorted(sockets() - descriptors)]
    return found


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remember what there is before the tests."""
    session.stash[BEFORE] = environment(), sockets()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """Fail the session when something outlives its tests: it is a leak of ours."""
    result = yield
    for what in left_behind(session.stash[BEFORE]):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print(f"LEAK after all tests: {what}", file=sys.stderr)  # noqa: T201 -- to whoever looks
    return result


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """End though a test has left a thread asleep: it is reported above, and fails the session.

    What a client has begun in virtual time goes on in real time when the clock is off, and
    the interpreter would wait for its last hour.
    """
    for thread in lasting_threads():
        getattr(threading, "_shutdown_locks", set()).discard(getattr(thread, "_tstate_lock", None))
