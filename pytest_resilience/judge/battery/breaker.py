"""A circuit breaker through its life: closed, open, half-open."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_resilience import faults
from pytest_resilience.checks import breaker
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.stage import Stage
from pytest_resilience.plan import FOREVER

__all__ = ["scenarios"]

AT_ONCE = 4
SECOND = 1_000_000_000


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """Only for who claims to have one."""
    claimed = subject.policy.breaker
    if claimed is None:
        return
    opens_after, later = claimed.opens_after, claimed.stays_open + 0.001
    outage = faults.status(503)

    def fail(stage: Stage, times: int) -> None:
        for _ in range(times):
            stage.call()

    def opened(stage: Stage) -> bool:
        """Let it open, and see that it is."""
        stage.fail(outage, times=FOREVER)
        fail(stage, opens_after)
        return not stage.call().trace

    def well_again(stage: Stage) -> dict[str, object]:
        found = opened(stage)
        stage.server.plan.clear()
        went_by, early = _asked_early(stage, claimed.stays_open / 2)
        stage.advance(later - went_by)
        stage.call()
        return {"opened": found, "early": early}

    def still_ill(stage: Stage) -> dict[str, object]:
        found = opened(stage)
        stage.advance(later)
        fail(stage, 2)
        return {"opened": found}

    def crowd(stage: Stage) -> dict[str, object]:
        found = opened(stage)
        stage.server.plan.clear()
        stage.fail(faults.latency(0.5), times=FOREVER)
        stage.advance(later)
        stage.together(AT_ONCE + (claimed.probes or 1))
        return {"opened": found}

    def mistakes(stage: Stage) -> None:
        stage.fail(404, times=FOREVER)
        fail(stage, opens_after + 1)
        stage.server.plan.clear()
        stage.call()

    yield Scenario(
        name="breaker-outage",
        clause=f"opens its breaker after {opens_after} failed calls",
        play=opened,
        checks=[breaker.opens],
    )
    yield Scenario(
        name="breaker-recovery",
        clause="lets a probe through when its time is over",
        play=well_again,
        checks=[breaker.half_opens, breaker.stays_open],
    )
    yield Scenario(
        name="breaker-failed-probe",
        clause="opens its breaker again when the probe fails",
        play=still_ill,
        checks=[breaker.lets_through],
    )
    yield Scenario(
        name="breaker-mistakes",
        clause="does not open its breaker because of a caller's mistakes",
        play=mistakes,
        checks=[breaker.counts_mistakes],
    )
    if claimed.probes is not None:
        yield Scenario(
            name="breaker-crowd",
            clause="lets no more through than its probes",
            play=crowd,
            checks=[breaker.probes],
        )


def _asked_early(stage: Stage, half: float) -> tuple[float, float | None]:
    """Who asks before its time is over does not make it any longer.

    Returns:
        How many seconds went by, and how long after the last attempt one came all the same;
        None when none did.
    """
    trace = stage.server.trace
    if not len(trace):
        return 0.0, None  # It was open from the first, which is told of elsewhere.
    since = (stage.now_ns - max(attempt.started_ns for attempt in trace)) / SECOND
    if since >= half:
        return 0.0, None
    stage.advance(half - since)
    came = stage.call().trace
    return half - since, half if len(came) else None
