"""What is said of failures: in calls that meet none, some, only such, and malicious answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from pytest_resilience import faults
from pytest_resilience.answers import RETRY_AFTER
from pytest_resilience.checks import logs
from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.judge.battery.retried import WORDS
from pytest_resilience.judge.ground import FAULTS
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.stage import Stage
from pytest_resilience.logs import Recorder
from pytest_resilience.logs.lines import Lines
from pytest_resilience.plan import FaultLike
from pytest_resilience.policy.logs import LogContract
from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.records import Attempt
from pytest_resilience.schedule import retries, wait

__all__ = ["scenarios"]

FORGED = "\r\nERROR root: forged by the server\n" + "and very long " * 500
"""What a server says to whoever logs it as it is."""
SOON = 2
"""Seconds of a Retry-After."""


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """Only for who claims something of the log."""
    contract = subject.policy.logs
    if not isinstance(contract, LogContract):
        return

    def scenario(name: str, clause: str, *said: FaultLike, times: int = 1) -> Scenario:
        return Scenario(name=name, clause=clause, play=_play(*said, times=times), checks=[_judged])

    yield scenario("log-of-no-failure", "logs no retry and no error when there is none", times=0)
    if subject.standard is not None:
        for failures in _lengths(subject.policy.limit):
            yield scenario(
                f"log-of-{failures}",
                f"logs {failures} retr{'y' if failures == 1 else 'ies'} as they were",
                subject.standard,
                times=failures,
            )
        yield from _of_other_failures(subject)
    yield scenario(
        "log-of-an-outage",
        "logs a call that fails once, as an error",
        subject.outage,
        times=subject.enough,
    )
    status = subject.outage if isinstance(subject.outage, int) else 503
    for name, body in (("json", _as_json()), ("text", FORGED)):
        for code in dict.fromkeys((status, 400)):
            yield Scenario(
                name=f"log-of-a-malicious-{code}-{name}",
                clause="logs what a server says on one line, and not all of it",
                play=_play(faults.status(code, body=body), times=subject.enough),
                # Who logs that he has given up may leave a refusal to his caller.
                checks=[_judged if code == status else _but_for_its_end],
            )


def _of_other_failures(subject: Subject) -> Iterator[Scenario]:
    """A retry has its line, whatever it comes of: each kind may have a branch of its own."""
    for failure, words in WORDS.items():
        if failure != "refused" and subject.retries_failure(failure):
            yield Scenario(
                name=f"log-of-{failure}",
                clause=f"logs the retry that comes of {words}",
                play=_play(FAULTS[failure], times=1),
                # What a client closes only behind its wait looks as if it had not waited.
                checks=[_said_at_all if failure == "read-timeout" else _judged],
            )
    told = [status for status in RETRY_AFTER if subject.retries_status(status)]
    if subject.policy.retry_after and told:
        yield Scenario(
            name="log-of-retry-after",
            clause="logs the retry that an answer has asked for",
            play=_play(faults.status(told[0], retry_after=SOON), times=1),
            checks=[_judged],
        )


def _lengths(limit: int | None) -> list[int]:
    return sorted({1, 2, 3 if limit is None else limit - 1} - {0} - _beyond(limit))


def _beyond(limit: int | None) -> set[int]:
    return set() if limit is None else {n for n in (1, 2) if n >= limit}


def _as_json() -> str:
    """The text at every place where services have one."""
    return json.dumps(
        {
            "errors": [FORGED],
            "error": {"code": 400, "status": FORGED, "message": FORGED},
            "message": FORGED,
            "detail": FORGED,
            "title": FORGED,
        }
    )


def _play(*said: FaultLike, times: int) -> Callable[[Stage], dict[str, object]]:
    def play(stage: Stage) -> dict[str, object]:
        if times:
            stage.fail(*said, times=times)
        with Recorder(stage.server) as recorder:
            stage.call()
        return {"lines": recorder.lines}

    return play


def _judged(seen: Observation, policy: RetryPolicy) -> list[Finding]:
    call, lines, contract = seen.call, seen.facts["lines"], policy.logs
    assert contract is not None  # Or this scenario would not be played.
    if call.never_returned or not isinstance(lines, Lines):
        return []
    ways = [retries(call.trace)]
    if policy.resends is not False:
        # What the transport sends again by itself, no client can know of.
        ways.append([pair for pair in ways[0] if not _is_resent(*pair)])
    return min((_findings(call, lines, contract, pairs) for pairs in ways), key=len)


def _said_at_all(seen: Observation, policy: RetryPolicy) -> list[Finding]:
    return [finding for finding in _judged(seen, policy) if finding.code == "retry-not-logged"]


def _but_for_its_end(seen: Observation, policy: RetryPolicy) -> list[Finding]:
    return [finding for finding in _judged(seen, policy) if finding.code != "failure-not-logged"]


def _findings(
    call: Call, lines: Lines, contract: LogContract, pairs: list[tuple[Attempt, Attempt]]
) -> list[Finding]:
    succeeded: bool | None = call.returned
    if call.returned and call.trace and call.trace[-1].failed:
        succeeded = None  # It came back with something else, which is told elsewhere, or is meant.
    return logs.judge(lines, call.trace, contract, succeeded=succeeded, retries=pairs)


def _is_resent(failed: Attempt, retry: Attempt) -> bool:
    return failed.status is None and wait(failed, retry) == 0
