"""Puts stand-ins wherever a function is referenced, and the functions back.

*Problem.* ``time.sleep`` is bound early in many places: ``from time import sleep``, default
arguments, class attributes, partials, ``_monotonic_clock = time.monotonic``. Replacing the
name in the time module reaches none of them.

*Solution.* The garbage collector knows who refers to an object. One pass over its objects
finds every place; the places are kept. A function's reference count says whether a new
place has come since: while it is what it was, the next start needs no pass at all.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

from pytest_resilience.clock import _readers

Put = Callable[[Any], object]
"""Puts an object into one place."""


class Substitution:
    """One function, its stand-in, and every place where the function stands.

    With ``users_only``, what the standard library refers to is left alone, and a new place
    is found only when another function's is: for locks, which everything has to do with.
    """

    def __init__(self, real: Any, stand_in: Any, *, users_only: bool = False) -> None:
        self.real = real
        self.stand_in = stand_in
        self.users_only = users_only
        self.places: list[Put] = []
        self.count = -1

    @property
    def is_elsewhere(self) -> bool:
        """Whether something new refers to the function since its places were noted."""
        return not self.users_only and sys.getrefcount(self.real) != self.count

    def wants(self, module: str) -> bool:
        """Whether a place in this module is to be replaced."""
        return not self.users_only or module.partition(".")[0] not in sys.stdlib_module_names


class References:
    """Substitutes a set of functions everywhere, and back."""

    def __init__(self, substitutions: list[Substitution]) -> None:
        self._all = substitutions
        self._skipped = {id(self._all), *(id(s.__dict__) for s in self._all)}

    def replace(self) -> None:
        """Put the stand-ins in place."""
        if any(s.is_elsewhere for s in self._all):
            self._search()
        for substitution in self._all:
            for put in substitution.places:
                put(substitution.stand_in)

    def restore(self) -> None:
        """Put the functions back."""
        for substitution in self._all:
            for put in substitution.places:
                put(substitution.real)

    def _search(self) -> None:
        wanted = {id(s.real): s for s in self._all}
        for substitution in self._all:
            substitution.places = []
        for holder in gc.get_referrers(*(s.real for s in self._all)):
            if id(holder) not in self._skipped:
                _note_places(holder, wanted)
        for substitution in self._all:
            substitution.count = sys.getrefcount(substitution.real)


def _note_places(holder: Any, wanted: Mapping[int, Substitution]) -> None:
    """Note each place in this holder at which a wanted function stands."""
    if isinstance(holder, dict):
        _note_dict(holder, wanted)
    elif isinstance(holder, list):
        for index, value in enumerate(holder):
            if id(value) in wanted:
                wanted[id(value)].places.append(functools.partial(_set_item, holder, index))
    elif isinstance(holder, tuple):
        _note_defaults(holder, wanted)
    elif isinstance(holder, types.CellType):
        _note_cell(holder, wanted)
    elif isinstance(holder, functools.partial):
        _note_partial(holder, wanted)
    elif not isinstance(holder, types.FrameType | types.ModuleType | type):
        _note_instance(holder, wanted)


def _set_item(holder: Any, key: Any, value: Any) -> None:
    # A dict may have lost the key, or the list its end, since the place was noted.
    try:
        holder[key]
    except (KeyError, IndexError):
        return
    holder[key] = value


def _note_dict(holder: dict[Any, Any], wanted: Mapping[int, Substitution]) -> None:
    name = holder.get("__name__") or holder.get("__module__") or ""
    if isinstance(name, str) and _readers.exempt(name):
        return
    owner = _class_of(holder) if "__module__" in holder else None
    for key, value in list(holder.items()):
        substitution = wanted.get(id(value))
        if substitution is None or not substitution.wants(str(name)):
            continue
        if owner is not None:
            substitution.places.append(functools.partial(setattr, owner, key))
        else:
            substitution.places.append(functools.partial(_set_item, holder, key))


def _class_of(namespace: dict[Any, Any]) -> type | None:
    """The class whose dictionary this is; it must be told of changes."""
    for referrer in gc.get_referrers(namespace):
        if isinstance(referrer, type) and gc.get_referents(referrer.__dict__)[0] is namespace:
            return referrer
    return None


def _note_defaults(holder: tuple[Any, ...], wanted: Mapping[int, Substitution]) -> None:
    """Default arguments are a tuple, which a function lets us exchange."""
    for function in gc.get_referrers(holder):
        if not isinstance(function, types.FunctionType) or function.__defaults__ is not holder:
            continue
        if _readers.exempt(function.__module__ or ""):
            continue
        for index, value in enumerate(holder):
            substitution = wanted.get(id(value))
            if substitution is not None and substitution.wants(function.__module__ or ""):
                put = functools.partial(_set_default, function, index)
                substitution.places.append(put)


def _set_default(function: types.FunctionType, index: int, value: Any) -> None:
    defaults = list(function.__defaults__ or ())
    if index < len(defaults):
        defaults[index] = value
        function.__defaults__ = tuple(defaults)


def _note_cell(holder: types.CellType, wanted: Mapping[int, Substitution]) -> None:
    substitution = wanted.get(id(holder.cell_contents))
    if substitution is None or substitution.users_only or _is_ours(holder):
        return
    substitution.places.append(functools.partial(setattr, holder, "cell_contents"))


def _is_ours(cell: types.CellType) -> bool:
    """Whether a stand-in holds the function it stands for in this cell."""
    for closure in gc.get_referrers(cell):
        if isinstance(closure, tuple):
            for function in gc.get_referrers(closure):
                if isinstance(function, types.FunctionType) and _readers.exempt(
                    function.__module__ or ""
                ):
                    return True
    return False


def _note_partial(holder: functools.partial[Any], wanted: Mapping[int, Substitution]) -> None:
    substitution = wanted.get(id(holder.func))
    if substitution is not None and holder not in substitution.places:
        substitution.places.append(functools.partial(_set_partial, holder))


def _set_partial(holder: functools.partial[Any], value: Any) -> None:
    holder.__setstate__((value, holder.args, holder.keywords, holder.__dict__ or None))  # type: ignore[attr-defined]  # partial is picklable


def _note_instance(holder: Any, wanted: Mapping[int, Substitution]) -> None:
    """An instance that keeps its attributes in place of a dictionary of its own."""
    if _readers.exempt(type(holder).__module__ or ""):
        return
    namespace = getattr(holder, "__dict__", None)
    if isinstance(namespace, dict):
        for key, value in list(namespace.items()):
            if id(value) in wanted:
                put = functools.partial(_set_item, namespace, key)
                wanted[id(value)].places.append(put)
    for name in _slots_of(type(holder)):
        value = getattr(holder, name, None)
        if id(value) in wanted:
            put = functools.partial(object.__setattr__, holder, name)
            wanted[id(value)].places.append(put)


def _slots_of(cls: type) -> list[str]:
    names: list[str] = []
    for base in cls.__mro__:
        slots = base.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else list(slots)
    return [name for name in names if name != "__dict__"]


def set_on_type(cls: type, name: str, value: object) -> None:
    """Set an attribute of a class that is written in C, such as datetime's.

    The class forbids it so that nobody does it unawares. Its dictionary is an ordinary one
    that the garbage collector hands out; the class must then be told that it has changed.
    """
    gc.get_referents(cls.__dict__)[0][name] = value
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(cls))
