"""Outages of one kind: each failure and each status that is retried goes on without end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from pytest_resilience import faults
from pytest_resilience.checks import outages
from pytest_resilience.checks.given_up import as_given_up
from pytest_resilience.checks.observation import Call
from pytest_resilience.checks.retried import PASSING, REFUSES_LOGIN
from pytest_resilience.judge.battery.retried import UNREACHABLE, USUAL, WORDS, chosen
from pytest_resilience.judge.ground import FAULTS
from pytest_resilience.judge.scenario import Check, Scenario, Subject
from pytest_resilience.judge.stage import Stage
from pytest_resilience.judge.taps import Knock
from pytest_resilience.judge.unreachable import unreachable
from pytest_resilience.plan import FaultLike
from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.records import Attempt, Outcome, Trace

__all__ = ["scenarios"]

ORDER = 100
"""Last: who has but so many retries for all of his calls may have used them up by then."""

HOUR = 3600.0
MOMENT = 0.001
SECOND = 1_000_000_000

Tried: TypeAlias = tuple[Knock, float | None]
"""An attempt to connect, and how many seconds it took."""

COUNTED: list[Check] = [outages.exhausted, outages.kept]
ENDED: list[Check] = [outages.last_is_last, outages.told]


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """All that it claims to retry, but for what its usual outage consists of already."""
    policy = subject.policy
    if policy.limit == 1:
        return
    for status in filter(subject.retries_status, chosen(policy.statuses or (), USUAL)):
        if status >= 400 and status not in REFUSES_LOGIN and status != subject.outage:
            # Who has asked for long enough may take a 404 for what it says.
            tells = status >= 500 or status in PASSING
            yield _of(subject, str(status), str(status), status, ENDED if tells else ENDED[:1])
    for failure, words in WORDS.items():
        fault = FAULTS[failure]
        if subject.retries_failure(failure) and failure != "refused" and fault != subject.outage:
            # How it ends is seen in resets without end, which everybody meets.
            yield _of(subject, failure, words, fault, [] if failure == "reset" else ENDED)
    # Who cannot be reached learns of no request, so it is to be the only one of the call.
    if policy.limit is not None and len(subject.baseline.trace) < 2:
        yield from _unconnected(subject)


def _of(subject: Subject, kind: str, words: str, fault: FaultLike, ends: list[Check]) -> Scenario:
    def play(stage: Stage) -> Mapping[str, object]:
        # Twice as many: a transport may send by itself once more.
        stage.fail(fault, times=2 * subject.enough)
        call = stage.call()
        stage.server.plan.clear()
        facts = {"error_body": stage.error_body(fault)}
        return facts | _compared(stage, subject, call)

    return _scenario(subject, kind, words, play, [*COUNTED, *ends])


def _scenario(
    subject: Subject,
    kind: str,
    words: str,
    play: Callable[[Stage], object],
    checks: Sequence[Check],
) -> Scenario:
    limit = subject.policy.limit
    tries = "as often as it claims" if limit is None else f"{limit} times"
    clause = f"tries {tries} when all that it meets is {words}"
    return Scenario(name=f"outage-by-{kind}", clause=clause, play=play, checks=checks)


def _compared(stage: Stage, subject: Subject, call: Call) -> dict[str, object]:
    """What is not as it is claimed beside a usual outage, as slow as the other one was.

    A limit that nobody has claimed may have ended the call before: of time, as tenacity's
    stop_after_delay, or of retries in all, as botocore's quota.
    """
    if call.never_returned or not call.tries or outages.is_as_claimed(call, subject.policy):
        return {}
    tried = as_given_up(call, subject.policy).tries[0]
    lasted = ((tried.ended_ns or tried.started_ns) - tried.started_ns) / SECOND
    stage.advance(stage.rest)  # A breaker may have opened.
    outage = subject.outage
    assert not isinstance(outage, str)
    late = faults.latency(max(0.0, lasted - MOMENT))
    stage.fail(faults.together(late, outage), times=2 * subject.enough)
    return {"usual": stage.call()}


# Who cannot be reached


def _unconnected(subject: Subject) -> Iterator[Scenario]:
    def refused(stage: Stage) -> Mapping[str, object]:
        stage.server.down(HOUR)
        call, knocks = _knocks_of_a_call(stage)
        stage.server.up()
        made = _with_the_unseen(call, [(one, 0.0) for one in knocks], subject.policy)
        return {"knocked": made.trace} | _compared(stage, subject, made)

    def unanswered(stage: Stage) -> Mapping[str, object]:
        with unreachable(stage.server, stage.clock, HOUR):
            call, knocks = _knocks_of_a_call(stage)
        tried = [(one, one.timeout or None) for one in knocks]
        made = _with_the_unseen(call, tried, subject.policy)
        # A coroutine's socket does not say how long it waits.
        facts = {"knocked": made.trace, "ends": all(knock.timeout for knock in knocks)}
        return facts | _compared(stage, subject, made)

    for failure, words, play in (
        ("refused", WORDS["refused"], refused),
        ("connect", UNREACHABLE, unanswered),
    ):
        if subject.retries_failure(failure):
            yield _scenario(subject, failure, words, play, [*COUNTED, *ENDED])


def _knocks_of_a_call(stage: Stage) -> tuple[Call, list[Knock]]:
    """Make a call, and see how often it connects; of several addresses of a name, to one."""
    knocks = stage.connect_timeouts.knocks
    knocks.clear()
    call = stage.call()
    port = stage.server.port
    ours = [one for one in knocks if isinstance(one.address, tuple) and one.address[1] == port]
    often = Counter(repr(one.address) for one in ours).most_common(1)
    return call, [one for one in ours if repr(one.address) == often[0][0]]


def _with_the_unseen(call: Call, tried: list[Tried], policy: RetryPolicy) -> Call:
    """The call with what it tried; at first perhaps a kept connection, which died unseen.

    Who knocks later than at once has tried that, where it makes true what he claims.
    """
    made = _made(call, tried)
    if not tried or tried[0][0].at_ns == call.started_ns or outages.is_as_claimed(made, policy):
        return made
    dead = replace(tried[0][0], at_ns=call.started_ns)
    whole = _made(call, [(dead, 0.0), *tried])
    return whole if outages.is_as_claimed(whole, policy) else made


def _made(call: Call, tried: list[Tried]) -> Call:
    trace = [_attempt(number, *one) for number, one in enumerate(tried, 1)]
    return replace(call, trace=Trace(trace))


def _attempt(number: int, knock: Knock, lasted: float | None) -> Attempt:
    """What a server would have seen of it."""
    outcome = {0.0: Outcome.ANSWERED, None: Outcome.PENDING}.get(lasted, Outcome.GONE)
    return Attempt(
        number,
        knock.at_ns,
        connection=number,
        reused=False,
        method="connect",
        target="",
        head=b"",
        fault="no connection",
        ended_ns=None if lasted is None else knock.at_ns + round(lasted * SECOND),
        outcome=outcome,
    )
