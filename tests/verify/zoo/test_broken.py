"""Every code is found in a client that deserves it, and not in its mended neighbour."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_resilience.checks.codes import CODES
from tests.verify.zoo.broken_kinds import SCENES as OF_ONE_KIND
from tests.verify.zoo.keeper import BROKEN, MENDED, judged
from tests.verify.zoo.kit import Specimen

SCENES = {
    "backoff-kept-between-calls": ["two-outages-in-a-row"],
    "backoff-shared-between-threads": ["outage-for-several-threads"],
    "blocking-io": ["event-loop"],
    "blocking-sleep": ["event-loop"],
    "body-not-resent": ["the-same-again"],
    "breaker-counts-client-errors": ["breaker-mistakes"],
    "breaker-lets-all-through": ["breaker-failed-probe"],
    "breaker-never-half-opens": ["breaker-recovery"],
    "breaker-never-opens": ["breaker-outage"],
    "budget-overrun": ["outage-beyond-the-budget"],
    "cache-ignores-credential": ["another-credential"],
    "cache-without-expiry": ["kept-answers"],
    "call-never-returned": ["outage-without-end"],
    "cancellation-swallowed": ["cancelled-during-its-attempt"],
    "cap-ignored": ["outage-without-end"],
    "cause-lost": ["resets-without-end"],
    "client-error-retried": ["status-400-without-end"],
    "connection-leaked": ["many-failures"],
    "constant-backoff": ["outage-without-end"],
    "credentials-sent-elsewhere": ["redirect-elsewhere"],
    "deadline-overrun": ["outage-beyond-the-deadline"],
    "error-cached": ["error-then-well"],
    "error-returned": ["outage-without-end"],
    "error-swallowed": ["outage-without-end"],
    "failure-not-retried": ["refused-then-ok", "read-timeout-then-ok", "truncated-then-ok"],
    "futile-wait": ["outage-without-end"],
    "herd": ["outage-for-many-clients"],
    "interrupt-swallowed": ["ctrl-c", "ctrl-c-during-its-wait"],
    "jitter-missing": ["many-outages"],
    "jitter-not-growing": ["many-outages"],
    "jitter-out-of-bounds": ["many-outages"],
    "jitter-same-in-every-process": ["many-outages"],
    "linear-backoff": ["outage-without-end"],
    "login-on-403": ["forbidden"],
    "login-storm": ["refused-tokens"],
    "malformed-accepted": ["malformed-answers"],
    "nested-retries": ["outage-without-end"],
    "new-idempotency-key": ["the-same-again"],
    "no-timeout": ["silence"],
    "no-total-timeout": ["slow-drip"],
    "not-implemented-retried": ["status-501-without-end"],
    "off-by-one-schedule": ["outage-without-end"],
    "only-connect-timeout": ["silence"],
    "pool-exhausted": ["many-failures"],
    "process-ended": ["outage-without-end"],
    "programming-error-retried": ["answer-of-another-shape"],
    "response-not-closed": ["many-failures"],
    "retry-after-crash": ["retry-after-date", "retry-after-negative"],
    "retry-after-ignored": ["retry-after-seconds"],
    "retry-after-misread": ["retry-after-seconds", "retry-after-date"],
    "retry-after-remembered": ["retry-after-then-none"],
    "retry-after-unbounded": ["retry-after-of-days"],
    "server-never-reached": ["undisturbed"],
    "short-stream-accepted": ["cut-streams", "short-streams"],
    "sleep-not-awaited": ["event-loop"],
    "stale-connection-not-retried": ["stale-connection"],
    "stale-token-kept": ["expired-token"],
    "status-not-retried": ["status-429-then-ok", "status-503-then-ok"],
    "task-left-behind": ["many-calls"],
    "task-raised": ["undisturbed"],
    "thread-left-behind": ["many-calls"],
    "thread-raised": ["outage-without-end"],
    "too-few-attempts": ["outage-without-end"],
    "too-many-attempts": ["outage-without-end"],
    "truncated-accepted": ["truncated-answers"],
    "unexpected-exception": ["outage-without-end"],
    "unsafe-retry": ["unsafe-retry-timeout"],
    "wait-after-last-attempt": ["outage-without-end"],
    "wrong-schedule": ["outage-without-end"],
    "wrong-timeout": ["silence"],
}
"""In which scenarios a code is found. Every run plays these; a soak plays the whole battery."""


OWN_SCENES = {
    **OF_ONE_KIND,
    "a_crowd_when_the_time_is_over": ["breaker-crowd"],
    "forgets_malformed_answers": ["bad-json-then-ok"],
    "one_probe_at_a_time": ["breaker-crowd", "breaker-failed-probe"],
    "sleeps_through_it": ["ctrl-c-during-its-wait"],
}
"""Of clients whose policy makes another one meaningful."""


def scenes(specimen: Specimen) -> list[str]:
    return OWN_SCENES.get(specimen.name, SCENES[specimen.code])


LONG = {"urllib3_pool_of_four"}
"""Waits for ever in a thread that is left behind, which takes minutes while coverage looks on."""

IN_EVERY_RUN = [
    pytest.param(specimen, marks=[pytest.mark.soak] if specimen.name in LONG else [])
    for specimen in BROKEN
]


def id_of(specimen: Specimen) -> str:
    return str(specimen)


@pytest.mark.parametrize("specimen", IN_EVERY_RUN, ids=id_of)
def test_what_is_wrong_is_found(specimen: Specimen) -> None:
    """The code of what is wrong is among the findings, in the scenario that shows it alone."""
    verdict = judged(specimen, only=scenes(specimen))

    assert specimen.code in verdict.codes, verdict
    found = next(finding for finding in verdict if finding.code == specimen.code)
    assert found.sentence
    assert found.scenario in scenes(specimen)


@pytest.mark.parametrize("specimen", MENDED, ids=id_of)
def test_what_was_mended_is_gone(specimen: Specimen) -> None:
    """With that one thing put right nothing is found there."""
    verdict = judged(specimen, only=scenes(specimen))

    assert verdict.codes == [], verdict


RELATED = {
    "client-error-retried": {"not-implemented-retried"},
    "error-swallowed": {"client-error-retried", "not-implemented-retried"},
    "error-cached": {"error-returned"},
    "herd": {"jitter-out-of-bounds"},
    "nested-retries": {"client-error-retried", "not-implemented-retried"},
    "short-stream-accepted": {"truncated-accepted"},
    "truncated-accepted": {"short-stream-accepted"},
    "response-not-closed": {"pool-exhausted"},
    "unexpected-exception": {"client-error-retried", "not-implemented-retried"},
    "unsafe-retry": {"wrong-schedule"},
}
"""What else some of them do, as they stand: urllib3's first wait is none, ..."""


