"""Odd things that are to be read as a policy: one clear line each."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import stamina
import tenacity
import urllib3

from pytest_resilience import Backoff, PolicyError, RetryPolicy


def decorated(**said: Any) -> Any:
    return tenacity.retry(**said)(lambda: None)


THREE = tenacity.stop_after_attempt(3)
PARTS = "whose parts make no sense"


@pytest.mark.parametrize(
    ("read", "source", "said"),
    [
        (RetryPolicy.from_urllib3, urllib3.Retry(3, backoff_factor="x"), PARTS),  # type: ignore[arg-type]  # the case
        (RetryPolicy.from_urllib3, urllib3.Retry(3, backoff_factor=float("nan")), "0 or more"),
        (RetryPolicy.from_urllib3, urllib3.Retry(3, status_forcelist=503), PARTS),  # type: ignore[arg-type]  # the case
        (RetryPolicy.from_urllib3, urllib3.Retry(2000), "wanted at most 1000 attempts"),
        (RetryPolicy.from_tenacity, decorated(stop=tenacity.stop_after_attempt(10**7)), "at most"),
        (RetryPolicy.from_tenacity, decorated(stop=tenacity.stop_after_attempt(None)), PARTS),  # type: ignore[arg-type]  # the case
        (RetryPolicy.from_tenacity, decorated(stop=THREE, wait=tenacity.wait_chain()), PARTS),
        (
            RetryPolicy.from_tenacity,
            decorated(stop=THREE, wait=tenacity.wait_fixed(float("nan"))),
            "0 or more",
        ),
        (RetryPolicy.from_stamina, stamina.retry_context(on=OSError, attempts=10**7), "at most"),
        (RetryPolicy.parse, None, "parse(text)=None is not allowed: wanted one line of text"),
        (RetryPolicy.parse, b"4 attempts", "wanted one line of text"),
        (RetryPolicy.from_toml, 5, "from_toml(source)=5 is not allowed: wanted a path"),
    ],
    ids=itertools.count(),
)
def test_one_line_says_what_is_odd(
    read: Callable[[Any], RetryPolicy], source: object, said: str
) -> None:
    """It is no error of ours, nor of the library that the object is of."""
    with pytest.raises(PolicyError) as caught:
        read(source)

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_is_left_of_what_is_retried() -> None:
    """A class of statuses gives way to some of them, and not to all."""
    with pytest.raises(PolicyError, match="less than all that statuses says is retried"):
        RetryPolicy(statuses=["5xx"], never_statuses=["5xx"])


def test_a_wait_beyond_all_numbers() -> None:
    """It is as good as endless."""
    assert Backoff(1e308, factor=1e308).range(3) == (1e15, 1e15)
    assert Backoff(1e308, factor=1e308, cap=1e308).range(1) == (1e308, 1e308)
