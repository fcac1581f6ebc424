"""Silence, and a slow drip: how long one attempt may take."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from pytest_resilience import faults
from pytest_resilience.checks import connections, timeouts
from pytest_resilience.judge.battery.connections import many
from pytest_resilience.judge.ground import FAULTS
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.stage import Stage

__all__ = ["scenarios"]

HOLD = 100_000.0
"""Seconds for which a silent server stays: more than a minute in milliseconds taken for seconds."""


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """Silence before and within the answer for all, a drip for who claims a total timeout."""
    claimed = [subject.policy.timeout, subject.policy.total_timeout, subject.policy.deadline]
    hold = max(HOLD, *(10 * seconds for seconds in claimed if seconds), HOLD)
    yield Scenario(
        name="silence",
        clause="gives up a server that says nothing",
        play=_silent(subject, faults.timeout(close_after=hold), hold),
        checks=[timeouts.silence, timeouts.deadline],
    )
    yield Scenario(
        name="silence-in-the-body",
        clause="gives up an answer that stops in its middle",
        play=_silent(subject, faults.stall(resume_after=hold), hold),
        checks=[timeouts.silence],
    )
    yield Scenario(
        name="many-timeouts",
        clause="gives back the connections that it has given up",
        play=_many_timeouts,
        checks=[connections.given_up],
    )
    if subject.policy.total_timeout is not None:
        yield Scenario(
            name="slow-drip",
            clause=f"gives up an attempt after {subject.policy.total_timeout:g} s",
            play=_drip(subject, subject.policy.total_timeout),
            checks=[timeouts.answered_in_time],
        )


def _silent(subject: Subject, fault: faults.Fault, hold: float) -> Callable[[Stage], object]:
    def play(stage: Stage) -> object:
        stage.fail(fault, times=subject.enough)
        stage.call()
        # Of any connection so far: this call may have used one that was open.
        timeouts = bool(stage.connect_timeouts)
        return {"hold": hold, "is_async": subject.is_async, "connect_timeout": timeouts}

    return play


def _many_timeouts(stage: Stage) -> object:
    # Who waits for ever for one of them has given up nothing.
    return {} if stage.stuck else {"held": many(stage, FAULTS["read-timeout"])}


def _drip(subject: Subject, total: float) -> Callable[[Stage], object]:
    step = min((subject.policy.timeout or total) / 2, total / 4)
    size = math.ceil(6 * total / step)
    answer = faults.status(200, body=b'"' + b"." * size + b'"')

    def play(stage: Stage) -> object:
        stage.fail(faults.together(answer, faults.bandwidth(1 / step)), times=subject.enough)
        stage.call()
        return {"step": step, "is_async": subject.is_async}

    return play
