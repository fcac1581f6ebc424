"""Data that fits a schema: what the model says in JSON mode, and calls a function with.

Reads both kinds of schema that a request may carry: Google's own, of upper-case types, and
JSON Schema. Of ``pattern``, ``not`` and ``if`` it knows nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

DEEPEST = 8
"""From here on a schema that contains itself is left as empty as it allows."""

ONE_OF = ("any_of", "anyOf", "oneOf")
FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "PT1S",
    "email": "text@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def of(schema: Any) -> Any:
    """An example of what the schema describes; always the same."""
    root = schema if isinstance(schema, Mapping) else {}
    return _of(root, root, 0)


def _of(schema: Any, root: Schema, depth: int, turn: int = 0) -> Any:
    """An example.

    Args:
        schema: What it has to fit.
        root: What the schema's references are read in.
        depth: How many schemas it is within.
        turn: The place in a list whose items must differ, and so do the examples of turns.
    """
    schema = _single(schema if isinstance(schema, Mapping) else {}, root, depth)
    for key in ("const", "default", "example"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][turn % len(schema["enum"])]
    kind = _kind(schema)
    if kind == "object":
        return _object(schema, root, depth, turn)
    if kind == "array":
        return _array(schema, root, depth)
    return _scalar(schema, kind, turn)


def _single(schema: Schema, root: Schema, depth: int) -> Schema:
    """The schema without references and choices: with the first of each, and all of ``allOf``."""
    schema = _resolved(schema, root)
    parts = [schema[key][0] for key in ONE_OF if schema.get(key)] + list(schema.get("allOf", ()))
    if not parts:
        return schema
    whole = {key: value for key, value in schema.items() if key not in (*ONE_OF, "allOf")}
    for part in parts if depth < 2 * DEEPEST else ():
        one = _single(part, root, depth + 1)
        properties = {**whole.get("properties", {}), **one.get("properties", {})}
        required = [*whole.get("required", ()), *one.get("required", ())]
        whole |= one
        if properties:
            whole["properties"] = properties
        if required:
            whole["required"] = required
    return whole


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
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else "string"


def _limit(schema: Schema, which: str, what: str) -> float | None:
    """``minItems``, ``maxLength`` and so on, in either spelling; None where there is none."""
    value = schema.get(f"{which}_{what}", schema.get(f"{which}{what.title()}"))
    return None if value is None else float(value)


def _object(schema: Schema, root: Schema, depth: int, turn: int) -> dict[str, Any]:
    properties: Schema = schema.get("properties", {})
    names = schema.get("property_ordering") or schema.get("propertyOrdering") or list(properties)
    if depth >= DEEPEST:
        names = schema.get("required", ()) if depth < 2 * DEEPEST else ()
    names = [name for name in names if name in properties]
    more = schema.get("additionalProperties")
    missing = [name for name in schema.get("required", ()) if name not in names]
    if depth < 2 * DEEPEST:
        names += [name for name in missing if name in properties or more is not False]
    for number in range(int(_limit(schema, "min", "properties") or 0) - len(names)):
        names.append(f"key{number + 1}")
    return {name: _of(properties.get(name, more), root, depth + 1, turn) for name in names}


def _array(schema: Schema, root: Schema, depth: int) -> list[Any]:
    first = schema.get("prefixItems", ())
    least, most = _limit(schema, "min", "items"), _limit(schema, "max", "items")
    count = max(int(least or 0), len(first) or 1 if depth < DEEPEST else 0)
    if most is not None:
        count = min(count, int(most))
    rest, differ = schema.get("items", {}), schema.get("uniqueItems") is True
    return [
        _of(first[n] if n < len(first) else rest, root, depth + 1, n if differ else 0)
        for n in range(count)
    ]


def _scalar(schema: Schema, kind: str, turn: int) -> Any:
    if kind == "boolean":
        return turn % 2 == 0
    if kind == "null":
        return None
    if kind == "integer":
        return int(_number(schema, 1, 1, turn))
    if kind == "number":
        return float(_number(schema, 0.5, 0, turn))
    if schema.get("format") in FORMATS:
        return FORMATS[schema["format"]]
    text = f"text{turn or ''}".ljust(int(_limit(schema, "min", "length") or 0), "t")
    most = _limit(schema, "max", "length")
    return text if most is None else text[: int(most)]


def _number(schema: Schema, usual: float, grain: float, turn: int) -> float:
    """A number between the bounds; a multiple of ``grain``, unless the schema says of what."""
    low, high = schema.get("minimum"), schema.get("maximum")
    if isinstance(schema.get("exclusiveMinimum"), int | float):
        low = schema["exclusiveMinimum"] + (grain or _half(schema["exclusiveMinimum"], high))
    if isinstance(schema.get("exclusiveMaximum"), int | float):
        high = schema["exclusiveMaximum"] - (grain or _half(low, schema["exclusiveMaximum"]))
    value = usual if low is None else low
    if low is None and high is not None:
        value = min(usual, high)
    grain = schema.get("multipleOf") or grain
    if grain:
        value = (math.floor if low is None else math.ceil)(value / grain) * grain
    return float(value + turn * (grain or 1)) if turn else value


def _half(low: float | None, high: float | None) -> float:
    """Half the way from one bound to the other."""
    return 1 if low is None or high is None else (high - low) / 2
