"""Tells when somebody puts another stream in the place of ``sys.stdout`` or ``sys.stderr``.

``contextlib.redirect_stdout``, ``monkeypatch``, ``unittest.mock`` and a plain assignment have
one thing in common: they set an attribute of the module. A module may be of any class of
modules, so while somebody listens this one is of a class that takes note of it, and is
otherwise what it was: ``print`` and all that is written in C read its names as ever.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from operator import is_
from typing import Any, Final

from pytest_resilience.logs import _descriptors, _hub

_NONE: Final = object()
Told = Callable[[], None]
NAMES = ("stdout", "stderr")
PLACES = (*NAMES, "__stdout__", "__stderr__")
_class: type | None = None
_told: dict[str, _Told] = {}
_expected: tuple[object, ...] = (_NONE,) * len(PLACES)
"""What is expected in each of these."""


def install(told: Told) -> bool:
    """Tell of each stream that is not expected; two frames up is whoever puts it there.

    Returns whether that is new.
    """
    global _class  # noqa: PLW0603 -- of the one module
    if _class is not None and isinstance(sys, _class):
        return False
    before = type(sys)
    ours = _class if _class is not None and _class.__base__ is before else _telling(before, told)
    sys.__class__ = _class = ours

    def take_away() -> None:
        if type(sys) is ours:
            sys.__class__ = before

    _hub.note(ours, take_away)
    return True


def expect(
    out: object = _NONE,
    err: object = _NONE,
    first_out: object = _NONE,
    first_err: object = _NONE,
) -> None:
    """These, and no others, may come to stdout and stderr untold.

    pytest puts its own in the place of the first ones, and those back, a dozen times a test.
    """
    global _expected  # noqa: PLW0603 -- as above
    _expected = out, err, first_out, first_err
    ways = zip(_told.values(), (out, err), (first_out, first_err), strict=False)  # None at first.
    for told, now, first in ways:
        told.expected, told.expected_too = now, first


def as_expected() -> bool:
    """Whether the expected ones are in place, and not the first ones where there are others."""
    return all(map(is_, map(vars(sys).get, PLACES), _expected))


def _telling(kind: type, told: Told) -> type:
    class Module(kind):  # type: ignore[misc]  # of whatever class it is
        def __new__(cls, *args: object, **options: object) -> Any:  # noqa: ANN401 -- of either class
            # importlib makes every module of the class of sys, and those are no sys.
            make = kind if cls is Module else partial(kind.__new__, cls)
            return make(*args, **options)

        def __reduce__(self) -> tuple[Any, ...]:
            # Who pickles modules by their class, as cloudpickle does, does not know this one.
            return __import__, (self.__name__,)

    for name in ("__name__", "__qualname__", "__module__"):
        setattr(Module, name, getattr(kind, name))
    for name in NAMES:
        _told[name] = _Told(name, told)
        setattr(Module, name, _told[name])
    return Module


class _Told:
    """Stands in the class for an attribute of the module, and is asked only when that is set.

    It has no ``__get__``, so the module's own value is read, and all other attributes are set,
    as fast as ever.
    """

    __slots__ = ("_name", "_told", "_values", "expected", "expected_too")

    def __init__(self, name: str, told: Told) -> None:
        self.expected = self.expected_too = _NONE
        self._name = name
        self._told = told
        self._values = vars(sys)

    def __set__(self, module: object, value: object) -> None:
        if module is not sys:  # of a class that somebody has made of this one
            vars(module)[self._name] = value
            return
        self._values[self._name] = value
        # By identity: a stream may have its own way of being equal. And not by `id`, of which
        # audit hooks, ours as well, are told each time.
        if value is self.expected or value is self.expected_too:
            if _descriptors.wanted:
                _descriptors.look()
            return
        self._told()

    def __delete__(self, module: object) -> None:
        try:
            del vars(module)[self._name]
        except KeyError:
            raise AttributeError(self._name) from None
