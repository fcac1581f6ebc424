"""Others that set the time, or wait where nobody sees it: refused, with a line of what to do."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import freezegun
import pytest
import time_machine

from pytest_resilience import ClockError, VirtualClock


def test_freezegun_is_refused() -> None:
    """Before, and while the clock is on."""
    frozen = freezegun.freeze_time("2020-01-01")
    with frozen, pytest.raises(ClockError, match="freezegun is active"), VirtualClock():
        pass
    with (
        VirtualClock(),
        pytest.raises(ClockError, match="use one of them"),
        freezegun.freeze_time("2020-01-01"),
    ):
        pass


def test_time_machine_is_refused() -> None:
    """Before, and while the clock is on."""
    travel = time_machine.travel(0)
    with travel, pytest.raises(ClockError, match="time_machine is active"), VirtualClock():
        pass
    with VirtualClock(), pytest.raises(ClockError, match="use one of them"), travel:
        pass


@pytest.mark.parametrize("name", ["uvloop", "looptime"])
def test_loops_of_others_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy of theirs is set: the message says what to do."""
    policy = type("Policy", (asyncio.DefaultEventLoopPolicy,), {"__module__": name})
    monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    asyncio.set_event_loop_policy(policy())
    try:
        with pytest.raises(ClockError, match=f"{name} is active"), VirtualClock():
            pass
    finally:
        asyncio.set_event_loop_policy(None)


def by_policy(uvloop: Any) -> None:
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    try:
        VirtualClock().__enter__()
    finally:
        asyncio.set_event_loop_policy(None)


async def within() -> None:
    VirtualClock().__enter__()


def while_on(start: Callable[[Any], object]) -> Callable[[Any], None]:
    def run(module: Any) -> None:
        with VirtualClock():
            start(module)

    return run


def run_in(loop: Any) -> None:
    nap = asyncio.sleep(0.01)
    try:
        loop.run_until_complete(nap)
    finally:
        nap.close()
        loop.close()


UVLOOP: dict[str, Callable[[Any], object]] = {
    "a policy": by_policy,
    "a loop that runs": lambda uvloop: uvloop.run(within()),
    "run": while_on(lambda uvloop: uvloop.run(None)),
    "new_event_loop": while_on(lambda uvloop: uvloop.new_event_loop()),
    "a loop of its own": while_on(lambda uvloop: run_in(uvloop.Loop())),
}


@pytest.mark.parametrize("way", UVLOOP)
def test_the_real_uvloop_is_refused(way: str) -> None:
    """However it comes to work, before the clock or while it is on."""
    uvloop = pytest.importorskip("uvloop")

    with pytest.raises(ClockError, match=r"uvloop is active.*asyncio's own loop"):
        UVLOOP[way](uvloop)


def test_looptime_is_refused_while_the_clock_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting a loop up for it, or switching it on; not what its plugin does to every loop.

    A stand-in of its shape (0.9), whose plugin needs another one for all tests of a session.
    """
    looptime: Any = types.ModuleType("looptime")

    class LoopTimeEventLoop:
        enabled = True

        def setup_looptime(self, *, start: float | None = None, _enabled: bool = True) -> None:
            self.enabled = _enabled

        @contextlib.contextmanager
        def looptime_enabled(self) -> Iterator[None]:
            self.enabled = True
            yield

    looptime.LoopTimeEventLoop = LoopTimeEventLoop
    monkeypatch.setitem(sys.modules, "looptime", looptime)
    loop = LoopTimeEventLoop()
    with VirtualClock():
        with pytest.raises(ClockError, match=r"looptime is active.*-p no:looptime_plugin"):
            loop.setup_looptime(start=0)
        loop.setup_looptime(_enabled=False)
        with pytest.raises(ClockError, match="looptime is active"), loop.looptime_enabled():
            pass
        assert not loop.enabled
    with loop.looptime_enabled():
        assert loop.enabled


def test_a_sleep_patched_by_hand_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would hide the waits from the clock."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)

    with pytest.raises(ClockError, match=r"time\.sleep is replaced already"), VirtualClock():
        pass


# Green threads: stand-ins of the shapes of eventlet 0.41 and gevent 26.9, whose patches
# nothing takes back.


@pytest.fixture
def shape(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Makes a module of this name that has these attributes."""

    def make(name: str, **attributes: Any) -> Any:
        module = types.ModuleType(name)
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
        return module

    return make


