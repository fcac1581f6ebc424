"""Partial answers: which fields the ``fields`` of a query, or X-Goog-FieldMask, asks for.

The grammar is the one that was measured of another Google API with this front end (backlot,
routers/google.py): dots and slashes go down, ``a(b,c)`` groups, ``*`` is everything, a comma
at the end is no harm, names count as they are written. That they may be in snake_case as well
is inferred: header masks of other Google APIs are written that way, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pytest_resilience_gemini._errors import ApiError, bad_request
from pytest_resilience_gemini._proto import camel
from pytest_resilience_gemini._responses import ANY, Fields

Tree = dict[str, Any]
"""What is chosen, by the names of JSON; nothing below a name is all of it."""

PIECE = re.compile(r"[(),]|[^(),]+")


def read(mask: str, fields: Fields) -> Tree:
    """What a mask chooses of a message.

    Raises:
        ApiError: The 400 that names the first path that there is not (gapi#517).
    """
    tree = _parsed(mask)
    if tree is None:
        # No report has such a one; the words are those that are known.
        raise _unmatched(mask, mask)
    return _known(mask, tree, fields, "")


def _parsed(mask: str) -> Tree | None:
    """The mask as it is written; None when its brackets do not fit."""
    root: Tree = {}
    open_groups: list[Tree] = []
    group = last = root
    for piece in PIECE.findall(mask):
        if piece == "(":
            open_groups.append(group)
            group = last
        elif piece == ")":
            if not open_groups:
                return None
            group = open_groups.pop()
        elif piece != ",":
            last = group
            for name in re.split(r"[./]", piece):
                last = last.setdefault(name, {})
    return None if open_groups else root


def _known(mask: str, tree: Tree, fields: Fields, path: str) -> Tree:
    found: Tree = {}
    by_name = {spelled: name for name in fields for spelled in (name, camel(name))}
    for name, below in tree.items():
        full = f"{path}.{name}" if path else name
        if name == "*":
            return {}
        if name not in by_name:
            raise _unmatched(mask, full)
        inner = fields[by_name[name]]
        found[camel(by_name[name])] = below if inner == ANY else _known(mask, below, inner, full)
    return found


def _unmatched(mask: str, path: str) -> ApiError:
    """The message says nothing; that `field` is the whole mask is so in every report."""
    why = f"Error expanding 'fields' parameter. Cannot find matching fields for path '{path}'."
    return ApiError(400, details=[bad_request([{"field": mask, "description": why}])])


def cut(data: Any, tree: Tree) -> Any:
    """What is left of an answer; of a list each element."""
    if isinstance(data, list):
        return [cut(one, tree) for one in data]
    if not tree or not isinstance(data, Mapping):
        return data
    return {name: cut(value, tree[name]) for name, value in data.items() if name in tree}
