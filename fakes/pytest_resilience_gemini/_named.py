"""A named error as a fault that knows the call it meets: its model, its method, its form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_resilience import Answer, faults
from pytest_resilience_gemini import _keys
from pytest_resilience_gemini._wire import Call

if TYPE_CHECKING:
    from werkzeug import Response


class NamedError:
    """What ``fail("overloaded")`` puts into the plan."""

    processed = False
    replaces_answer = True

    def __init__(self, name: str, make: Callable[[Call, str | None], Response]) -> None:
        self.label = name
        self._make = make

    def apply(self, script: faults.Script, context: faults.Context) -> faults.Script:
        """Put the error in place of the answer."""
        attempt = context.attempt
        key = _keys.sent(attempt.headers, attempt.target.partition("?")[2])
        response = self._make(Call.of_attempt(attempt), key)
        headers = tuple(response.headers.to_wsgi_list())
        answer = Answer(response.status_code, headers, tuple(response.iter_encoded()))
        return replace(script, answer=answer)

    def __repr__(self) -> str:
        return f"<preset {self.label}>"
