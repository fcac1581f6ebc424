"""A log contract says what it can mean, and refuses the rest where it is written."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import pytest

from pytest_resilience import LogContract, PolicyError


def test_nothing_is_claimed_of_the_numbers_by_default() -> None:
    """A contract of nothing claims levels and one line a record, which any good log has."""
    contract = LogContract()

    assert (contract.retry, contract.attempt, contract.delay, contract.json) == (None,) * 4
    assert (contract.retry_level, contract.failure_level, contract.quiet) == (30, 40, 30)
    assert contract.one_line


def test_groups_of_the_pattern_say_where_the_numbers_are() -> None:
    """`(?P<attempt>...)` is enough, and a field of another name can be told."""
    contract = LogContract(retry=r"(?P<attempt>\d+)", delay="seconds")

    assert (contract.attempt, contract.delay) == ("attempt", "seconds")
    assert dict(contract.groups) == {"attempt": 1}


def test_levels_by_name() -> None:
    """Levels are names or numbers."""
    contract = LogContract(retry_level="info", failure_level="CRITICAL", quiet=25)

    assert contract.retry_level == logging.INFO
    assert contract.failure_level == logging.CRITICAL
    assert contract.quiet == 25


def test_it_is_a_value() -> None:
    """Equal ones are equal and hash alike; none can be changed."""
    one = LogContract(json=["a"], events={"x": ["b"]})
    other = LogContract(json=("a",), events=[("x", ("b",))])

    assert one == other
    assert hash(one) == hash(other)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.longest = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ({"retry": "("}, "retry='(' is not allowed: wanted a regular expression (missing )"),
        ({"failure": 7}, "failure=7 is not allowed: wanted a regular expression"),
        ({"retry_level": "LOUD"}, "retry_level='LOUD' is not allowed: wanted a level: "),
        ({"retry_level": None}, "retry_level=None is not allowed: wanted a level"),
        ({"quiet": True}, "quiet=True is not allowed: wanted a level"),
        ({"failure_level": 1.5}, "failure_level=1.5 is not allowed: wanted a level"),
        ({"counts": "all"}, "counts='all' is not allowed: wanted failed or next"),
        ({"longest": 0}, "longest=0 is not allowed: wanted a number"),
        ({"json": "event"}, "json='event' is not allowed: wanted a list of keys"),
        ({"json": 7}, "json=7 is not allowed: wanted a list of keys"),
        ({"json": [7]}, "json=7 is not allowed: wanted a list of keys"),
        ({"events": {"x": "abc"}}, "events['x']='abc' is not allowed: wanted a list of keys"),
        ({"attempt": "n"}, "attempt='n' is not allowed: wanted a pattern of the line beside it"),
    ],
)
def test_what_cannot_be_meant(claims: dict[str, Any], text: str) -> None:
    """The error names the clause, the value and what is allowed."""
    with pytest.raises(PolicyError) as refused:
        LogContract(**claims)

    assert str(refused.value).startswith(text)
