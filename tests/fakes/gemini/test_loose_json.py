"""What Google's front end takes for JSON, and what it says of the rest."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pytest_resilience_gemini import _json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1,}', {"a": 1}),
        ("[1, 2, ]", [1, 2]),
        ("{'a': 'it\\'s', \"b\": '\"'}", {"a": "it's", "b": '"'}),
        ("{a: 1, $b_2: [true, false, null, {},],}", {"a": 1, "$b_2": [True, False, None, {}]}),
        ("{nully: 1, true2: 2}", {"nully": 1, "true2": 2}),
        ('"two\nlines\tand\x00"', "two\nlines\tand\x00"),
        ('"\\v\\q\\/\\b\\f\\n\\r\\t\n"', "\vq/\b\f\n\r\t\n"),
        ("'\\u00e9\\ud83d\\uDE00'", "é\U0001f600"),
        ("\v{\f}\r", {}),
        ("[-0, -1.5e1, 18446744073709551616,]", [0, -15.0, 18446744073709551616]),
    ],
)
def test_more_than_json_is_taken(text: str, value: object) -> None:
    """Commas at the end, single quotes, names without quotes, any character in a text."""
    assert _json.read(text) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # What more text might have cured is found at the end: what stood before is gone.
        ("", "Unexpected end of string. Expected a value.\n\n^"),
        ("{", "Unexpected end of string. Expected an object key or }.\n\n^"),
        ('{"a"', "Unexpected end of string. Expected : between key:value pair.\n\n^"),
        ('{"a": ', "Unexpected end of string. Expected a value.\n\n^"),
        ('{"a": 1 ', "Unexpected end of string. Expected , or } after key:value pair.\n\n^"),
        ("[", "Unexpected end of string. Expected a value or ] within an array.\n\n^"),
        ("[1", "Unexpected end of string. Expected , or ] after array value.\n\n^"),
        ('{"a": "b', "Closing quote expected in string.\n\n^"),
        ('{"a": "b\\', "Closing quote expected in string.\n\\\n^"),
        ('["\\u00', "Illegal hex string.\n\\u00\n^"),
        ('["\\ud83d"]', 'Missing low surrogate.\n\\ud83d"]\n^'),
        ("[tru]", "Unexpected token.\ntru]\n^"),
        ('{"a": @}', "Expected a value.\n@}\n^"),
        ("[@]", "Expected a value or ] within an array.\n@]\n^"),
        ("[1 @]", "Expected , or ] after array value.\n@]\n^"),
        ("\ufeff{}", "Expected a value.\n\ufeff{}\n^"),
        # The rest at once, with twenty characters to either side.
        ('{"contents": nothing at all}', ('Unexpected token.\n{"contents": nothing at all}\n'
         "             ^")),
        ("[1 2]", "Expected , or ] after array value.\n[1 2]\n   ^"),
        ('{"a" 1}', 'Expected : between key:value pair.\n{"a" 1}\n     ^'),
        ('{"a": 1 "b": 2}', 'Expected , or } after key:value pair.\n{"a": 1 "b": 2}\n        ^'),
        ("{,}", "Expected an object key or }.\n{,}\n ^"),
        ("{1: 2}", "Expected an object key or }.\n{1: 2}\n ^"),
        ("{true: 1}", "Expected an object key or }.\n{true: 1}\n     ^"),
        ('{"a": 1} {"b": 2}', ('Parsing terminated before end of input.\n{"a": 1} {"b": 2}\n'
         "         ^")),
        ('["\\u00zz"]', 'Invalid escape sequence.\n["\\u00zz"]\n  ^'),
        ('["\\ud83d, and more"]', 'Missing low surrogate.\n["\\ud83d, and more"]\n  ^'),
        ('["\\ud83d\\u0041"]', 'Invalid low surrogate.\n["\\ud83d\\u0041"]\n  ^'),
        ('["\\ude00"]', 'Invalid unicode code point.\n["\\ude00"]\n  ^'),
        ("[01]", "Octal/hex numbers are not valid JSON values.\n[01]\n ^"),
        ("[0x1f]", "Octal/hex numbers are not valid JSON values.\n[0x1f]\n ^"),
        ("[-]", "Unable to parse number.\n[-]\n ^"),
        ("[1.2.3]", "Unable to parse number.\n[1.2.3]\n ^"),
        ("[1e400]", "Number exceeds the range of double.\n[1e400]\n ^"),
        ('{"temperature": NaN, "seed": 1}',
         'Unexpected token.\n{"temperature": NaN, "seed": 1}\n                ^'),
        ('{"temperature": -Infinity}',
         'Unable to parse number.\n{"temperature": -Infinity}\n                ^'),
    ],
)  # fmt: skip
def test_the_words_say_where_it_ends(text: str, said: str) -> None:
    """Those of protobuf's parser, with the place below."""
    with pytest.raises(_json.Malformed) as caught:
        _json.read(text)

    assert str(caught.value) == said


def test_nothing_that_comes_twice_is_lost() -> None:
    """A plain dict would keep the last one only."""
    value = _json.read('{"a": 1, "b": {"c": 2, "c": 3}, "a": 4}')

    assert list(value.items()) == [("a", 1), ("b", {"c": 3}), ("a", 4)]
    assert list(value["b"].items()) == [("c", 2), ("c", 3)]


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=10,
)  # fmt: skip


@pytest.mark.parametrize("number", [2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**19 + 1, 10**30])
def test_whole_numbers_are_exact_where_64_bits_hold_them(number: int) -> None:
    """Beyond, they are doubles."""
    (read,) = _json.read(f"[{number},]")

    assert read == (number if -(2**63) <= number < 2**64 else float(number))
    assert isinstance(read, int) is (-(2**63) <= number < 2**64)


@given(JSON)
def test_what_is_json_is_read_as_json(value: Any) -> None:
    """Strictly, and as loosely as the rest."""
    text = json.dumps(value)

    assert _json.read(text) == value
    assert _json.read(f"[{text},]") == [value]


@given(st.text(st.sampled_from("{}[]:,'\"\\u0dt rue1-.e@n")))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing else is raised."""
    with suppress(_json.Malformed):
        _json.read(text)
