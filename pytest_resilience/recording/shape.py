"""The shape of JSON data: kinds and names, without the values; and where two shapes differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pytest_resilience.secrets.value import looks_random

__all__ = ["Mismatch", "Shape", "mismatches", "shape_of"]

OBJECT = "an object"
SOME_KEY = "<key>"
"""Stands for names that are ids: of a token, of a version."""


class Mismatch(NamedTuple):
    """One place where two shapes differ."""

    place: str
    """``data.versions[].created``; empty for the whole."""
    wanted: str
    came: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What values have in common that stand at the same place."""

    kinds: frozenset[str]
    members: Mapping[str, Shape]
    """Of the objects among them, by name."""
    always: frozenset[str]
    """The names that each of these objects has."""
    items: Shape | None = None
    """Of what is in the lists among them; None when they are empty."""


def shape_of(values: Iterable[Any]) -> Shape:
    """The shape of one value, or of several that should be alike."""
    listed = list(values)
    objects = [
        {_name(key): value for key, value in one.items()} for one in listed if isinstance(one, dict)
    ]
    names = sorted({name for one in objects for name in one})
    items = [item for one in listed if isinstance(one, list) for item in one]
    return Shape(
        frozenset(_kind(one) for one in listed),
        {name: shape_of(one[name] for one in objects if name in one) for name in names},
        frozenset(name for name in names if all(name in one for one in objects)),
        shape_of(items) if items else None,
    )


def mismatches(wanted: Shape, came: Shape, place: str = "") -> Iterator[Mismatch]:
    """Where the second shape is not the first, the outermost place first."""
    if not came.kinds <= wanted.kinds:
        yield Mismatch(place, _words(wanted.kinds), _words(came.kinds))
        return
    lacking = wanted.always - came.members.keys() if OBJECT in came.kinds else set()
    for name in sorted(lacking):
        yield Mismatch(_inside(place, name), _words(wanted.members[name].kinds), "nothing")
    for name, inner in came.members.items():
        if name in wanted.members:
            yield from mismatches(wanted.members[name], inner, _inside(place, name))
        else:
            yield Mismatch(_inside(place, name), "nothing", _words(inner.kinds))
    if wanted.items is not None and came.items is not None:
        yield from mismatches(wanted.items, came.items, f"{place}[]")


def _inside(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _name(key: str) -> str:
    return SOME_KEY if key.isdecimal() or key.startswith("{{") or looks_random(key) else key


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else OBJECT


def _words(kinds: frozenset[str]) -> str:
    return " or ".join(sorted(kinds))
