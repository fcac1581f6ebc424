"""Safety settings: whether what the model has said is withheld, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pytest_resilience_gemini._errors import ApiError

# The five that can be set, in the order of the service's own message (ComfyUI-Gemini#8).
SETTABLE = (
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_CIVIC_INTEGRITY",
)
PROBABILITIES = ("NEGLIGIBLE", "LOW", "MEDIUM", "HIGH")

# What each threshold lets pass. Nothing is blocked where nothing is set: "The default is Off
# for Gemini 2.5 and 3 models" (ai.google.dev/gemini-api/docs/safety-settings).
PASSES = {
    "BLOCK_LOW_AND_ABOVE": ("NEGLIGIBLE",),
    "BLOCK_MEDIUM_AND_ABOVE": ("NEGLIGIBLE", "LOW"),
    "BLOCK_ONLY_HIGH": ("NEGLIGIBLE", "LOW", "MEDIUM"),
}


def check(request: Mapping[str, Any]) -> None:
    """Refuse settings of categories that cannot be set."""
    wrong = [
        number
        for number, setting in enumerate(request.get("safety_settings", ()))
        if setting.get("category") not in SETTABLE
    ]
    if wrong:
        names = ", ".join(f"HarmCategory.{name}" for name in SETTABLE)
        path = "* GenerateContentRequest.safety_settings"
        why = f"element predicate failed: $.category in ({names})"
        raise ApiError(400, "".join(f"{path}[{number}]: {why}\n" for number in wrong))


def rated(
    ratings: Mapping[str, str], settings: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """``safetyRatings``, with a mark where the request's settings block what was said."""
    thresholds = {setting.get("category"): setting.get("threshold") for setting in settings}
    listed = []
    for category, probability in ratings.items():
        rating: dict[str, Any] = {"category": category, "probability": probability}
        passes = PASSES.get(str(thresholds.get(category)), PROBABILITIES)
        if probability not in passes:
            rating["blocked"] = True
        listed.append(rating)
    return listed
