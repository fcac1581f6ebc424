"""Others that set the time, or run loops that nobody can see into: refused, with what to do."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from pytest_resilience.errors import (
    ClockError,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)


def refuse_active() -> None:
    """Two masters of time would both be wrong.

    Raises:
        ClockError: One of them is at work.
    """
    for name, at_work in AT_WORK.items():
        module = sys.modules.get(name)
        if module is not None and at_work(module):
            raise _refusal(name)
    if getattr(time.sleep, "__module__", None) not in ("time", None):
        raise ClockError(
            f"time.sleep is replaced already, by {time.sleep.__module__}: "
            "take that patch away, the virtual clock does its work"
        )


def starters(of: str | None = None) -> Iterator[tuple[Any, str, Callable[..., Any]]]:
    """Owner, name and stand-in of what would set one of them to work while a clock is on.

    Args:
        of: The module that has just been imported; by default those that are there.
    """
    for name, path in STARTERS:
        owner: Any = sys.modules.get(name) if of in (None, name) else None
        *parents, attribute = path.split(".")
        for parent in parents:
            owner = getattr(owner, parent, None)
        if hasattr(owner, attribute):
            yield owner, attribute, _refuser(name, getattr(owner, attribute))


def refuse_import(name: str) -> None:
    """What must not be imported while a clock is on.

    Raises:
        ClockError: This is such a module.
    """
    if name in TOO_LATE:
        raise ClockError(f"{name.strip('_')} is imported under a virtual clock: {TOO_LATE[name]}")


def _refuser(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("_enabled") is False:
            return real(*args, **kwargs)  # looptime's plugin prepares loops that it leaves alone.
        raise _refusal(name)

    return call


def _refusal(name: str) -> ClockError:
    rival = name.partition(".")[0]
    return ClockError(f"{rival} is active beside the virtual clock: {ADVICE[rival]}")


def _loops() -> list[type]:
    """Classes of the asyncio loop that is set for this thread, and of what makes new ones."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return []
    policy = asyncio.events._event_loop_policy
    loop = getattr(getattr(policy, "_local", None), "_loop", None)
    running = asyncio._get_running_loop()
    return [base for thing in (policy, loop, running) for base in type(thing).__mro__]


def _makes_loops(name: str) -> Callable[[Any], bool]:
    def at_work(_: Any) -> bool:
        return any(cls.__module__.partition(".")[0] == name for cls in _loops())

    return at_work


GREEN = (
    "its green threads wait in a hub that nobody sees into; run this test without it and its "
    "monkey patches, with threads or asyncio"
)
BOTH_SET_TIME = "both would set the time; use one of them in this test"
AT_WORK: dict[str, Callable[[Any], bool]] = {
    "freezegun": lambda module: bool(module.api.freeze_factories),
    "time_machine": lambda module: bool(module.traveller_stack),
    "looptime": _makes_loops("looptime"),
    "uvloop": _makes_loops("uvloop"),
    "eventlet.patcher": lambda module: any(module.already_patched.values()),
    # What a refused patch_all() has noted is in there as well.
    "gevent.monkey": lambda module: any(not n.startswith("_gevent_") for n in module.saved),
}
ADVICE = {
    "eventlet": GREEN,
    "gevent": GREEN,
    "freezegun": BOTH_SET_TIME,
    "time_machine": BOTH_SET_TIME,
    "looptime": "both would move the loop's time; take the looptime marker from this test, or "
    "run it with `-p no:looptime_plugin`",
    "uvloop": "its loops wait in C, where nobody sees it; run this test on asyncio's own loop, "
    "with asyncio.DefaultEventLoopPolicy()",
}
STARTERS = (
    ("freezegun", "api._freeze_time.start"),
    ("time_machine", "travel.start"),
    ("uvloop", "new_event_loop"),
    ("uvloop", "run"),
    ("uvloop", "Loop.run_forever"),
    ("uvloop", "Loop.run_until_complete"),
    ("looptime", "LoopTimeEventLoop.setup_looptime"),
    ("looptime", "LoopTimeEventLoop.looptime_enabled"),
    ("eventlet", "monkey_patch"),
    ("eventlet.patcher", "monkey_patch"),
    ("eventlet.hubs.hub", "BaseHub.switch"),
    ("gevent.monkey.api", "patch_module"),
    ("gevent.hub", "Hub.switch"),
)
"""What sets one of them to work, in the module of this name."""
TOO_LATE = {
    # It takes what stands in the time module for functions written in C, and writes into them.
    "_time_machine": "import it before the clock is switched on",
}
NAMES = {*TOO_LATE, *(name for name, _ in STARTERS)}
"""Modules whose import while a clock is on is of interest."""
