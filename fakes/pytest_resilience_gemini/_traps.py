"""Answers with status 200 and no text where one looks, as faults: ``fail("no_candidates")``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pytest_resilience import Attempt, faults
from pytest_resilience_gemini import _masks
from pytest_resilience_gemini._events import Events
from pytest_resilience_gemini._wire import Call

METHODS = (":generateContent", ":streamGenerateContent")


def _candidate(finish: str, **content: Any) -> dict[str, Any]:
    return {"candidates": [{**content, "finishReason": finish, "index": 0}]}


# What stands in place of the candidates.
TRAPS: dict[str, dict[str, Any]] = {
    "no_candidates": {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}},
    "no_content": _candidate("SAFETY"),
    "no_parts": _candidate("MAX_TOKENS", content={"role": "model"}),
    "no_text": _candidate("STOP", content={"role": "model"}),
}


@dataclass(frozen=True, slots=True)
class Trap:
    """An answer of the model whose text is taken away; it was asked for, and it has cost tokens."""

    label: str
    shapes_answer = True

    def wants(self, attempt: Attempt) -> bool:
        """Only a call that generates something."""
        return attempt.path.endswith(METHODS)

    def apply(self, script: faults.Script, context: faults.Context) -> faults.Script:
        """Put the trap in place of what the model has said; an error stays what it is."""
        if script.answer.status != 200:
            return script
        events = Events.of(script.answer)
        # As far as a mask has left something of it: a sum without its parts stays what it is.
        response = events.data()[-1]
        response.pop("candidates", None)
        response.pop("promptFeedback", None)
        usage = response.get("usageMetadata", {})
        said = usage.pop("candidatesTokenCount", 0)
        if "totalTokenCount" in usage:
            usage["totalTokenCount"] -= said
        call = Call.of_attempt(context.attempt)
        trap = call.shaped(_masks.cut(TRAPS[self.label], call.chosen))
        return replace(script, answer=events.answered([events.write({**trap, **response})]))
