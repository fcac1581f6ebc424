"""A judge that accuses correct code is worse than none."""

from __future__ import annotations

import pytest

from pytest_resilience import RetryPolicy
from tests.verify.zoo.keeper import CORRECT, judged
from tests.verify.zoo.kit import Specimen

QUICK = {
    "aiohttp_by_hand",
    "httpx_with_httpx_retries",
    "loop_with_retry_after",
    "requests_with_an_adapter",
    "stamina_async",
    "tenacity_decorated",
    "with_a_cache",
    "with_a_login",
}
"""Played in every run; a soak plays all of them."""

ALL = [
    pytest.param(specimen, marks=[] if specimen.name in QUICK else [pytest.mark.soak])
    for specimen in CORRECT
]


@pytest.mark.parametrize("specimen", ALL, ids=str)
def test_what_it_claims_is_true(specimen: Specimen) -> None:
    """A correct client with the policy that it claims: nothing is found."""
    verdict = judged(specimen)

    assert verdict.codes == [], verdict
    assert len(verdict.scenarios) > 10


@pytest.mark.parametrize("specimen", ALL, ids=str)
def test_the_default_policy_accuses_nobody(specimen: Specimen) -> None:
    """A correct client of which nothing is claimed: nothing is found."""
    verdict = judged(specimen, RetryPolicy())

    assert verdict.codes == [], verdict
    assert len(verdict.scenarios) > 5
