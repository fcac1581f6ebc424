"""Fixtures ``fake_<name>`` for every fake that is installed, made when they are asked for.

*Problem.* Which fakes there are stands in the metadata of every installed distribution, and
reading that costs milliseconds, which a run that uses no such fixture should not pay. pytest
has no hook for "this fixture is unknown".

*Solution.* Every search for a fixture, static or by ``getfixturevalue``, for functions,
classes and ``unittest.TestCase``, goes through one method of its fixture manager. We ask it
first, and look for a fake only when it does not know a name that begins with ``fake_``.
Fixtures are then registered in the public way: as a plugin that has them.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_resilience.plugin import PREFIX, is_his, new_fake, shared_fake

if TYPE_CHECKING:
    from _pytest.fixtures import FixtureDef
    from _pytest.nodes import Node

    from pytest_resilience.reporting.desk import Desk
    from pytest_resilience.server.server import FakeServer

    Search = Callable[[str, Node], Sequence[FixtureDef[Any]] | None]

SHARED = "_session"


def found(search: Search, desk: Desk, argname: str, node: Node) -> Sequence[FixtureDef[Any]] | None:
    """What pytest finds of a name that begins with ``fake_``, when we have looked as well."""
    # It runs, if any does; our hooks may not have been there at its start.
    desk.item = node if isinstance(node, pytest.Item) else desk.item
    known = search(argname, node)
    if argname not in desk.fixtures and not is_his(argname, known):
        register(node.config, desk, argname)
        known = search(argname, node)
    if known and len(known) > 1:
        # Ours is younger than the conftest.py of the root, which may override it.
        known = sorted(known, key=lambda definition: definition.func.__module__ != __name__)
    if argname in desk.shared and desk.item is node:
        for server in desk.shared[argname]:
            desk.custody_of(desk.item).watch(argname, server)
    return known


def register(config: pytest.Config, desk: Desk, argname: str) -> None:
    """Register the fixture of this name, if a fake of its name is installed."""
    from pytest_resilience import registry

    wanted = argname.removeprefix(PREFIX)
    if (where := registry.find(wanted)) is not None:
        fixture = _make(argname, wanted, where, shared=False)
    elif (where := registry.find(name := wanted.removesuffix(SHARED))) is not None:
        fixture = _make(argname, name, where, shared=True)
    else:
        return
    desk.fixtures.add(argname)
    holder = types.ModuleType(f"{__name__}.{argname}")
    setattr(holder, argname, fixture)
    config.pluginmanager.register(holder, f"resilience-{argname}")


def register_all(config: pytest.Config, desk: Desk) -> None:
    """Register every fixture, for ``pytest --fixtures``."""
    from pytest_resilience import registry

    for name in registry.names():
        for argname in (PREFIX + name, PREFIX + name + SHARED):
            if argname not in desk.fixtures:
                register(config, desk, argname)


def _make(argname: str, name: str, where: str, *, shared: bool) -> object:
    build = shared_fake if shared else new_fake

    def fake() -> Iterator[FakeServer]:
        yield from build(name)

    whose = "shared by all tests" if shared else "of this test alone"
    fake.__doc__ = f"The fake {name} ({where}), {whose}."
    return pytest.fixture(scope="session" if shared else "function", name=argname)(fake)


def explain(error: pytest.FixtureLookupError, shown: object) -> None:
    """Name the fakes there are to somebody who asked for one that is not.

    Args:
        error: What pytest raised.
        shown: What its report shows of it, amended here: the error's own ``msg`` would do,
            but pytest before 9 cannot show one that comes from a test's own arguments.
    """
    argname, text = error.argname or "", getattr(shown, "errorstring", "")
    missing = f"fixture {argname!r} not found"
    if not argname.startswith(PREFIX) or missing not in text:
        return
    import difflib

    from pytest_resilience import registry

    known = [PREFIX + name for name in registry.names()]
    known.append("fake_server")
    known += [name + SHARED for name in known]
    # They all begin alike, so only a name that is very much like another is a hint.
    close = difflib.get_close_matches(argname, known, n=1, cutoff=0.75)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    fakes = f"\n fixtures of installed fakes: {', '.join(sorted(known))}"
    shown.errorstring = text.replace(missing, missing + hint + fakes, 1)  # type: ignore[attr-defined]  # it has one
