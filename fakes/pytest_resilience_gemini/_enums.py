"""Enums as numbers, for calls with ``alt=json;enum-encoding=int``.

google-api-core asks for that in every call over REST: google-generativeai's generator of
clients has it in every request. Numbers of the same protos as those in `_schema`; what they
do not name stays a name.
"""

from __future__ import annotations

from typing import Any

from pytest_resilience_gemini._schema import ENUMS

NUMBERS: dict[str, dict[str, int]] = {
    "finishReason": {
        "STOP": 1,
        "MAX_TOKENS": 2,
        "SAFETY": 3,
        "RECITATION": 4,
        "OTHER": 5,
        "LANGUAGE": 6,
        "BLOCKLIST": 7,
        "PROHIBITED_CONTENT": 8,
        "SPII": 9,
        "MALFORMED_FUNCTION_CALL": 10,
        "IMAGE_SAFETY": 11,
        "UNEXPECTED_TOOL_CALL": 12,
        "TOO_MANY_TOOL_CALLS": 13,
    },
    "blockReason": {
        "SAFETY": 1,
        "OTHER": 2,
        "BLOCKLIST": 3,
        "PROHIBITED_CONTENT": 4,
        "IMAGE_SAFETY": 5,
    },
    "category": {name: number for number, name in enumerate(ENUMS["HarmCategory"])},
    "probability": {"NEGLIGIBLE": 1, "LOW": 2, "MEDIUM": 3, "HIGH": 4},
    "modality": {"TEXT": 1, "IMAGE": 2, "VIDEO": 3, "AUDIO": 4, "DOCUMENT": 5},
}
"""By field, of those that answers have."""


def numbered(data: Any, field: str = "") -> Any:
    """The same data; what functions are called with is nobody's enum."""
    if isinstance(data, dict):
        return {
            name: value if name == "args" else numbered(value, name) for name, value in data.items()
        }
    if isinstance(data, list):
        return [numbered(value) for value in data]
    return NUMBERS.get(field, {}).get(data, data) if isinstance(data, str) else data
