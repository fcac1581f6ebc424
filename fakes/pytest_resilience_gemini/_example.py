"""Data that fits a schema: what the model says in JSON mode, and calls a function with.

Reads both kinds of schema that a request may carry: Google's own, of upper-case types, and
JSON Schema. Of a ``pattern`` it knows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

DEEPEST = 8
"""From here on a schema that contains itself is left as empty as it allows."""


def of(schema: Any) -> Any:
    """An example of what the schema describes; always the same."""
    root = schema if isinstance(schema, Mapping) else {}
    return _of(root, root, 0)


def _of(schema: Schema, root: Schema, depth: int) -> Any:
    schema = _resolved(schema, root)
    for key in ("const", "default", "example"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("any_of", "anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return _of(schema[key][0], root, depth)
    kind = _kind(schema)
    if kind == "object":
        return _object(schema, root, depth)
    if kind == "array":
        count = max(_least(schema, "items"), depth < DEEPEST)
        return [_of(schema.get("items", {}), root, depth + 1) for _ in range(count)]
    return _scalar(schema, kind)


def _resolved(schema: Schema, root: Schema) -> Schema:
    """The definition that a ``$ref`` within the same schema points to."""
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return schema
    found: Any = root
    for name in reference[2:].split("/"):
        found = found.get(name, {}) if isinstance(found, Mapping) else {}
    return found if isinstance(found, Mapping) else {}


def _kind(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if isinstance(kind, str):
        return kind.lower()
    return "object" if "properties" in schema else "string"


def _object(schema: Schema, root: Schema, depth: int) -> dict[str, Any]:
    properties: Schema = schema.get("properties", {})
    names = schema.get("property_ordering") or schema.get("propertyOrdering") or list(properties)
    if depth >= DEEPEST:
        names = schema.get("required", ()) if depth < 2 * DEEPEST else ()
    return {name: _of(properties[name], root, depth + 1) for name in names if name in properties}


def _scalar(schema: Schema, kind: str) -> Any:
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    if kind == "integer":
        return int(schema.get("minimum", 1))
    if kind == "number":
        return float(schema.get("minimum", 0.5))
    if schema.get("format") == "date-time":
        return "2026-01-01T00:00:00Z"
    return "text".ljust(_least(schema, "length"), "t")


def _least(schema: Schema, what: str) -> int:
    """``minItems`` or ``minLength``, in either spelling."""
    return int(schema.get(f"min_{what}") or schema.get(f"min{what.title()}") or 0)
