"""Answers that are not whole: what is found when a call takes them, and what is let pass."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from pytest_resilience import RetryPolicy
from pytest_resilience.checks import answers
from pytest_resilience.checks.observation import Call
from tests.unit.checks.seen import call, seen

WHOLE = {"ids": [1, 2, 3], "total": 3}
PLAIN = RetryPolicy()


def codes(found: Any) -> list[str]:
    return [finding.code for finding in found]


@pytest.mark.parametrize(
    ("value", "whole", "found"),
    [
        (WHOLE, WHOLE, []),
        ({"ids": [9, 8, 7], "total": 4}, WHOLE, []),
        ({"ids": [1], "total": 3}, WHOLE, ["truncated-accepted"]),
        ({}, WHOLE, ["truncated-accepted"]),
        (b"who", b"whole", ["truncated-accepted"]),
        (0, 3, ["truncated-accepted"]),
        (None, WHOLE, ["error-swallowed"]),
        (False, WHOLE, ["error-swallowed"]),
        (False, True, []),  # A health check.
        (False, False, []),
        ((None, OSError("reset")), ({}, None), []),  # It tells who looks.
        (SimpleNamespace(results={"one": OSError("reset")}), WHOLE, []),
        ([requests.Response(), 1], [WHOLE, 2], ["truncated-accepted"]),
        # What was measured or counted, and is the same number, but not the same object.
        (float("0"), float("0"), []),
    ],
)
def test_an_answer_that_broke_off(value: object, whole: object, found: list[str]) -> None:
    """It is found when less came back than undisturbed, or nothing in place of something."""
    observation = seen(call(0, last=None, value=value), baseline=whole)

    assert codes(answers.truncated(observation, PLAIN)) == found


def test_who_claims_to_raise_does_not_say_no() -> None:
    """Neither to an answer that broke off, nor to one that is no JSON."""
    observation = seen(call(0, last=None, value=False), baseline=True)
    policy = RetryPolicy(raises=OSError)

    assert codes(answers.truncated(observation, policy)) == ["error-swallowed"]
    assert codes(answers.malformed(observation, policy)) == ["error-swallowed"]


@pytest.mark.parametrize("value", [None, False])
def test_a_call_that_returns_nothing_has_lost_nothing(value: object) -> None:
    """Nobody reads an answer from it, whether it says None or False."""
    observation = replace(seen(call(0, last=None, value=value)), baseline=Call(0, 0, None))

    assert codes(answers.truncated(observation, PLAIN)) == []


@pytest.mark.parametrize(
    "made",
    [
        call(0, last=None, error=OSError("reset")),
        call(0, 1, last=200, value={}),
        Call(0, 5, {}),
        Call(0, None),
    ],
)
def test_who_raises_or_goes_on_has_not_taken_it(made: Call) -> None:
    """An exception, a whole answer in the end, no attempt at all, and no end."""
    assert codes(answers.truncated(seen(made, baseline=WHOLE), PLAIN)) == []


@pytest.mark.parametrize(
    ("value", "whole", "shapes"),
    [
        ("se", "secret", ("str of 2", "str of 6")),
        (b"", b"secret", ("bytes of 0", "bytes of 6")),
        ({}, {"token": "secret"}, ("dict of 0", "dict of 1")),
        ([1], [1, 2], ("list of 1", "list of 2")),
        (1, 2, ("int", "int")),
    ],
)
def test_the_evidence_shows_no_contents(
    value: object, whole: object, shapes: tuple[str, str]
) -> None:
    """Only of what kind a value is and how long; it may be secret."""
    observation = seen(call(0, last=None, value=value), baseline=whole)

    (finding,) = answers.ended_early(observation, PLAIN)

    assert finding.code == "short-stream-accepted"
    assert finding.sentence == "a stream that ended early was taken for a good one"
    assert finding.evidence[1:] == (f"returned: {shapes[0]}", f"undisturbed: {shapes[1]}")


def response(body: bytes) -> requests.Response:
    """One that has been read."""
    read = requests.Response()
    read._content = body
    return read


@pytest.mark.parametrize(
    ("value", "whole", "validates", "found"),
    [
        ({}, WHOLE, None, ["malformed-accepted"]),
        (None, WHOLE, None, ["error-swallowed"]),
        # A body as it came, and the response itself, which its caller looks into.
        ('{"ids": [', '{"ids": [1]}', None, []),
        (response(b'{"ids": ['), WHOLE, None, []),
        ('{"ids": [', '{"ids": [1]}', True, ["malformed-accepted"]),
        (response(b'{"ids": ['), WHOLE, True, ["malformed-accepted"]),
    ],
)
def test_an_answer_that_is_no_json(
    value: object, whole: object, *, validates: bool | None, found: list[str]
) -> None:
    """It is left to the caller where he gets what came, unless it is claimed to be looked at."""
    observation = seen(call(0, value=value), baseline=whole)

    assert codes(answers.malformed(observation, RetryPolicy(validates=validates))) == found
