"""Findings that only follow from another one: the cause is told, the consequences are not."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from pytest_resilience.checks.finding import Finding

__all__ = ["without_consequences"]

WAITS = frozenset(
    {
        "backoff-shared-between-threads",
        "constant-backoff",
        "jitter-out-of-bounds",
        "linear-backoff",
        "off-by-one-schedule",
        "retry-after-ignored",
        "retry-after-misread",
        "wrong-schedule",
    }
)

UNASKED = WAITS | {
    "call-never-returned",
    "failure-not-retried",
    "status-not-retried",
    "too-few-attempts",
    "unexpected-exception",
    "wrong-timeout",
}
"""What a client seems to do that gets no connection."""

CONSEQUENCES = MappingProxyType(
    {
        "nested-retries": WAITS,
        **dict.fromkeys(
            ("constant-backoff", "linear-backoff", "off-by-one-schedule", "wrong-schedule"),
            frozenset({"backoff-shared-between-threads"}),
        ),
        "status-not-retried": frozenset({"too-few-attempts", "backoff-shared-between-threads"}),
        **dict.fromkeys(
            ("too-few-attempts", "too-many-attempts"),
            frozenset({"backoff-shared-between-threads"}),
        ),
        "thread-raised": frozenset({"wait-after-last-attempt", "cause-lost"}),
        "no-timeout": frozenset({"call-never-returned", "only-connect-timeout"}),
        "pool-exhausted": UNASKED | {"breaker-never-half-opens"},
        "breaker-never-half-opens": UNASKED | {"cause-lost", "breaker-counts-client-errors"},
        "backoff-kept-between-calls": WAITS
        | {"cap-ignored", "call-never-returned", "error-cached"},
        "jitter-missing": frozenset({"herd"}),
        "jitter-same-in-every-process": frozenset({"herd", "jitter-missing"}),
        "sleep-not-awaited": WAITS | {"failure-not-retried"},
        "retry-after-ignored": frozenset({"retry-after-misread"}),
        "retry-after-remembered": WAITS,
        "blocking-sleep": frozenset({"backoff-shared-between-threads", "herd"}),
        "blocking-io": frozenset({"backoff-shared-between-threads", "herd"}),
    }
)
"""Under the code of a cause, what it brings about elsewhere."""


OF_ONE_KIND = "outage-by-"
"""How scenarios are named in which all that a client meets is of one kind."""
SHAPES = frozenset({"constant-backoff", "linear-backoff", "off-by-one-schedule", "wrong-schedule"})
BY_THE_USUAL_WAIT = tuple(
    f"retry-after-{text}" for text in ("negative", "past-date", "words", "zero")
)
"""Where a Retry-After that says nothing may be answered by the usual wait, be it right or not."""


def without_consequences(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Those that are not explained by another one, or found in every outage."""
    codes = {finding.code for finding in findings}
    explained = {code for cause in codes for code in CONSEQUENCES.get(cause, ())}
    anywhere = {one.code for one in findings if not one.scenario.startswith(OF_ONE_KIND)}
    unread: tuple[str, ...] = ()
    if anywhere & {*SHAPES, "cap-ignored"}:
        anywhere |= SHAPES
        unread = BY_THE_USUAL_WAIT
    return tuple(
        finding
        for finding in findings
        if finding.code not in explained
        and not (finding.scenario.startswith(OF_ONE_KIND) and finding.code in anywhere)
        and not (finding.scenario in unread and finding.code == "retry-after-misread")
    )
