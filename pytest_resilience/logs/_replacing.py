"""Tells when somebody puts another stream in the place of ``sys.stdout`` or ``sys.stderr``.

``contextlib.redirect_stdout``, ``monkeypatch``, ``unittest.mock`` and a plain assignment have
one thing in common: they set an attribute of the module. A module may be of any class of
modules, so while somebody listens this one is of a class that takes note of it, and is
otherwise what it was: ``print`` and all that is written in C read its names as ever.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from pytest_resilience.logs import _descriptors, _hub

Told = Callable[[object], None]
NAMES = frozenset({"stdout", "stderr"})
_class: type | None = None
expected: list[Any] = []
"""Streams whose coming back need not be told: pytest puts the same ones there a dozen times a
test."""


def install(told: Told) -> None:
    """Tell of each stream; two frames up is whoever puts it there."""
    global _class  # noqa: PLW0603 -- of the one module
    if _class is not None and isinstance(sys, _class):
        return
    before = type(sys)
    ours = _class if _class is not None and _class.__base__ is before else _telling(before, told)
    sys.__class__ = _class = ours

    def take_away() -> None:
        if type(sys) is ours:
            sys.__class__ = before

    _hub.note(ours, take_away)


def _telling(kind: type, told: Told) -> type:
    class Module(kind):  # type: ignore[misc]  # of whatever class it is
        def __reduce__(self) -> tuple[Any, ...]:
            # Who pickles modules by their class, as cloudpickle does, does not know this one.
            return __import__, (self.__name__,)

    for name in ("__name__", "__qualname__", "__module__"):
        setattr(Module, name, getattr(kind, name))
    for name in NAMES:
        setattr(Module, name, _Told(name, told))
    return Module


class _Told:
    """Stands in the class for an attribute of the module, and is asked only when that is set.

    It has no ``__get__``, so the module's own value is read, and all other attributes are set,
    as fast as ever.
    """

    __slots__ = ("_name", "_told", "_values")

    def __init__(self, name: str, told: Told) -> None:
        self._name = name
        self._told = told
        self._values = vars(sys)

    def __set__(self, module: object, value: object) -> None:
        self._values[self._name] = value
        if not _descriptors.wanted:
            # By identity: a stream may have its own way of being equal. And not by `id`, of which
            # audit hooks, ours as well, are told each time.
            for one in expected:
                if one is value:
                    return
        self._told(value)

    def __delete__(self, module: object) -> None:
        try:
            del self._values[self._name]
        except KeyError:
            raise AttributeError(self._name) from None
