"""What is said of a request that is not in order."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import configuration, given, settings, strategies as st

from pytest_resilience_gemini import Gemini

Ask = Callable[..., requests.Response]

HI = [{"role": "user", "parts": [{"text": "hi"}]}]
PREFIX = "Invalid JSON payload received. "
TYPES = "type.googleapis.com/google.ai.generativelanguage.v1beta."


def error_of(response: requests.Response) -> dict[str, Any]:
    """The error of a 400."""
    assert response.status_code == 400
    error: dict[str, Any] = response.json()["error"]
    assert error["status"] == "INVALID_ARGUMENT"
    return error


def test_an_unknown_name_is_refused(ask: Ask) -> None:
    """At the top level the violation has no field."""
    assert ask({"contents": HI, "stream": True}).json() == {
        "error": {
            "code": 400,
            "message": 'Invalid JSON payload received. Unknown name "stream": Cannot find field.',
            "status": "INVALID_ARGUMENT",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.BadRequest",
                    "fieldViolations": [
                        {
                            "description": "Invalid JSON payload received. "
                            'Unknown name "stream": Cannot find field.'
                        }
                    ],
                }
            ],
        }
    }


def test_all_unknown_names_are_reported(ask: Ask) -> None:
    """Not only the first: one line each, and one violation each."""
    error = error_of(ask({"messages": [], "contents": HI, "response_format": {}}))

    assert error["message"] == (
        'Invalid JSON payload received. Unknown name "messages": Cannot find field.\n'
        'Invalid JSON payload received. Unknown name "response_format": Cannot find field.'
    )
    assert len(error["details"][0]["fieldViolations"]) == 2


@pytest.mark.parametrize(
    ("body", "path", "text"),
    [
        pytest.param(
            {"contents": [{"parts": {"text": "hi", "role": "user"}}]},
            "contents[0].parts",
            PREFIX + "Unknown name \"role\" at 'contents[0].parts': Cannot find field.",
            id="a single value has no index",
        ),
        pytest.param(
            {"contents": HI, "generationConfig": {"maxTokens": 1}},
            "generation_config",
            PREFIX + "Unknown name \"maxTokens\" at 'generation_config': Cannot find field.",
            id="snake_case for camelCase",
        ),
        pytest.param(
            {"contents": HI, "generationConfig": {"max_outputTokens": 1}},
            "generation_config",
            PREFIX + "Unknown name \"max_outputTokens\" at 'generation_config': Cannot find field.",
            id="a mixture is neither spelling",
        ),
        pytest.param(
            {
                "contents": HI,
                "generationConfig": {
                    "responseSchema": {
                        "type": "object",
                        "properties": {"a": {"type": "object", "additionalProperties": False}},
                    }
                },
            },
            "generation_config.response_schema.properties[0].value",
            PREFIX + 'Unknown name "additionalProperties" at '
            "'generation_config.response_schema.properties[0].value': Cannot find field.",
            id="a map is a list of entries",
        ),
        pytest.param(
            {
                "contents": HI,
                "tools": [{"functionDeclarations": [{"parameters": {"type": ["string", "null"]}}]}],
            },
            "tools[0].function_declarations[0].parameters",
            PREFIX + "Unknown name \"type\" at 'tools[0].function_declarations[0].parameters': "
            "Proto field is not repeating, cannot start list.",
            id="a list where one is wanted",
        ),
        pytest.param(
            {"contents": HI, "generationConfig": {"responseSchema": {"type": "strang"}}},
            "generation_config.response_schema.type",
            f"Invalid value at 'generation_config.response_schema.type' ({TYPES}Type), \"strang\"",
            id="a bad enum",
        ),
        pytest.param(
            {"contents": HI, "safetySettings": [{"category": True}]},
            "safety_settings[0].category",
            f"Invalid value at 'safety_settings[0].category' ({TYPES}HarmCategory), true",
            id="an enum that is no word",
        ),
        pytest.param(
            {"contents": [{"parts": [{"text": 0}]}]},
            "contents[0].parts[0].text",
            "Invalid value at 'contents[0].parts[0].text' (TYPE_STRING), 0",
            id="a number for a text",
        ),
        pytest.param(
            {"contents": [{"parts": [{"text": {"a": 1}}]}]},
            "contents[0].parts[0]",
            "Invalid value at 'contents[0].parts[0]' (text), Starting an object on a scalar field",
            id="an object for a text",
        ),
        pytest.param(
            {"contents": ["hi"]},
            "contents[0]",
            f"Invalid value at 'contents[0]' ({TYPES}Content), \"hi\"",
            id="a text for an object",
        ),
        pytest.param(
            {"contents": HI, "generationConfig": {"temperature": "hot"}},
            "generation_config.temperature",
            "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), \"hot\"",
            id="a word for a number",
        ),
        pytest.param(
            {"contents": HI, "generationConfig": {"temperature": True}},
            "generation_config.temperature",
            "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), true",
            id="a truth for a number",
        ),
        pytest.param(
            {"contents": HI, "generationConfig": {"topK": 1.5}},
            "generation_config.top_k",
            "Invalid value at 'generation_config.top_k' (TYPE_INT32), 1.5",
            id="a fraction for a whole number",
        ),
        pytest.param(
            {"contents": HI, "generationConfig": {"topK": 2147483648}},
            "generation_config.top_k",
            "Invalid value at 'generation_config.top_k' (TYPE_INT32), 2147483648",
            id="a number of 33 bits",
        ),
        pytest.param(
            {"contents": HI, "generationConfig": {"responseLogprobs": 1}},
            "generation_config.response_logprobs",
            "Invalid value at 'generation_config.response_logprobs' (TYPE_BOOL), 1",
            id="a number for a truth",
        ),
        pytest.param(
            {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "?"}}]}]},
            "contents[0].parts[0].inline_data.data",
            "Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), "
            'Base64 decoding failed for "?"',
            id="bytes that are no base64",
        ),
        pytest.param(
            {"contents": [{"parts": [{"inlineData": {"data": "-_-/"}}]}]},
            "contents[0].parts[0].inline_data.data",
            "Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), "
            'Base64 decoding failed for "-_-/"',
            id="bytes of two alphabets",
        ),
        pytest.param(
            {"contents": [{"parts": [{"inlineData": {"data": 5}}]}]},
            "contents[0].parts[0].inline_data.data",
            "Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), 5",
            id="a number for bytes",
        ),
        pytest.param(
            {"contents": HI, "generationConfig": {"topK": "2.0"}},
            "generation_config.top_k",
            "Invalid value at 'generation_config.top_k' (TYPE_INT32), \"2.0\"",
            id="a fraction's text for a whole number",
        ),
        pytest.param(
            {"contents": HI, "generationConfig": {"temperature": "1_0"}},
            "generation_config.temperature",
            "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), \"1_0\"",
            id="a number as Python writes it",
        ),
        pytest.param(
            {"contents": HI, "generationConfig": []},
            "",
            PREFIX + 'Unknown name "generationConfig": '
            "Proto field is not repeating, cannot start list.",
            id="a list for a message, named as it came",
        ),
        pytest.param(
            {"contents": HI, "generationConfig": {"responseModalities": ["99"]}},
            "generation_config.response_modalities[0]",
            f"Invalid value at 'generation_config.response_modalities[0]' "
            f'({TYPES}GenerationConfig.Modality), "99"',
            id="a number's text that no enum has",
        ),
        pytest.param(
            {"contents": HI, "generationConfig": {"temperature": 1}, "generation_config": {}},
            "",
            "Invalid value (oneof), oneof field '_generation_config' is already set. "
            "Cannot set 'generation_config'",
            id="one field in both spellings",
        ),
        pytest.param(
            {"contents": [{"parts": [{"text": "a", "inlineData": {"data": "aGk"}}]}]},
            "contents[0].parts[0]",
            "Invalid value at 'contents[0].parts[0]' (oneof), oneof field 'data' is already set. "
            "Cannot set 'inlineData'",
            id="two of which one may be",
        ),
        pytest.param(
            {
                "contents": HI,
                "generationConfig": {"responseSchema": {"properties": "none"}},
            },
            "generation_config.response_schema.properties",
            "Invalid value at 'generation_config.response_schema.properties' (Map), \"none\"",
            id="a text for a map",
        ),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(
    ask: Ask, body: object, path: str, text: str
) -> None:
    """The path is in snake_case, in the text and in the violation's field."""
    error = error_of(ask(body))

    assert error["message"] == text
    assert error["details"] == [
        {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [
                {"field": path, "description": text} if path else {"description": text}
            ],
        }
    ]


