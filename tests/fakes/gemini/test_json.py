"""JSON as the service writes it."""

import json

import pytest
import requests

from pytest_resilience import route
from pytest_resilience_gemini import Gemini
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


class WithFiles(Gemini):
    """A method more than there are."""

    @route("GET", "/v1beta/files")
    def list_files(self, request: object) -> object:
        """None."""
        return {"files": []}


def test_a_method_of_ones_own_answers_as_the_others() -> None:
    """With the service's headers."""
    with WithFiles() as gemini:
        answer = requests.get(f"{gemini.url}/v1beta/files", timeout=10)

    assert answer.text == '{\n  "files": []\n}\n'
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
