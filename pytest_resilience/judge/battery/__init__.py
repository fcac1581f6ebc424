"""The battery: every scenario that a policy makes meaningful, one file a family.

A family is a module of this package with a function ``scenarios(subject)`` that yields
`Scenario`s. It is found by being here; adding one touches no other file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from pytest_resilience.judge.scenario import Scenario, Subject

__all__ = ["families", "scenarios"]


def families() -> list[str]:
    """The names of all families, in the order in which they are played."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """Every scenario for this client, family by family."""
    for name in families():
        yield from importlib.import_module(f"{__name__}.{name}").scenarios(subject)
