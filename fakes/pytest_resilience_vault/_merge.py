"""Merging and masking of nested maps."""

from __future__ import annotations

from typing import Any


def merged(old: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """A JSON merge patch applied (RFC 7396): null removes, maps go down, the rest replaces."""
    result = dict(old)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            below = result.get(key)
            result[key] = merged(below if isinstance(below, dict) else {}, value)
        else:
            result[key] = value
    return result


def without_values(data: dict[str, Any], depth: int) -> dict[str, Any]:
    """The keys with null for each value, down to a depth; 0 for all (path_subkeys.go)."""
    return {
        key: without_values(value, depth - 1)
        if isinstance(value, dict) and value and depth != 1
        else None
        for key, value in data.items()
    }