@pytest.mark.parametrize("body", [b"[]", b'"hi"'])
def test_what_is_no_message_is_refused(ask: Ask, body: bytes) -> None:
    """Another kind of JSON."""
    error = error_of(ask(body))
    text = PREFIX + 'Unknown name "": Root element must be a message.'

    assert error["message"] == text
    assert error["details"][0]["fieldViolations"] == [{"description": text}]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            b'{"contents": hi}',
            PREFIX + "Unexpected token.\nhi}\n^",
        ),
        (
            b'{"contents": [{"parts": [{"text": "a"} {"text": "b"}]}]}',
            PREFIX + "Expected , or ] after array value.\n"
            'ts": [{"text": "a"} {"text": "b"}]}]}\n' + " " * 20 + "^",
        ),
        (
            b'{"contents": ' + b"9" * 5000 + b"}",
            PREFIX + "Number exceeds the range of double.\n"
            '{"contents": 99999999999999999999\n             ^',
        ),
        (b"[" * 100_000, PREFIX + "Message too deep. Max recursion depth reached for key ''"),
        (
            b'{"it\'s": {}, deep: ' + b'{"items": ' * 100 + b"1" + b"}" * 101,
            PREFIX + "Message too deep. Max recursion depth reached for key 'items'",
        ),
    ],
)
def test_what_is_no_json_is_refused(ask: Ask, body: bytes, text: str) -> None:
    """And nothing but the message says why."""
    assert error_of(ask(body)) == {"code": 400, "message": text, "status": "INVALID_ARGUMENT"}


