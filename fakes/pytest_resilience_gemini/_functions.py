"""Function calls: what is said of declarations, and of turns that do not fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from pytest_resilience_gemini import _example, _tools
from pytest_resilience_gemini._errors import ApiError

Content = Mapping[str, Any]

# lobehub#7298
CALL_TURN = (
    "Please ensure that function call turn comes immediately after a user turn or after a "
    "function response turn."
)
RESPONSE_TURN = (
    "Please ensure that function response turn comes immediately after a function call turn."
)
# gemini-cli#16984
COUNT = (
    "Please ensure that the number of function response parts is equal to the number of "
    "function call parts of the function call turn."
)
# gemini-cli#9535
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
BAD_NAME = (
    "Invalid function name. Must start with a letter or an underscore. Must be alphameric "
    "(a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum "
    "length of 64."
)
# symfony/ai#803, python-genai#867: of the models before Gemini 3, which can do both.
JSON_TOO = "Function calling with a response mime type: 'application/json' is unsupported"
# As public code that guards against it has it.
NOT_DECLARED = "allowed_function_names should be a subset of the provided function_declarations"
# claude-code-router#1207, laravel/ai#490; that NONE needs no functions is inferred.
CALLING = frozenset({"AUTO", "ANY", "VALIDATED"})
NO_DECLARATIONS = "Function calling config is set without function_declarations."


def check(request: Mapping[str, Any], model: str) -> None:
    """Refuse declarations and turns that the service refuses."""
    problems = list(_problems(request))
    if problems:
        raise ApiError(400, "".join(f"* GenerateContentRequest.{line}\n" for line in problems))
    if "tools" in request or "tool_config" in request:
        _check_tools(request, model)
    contents = request["contents"]
    if any(_is_step(content) for content in contents):
        _turns(contents)
        if thinks_in_signatures(model):
            _signatures(contents)


def _check_tools(request: Mapping[str, Any], model: str) -> None:
    _tools.check(request, model)
    declared, calling = declarations(request), _calling(request)
    if not set(calling.get("allowed_function_names", ())) <= declared.keys():
        raise ApiError(400, NOT_DECLARED)
    if not declared and calling.get("mode") in CALLING:
        raise ApiError(400, NO_DECLARATIONS)
    config = request.get("generation_config", {})
    wants_json = config.get("response_mime_type") == "application/json"
    if declared and wants_json and not thinks_in_signatures(model):
        raise ApiError(400, JSON_TOO)


def thinks_in_signatures(model: str) -> bool:
    """Whether the model gives its calls an id and a signature, and wants the latter back."""
    return model.startswith("gemini-3")


def declarations(request: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The declared functions by name."""
    return {
        declared.get("name", ""): declared
        for tool in request.get("tools", ())
        for declared in tool.get("function_declarations", ())
    }


def forced(request: Mapping[str, Any]) -> tuple[str, Any] | None:
    """The call that a request leaves the model no choice about: its name and arguments."""
    calling, declared = _calling(request), declarations(request)
    if calling.get("mode") != "ANY" or not declared:
        return None
    name = next(iter(calling.get("allowed_function_names", ())), next(iter(declared)))
    chosen = declared[name]
    schema = chosen.get("parameters") or chosen.get("parameters_json_schema")
    return name, _example.of(schema) if schema else {}


def _calling(request: Mapping[str, Any]) -> Mapping[str, Any]:
    config: Mapping[str, Any] = request.get("tool_config", {}).get("function_calling_config", {})
    return config


def _problems(request: Mapping[str, Any]) -> Iterator[str]:
    for place, tool in enumerate(request.get("tools", ())):
        for number, declared in enumerate(tool.get("function_declarations", ())):
            path = f"tools[{place}].function_declarations[{number}]"
            if not NAME.fullmatch(declared.get("name", "")):
                yield f"{path}.name: {BAD_NAME}"
            if "parameters" in declared:
                yield from schema_problems(declared["parameters"], f"{path}.parameters")
    schema = request.get("generation_config", {}).get("response_schema")
    if schema is not None:
        yield from schema_problems(schema, "generation_config.response_schema")


def schema_problems(schema: Mapping[str, Any], path: str) -> Iterator[str]:
    """What does not fit in a schema of Google's own kind, and in those within it."""
    yield from (f"{path}.{problem}" for problem in _misfits(schema))
    for name, inner in schema.get("properties", {}).items():
        yield from schema_problems(inner, f"{path}.properties[{name}]")
    if "items" in schema:
        yield from schema_problems(schema["items"], f"{path}.items")
    for number, inner in enumerate(schema.get("any_of", ())):
        yield from schema_problems(inner, f"{path}.any_of[{number}]")


def _misfits(schema: Mapping[str, Any]) -> Iterator[str]:
    """What does not fit in one schema.

    That ``items`` are for arrays is what a gateway's tests have as measured. LibreChat#6971,
    knocklabs/agent-toolkit#24, opencode#11889, directus#27100,
    gemini-cli#3178. That an object has no properties was an error until 2025 (agno#2112); in
    2026 it is none (AIStudioToAPI#154).
    """
    kind = schema.get("type")
    if kind is None and not schema.get("any_of"):
        yield "type: must be specified when not using one_of, any_of or all_of fields"
    if kind == "ARRAY" and "items" not in schema:
        yield "items: missing field."
    if kind != "ARRAY" and "items" in schema:
        yield "items: field predicate failed: $type == Type.ARRAY"
    if kind != "STRING" and schema.get("enum"):
        yield "enum: only allowed for STRING type"
    if kind == "STRING" and schema.get("format", "enum") not in {"enum", "date-time"}:
        yield "format: only 'enum' and 'date-time' are supported for STRING type"
    yield from _misfits_of_an_object(schema, kind)


def _misfits_of_an_object(schema: Mapping[str, Any], kind: object) -> Iterator[str]:
    if kind not in {"OBJECT", None}:
        for field in ("properties", "required"):
            if schema.get(field):
                yield f"{field}: only allowed for OBJECT type"
        return
    for number, name in enumerate(schema.get("required", ())):  # AIStudioToAPI#154
        if name not in schema.get("properties", {}):
            yield f"required[{number}]: property is not defined"


def _count(content: Content, kind: str) -> int:
    return sum(kind in part for part in content.get("parts", ()))


def _turns(contents: Sequence[Content]) -> None:
    before: Content = {}
    for content in contents:
        calls, answers = _count(content, "function_call"), _count(content, "function_response")
        if calls and (not before or before.get("role") == "model"):
            raise ApiError(400, CALL_TURN)
        asked = _count(before, "function_call")
        if answers and not asked:
            raise ApiError(400, RESPONSE_TURN)
        if asked != answers:
            raise ApiError(400, COUNT)
        before = content


def _signatures(contents: Sequence[Content]) -> None:
    """The first call of each step since the user has last spoken has its signature (5ire#405)."""
    latest = reversed(list(enumerate(contents, 1)))
    for position, content in takewhile(lambda numbered: _is_step(numbered[1]), latest):
        calls = [part for part in content["parts"] if "function_call" in part]
        if calls and not calls[0].get("thought_signature"):
            name = calls[0]["function_call"].get("name", "")
            raise ApiError(
                400,
                "Function call is missing a thought_signature in functionCall parts. This is "
                "required for tools to work correctly, and missing thought_signature may lead "
                f"to degraded model performance. Additional data, function call "
                f"`default_api:{name}` , position {position}. Please refer to "
                "https://ai.google.dev/gemini-api/docs/thought-signatures for more details.",
            )


def _is_step(content: Content) -> bool:
    return any("function_call" in part or "function_response" in part for part in content["parts"])
