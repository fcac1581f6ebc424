"""From the application's answer, and the plan's word on it, to a script for the wire."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_resilience.answers import Answer
from pytest_resilience.faults._script import Context, Script

if TYPE_CHECKING:
    from pytest_resilience.plan import Decision
    from pytest_resilience.records import Attempt
    from pytest_resilience.server import wsgi
    from pytest_resilience.server.listener import Listener

FAILED = Answer(500, (("Content-Type", "text/plain"),), (b"",))
"""In place of an answer that cannot be made."""


def unasked(request: wsgi.Request, listener: Listener, *, keep_alive: bool) -> Script:
    """What a fault bends that keeps the request from the application."""
    head_only, http10 = request.method == "HEAD", request.http_version != "1.1"
    return _unasked(listener.date(), head_only, http10, keep_alive)


@lru_cache(maxsize=32)
def _unasked(date: str, head_only: bool, http10: bool, keep_alive: bool) -> Script:  # noqa: FBT001 -- of a script
    return Script(Answer(200, (("Date", date),), (b"",)), head_only, http10, keep_alive)


def script(
    answer: Answer, request: wsgi.Request, listener: Listener, *, keep_alive: bool
) -> Script:
    """The ordinary delivery of an answer."""
    return Script(
        dated(answer, listener),
        head_only=request.method == "HEAD",
        http10=request.http_version != "1.1",
        keep_alive=keep_alive,
    )


def misannounced(answer: Answer, request: wsgi.Request) -> str:
    """What is wrong with the length that the application has announced; empty when nothing is."""
    said = answer.header("Content-Length")
    if said is None or request.method == "HEAD" or answer.bodiless:
        return ""
    size = sum(map(len, answer.body))
    if said == str(size):
        return ""
    return f"the application announced {said!r} bytes and gave {size}: the connection ends here"


def dated(answer: Answer, listener: Listener) -> Answer:
    """The answer with a Date, by the clock in force, unless it has one."""
    if answer.header("Date") is not None:
        return answer
    return answer.with_new("Date", listener.date())


def bent(ordinary: Script, decision: Decision, attempt: Attempt, listener: Listener) -> Script:
    """What the fault makes of it; whatever the fault raises comes out of here."""
    context = Context(
        attempt,
        listener.clock,
        decision.chance,
        lambda status: dated(listener.application.error(status, attempt), listener),
    )
    result = decision.fault.apply(ordinary, context)
    if result is ordinary or result.steps is not None:
        return result
    answer = dated(result.answer, listener)
    return result if answer is result.answer else result.saying(answer)
