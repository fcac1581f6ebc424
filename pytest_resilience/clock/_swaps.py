"""How a new object comes where an old one stands, in each kind of thing that can hold one."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

Swap = Callable[[Any, Any, Any, Any], bool]
"""Takes a key, an owner, an old and a new object, and exchanges them if the old one is there."""


def in_item(key: Any, holder: Any, old: Any, new: Any) -> bool:
    try:
        there = holder[key] is old
    except LookupError:
        return False
    if there:
        holder[key] = new
    return there


def in_module(key: Any, module: Any, old: Any, new: Any) -> bool:
    return in_item(key, vars(module), old, new)


def in_globals(key: Any, function: types.FunctionType, old: Any, new: Any) -> bool:
    return in_item(key, function.__globals__, old, new)


def in_keyword_default(key: Any, function: Any, old: Any, new: Any) -> bool:
    return in_item(key, function.__kwdefaults__ or {}, old, new)


def in_keyword(key: Any, partial: functools.partial[Any], old: Any, new: Any) -> bool:
    return in_item(key, partial.keywords, old, new)


def in_attribute(name: str, holder: Any, old: Any, new: Any) -> bool:
    there = getattr(holder, name, None) is old
    if there:
        object.__setattr__(holder, name, new)
    return there


def in_class(name: str, cls: type, old: Any, new: Any) -> bool:
    there = cls.__dict__.get(name) is old
    if there:
        type.__setattr__(cls, name, new)
    return there


def in_static_method(_: None, method: Any, old: Any, new: Any) -> bool:
    there: bool = method.__func__ is old
    if there:
        method.__init__(new)  # This is how it is filled.
    return there


def _exchanged(values: tuple[Any, ...], old: Any, new: Any) -> tuple[Any, ...]:
    return tuple([new if value is old else value for value in values])


def in_tuple(key: int, holder: list[tuple[Any, ...]], old: Any, new: Any) -> bool:
    """A list's item is a tuple, which has it."""
    there = any(value is old for value in holder[key])
    if there:
        holder[key] = _exchanged(holder[key], old, new)
    return there


def in_default(_: None, function: types.FunctionType, old: Any, new: Any) -> bool:
    defaults = function.__defaults__ or ()
    there = any(value is old for value in defaults)
    if there:
        function.__defaults__ = _exchanged(defaults, old, new)
    return there


def in_partial(_: None, partial: functools.partial[Any], old: Any, new: Any) -> bool:
    if partial.func is not old and all(value is not old for value in partial.args):
        return False
    function = new if partial.func is old else partial.func
    args = _exchanged(partial.args, old, new)
    # Partials can be pickled, and this is how they are filled.
    partial.__setstate__((function, args, partial.keywords, partial.__dict__ or None))  # type: ignore[attr-defined]
    return True
