"""Token counts: not the real tokenizer's, but always the same, and they add up.

Text counts a token for every four characters begun, which is the rule of thumb of
ai.google.dev/gemini-api/docs/tokens; media count what that page says of one small image, of
one page, and of one second of sound or video.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

MEDIA = {"image": ("IMAGE", 258), "audio": ("AUDIO", 32), "video": ("VIDEO", 263)}
DOCUMENT = ("DOCUMENT", 258)


def of_text(text: str) -> int:
    """How many tokens a text is."""
    return -(-len(text) // 4)


def details(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A request's tokens by modality, as ``promptTokensDetails``; TEXT first."""
    counts = {"TEXT": 0}
    for part in _parts(request):
        modality, count = _of_part(part)
        counts[modality] = counts.get(modality, 0) + count
    for tool in request.get("tools", ()):
        counts["TEXT"] += of_text(json.dumps(tool))
    return [
        {"modality": modality, "tokenCount": count} for modality, count in counts.items() if count
    ]


def total(listed: Iterable[Mapping[str, Any]]) -> int:
    """The sum of all modalities."""
    return sum(entry["tokenCount"] for entry in listed)


def _parts(request: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    yield from request.get("system_instruction", {}).get("parts", ())
    for content in request.get("contents", ()):
        yield from content.get("parts", ())


def _of_part(part: Mapping[str, Any]) -> tuple[str, int]:
    if "text" in part:
        return "TEXT", of_text(part["text"])
    media = part.get("inline_data") or part.get("file_data")
    if media is not None:
        return MEDIA.get(media.get("mime_type", "").partition("/")[0], DOCUMENT)
    return "TEXT", of_text(json.dumps(part))
