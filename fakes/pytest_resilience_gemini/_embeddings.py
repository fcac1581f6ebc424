"""Embeddings: not of a model's making, but one text has always the same, of length one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random
from typing import Any

from pytest_resilience_gemini._errors import ApiError

# What gemini-embedding-001 answers with unless told otherwise (llm-gemini#102).
DIMENSIONS = 3072


def embed(request: Mapping[str, Any]) -> dict[str, Any]:
    """The embedding of one EmbedContentRequest's content."""
    parts = request.get("content", {}).get("parts", ())
    if not parts or any(part.get("text") == "" for part in parts):
        # Seen through the OpenAI-compatible path (webnovel-writer#49).
        raise ApiError(400, "EmbedContentRequest.content contains an empty Part.")
    text = "".join(part.get("text", "") for part in parts)
    return {"values": _vector(text, request.get("output_dimensionality") or DIMENSIONS)}


def _vector(text: str, dimensions: int) -> list[float]:
    if not 1 <= dimensions <= DIMENSIONS:
        raise ApiError(400)
    random = Random(text)  # a text as seed gives the same numbers in every process
    values = [random.gauss(0, 1) for _ in range(dimensions)]
    length = math.hypot(*values)
    return [round(value / length, 9) for value in values]
