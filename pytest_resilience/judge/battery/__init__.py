"""The battery: every scenario that a policy makes meaningful, one file a family.

A family is a module of this package with a function ``scenarios(subject)`` that yields
`Scenario`s. It is found by being here; adding one touches no other file. Families are played
in the order of their names, those with an ``ORDER`` first.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from pytest_resilience.judge.scenario import Scenario, Subject

__all__ = ["families", "scenarios"]


def families() -> list[str]:
    """The names of all families, in the order in which they are played."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return sorted(names, key=lambda name: getattr(_family(name), "ORDER", len(names)))


def _family(name: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{name}")


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """Every scenario for this client, family by family."""
    for name in families():
        yield from _family(name).scenarios(subject)
