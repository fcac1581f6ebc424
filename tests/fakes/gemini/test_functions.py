"""Function calls: what the model calls, and what is refused of tools and of turns."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from pytest_resilience import PlanError
from pytest_resilience_gemini import Gemini, Reply

Ask = Callable[..., requests.Response]
HI = {"contents": [{"parts": [{"text": "hi"}]}]}

USER = {"role": "user", "parts": [{"text": "Weather in Paris?"}]}
DECLARED = {
    "name": "get_weather",
    "parameters": {
        "type": "OBJECT",
        "properties": {"city": {"type": "STRING"}, "days": {"type": "INTEGER"}},
        "required": ["city"],
    },
}
TOOLS = [{"functionDeclarations": [DECLARED]}]
BODY = {"contents": [USER], "tools": TOOLS}


def call(name: str = "get_weather", *, signed: bool = True) -> dict[str, Any]:
    """A part as the model has said it."""
    part: dict[str, Any] = {"functionCall": {"name": name, "args": {"city": "Paris"}}}
    return {**part, "thoughtSignature": "aGk="} if signed else part


def answered(name: str = "get_weather") -> dict[str, Any]:
    """A part with what the function has returned."""
    return {"functionResponse": {"name": name, "response": {"sky": "grey"}}}


def turn(role: str, *parts: dict[str, Any]) -> dict[str, Any]:
    """One content."""
    return {"role": role, "parts": list(parts)}


def error_of(response: requests.Response) -> str:
    """What a 400 says."""
    assert response.status_code == 400
    error: dict[str, str] = response.json()["error"]
    assert error["status"] == "INVALID_ARGUMENT"
    return error["message"]


# What the model calls


def test_a_call_is_a_part(gemini: Gemini, ask: Ask) -> None:
    """With an id, and a signature on the first; the reason to stop is STOP."""
    gemini.say(Reply(("Let me see.",), calls=(("get_weather", {"city": "Paris"}), ("f", {}))))

    (candidate,) = ask(BODY).json()["candidates"]
    text, first, second = candidate["content"]["parts"]

    assert text == {"text": "Let me see."}
    assert first["functionCall"].pop("id")
    assert first["functionCall"] == {"name": "get_weather", "args": {"city": "Paris"}}
    assert first["thoughtSignature"]
    assert second["functionCall"]["name"] == "f"
    assert "thoughtSignature" not in second
    assert candidate["finishReason"] == "STOP"


def test_older_models_have_neither_ids_nor_signatures(gemini: Gemini, ask: Ask) -> None:
    """As before Gemini 3."""
    gemini.say(Reply.call("get_weather", city="Paris"))

    response = ask(BODY, model="gemini-2.5-flash").json()

    assert response["candidates"][0]["content"]["parts"] == [
        {"functionCall": {"name": "get_weather", "args": {"city": "Paris"}}}
    ]
    assert response["usageMetadata"]["candidatesTokenCount"] > 5


def test_calls_are_the_last_event_of_a_stream(gemini: Gemini, ask: Ask) -> None:
    """All of them in one, behind the text."""
    gemini.say(Reply(("One ", "two."), calls=(("f", {}), ("g", {}))))

    events = ask(BODY, "streamGenerateContent", model="gemini-2.5-pro").json()

    parts = [event["candidates"][0]["content"]["parts"] for event in events]
    assert parts == [
        [{"text": "One "}],
        [{"text": "two."}],
        [
            {"functionCall": {"name": "f", "args": {}}},
            {"functionCall": {"name": "g", "args": {}}},
        ],
    ]
    assert "finishReason" not in events[1]["candidates"][0]
    assert events[2]["candidates"][0]["finishReason"] == "STOP"


@pytest.mark.parametrize("config", [{"maxOutputTokens": 1}, {"stopSequences": ["me"]}])
def test_a_text_that_is_cut_calls_nothing(gemini: Gemini, ask: Ask, config: dict[str, Any]) -> None:
    """The call would have come behind it."""
    gemini.say(Reply(("Let me see.",), calls=(("f", {}),)))

    (candidate,) = ask({**BODY, "generationConfig": config}).json()["candidates"]

    assert candidate["content"]["parts"] == [{"text": "Let "}]


def test_a_model_that_must_call_a_function_does(gemini: Gemini, ask: Ask) -> None:
    """Nobody need tell it: with arguments that fit."""
    config = {"functionCallingConfig": {"mode": "ANY"}}

    (candidate,) = ask({**BODY, "toolConfig": config}).json()["candidates"]

    called = candidate["content"]["parts"][0]["functionCall"]
    assert called["name"] == "get_weather"
    assert called["args"] == {"city": "text", "days": 1}


def test_it_calls_one_that_is_allowed(gemini: Gemini, ask: Ask) -> None:
    """The first of them; one that takes nothing is called with nothing."""
    tools = [{"functionDeclarations": [DECLARED, {"name": "now"}]}]
    config = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["now"]}}
    body = {"contents": [USER], "tools": tools, "toolConfig": config}

    (candidate,) = ask(body, model="gemini-2.5-pro").json()["candidates"]

    assert candidate["content"]["parts"] == [{"functionCall": {"name": "now", "args": {}}}]


def test_it_says_what_it_was_told_all_the_same(gemini: Gemini, ask: Ask) -> None:
    """The test knows best."""
    gemini.say("No.")
    config = {"functionCallingConfig": {"mode": "ANY"}}

    (candidate,) = ask({**BODY, "toolConfig": config}).json()["candidates"]

    assert candidate["content"]["parts"] == [{"text": "No."}]


@pytest.mark.parametrize("calls", [7, "f", ("f",), (("f",),), ((1, {}),), (("f", 1),)])
def test_calls_that_cannot_be_meant_are_refused(calls: Any) -> None:
    """Where they are written."""
    with pytest.raises(PlanError, match=r"Reply\(calls=.*want a tuple of names and arguments"):
        Reply(calls=calls)


# What is refused of tools


@pytest.mark.parametrize("name", ["", "1st", "two words", "x" * 65])
def test_a_function_needs_a_proper_name(ask: Ask, name: str) -> None:
    """Letters, digits, and a few signs."""
    tools = [{}, {"functionDeclarations": [{"name": "fine.as-it:is_"}, {"name": name}]}]

    assert error_of(ask({"contents": [USER], "tools": tools})) == (
        "* GenerateContentRequest.tools[1].function_declarations[1].name: Invalid function "
        "name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), "
        "underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.\n"
    )


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        (
            {"properties": {}},
            "type: must be specified when not using one_of, any_of or all_of fields",
        ),
        ({"type": "ARRAY"}, "items: missing field."),
        ({"type": "INTEGER", "enum": ["1"]}, "enum: only allowed for STRING type"),
        (
            {"type": "STRING", "format": "uri"},
            "format: only 'enum' and 'date-time' are supported for STRING type",
        ),
        (
            {"type": "STRING", "properties": {"a": {"type": "STRING"}}},
            "properties: only allowed for OBJECT type",
        ),
        ({"type": "STRING", "required": ["a"]}, "required: only allowed for OBJECT type"),
        ({"type": "OBJECT", "required": ["a"]}, "required[0]: property is not defined"),
    ],
)
@pytest.mark.parametrize(
    ("wrap", "path"),
    [
        (lambda schema: schema, ""),
        (lambda schema: {"type": "OBJECT", "properties": {"p": schema}}, ".properties[p]"),
        (lambda schema: {"type": "ARRAY", "items": schema}, ".items"),
        (lambda schema: {"anyOf": [{"type": "STRING"}, schema]}, ".any_of[1]"),
    ],
)
def test_a_schema_must_fit(
    ask: Ask, schema: dict[str, Any], problem: str, wrap: Callable[..., Any], path: str
) -> None:
    """However deep it lies, in a function's parameters and in the answer's schema."""
    declared = {"name": "f", "parameters": wrap(schema)}
    config = {"responseMimeType": "application/json", "responseSchema": wrap(schema)}

    tools = error_of(ask({"contents": [USER], "tools": [{"functionDeclarations": [declared]}]}))
    answer = error_of(ask({"contents": [USER], "generationConfig": config}))

    assert tools == (
        f"* GenerateContentRequest.tools[0].function_declarations[0].parameters{path}.{problem}\n"
    )
    assert answer == (
        f"* GenerateContentRequest.generation_config.response_schema{path}.{problem}\n"
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "OBJECT"},
        {"type": "OBJECT", "properties": {}},
        {"type": "STRING", "format": "date-time", "nullable": True},
        {"type": "STRING", "format": "enum", "enum": ["a"]},
    ],
)
def test_schemas_that_fit_are_taken(ask: Ask, parameters: dict[str, Any]) -> None:
    """Objects without properties, too, since 2026."""
    tools = [{"functionDeclarations": [{"name": "f", "parameters": parameters}]}]

    assert ask({"contents": [USER], "tools": tools}).status_code == 200


def test_only_declared_functions_can_be_allowed(ask: Ask) -> None:
    """Others are refused."""
    config = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["other"]}}

    assert error_of(ask({**BODY, "toolConfig": config})) == (
        "allowed_function_names should be a subset of the provided function_declarations"
    )


def test_functions_and_json_go_together_since_gemini_3(ask: Ask) -> None:
    """Before it is an error."""
    body = {**BODY, "generationConfig": {"responseMimeType": "application/json"}}

    assert ask(body).status_code == 200
    assert error_of(ask(body, model="gemini-2.5-flash")) == (
        "Function calling with a response mime type: 'application/json' is unsupported"
    )


# Turns


def test_a_conversation_with_calls_is_taken(gemini: Gemini, ask: Ask) -> None:
    """Call, response, call, response, and what the user says next."""
    contents = [
        USER,
        turn("model", {"text": "Let me see."}, call(), call("f", signed=False)),
        turn("user", answered(), answered("f")),
        turn("model", call()),
        turn("function", answered()),
        turn("model", {"text": "It rains."}),
        turn("user", {"text": "Thanks."}),
    ]

    assert ask({**BODY, "contents": contents}).status_code == 200


CALL_TURN = (
    "Please ensure that function call turn comes immediately after a user turn or after a "
    "function response turn."
)
RESPONSE_TURN = (
    "Please ensure that function response turn comes immediately after a function call turn."
)
COUNT = (
    "Please ensure that the number of function response parts is equal to the number of "
    "function call parts of the function call turn."
)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ([turn("model", call())], CALL_TURN),
        ([USER, turn("model", {"text": "a"}), turn("model", call())], CALL_TURN),
        ([turn("user", answered())], RESPONSE_TURN),
        ([USER, turn("model", {"text": "a"}), turn("user", answered())], RESPONSE_TURN),
        ([USER, turn("model", call(), call()), turn("user", answered())], COUNT),
        ([USER, turn("model", call()), turn("user", answered(), answered())], COUNT),
        ([USER, turn("model", call()), USER], COUNT),
    ],
)
@pytest.mark.parametrize("model", ["gemini-3.8-flash", "gemini-2.5-pro"])
def test_turns_must_fit(ask: Ask, model: str, contents: list[Any], message: str) -> None:
    """A call behind a user, a response behind a call, and as many of them."""
    assert error_of(ask({**BODY, "contents": contents}, model=model)) == message


def test_a_signature_must_come_back(ask: Ask) -> None:
    """That of the first call of each step; the place is counted from one."""
    contents = [
        USER,
        turn("model", call("first", signed=False)),
        turn("user", answered("first")),
        turn("model", call("second")),
        turn("user", answered("second")),
    ]

    assert error_of(ask({**BODY, "contents": contents})) == (
        "Function call is missing a thought_signature in functionCall parts. This is required "
        "for tools to work correctly, and missing thought_signature may lead to degraded model "
        "performance. Additional data, function call `default_api:first` , position 2. Please "
        "refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
    )
    assert ask({**BODY, "contents": contents}, model="gemini-2.5-pro").status_code == 200


def test_an_old_step_needs_no_signature(ask: Ask) -> None:
    """Only those since the user has last spoken are looked at."""
    contents = [
        USER,
        turn("model", call(signed=False)),
        turn("user", answered()),
        turn("model", {"text": "It rains."}),
        USER,
    ]

    assert ask({**BODY, "contents": contents}).status_code == 200


def test_a_signature_that_was_given_is_taken_back(gemini: Gemini, ask: Ask) -> None:
    """Round and round."""
    gemini.say(Reply.call("get_weather", city="Paris"), "It rains.")
    said = ask(BODY).json()["candidates"][0]["content"]
    contents = [USER, said, turn("user", answered())]

    response = ask({**BODY, "contents": contents})

    assert response.json()["candidates"][0]["content"]["parts"] == [{"text": "It rains."}]


def test_items_are_for_arrays(ask: Ask) -> None:
    """As properties are for objects."""
    schema = {"type": "STRING", "items": {"type": "STRING"}}
    tools = [{"functionDeclarations": [{"name": "a", "parameters": schema}]}]

    assert ask({**HI, "tools": tools}).json()["error"]["message"] == (
        "* GenerateContentRequest.tools[0].function_declarations[0].parameters.items: "
        "field predicate failed: $type == Type.ARRAY\n"
    )
