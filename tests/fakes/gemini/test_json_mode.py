"""JSON mode: data that fits a schema, whether told or not."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from pytest_resilience import PlanError
from pytest_resilience_gemini import Gemini, Reply

Ask = Callable[..., requests.Response]


def said(response: requests.Response) -> str:
    """The text of an answer."""
    text: str = response.json()["candidates"][0]["content"]["parts"][0]["text"]
    return text


def asking(**config: Any) -> dict[str, Any]:
    """A request that wants JSON."""
    return {
        "contents": [{"parts": [{"text": "hi"}]}],
        "generationConfig": {"responseMimeType": "application/json", **config},
    }


def test_data_can_be_told(gemini: Gemini, ask: Ask) -> None:
    """Reply.json is its text."""
    gemini.say(Reply.json({"name": "Zoë", "n": [1, None]}))

    assert said(ask(asking())) == '{"name": "Zoë", "n": [1, null]}'


@pytest.mark.parametrize("data", [{1, 2}, float("nan")])
def test_what_is_no_data_is_refused(data: Any) -> None:
    """Where it is written."""
    with pytest.raises(PlanError, match=r"Reply.json\("):
        Reply.json(data)


@pytest.mark.parametrize("data", [{}, []])
def test_data_by_itself_is_not_said(gemini: Gemini, data: Any) -> None:
    """The error says how."""
    with pytest.raises(PlanError, match=r"want a text, .*; data is Reply.json\(...\)"):
        gemini.say(data)


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        ({"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}, {"a": "text"}),
        (
            {
                "type": "OBJECT",
                "properties": {"a": {"type": "NUMBER"}, "b": {"type": "BOOLEAN"}},
                "propertyOrdering": ["b", "a"],
            },
            {"b": True, "a": 0.5},
        ),
        ({"type": "ARRAY", "items": {"type": "INTEGER", "minimum": 7}, "minItems": "2"}, [7, 7]),
        ({"type": "ARRAY", "items": {"type": "NUMBER", "minimum": 2}}, [2.0]),
        ({"type": "STRING", "enum": ["b", "a"]}, "b"),
        ({"type": "STRING", "format": "date-time"}, "2026-01-01T00:00:00Z"),
        ({"type": "STRING", "minLength": 6}, "texttt"),
        ({"anyOf": [{"type": "NULL"}, {"type": "STRING"}]}, None),
        ({"type": "INTEGER", "default": 3}, 3),
        ({"type": "OBJECT"}, {}),
    ],
)
def test_untold_it_fits_the_schema(ask: Ask, schema: dict[str, Any], data: Any) -> None:
    """The same data each time."""
    assert json.loads(said(ask(asking(responseSchema=schema)))) == data


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        (
            {
                "type": "object",
                "properties": {"user": {"$ref": "#/$defs/User"}, "tag": {"const": "x"}},
                "$defs": {"User": {"properties": {"age": {"type": ["null", "integer"]}}}},
            },
            {"user": {"age": 1}, "tag": "x"},
        ),
        ({"type": ["null"]}, None),
        ({"$ref": "#/$defs/Missing/deeper"}, "text"),
        ({"$ref": "#/title", "title": "No schema."}, "text"),
        ({"$ref": "elsewhere.json", "type": "boolean"}, True),
        ({"oneOf": [{"type": "integer", "minimum": 4}]}, 4),
        ("no schema", "text"),
        ({"type": "array", "maxItems": 0}, []),
        ({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]}, [1, "text"]),
        ({"prefixItems": [{"type": "null"}], "items": {"type": "integer"}, "minItems": 3},
         [None, 1, 1]),
        ({"items": {"type": "integer"}, "minItems": 2, "uniqueItems": True}, [1, 2]),
        ({"items": {"type": "number", "minimum": 2}, "minItems": 2, "uniqueItems": True}, [2, 3]),
        ({"items": {"type": "string"}, "minItems": 2, "uniqueItems": True}, ["text", "text1"]),
        ({"items": {"type": "boolean"}, "minItems": 2, "uniqueItems": True}, [True, False]),
        ({"items": {"enum": ["a", "b"]}, "minItems": 2, "uniqueItems": True}, ["a", "b"]),
        ({"type": "string", "maxLength": 2}, "te"),
        ({"type": "string", "minLength": 5, "maxLength": 6}, "textt"),
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"type": "string", "format": "uuid"}, "00000000-0000-4000-8000-000000000000"),
        ({"type": "string", "format": "of my own"}, "text"),
        ({"type": "integer", "minimum": 1.5}, 2),
        ({"type": "integer", "maximum": 0}, 0),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "integer", "exclusiveMaximum": 1}, 0),
        ({"type": "integer", "minimum": 8, "multipleOf": 7}, 14),
        ({"type": "integer", "maximum": 13, "multipleOf": 7}, 0),
        ({"type": "number", "maximum": -3}, -3.0),
        ({"type": "number", "exclusiveMinimum": 1, "maximum": 2}, 1.5),
        ({"type": "number", "exclusiveMinimum": 1}, 2.0),
        ({"type": "object", "minProperties": 2, "additionalProperties": {"type": "integer"}},
         {"key1": 1, "key2": 1}),
        ({"type": "object", "required": ["a"]}, {"a": "text"}),
        ({"type": "object", "required": ["a"], "additionalProperties": False}, {}),
        (
            {
                "properties": {"a": {"type": "integer"}},
                "allOf": [
                    {"properties": {"b": {"type": "null"}}, "required": ["b"]},
                    {"$ref": "#/$defs/C"},
                ],
                "anyOf": [{"required": ["d"]}, {"required": ["e"]}],
                "$defs": {"C": {"type": "object", "properties": {"c": {"type": "boolean"}}}},
            },
            {"a": 1, "b": None, "c": True, "d": "text"},
        ),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}], "minimum": 3}, 3),
    ],
)  # fmt: skip
def test_a_json_schema_is_understood(ask: Ask, schema: Any, data: Any) -> None:
    """With references, constants, choices and bounds."""
    assert json.loads(said(ask(asking(responseJsonSchema=schema)))) == data


def test_a_schema_that_contains_itself_ends(ask: Ask) -> None:
    """Where it may be empty it is, from some depth on."""
    tree = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "twins": {"type": "array", "items": {"$ref": "#"}},
            "twin": {"$ref": "#"},
        },
        "required": ["name", "twin"],
    }
    tree["$defs"] = {"Tree": tree.copy()}
    text = json.dumps(asking(responseJsonSchema=tree)).replace('"#"', '"#/$defs/Tree"')

    data = json.loads(said(ask(text.encode())))

    assert data["name"] == "text"
    assert data["twin"]["twins"][0]["name"] == "text"
    assert len(json.dumps(data)) < 1_000_000


def test_a_schema_that_is_made_of_itself_ends(ask: Ask) -> None:
    """All of itself, and more."""
    loop = {"$defs": {"A": {"allOf": [{"$ref": "#/$defs/A"}], "type": "integer"}}}

    assert json.loads(said(ask(asking(responseJsonSchema={**loop, "$ref": "#/$defs/A"})))) == 1


def test_without_a_schema_it_is_json_all_the_same(ask: Ask) -> None:
    """Some."""
    assert json.loads(said(ask(asking()))) == "text"


def test_an_enum_is_one_of_its_words(ask: Ask) -> None:
    """As plain text."""
    schema = {"type": "STRING", "enum": ["Percussion", "String"]}
    body = asking(responseMimeType="text/x.enum", responseSchema=schema)

    assert said(ask(body)) == "Percussion"
