"""Puts stand-ins wherever a function is referenced, and the functions back.

*Problem.* ``time.sleep`` is bound early in many places: ``from time import sleep``, default
arguments, class attributes, partials, ``_monotonic_clock = time.monotonic``. Replacing the
name in the time module reaches none of them.

*Solution.* The garbage collector knows who refers to an object. One pass over its objects
finds every place; the places are kept. A function's reference count says whether a new
place has come since: while it is what it was, less the places that have gone, the next
start needs no pass at all.
"""

from __future__ import annotations

import collections
import ctypes
import functools
import gc
import sys
import types
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from pytest_resilience.clock import _readers, _swaps
from pytest_resilience.clock._early import EarlyReaders, unfreeze


class Virtual:
    """What stand-ins are bound to. They are pickled as its attributes."""


def no_method(function: types.FunctionType) -> Any:
    """The function, whose first argument nobody gives, as one that a class may have.

    A function written in C is no method of the class whose attribute it is, and so must
    its stand-in be none: one that is bound already stays as it is.
    """
    bound = types.MethodType(function, Virtual)
    setattr(Virtual, function.__name__, bound)
    return bound


class Place:
    """Somewhere a function stands.

    The holder is remembered weakly where that can be done. A list, a dictionary or a cell
    cannot be, so its place is forgotten when the clock stops: nobody is kept alive by us.
    """

    __slots__ = ("_holder", "_key", "_swap", "lasting")

    def __init__(self, holder: Any, key: Any, swap: _swaps.Swap) -> None:
        self._key = key
        self._swap = swap
        self.lasting = True
        try:
            self._holder: Callable[[], Any] = weakref.ref(holder)
        except TypeError:
            self.lasting = False
            self._holder = lambda: holder

    def put(self, old: Any, new: Any) -> bool:
        """Put the new one where the old one stands; False when it no longer does."""
        holder = self._holder()
        return holder is not None and self._swap(self._key, holder, old, new)


class Substitution:
    """One function, its stand-in, and every place where the function stands.

    With ``users_only``, what the standard library refers to is left alone, and a new place
    is found only when another function's is: for locks, which everything has to do with.
    """

    def __init__(
        self, real: Any, stand_in: Any, *, users_only: bool = False, spared: tuple[str, ...] = ()
    ) -> None:
        self.real = real
        self.stand_in = stand_in
        self.users_only = users_only
        self.spared = spared
        self.places: list[Place] = []
        self.count = -1
        self.rest = 0
        """References to the stand-in while it stands nowhere."""
        self.lost = False
        """Whether a place had to be forgotten."""

    def place(self) -> bool:
        """Put the stand-in in every place; False when there may be places that are not known."""
        count = sys.getrefcount(self.real)
        self.rest = sys.getrefcount(self.stand_in)
        standing = [place for place in self.places if place.put(self.real, self.stand_in)]
        gone, self.places = len(self.places) - len(standing), standing
        self.count -= gone
        if self.users_only:
            return not self.lost  # The count of a class changes with every instance.
        return not self.lost and count == self.count

    def wants(self, module: str) -> bool:
        """Whether a place in this module is to be replaced."""
        top = module.partition(".")[0]
        return top not in self.spared and not (self.users_only and top in sys.stdlib_module_names)

    def restore(self) -> None:
        """Put the function back, and forget the places that may not be remembered."""
        for place in self.places:
            place.put(self.stand_in, self.real)
        if not all(place.lasting for place in self.places):
            self.places = [place for place in self.places if place.lasting]
            self.lost = True

    def is_left(self) -> bool:
        """Whether somebody has bound the stand-in to a name while it stood there."""
        if isinstance(self.stand_in, type):
            return False  # Its count changes with every instance.
        return sys.getrefcount(self.stand_in) > self.rest


