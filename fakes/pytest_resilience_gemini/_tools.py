"""Tools: of which kind they are, and which of them go together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_resilience_gemini._errors import ApiError

# rig#588, gorilla#770: the words are others than those of the rest of the request.
NO_KIND = (
    "The GenerateContentRequest proto is invalid:\n  * tools[{}].tool_type: required one_of "
    "'tool_type' must have one initialized field"
)
# As many public projects quote it, of models from Gemini 2 on.
OLD_SEARCH = "google_search_retrieval is not supported. Please use google_search tool instead."
# eino-ext#761, and of the models before celeste-python#197.
MIXED = (
    "Please enable tool_config.include_server_side_tool_invocations to use Built-in tools with "
    "Function calling."
)
MIXED_BEFORE_3 = "Tool use with function calling is unsupported by the model."
BUILT_IN = frozenset({"google_search", "code_execution", "url_context"})


def check(request: Mapping[str, Any], model: str) -> None:
    """Refuse tools that the service refuses, whatever the functions among them are."""
    for place, tool in enumerate(request.get("tools", ())):
        if all(value == [] for value in tool.values()):
            raise ApiError(400, NO_KIND.format(place))
        if "google_search_retrieval" in tool and not model.startswith("gemini-1"):
            raise ApiError(400, OLD_SEARCH)
    _declared_once(request)
    _mixed(request, model)


def _declared_once(request: Mapping[str, Any]) -> None:
    """Refuse two functions of one name, as many public projects have found."""
    seen: set[str] = set()
    for tool in request.get("tools", ()):
        for declared in tool.get("function_declarations", ()):
            name = declared["name"]
            if name in seen:
                raise ApiError(400, f"Duplicate function declaration found: {name}")
            seen.add(name)


def _mixed(request: Mapping[str, Any], model: str) -> None:
    """Refuse functions beside tools of the service's own, unless both were meant.

    Of Gemini 3 it was measured of these three models (ag2#3145).
    """
    tools = request.get("tools", ())
    functions = any(tool.get("function_declarations") for tool in tools)
    if not functions or not any(BUILT_IN & tool.keys() for tool in tools):
        return
    if not model.startswith("gemini-3"):
        raise ApiError(400, MIXED_BEFORE_3)
    meant = request.get("tool_config", {}).get("include_server_side_tool_invocations")
    if not meant and model.startswith(("gemini-3.1-pro", "gemini-3.6-flash", "gemini-3.5-flash-l")):
        raise ApiError(400, MIXED)
