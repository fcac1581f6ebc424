"""Secrets that a client shows: in what it says, in what it raises, in URLs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Observation
from pytest_resilience.logs import leaks
from pytest_resilience.logs.line import Line
from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.secrets.value import Secret

__all__ = ["shown"]


def shown(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Each secret in each place, once; the scenario notes ``lines`` and ``secrets``."""
    lines = cast("Iterable[Line]", seen.facts["lines"])
    secrets = cast("Iterable[Secret]", seen.facts["secrets"])
    for leak in leaks.look(_places(seen, lines), secrets):
        yield Finding("secret-leaked", leak.sentence, seen.evidence())


def _places(seen: Observation, lines: Iterable[Line]) -> Iterator[leaks.Place]:
    for line in lines:
        yield from leaks.in_line(line)
    for call in seen.calls:
        if call.error is not None:
            yield from leaks.in_exception(call.error)
    for error in (*seen.thread_errors, *seen.task_errors):
        yield from leaks.in_exception(error)
    yield from leaks.in_attempts(seen.trace)
