"""pytest's side of an explained comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_resilience.checks import compare
from pytest_resilience.records import Headers
from pytest_resilience.schedule import Seen

if TYPE_CHECKING:
    from pytest_resilience.reporting.desk import Desk


def explain(left: object, right: object, desk: Desk | None) -> list[str] | None:
    """Lines for a failed ``left == right``, when one of them is what a trace gave.

    They show no secret of the test that runs.
    """
    lines = _explained(left, right)
    custody = None if desk is None else desk.custody
    return lines if lines is None or custody is None else [custody.mask(line) for line in lines]


def _explained(left: object, right: object) -> list[str] | None:
    if isinstance(left, Headers) or isinstance(right, Headers):
        return [f"{left!r} == {right!r}"]
    if isinstance(left, Seen):
        seen, other = left, right
    elif isinstance(right, Seen):
        seen, other = right, left
    else:
        return None
    wanted = _elements(other)
    return None if wanted is None else compare.explain(seen, wanted)


def _elements(other: object) -> list[object] | tuple[object, ...] | None:
    if isinstance(other, list | tuple):
        return other
    # What approx returns for a sequence has no public name; it is known by what it has.
    expected = getattr(other, "expected", None)
    if isinstance(expected, list | tuple) and hasattr(other, "nan_ok"):
        tolerance = {name: getattr(other, name) for name in ("rel", "abs", "nan_ok")}
        return [pytest.approx(value, **tolerance) for value in expected]
    return None
