"""What is shown of the credentials that a client carries, when all is well and when it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytest_resilience.checks import secrets
from pytest_resilience.judge.ground import FAULTS
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.stage import Stage
from pytest_resilience.logs import Recorder
from pytest_resilience.plan import FaultLike

__all__ = ["scenarios"]


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """Only where there is something to show."""
    if not subject.knows_secrets:
        return
    yield _scenario("undisturbed", "when all is well", None, subject)
    yield _scenario("in-an-outage", "in an outage", subject.outage, subject)
    yield _scenario("after-resets", "when connections break", FAULTS["reset"], subject)
    yield _scenario("with-bad-json", "when an answer makes no sense", FAULTS["bad-json"], subject)


def _scenario(name: str, when: str, fault: FaultLike | None, subject: Subject) -> Scenario:
    return Scenario(
        name=f"secrets-{name}",
        clause=f"shows no secret {when}",
        play=_play(fault, 2 * subject.enough),
        checks=[secrets.shown],
    )


def _play(fault: FaultLike | None, times: int) -> Callable[[Stage], dict[str, object]]:
    def play(stage: Stage) -> dict[str, object]:
        if fault is not None:
            stage.fail(fault, times=times)
        with Recorder(stage.server) as recorder:
            stage.call()
        return {"lines": recorder.lines, "secrets": stage.server.secrets}

    return play