class References:
    """Substitutes a set of functions everywhere, and back."""

    def __init__(
        self,
        substitutions: list[Substitution],
        lists: Iterable[object] = (),
        early: EarlyReaders | None = None,
    ) -> None:
        """Take the substitutions, and what of ours holds the functions and is left alone."""
        self._all = substitutions
        self._lasting = tuple(substitutions)
        self._early = early
        self._sought: dict[int, Substitution] = {}
        self._ours = {id(self._all), *(id(s.__dict__) for s in self._all), *map(id, lists)}
        self._modules: set[int] = set()
        self._latest = (0, 0)
        for substitution in substitutions:
            # A stand-in keeps the function it stands for in a cell.
            self._ours.update(map(id, getattr(substitution.stand_in, "__closure__", None) or ()))

    def replace(self) -> None:
        """Put the stand-ins in place."""
        new, self._modules = self._new_modules()
        self._latest = self._latest_module()
        unknown = [s for s in self._all if not s.place()]
        if self._early is not None and self._early.may_have_come(imported=bool(new)):
            known = {id(s.real) for s in self._all}
            unknown += [Substitution(*p) for p in self._early.find() if id(p[0]) not in known]
        if unknown or self._holds_what_is_not_counted(new):
            self._all += [s for s in unknown if s not in self._all]
            self._search([*unknown, *(s for s in self._all if s.users_only and s not in unknown)])
            self._all = [s for s in self._all if s.places or s in self._lasting]

    def _new_modules(self) -> tuple[list[Any], set[int]]:
        """Those that were imported since the last start, and the numbers of all."""
        if self._latest == self._latest_module():
            return [], self._modules
        modules = {id(module): module for module in list(sys.modules.values())}
        return [modules[number] for number in modules.keys() - self._modules], set(modules)

    def _latest_module(self) -> tuple[int, int]:
        """How many there are, and the number of the last: what an import changes."""
        return len(sys.modules), id(next(reversed(sys.modules.values())))

    def _holds_what_is_not_counted(self, new: list[Any]) -> bool:
        """Whether a new module has a name of which no count can tell that it has come."""
        wanted = [s for s in self._all if s.users_only]
        return any(
            any(value is s.real for value in list(getattr(module, "__dict__", {}).values()))
            for module in new
            for s in wanted
            if s.wants(getattr(module, "__name__", None) or "")
        )

    def restore(self) -> None:
        """Put the functions back, in names that were bound meanwhile as well."""
        for substitution in self._all:
            substitution.restore()
        reals = {id(s.stand_in): s.real for s in self._all}
        for module in self._new_modules()[0]:
            names = getattr(module, "__dict__", {})
            for name, value in list(names.items()):
                if id(value) in reals:
                    names[name] = reals[id(value)]
        left = [Substitution(s.stand_in, s.real) for s in self._all if s.is_left()]
        if left:
            Back(left).replace()

    def _search(self, sought: list[Substitution]) -> None:
        """Find all their places, and put the stand-ins there."""
        for substitution in sought:
            substitution.restore()
            substitution.places = []
            substitution.lost = False
        self._sought = {id(s.real): s for s in sought}
        unfreeze()
        self._note_all()
        # Only now: the lists of the search refer to them as well.
        for substitution in sought:
            substitution.count = sys.getrefcount(substitution.real)
        for substitution in sought:
            substitution.place()

    def _note_all(self) -> None:
        """Two passes over all objects: one for the holders, one for the holders' owners."""
        owned: dict[int, Any] = {}
        for holder in gc.get_referrers(*(s.real for s in self._sought.values())):
            if id(holder) in self._ours:
                continue
            if isinstance(holder, collections.defaultdict):
                pairs = [("default_factory", holder.default_factory)]
                self._add(holder, pairs, _swaps.in_attribute, "")
            if isinstance(holder, dict | tuple) and not self._note_module(holder):
                owned[id(holder)] = holder
            else:
                self._note(holder)
        if owned:
            self._note_owners(owned, gc.get_referrers(*owned.values()))

    def _add(
        self, owner: Any, values: Iterable[tuple[Any, Any]], swap: _swaps.Swap, module: str
    ) -> None:
        """Note that these (key, value) pairs stand in what this owner owns."""
        if _readers.exempt(module):
            return
        for key, value in values:
            substitution = self._sought.get(id(value))
            if substitution is not None and substitution.wants(module):
                substitution.places.append(Place(owner, key, swap))

    def _note_module(self, holder: Any) -> bool:
        """Whether the holder is the dictionary of a module, which is then noted."""
        name = holder.get("__name__") if isinstance(holder, dict) else None
        module = sys.modules.get(name) if isinstance(name, str) else None
        if module is None or vars(module) is not holder:
            return False
        self._add(module, list(holder.items()), _swaps.in_module, str(name))
        return True

    def _note(self, holder: Any) -> None:
        if isinstance(holder, list):
            self._add(holder, list(enumerate(holder)), _swaps.in_item, "")
        elif isinstance(holder, types.CellType):
            if not self._sought[id(holder.cell_contents)].users_only:
                pairs = [("cell_contents", holder.cell_contents)]
                self._add(holder, pairs, _swaps.in_attribute, "")
        elif isinstance(holder, functools.partial):
            self._add(holder, [(None, holder.func)], _swaps.in_partial, "")
        elif type(holder) is staticmethod:
            self._add(holder, [(None, holder.__func__)], _swaps.in_static_method, "")
        elif isinstance(holder, collections.deque):
            self._add(holder, list(enumerate(holder)), _swaps.in_item, "")
        elif not isinstance(holder, types.FrameType | types.ModuleType | type):
            self._note_instance(holder)

    def _note_instance(self, holder: Any) -> None:
        """An instance that keeps its attributes in slots, or in place of a dictionary."""
        module = type(holder).__module__ or ""
        if module.partition(".")[0] in ("attr", "dataclasses"):
            return  # Blueprints, of no use once a class is made of them.
        names = [*(getattr(holder, "__dict__", None) or ()), *_slots_of(type(holder))]
        pairs = [(name, getattr(holder, name, None)) for name in names]
        self._add(holder, pairs, _swaps.in_attribute, module)

    def _note_owners(self, owned: dict[int, Any], owners: list[Any]) -> None:  # noqa: C901 -- flat
        left = dict(owned)
        for owner in owners:
            if isinstance(owner, types.FunctionType):
                self._note_function(owner, owned, left)
            elif isinstance(owner, functools.partial):
                if id(owner.args) in owned:
                    pairs = [(None, value) for value in {id(v): v for v in owner.args}.values()]
                    self._add(owner, pairs, _swaps.in_partial, "")
                elif id(owner.keywords) in owned:
                    self._add(owner, list(owner.keywords.items()), _swaps.in_keyword, "")
                    left.pop(id(owner.keywords), None)
            elif isinstance(owner, type):
                namespace = gc.get_referents(owner.__dict__)[0]
                if id(namespace) in owned and left.pop(id(namespace), None) is not None:
                    self._add(owner, list(namespace.items()), _swaps.in_class, owner.__module__)
            elif isinstance(owner, dict):
                left.pop(id(owner.get("__annotations__")), None)  # A name of a type is no call.
            elif id(getattr(owner, "__dict__", None)) in owned:
                left.pop(id(owner.__dict__), None)
                self._add(
                    owner, list(owner.__dict__.items()), _swaps.in_attribute, type(owner).__module__
                )
        for holder in left.values():
            if isinstance(holder, dict):
                self._add(holder, list(holder.items()), _swaps.in_item, "")

    def _note_function(
        self, owner: types.FunctionType, owned: dict[int, Any], left: dict[int, Any]
    ) -> None:
        module = owner.__module__ or ""
        if id(owner.__defaults__) in owned:
            defaults = {id(v): v for v in owner.__defaults__ or ()}.values()
            self._add(owner, [(None, value) for value in defaults], _swaps.in_default, module)
        if id(owner.__kwdefaults__) in owned:
            left.pop(id(owner.__kwdefaults__), None)
            pairs = list((owner.__kwdefaults__ or {}).items())
            self._add(owner, pairs, _swaps.in_keyword_default, module)
        if id(owner.__globals__) in owned and id(owner.__globals__) in left:
            # A namespace that is no module's, such as those of methods made by attrs.
            del left[id(owner.__globals__)]
            self._add(owner, list(owner.__globals__.items()), _swaps.in_globals, module)


class Back(References):
    """Gives functions back to those who have kept a stand-in.

    Whoever replaces one of ours for a while remembers it in a tuple within a list (pytest's
    monkeypatch), and would put it back when the clock is off.
    """

    def _note_owners(self, owned: dict[int, Any], owners: list[Any]) -> None:
        super()._note_owners(owned, owners)
        for owner in owners:
            if isinstance(owner, list):
                tuples = [(n, t) for n, t in enumerate(owner) if type(t) is tuple]
                kept = [(n, value) for n, t in tuples if id(t) in owned for value in t]
                self._add(owner, kept, _swaps.in_tuple, "")


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