def test_a_hundred_levels_are_not_too_deep(ask: Ask) -> None:
    """What comes after them is looked at."""
    body = b'{"a": [], "b": ' + b"[" * 99 + b"]" * 99 + b"}"

    assert error_of(ask(body))["message"] == (
        PREFIX + 'Unknown name "a": Cannot find field.\n' + PREFIX
        + 'Unknown name "b": Cannot find field.'
    )  # fmt: skip


@pytest.mark.parametrize("body", [b"\xff\xfe", b'{"contents": "\xff"}'])
def test_no_bytes_are_too_strange(ask: Ask, body: bytes) -> None:
    """An answer, whatever came."""
    assert error_of(ask(body))["message"] == "Request contains an invalid argument."


@pytest.mark.parametrize(
    "config",
    [
        {"topK": "2", "temperature": "1e-1", "topP": "Infinity", "maxOutputTokens": 9.0},
        {"responseModalities": ["1", 1, 1.0, "text"], "responseLogprobs": "false"},
        {"responseSchema": {"type": 1, "maxLength": "9223372036854775807"}},
    ],
)
def test_numbers_come_as_texts_and_enums_as_numbers(ask: Ask, config: object) -> None:
    """Whatever protobuf's JSON allows; the whole range of 64 bits."""
    assert ask({"contents": HI, "generationConfig": config}).ok


@pytest.mark.parametrize("data", ["QUI=", "QUI", "_-8=", "/+8", "QUJD\nREVG\r\n"])
def test_bytes_come_in_either_alphabet(ask: Ask, data: str) -> None:
    """With padding or without, in one line or in many."""
    assert ask({"contents": [{"parts": [{"inlineData": {"data": data}}]}]}).ok


def test_what_comes_twice_is_joined(gemini: Gemini, ask: Ask) -> None:
    """Lists follow each other, messages are merged, and of texts the last one stays."""
    body = (
        b'{"model": "a", "contents": [{"parts": [{"text": "one"}]}], "model": "b",'
        b'"contents": {"parts": {"text": "two"}, "role": "user"},'
        b'"toolConfig": {"functionCallingConfig": {"mode": "ANY"}},'
        b'"toolConfig": {"functionCallingConfig": {"mode": "NONE"}, "retrievalConfig": {}},'
        b'"labels": {"a": "1"}, "labels": {"b": "2"}}'
    )

    assert ask(body).ok
    assert gemini.requests[0].body == {
        "model": "b",
        "contents": [
            {"parts": [{"text": "one"}]},
            {"parts": [{"text": "two"}], "role": "user"},
        ],
        "tool_config": {"function_calling_config": {"mode": "NONE"}, "retrieval_config": {}},
        "labels": {"b": "2"},
    }


def test_a_part_says_one_thing_once(ask: Ask) -> None:
    """Its text twice is as wrong as a text and an image."""
    error = error_of(ask(b'{"contents": [{"parts": [{"text": "a", "text": "b"}]}]}'))

    assert error["message"] == (
        "Invalid value at 'contents[0].parts[0]' (oneof), oneof field 'data' is already set. "
        "Cannot set 'text'"
    )


