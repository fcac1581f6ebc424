"""What is tried again, and what is not: statuses, failures, mistakes of the client's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator

from pytest_resilience import faults
from pytest_resilience.checks import retried
from pytest_resilience.judge.ground import FAULTS
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.stage import Stage
from pytest_resilience.judge.unreachable import unreachable
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["UNREACHABLE", "USUAL", "WORDS", "chosen", "scenarios"]

USUAL = (429, 500, 502, 503, 504)
HELD = (400, 401, 403, 404, 409, 422, 429, 500, 501, 502, 503, 504)
"""Statuses that are tried where a policy says which ones are retried: no others may be."""
NEVER = (400, 401, 422)
"""Those that nobody repeats, whatever he claims, in vain and with the same credentials.

Others may be repeated on purpose by who does not say so: a 404, a 403 or a 409 passes in a
service that agrees with itself late (botocore's waiters, new accounts of Google's IAM).
"""
ANY_OTHER = 505
"""It is repeated by who repeats whatever is a 5xx."""
MOST = 12

HOUR = 3600.0
UNREACHABLE = "a host that does not answer"
WORDS = {
    "refused": "a refused connection",
    "read-timeout": "a server that says nothing",
    "reset": "a connection that was reset",
    "truncated": "an answer that broke off",
    "bad-json": "an answer that is no JSON",
}


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """Each status and each failure that the policy speaks of."""
    yield from _statuses(subject)
    yield from _failures(subject)
    yield Scenario(
        name="answer-of-another-shape",
        clause="raises its own mistakes at once",
        play=_played(faults.status(200, body=[]), times=subject.enough),
        checks=[retried.own_mistakes],
    )


def _statuses(subject: Subject) -> Iterator[Scenario]:
    policy = subject.policy
    if policy.limit != 1:
        for status in filter(subject.retries_status, chosen(policy.statuses or (), USUAL)):
            yield Scenario(
                name=f"status-{status}-then-ok",
                clause=f"retries {status}",
                play=_played(status),
                checks=[retried.status],
            )
    for status in _left_alone(subject):
        yield Scenario(
            name=f"status-{status}-without-end",
            clause=f"does not retry {status}",
            play=_played(status, times=subject.enough),
            checks=[retried.status_left_alone],
        )
    if policy.retries_status(501) is None:
        yield Scenario(
            name="status-501-without-end",
            clause="does not retry 501",
            play=_one_after_the_other((501, ANY_OTHER, 400), times=subject.enough),
            checks=[retried.own_choice],
        )


def chosen(statuses: Collection[int | str], usual: Collection[int]) -> list[int]:
    """All of a few; of many the usual ones, and the first and the last."""
    listed = sorted(status for status in statuses if isinstance(status, int))
    if len(listed) <= MOST:
        return listed
    return sorted({*(status for status in usual if status in listed), listed[0], listed[-1]})


def _left_alone(subject: Subject) -> list[int]:
    """What the policy says is not retried, and what nobody retries."""
    policy = subject.policy
    named = chosen(policy.never_statuses or (), HELD)
    held = NEVER if policy.statuses is None else HELD
    return sorted({*named, *(status for status in held if not policy.retries_status(status))})


def _failures(subject: Subject) -> Iterator[Scenario]:
    policy = subject.policy
    yield from _unconnected(subject)
    yield from _never_connected(policy)
    for failure, words in WORDS.items():
        if failure == "refused" and _never_waits(policy):
            continue  # Who is down is down for all of its attempts.
        if subject.retries_failure(failure) and policy.limit != 1:
            yield Scenario(
                name=f"{failure}-then-ok",
                clause=f"survives {words}",
                play=_refused() if failure == "refused" else _failing(failure, words),
                checks=[retried.failure],
            )
        if failure in (policy.never_failures or ()) and failure != "refused":
            yield Scenario(
                name=f"{failure}-without-end",
                clause=f"does not retry {words}",
                play=_failing(failure, words, times=subject.enough),
                checks=[retried.failure_left_alone],
            )


def _unconnected(subject: Subject) -> Iterator[Scenario]:
    policy = subject.policy
    # Who tries again at once tries in vain.
    vain = sum(1 for retry in range(1, policy.limit or 2) if policy.wait_range(retry) == (0, 0))
    if not subject.retries_failure("connect") or vain + 2 > (policy.limit or 3):
        return

    def play(stage: Stage) -> dict[str, object]:
        timeout = _connect_timeout(stage, policy)
        if timeout is None:
            return {}  # Nobody knows when it gives up, and the other scenarios tell that.
        with unreachable(stage.server, stage.clock, (1 + vain) * timeout + 0.000_001) as knocking:
            stage.call()
        return {
            "failure": UNREACHABLE,
            "timeout": timeout,
            "too_long": knocking.all_the_time,
            "ends": bool(stage.connect_timeouts),
            "is_async": stage.is_async,
        }

    yield Scenario(
        name="connect-then-ok",
        clause="survives a host that does not answer",
        play=play,
        checks=[retried.unconnected],
    )


def _connect_timeout(stage: Stage, policy: RetryPolicy) -> float | None:
    """When it gives up to connect: as it claims, as was seen, or as it claims of all silence.

    What is seen of a coroutine are the timers of its loop, and some may be another's: the
    shortest is too short at the worst, and then it is connected before it gives up.
    """
    if policy.connect_timeout is not None:
        return policy.connect_timeout
    if stage.connect_timeouts:
        return (min if stage.is_async else max)(stage.connect_timeouts)
    return policy.timeout or policy.total_timeout


def _never_connected(policy: RetryPolicy) -> Iterator[Scenario]:
    """Who never retries what prevents a connection: it is begun once, at each address."""

    def refused(stage: Stage) -> dict[str, object]:
        stage.server.down(HOUR)
        begun = _begun_by_a_call(stage)
        stage.advance(HOUR)
        return {"failure": WORDS["refused"], "connects": begun}

    def silent(stage: Stage) -> dict[str, object]:
        with unreachable(stage.server, stage.clock, HOUR):
            return {"failure": UNREACHABLE, "connects": _begun_by_a_call(stage)}

    for failure, words, play in (
        ("refused", WORDS["refused"], refused),
        ("connect", UNREACHABLE, silent),
    ):
        if failure in (policy.never_failures or ()):
            yield Scenario(
                name=f"{failure}-without-end",
                clause=f"does not retry {words}",
                play=play,
                checks=[retried.connected_once],
            )


def _begun_by_a_call(stage: Stage) -> int:
    """How often it connects to one address; a name may have several."""
    knocks = stage.connect_timeouts.knocks
    knocks.clear()
    stage.call()
    return max(Counter(repr(knock.address) for knock in knocks).values(), default=0)


def _never_waits(policy: RetryPolicy) -> bool:
    ranges = [policy.wait_range(retry) for retry in range(1, policy.limit or 2)]
    return bool(ranges) and all(bounds == (0, 0) for bounds in ranges)


def _played(fault: faults.Fault | int, times: int = 1) -> Callable[[Stage], object]:
    def play(stage: Stage) -> None:
        stage.fail(fault, times=times)
        stage.call()

    return play


def _one_after_the_other(statuses: Collection[int], times: int) -> Callable[[Stage], object]:
    def play(stage: Stage) -> None:
        for status in statuses:
            stage.fail(status, times=times)
            stage.call()
            stage.server.plan.clear()
            stage.advance(stage.rest)  # A breaker may have opened.

    return play


def _failing(failure: str, words: str, times: int = 1) -> Callable[[Stage], object]:
    def play(stage: Stage) -> object:
        stage.fail(FAULTS[failure], times=times)
        stage.call()
        return {"failure": words}

    return play


def _refused() -> Callable[[Stage], object]:
    def play(stage: Stage) -> object:
        # Up again before any wait can be over, so that it takes one retry.
        stage.server.down(0.000_001)
        stage.call()
        return {"failure": WORDS["refused"]}

    return play