class Hub:
    def switch(self) -> str:
        return "switched"


def test_eventlet_s_patches_are_refused(shape: Callable[..., Any]) -> None:
    """Those that are in place, and those that would be put there."""
    patcher = shape("eventlet.patcher", already_patched={"socket": False}, monkey_patch=lambda: 1)
    eventlet = shape("eventlet", monkey_patch=patcher.monkey_patch)
    for module in (eventlet, patcher):
        with (
            pytest.raises(ClockError, match=r"eventlet is active.*without it and its monkey"),
            VirtualClock(),
        ):
            module.monkey_patch()
        assert module.monkey_patch() == 1

    patcher.already_patched["socket"] = True
    with pytest.raises(ClockError, match=r"eventlet is active.*with threads or asyncio"):
        VirtualClock().__enter__()


def test_gevent_s_patches_are_refused(shape: Callable[..., Any]) -> None:
    """Those that are in place, and those that would be put there."""
    monkey = shape("gevent.monkey", saved={})
    api = shape("gevent.monkey.api", patch_module=lambda: 1)
    # patch_all() takes a note of its own before it is refused.
    monkey.saved["_gevent_saved_patch_all_module_settings"] = {}
    with pytest.raises(ClockError, match="gevent is active"), VirtualClock():
        api.patch_module()
    assert api.patch_module() == 1

    monkey.saved["_thread"] = {}
    with pytest.raises(ClockError, match=r"gevent is active.*without it and its monkey patches"):
        VirtualClock().__enter__()


@pytest.mark.parametrize(
    ("module", "name", "rival"),
    [("eventlet.hubs.hub", "BaseHub", "eventlet"), ("gevent.hub", "Hub", "gevent")],
)
def test_a_hub_is_refused(module: str, name: str, rival: str, shape: Callable[..., Any]) -> None:
    """Green threads that wait without any patch, too: nobody sees into their hub."""
    shape(module, **{name: Hub})
    with pytest.raises(ClockError, match=f"{rival} is active"), VirtualClock():
        Hub().switch()
    assert Hub().switch() == "switched"


# What is imported while the clock is on


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Where modules are to be had, and to be had anew."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names: list[str] = []

    def offer(name: str, text: str) -> None:
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
        names.append(name)

    yield offer
    for name in names:
        sys.modules.pop(name, None)


def test_a_rival_that_is_imported_late(shop: Callable[[str, str], None]) -> None:
    """It is refused as well, and is what it was after the clock."""
    shop("uvloop", "def run(): return 'ran'\nwhere = __spec__.loader.get_filename()")

    with VirtualClock():
        uvloop: Any = importlib.import_module("uvloop")
        with pytest.raises(ClockError, match="uvloop is active"):
            uvloop.run()

    assert uvloop.run() == "ran"
    assert uvloop.where == uvloop.__file__
    assert uvloop.__loader__ is uvloop.__spec__.loader
    assert type(uvloop.__loader__).__module__ == "_frozen_importlib_external"


def test_a_rival_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks for it is told so, as ever."""
    monkeypatch.delitem(sys.modules, "looptime", raising=False)
    before = list(sys.meta_path)
    with VirtualClock():
        assert sys.meta_path != before
        monkeypatch.setattr(sys, "path", [])
        with pytest.raises(ModuleNotFoundError, match="looptime"):
            importlib.import_module("looptime")
    assert sys.meta_path == before


def test_time_machine_must_come_earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its part written in C writes into what it finds in the time module."""
    monkeypatch.delitem(sys.modules, "_time_machine")
    with (
        VirtualClock(),
        pytest.raises(ClockError, match=r"time_machine is imported .* before the clock"),
    ):
        importlib.import_module("_time_machine")


def test_somebody_has_emptied_the_list_of_finders(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is no reason to fail at the end."""
    with VirtualClock():
        monkeypatch.setattr(sys, "meta_path", [])
    monkeypatch.undo()
