"""Kinds and names of JSON data, and where two of them differ."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_resilience.recording import bodies
from pytest_resilience.recording.shape import mismatches, shape_of


def told(wanted: Any, came: Any) -> list[tuple[str, str, str]]:
    """The mismatches of one value with another."""
    return [
        (one.place, one.wanted, one.came)
        for one in mismatches(shape_of([wanted]), shape_of([came]))
    ]


@pytest.mark.parametrize(
    ("wanted", "came"),
    [
        ({"a": 1, "b": "x"}, {"b": "y", "a": 2.5}),
        ([1, 2, 3], []),
        ([], [{"a": 1}]),
        ([{"a": 1}, {"a": 1, "b": 2}], [{"a": 3}]),
        ([{"a": 1}, {"a": None}], [{"a": 3}]),
        ({"keys": {"8f14e45fceea167a5a36dedd4bea2543": {"n": 1}}}, {"keys": {"17": {"n": 2}}}),
        ({"{{client_token.1}}": True}, {"0": False}),
        (None, None),
    ],
)
def test_alike(wanted: Any, came: Any) -> None:
    """Other values, other lengths, other ids as names: the same shape."""
    assert told(wanted, came) == []


@pytest.mark.parametrize(
    ("wanted", "came", "difference"),
    [
        ({"a": 1}, {}, ("a", "a number", "nothing")),
        ({}, {"a": {}}, ("a", "nothing", "an object")),
        ({"a": True}, {"a": 1}, ("a", "a boolean", "a number")),
        ({"a": {"b": None}}, {"a": {"b": ""}}, ("a.b", "null", "a text")),
        ({"a": [{"b": "x"}]}, {"a": [{"b": 1}]}, ("a[].b", "a text", "a number")),
        ({"a": [1, "x"]}, {"a": [None]}, ("a[]", "a number or a text", "null")),
        ([], {}, ("", "a list", "an object")),
        ({"1234": 1}, {"1": "x"}, ("<key>", "a number", "a text")),
    ],
)
def test_not_alike(wanted: Any, came: Any, difference: tuple[str, str, str]) -> None:
    """The place, what was wanted, and what came."""
    assert told(wanted, came) == [difference]


@pytest.mark.parametrize(
    ("body", "kind", "read"),
    [
        (b"", "application/json", ("nothing", None)),
        (b" \n", "", ("nothing", None)),
        (b'{"a": 1}', "text/html", ("JSON", {"a": 1})),
        (b"17", "application/json; charset=utf-8", ("JSON", 17)),
        (b"17", "application/problem+json", ("JSON", 17)),
        (b"17", "text/plain", ("text", "17")),
        (b"<p>", "application/json", ("text", "<p>")),
        (b"\xff", "", ("bytes", b"\xff")),
        (b'{"error": 1}', "text/event-stream", ("JSON", {"error": 1})),
        (b"[" * 100_000, "", ("text", "[" * 100_000)),
        (b'{"a": 1}\n\nend\n', "application/x-ndjson", ("events", [{"a": 1}, None, "end"])),
        (
            b'event: x\r\ndata: {"a":\r\ndata: 1}\r\n\r\n: ping\r\n\r\ndata:\r\n\r\ndata: end',
            "Text/Event-Stream",
            ("events", [{"a": 1}, None, "end"]),
        ),
    ],
)
def test_what_a_body_is(body: bytes, kind: str, read: tuple[str, Any]) -> None:
    """What it says it is counts less than what it is."""
    assert bodies.read(body, kind) == read
