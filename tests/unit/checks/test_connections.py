"""What calls that failed have left open, and what a pool has then no more of."""

from __future__ import annotations

import pytest

from pytest_resilience import RetryPolicy
from pytest_resilience.checks import connections
from pytest_resilience.checks.connections import Held
from tests.unit.checks.seen import call, seen

UNCLOSED = "ResourceWarning: unclosed <socket.socket fd=7>"


@pytest.mark.parametrize(
    ("held", "codes"),
    [
        (Held([1, 1, 1, 1], 0, "", []), []),
        (Held([2, 2], 1, "", []), []),
        (Held([1, 2, 3, 4], 0, "", []), ["connection-leaked"]),
        (Held([1, 1, 1, 1], 0, "", [UNCLOSED]), ["connection-leaked"]),
        (Held([1, 2, 3, 4], 4, "", []), ["response-not-closed"]),
        (Held([1, 2], 2, "PoolTimeout", []), ["pool-exhausted", "response-not-closed"]),
        # Where nobody knows of a response, there is nothing more to say of it.
        (Held([1, 2], 0, "PoolTimeout", []), ["pool-exhausted"]),
    ],
)
def test_what_is_held_has_one_name(held: Held, codes: list[str]) -> None:
    """And the pool that it used up another."""
    found = connections.given_back(seen(call(0), call(1), held=held), RetryPolicy())

    assert [finding.code for finding in found] == codes


def test_who_waits_for_ever_has_given_up_nothing() -> None:
    """And what the collector closed is closed."""
    warned, leaked = Held([1, 1, 1], 0, "", [UNCLOSED]), Held([1, 2, 3], 0, "", [UNCLOSED])

    found = [
        list(connections.given_up(seen(call(0)), RetryPolicy())),
        list(connections.given_up(seen(call(0), held=warned), RetryPolicy())),
        list(connections.given_up(seen(call(0), held=leaked), RetryPolicy())),
    ]

    assert [[finding.code for finding in one] for one in found] == [[], [], ["connection-leaked"]]
    assert not any(UNCLOSED in line for line in found[2][0].evidence)
