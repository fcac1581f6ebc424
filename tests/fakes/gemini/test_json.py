"""JSON as the service writes it."""

import json

import pytest

from pytest_resilience_gemini._wire import pretty


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        None,
        True,
        0,
        -1.5,
        'é\n"☃\U0001f600\x00',
        {"a": {}, "b": [], "c": [1, [2.0, False], {"d": None}], "": "x"},
        [{"a": 1}, (), (1, 2)],
    ],
)
def test_it_is_two_blanks_deep(data: object) -> None:
    """As the standard library would write it, with a newline at the end."""
    assert pretty(data) == json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def test_angle_brackets_are_escaped() -> None:
    """In texts and names; nowhere else are there any."""
    assert pretty({"<a>": "<b>"}) == '{\n  "\\u003ca\\u003e": "\\u003cb\\u003e"\n}\n'
