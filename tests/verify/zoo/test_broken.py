"""Every code is found in a client that deserves it, and not in its mended neighbour."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_resilience.checks.codes import CODES
from tests.verify.zoo.keeper import BROKEN, MENDED, judged
from tests.verify.zoo.kit import Specimen


def first_of_each(specimens: Sequence[Specimen]) -> list[object]:
    """One of each code in every run; a soak plays the others too."""
    seen: set[str] = set()
    found: list[object] = []
    for specimen in specimens:
        marks = [pytest.mark.soak] if specimen.code in seen else []
        found.append(pytest.param(specimen, marks=marks, id=str(specimen)))
        seen.add(specimen.code)
    return found


@pytest.mark.parametrize("specimen", first_of_each(BROKEN))
def test_what_is_wrong_is_found(specimen: Specimen) -> None:
    """The code of what is wrong is among the findings, with its proof and its replay."""
    verdict = judged(specimen)

    assert specimen.code in verdict.codes, verdict
    found = next(finding for finding in verdict if finding.code == specimen.code)
    assert found.sentence
    assert found.scenario in verdict.scenarios or found.scenario == "kept-answers"


@pytest.mark.parametrize("specimen", first_of_each(MENDED))
def test_what_was_mended_is_gone(specimen: Specimen) -> None:
    """With that one thing put right nothing is found."""
    verdict = judged(specimen)

    assert verdict.codes == [], verdict


def test_a_pair_for_each_code() -> None:
    """No code without a broken and a mended client; logs and secrets have theirs elsewhere."""
    elsewhere = {"secret-leaked", "bad-json-line", "forged-line", "line-too-long"} | {
        code for code in CODES if "log" in code and not code.startswith("login")
    }
    elsewhere.add("noise-without-retry")

    wanted = set(CODES) - elsewhere
    assert {specimen.code for specimen in BROKEN} == wanted
    assert {specimen.code for specimen in MENDED} == wanted
