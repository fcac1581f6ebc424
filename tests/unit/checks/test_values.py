"""What calls have returned, compared without knowing what it is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import requests
import urllib3

from pytest_resilience.checks.values import is_raw, lacks, plain


@dataclasses.dataclass
class Point:
    x: int


class Thing:
    def __init__(self) -> None:
        self.name = "a thing"


class Bare:
    __slots__ = ()


def read(body: bytes) -> requests.Response:
    response = requests.Response()
    response._content = body
    return response


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (None, None),
        (1.5, 1.5),
        (bytearray(b"ab"), b"ab"),
        ({1: (2, {3})}, {"1": [2, [3]]}),
        (ValueError("no"), ["ValueError", "no"]),
        (Point(1), {"x": 1}),
        (Thing(), {"name": "a thing"}),
        (Bare(), "Bare"),
        (Point, "type"),
        (read(b"whole"), b"whole"),
        (requests.Response(), "Response"),
        (urllib3.HTTPResponse(b"", preload_content=False), "HTTPResponse"),
    ],
)
def test_plain(value: object, seen: Any) -> None:
    """Data stay data, objects are their attributes, responses the body that was read."""
    if value is Point:
        assert isinstance(plain(value), dict | str)
    else:
        assert plain(value) == seen


def test_plain_ends() -> None:
    """A value that holds itself is looked into only so deep."""
    ring: list[object] = []
    ring.append(ring)

    assert plain(ring, 2) == [["list"]]


@pytest.mark.parametrize(
    ("value", "whole", "less"),
    [
        ({"a": 1}, {"a": 1}, False),
        ({}, {"a": 1}, True),
        ({"a": "x"}, {"a": "xyz"}, True),
        ([1], [1, 2], True),
        ([1, 2], [1, 2], False),
        ([1, "a"], [1, "ab"], True),
        ("2024", "2025", False),
        (b"ab", b"abc", True),
        ("text", {"a": 1}, True),
        (3, 7, True),
        (1.5, 2.5, False),
        (None, {"a": 1}, True),
        (True, True, False),
        (False, True, True),
    ],
)
def test_lacks(value: object, whole: object, less: bool) -> None:  # noqa: FBT001 -- a column
    """Less is shorter, or of another kind; times and identifiers may differ."""
    assert lacks(value, whole) is less


def test_raw() -> None:
    """A body as it came is the caller's to look into."""
    assert is_raw("text")
    assert is_raw(read(b""))
    assert not is_raw({"a": 1})
