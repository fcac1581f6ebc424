"""Which tools there are, and which of them go together."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

Ask = Callable[..., requests.Response]

HI = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


def test_a_function_is_declared_once(ask: Ask) -> None:
    """In whichever tool."""
    tools = [{"functionDeclarations": [{"name": "a"}, {"name": "b"}]}]
    twice = [*tools, {"functionDeclarations": [{"name": "b"}]}]

    error = ask({**HI, "tools": twice}).json()["error"]

    assert ask({**HI, "tools": tools}).ok
    assert error["message"] == "Duplicate function declaration found: b"


BOTH = [{"functionDeclarations": [{"name": "a"}]}, {"googleSearch": {}}]
MEANT = {"includeServerSideToolInvocations": True}


@pytest.mark.parametrize(
    ("model", "more", "message"),
    [
        (
            "gemini-3.6-flash",
            {"tools": BOTH},
            (
                "Please enable tool_config.include_server_side_tool_invocations to use Built-in "
                "tools with Function calling."
            ),
        ),
        ("gemini-3.6-flash", {"tools": BOTH, "toolConfig": MEANT}, None),
        ("gemini-3.8-flash", {"tools": BOTH}, None),
        ("gemini-3.6-flash", {"tools": [{"googleSearch": {}, "functionDeclarations": []}]}, None),
        (
            "gemini-2.5-flash",
            {"tools": BOTH, "toolConfig": MEANT},
            "Tool use with function calling is unsupported by the model.",
        ),
    ],
)
def test_functions_beside_the_services_tools_must_be_meant(
    ask: Ask, model: str, more: dict[str, Any], message: str | None
) -> None:
    """From Gemini 3 on; before that they were not possible."""
    answer = ask({**HI, **more}, model=model).json()

    assert answer.get("error", {}).get("message") == message


KIND = "required one_of 'tool_type' must have one initialized field"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"tools": [{"googleSearch": {}}, {"functionDeclarations": []}]},
            f"The GenerateContentRequest proto is invalid:\n  * tools[1].tool_type: {KIND}",
        ),
        (
            {"tools": [{}]},
            f"The GenerateContentRequest proto is invalid:\n  * tools[0].tool_type: {KIND}",
        ),
        (
            {"tools": [{"googleSearchRetrieval": {}}]},
            "google_search_retrieval is not supported. Please use google_search tool instead.",
        ),
        (
            {"toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}},
            "Function calling config is set without function_declarations.",
        ),
        (
            {
                "tools": [{"googleSearch": {}}],
                "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
            },
            "Function calling config is set without function_declarations.",
        ),
        ({"tools": [], "toolConfig": {"functionCallingConfig": {"mode": "NONE"}}}, None),
    ],
)
def test_tools_are_of_a_kind_that_there_is(
    ask: Ask, more: dict[str, Any], message: str | None
) -> None:
    """And how functions are called is no matter where there are none."""
    answer = ask({**HI, **more}).json()

    assert answer.get("error", {}).get("message") == message