@pytest.mark.soak
@pytest.mark.parametrize("specimen", BROKEN, ids=id_of)
def test_nothing_else_is_found(specimen: Specimen) -> None:
    """The whole battery names what is wrong, and nothing that would mislead."""
    verdict = judged(specimen)

    assert specimen.code in verdict.codes, verdict
    assert set(verdict.codes) - {specimen.code} <= RELATED.get(specimen.code, set()), verdict


@pytest.mark.soak
@pytest.mark.parametrize("specimen", MENDED, ids=id_of)
def test_nothing_is_left(specimen: Specimen) -> None:
    """The whole battery finds nothing in what was mended."""
    verdict = judged(specimen)

    assert verdict.codes == [], verdict


def kinds(specimens: Sequence[Specimen]) -> set[str]:
    return {specimen.code for specimen in specimens}


def test_a_pair_for_each_code() -> None:
    """No code without a broken and a mended client; those of logs and secrets live elsewhere."""
    elsewhere = {"secret-leaked", "bad-json-line", "forged-line", "line-too-long"}
    elsewhere |= {"noise-without-retry", "retry-not-logged", "retry-logged-wrong"}
    elsewhere |= {"error-logged-on-success", "failure-not-logged"}

    assert kinds(BROKEN) == set(CODES) - elsewhere
    assert kinds(MENDED) == set(CODES) - elsewhere
