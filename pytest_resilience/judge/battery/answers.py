"""Answers that break off, end early, or are no JSON, as often as it tries."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from pytest_resilience import faults
from pytest_resilience.answers import Answer
from pytest_resilience.checks import answers
from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Observation
from pytest_resilience.faults import Fault
from pytest_resilience.judge.scenario import Check, Scenario, Subject
from pytest_resilience.judge.spy import Spy
from pytest_resilience.judge.stage import Stage
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["scenarios"]

LAST = re.compile(
    rb'\[DONE\]|"finish_?[rR]eason":\s*"|message_stop|response\.completed'
    rb'|"(done|final)":\s*true|event:\s*(end|done|complete)|"type":\s*"(end|done|complete)"'
)
"""What the last event of a stream says: OpenAI's, Gemini's, Anthropic's, Ollama's, and others."""


Suits: TypeAlias = Callable[["Answer | None"], bool]


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """One for each way in which an answer is not whole."""
    yield _always(subject, "truncated-answers", faults.limit_data(), answers.truncated)
    yield _always(subject, "cut-streams", faults.cut_chunk(), answers.ended_early)
    early = faults.end_stream()
    yield _always(subject, "short-streams", early, answers.ended_early, _says_its_end)
    if subject.policy.validates is not False:
        bad = faults.malformed_json()
        yield _always(subject, "malformed-answers", bad, answers.malformed, _is_json)
        yield _always(subject, "html-answers", faults.html_page(200), answers.malformed, _is_json)


CLAUSES = {
    "truncated-answers": "an answer that breaks off is an error",
    "cut-streams": "a chunked answer without its end is an error",
    "short-streams": "a stream that ends early is an error",
    "malformed-answers": "an answer that is no JSON is an error",
    "html-answers": "a page in place of the answer is an error",
}


def _always(
    subject: Subject, name: str, fault: Fault, check: Check, suits: Suits | None = None
) -> Scenario:
    """As often as it tries, if the service's last answer is of a kind that suits."""

    def play(stage: Stage) -> dict[str, bool]:
        suited = suits is None or suits(_last_answer(stage, subject))
        if suited:
            stage.fail(fault, times=subject.enough)
            stage.call()
        return {"suited": suited}

    def judge(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
        if seen.facts["suited"]:
            yield from check(seen, policy)

    return Scenario(name=name, clause=CLAUSES[name], play=play, checks=[judge])


def _last_answer(stage: Stage, subject: Subject) -> Answer | None:
    spy = Spy()
    stage.fail(spy, times=subject.enough)
    stage.call()
    stage.server.plan.clear()
    return spy.seen[-1] if spy.seen else None


def _says_its_end(answer: Answer | None) -> bool:
    """A stream that ends in order too early can only be known by what its last event says."""
    events = [piece for piece in answer.body if piece] if answer else []
    return len(events) > 1 and any(map(LAST.search, events[-2:]))


def _is_json(answer: Answer | None) -> bool:
    try:
        json.loads(answer.whole if answer else b"")
    except ValueError:
        return False
    return True