def test_json_that_says_it_is_a_form_is_refused(gemini: Gemini, ask: Ask) -> None:
    """As curl and urllib send it, unless they are told what it is."""
    headers = {
        "x-goog-api-key": gemini.api_key,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    text = (
        'Invalid JSON payload received. Unknown name "{"contents": []}": Cannot bind query '
        "parameter. Field '{\"contents\": []}' could not be found in request message."
    )

    refused = error_of(ask(b'{"contents": []}', headers=headers))
    taken = ask(json.dumps({"contents": HI}).encode(), headers={**headers, "Content-Type": ""})

    assert refused["message"] == text
    assert refused["details"][0]["fieldViolations"] == [{"description": text}]
    assert taken.ok


def test_a_parameter_that_there_is_not_is_refused(ask: Ask) -> None:
    """Of the query, too; those that all of Google's APIs know are taken."""
    text = (
        'Invalid JSON payload received. Unknown name "think": Cannot bind query parameter. '
        "Field 'think' could not be found in request message."
    )

    error = error_of(ask({"contents": HI}, params={"think": "1", "alt": "json"}))

    assert error["message"] == text
    assert error["details"][0]["fieldViolations"] == [{"description": text}]
    for name in ("alt", "$alt", "prettyPrint", "upload_protocol", "quotaUser"):
        assert ask({"contents": HI}, params={name: "json"}).status_code == 200


def test_enums_may_be_numbers(gemini: Gemini, ask: Ask) -> None:
    """A number means its name, and one without a name is taken as it is."""
    settings = [{"category": 7, "threshold": 1}, {"category": 8, "threshold": 99}]

    assert ask({"contents": HI, "safetySettings": settings}).status_code == 200
    assert gemini.requests[0].body["safety_settings"] == [
        {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_LOW_AND_ABOVE"},
        {"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": 99},
    ]


@pytest.mark.parametrize(
    "part",
    [
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        {"inline_data": {"mime_type": "image/png", "data": "-_-_"}},
        {"fileData": {"fileUri": "https://example.org/a.pdf"}},
        {"executableCode": {"language": "python", "code": "1"}},
        {"codeExecutionResult": {"outcome": 1}},
        {"text": "hi", "thought": "true"},
        {"text": "hi", "thought": "false"},
        {"text": None, "fileData": {}},
    ],
)
def test_parts_of_every_kind_are_taken(ask: Ask, part: object) -> None:
    """Enums in any case and by number, base64 of both alphabets, null for nothing."""
    assert ask({"contents": [{"parts": [part]}]}).status_code == 200


def test_a_schema_in_google_s_own_spelling_is_taken(ask: Ask) -> None:
    """Types in lower case, as Google's own examples have them."""
    schema = {
        "type": "object",
        "properties": {"n": {"type": "STRING", "minItems": "1", "enum": ["a"]}},
        "anyOf": [{"type": "null"}],
        "default": {"n": 1},
    }
    config = {"responseMimeType": "application/json", "responseSchema": schema}

    assert ask({"contents": HI, "generationConfig": config}).status_code == 200


WORDS = st.sampled_from(
    [
        "contents",
        "parts",
        "text",
        "role",
        "user",
        "generationConfig",
        "top_k",
        "tools",
        "properties",
    ]
)
# An alphabet of one's own: hypothesis takes seconds to list all of Unicode's.
TEXT = st.text("aZ0_ \t\n\"\\'{}[]:,é☃\U0001f600\x00\x7f", max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | TEXT, inner, max_size=3),
)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[None]:
    """Hypothesis writes nothing into the checkout, where pytest would stumble over it."""
    configuration.set_hypothesis_home_dir(tmp_path)
    yield
    configuration.set_hypothesis_home_dir(None)


@pytest.mark.usefixtures("storage")
def test_any_json_is_answered() -> None:
    """With 200 or 400, and nothing goes wrong inside the fake."""
    with Gemini() as gemini, requests.Session() as session:
        url = f"{gemini.url}/v1/models/gemini-3.8-flash:generateContent"
        session.headers["x-goog-api-key"] = gemini.api_key

        @settings(max_examples=60, deadline=None, database=None)
        @given(JSON.map(json.dumps).map(str.encode) | st.binary())
        def answered(body: bytes) -> None:
            response = session.post(url, data=body, timeout=10)

            assert response.status_code in {200, 400}
            assert gemini.errors == []

        answered()
