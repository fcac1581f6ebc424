"""What the model was told to say, and what it says when it was told nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pytest_resilience import PlanError
from pytest_resilience_gemini import _example, _functions
from pytest_resilience_gemini._prompt import Prompt
from pytest_resilience_gemini._reply import Reply

Say = str | Reply | Callable[[Prompt], str | Reply]

DEFAULT_TEXT = "Hello from the fake Gemini."
DEFAULT = Reply((DEFAULT_TEXT,))


def checked(answers: Iterable[Any]) -> list[Say]:
    """What may be said.

    Raises:
        PlanError: There is nothing, or something else.
    """
    listed = list(answers)
    if not listed:
        raise PlanError('say() wants something to say: say("text")')
    for answer in listed:
        if not isinstance(answer, str | Reply) and not callable(answer):
            hint = "; data is Reply.json(...)" if isinstance(answer, dict | list) else ""
            raise PlanError(
                f"say({answer!r}): want a text, a Reply or a function of the Prompt{hint}"
            )
    return listed


def take(says: list[Say], prompt: Prompt) -> Reply:
    """What is to be said next; the last one stays."""
    said = says.pop(0) if len(says) > 1 else says[0]
    if said == DEFAULT_TEXT:
        return _unasked(prompt)
    if not isinstance(said, str | Reply):
        said = said(prompt)
    if not isinstance(said, str | Reply):
        raise PlanError(f"the function given to say() returned {said!r}: want a text or a Reply")
    return Reply((said,)) if isinstance(said, str) else said


def _unasked(prompt: Prompt) -> Reply:
    """A model that must call a function calls it; one that must say data says some."""
    call = _functions.forced(prompt.body)
    if call is not None:
        return Reply(calls=(call,))
    config = prompt.config
    schema = config.get("response_schema", config.get("response_json_schema", {}))
    if config.get("response_mime_type") == "application/json":
        return Reply.json(_example.of(schema))
    if config.get("response_mime_type") == "text/x.enum":
        return Reply((str(_example.of(schema)),))
    return DEFAULT
