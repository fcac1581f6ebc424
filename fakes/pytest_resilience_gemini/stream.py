"""What goes wrong with a stream, and where: ``gemini.fail(stream.cut(after=2))``.

Only calls of ``streamGenerateContent`` meet these faults. ``after`` is how many events come
whole before it, 1 if nothing is said; ``within`` a place in the next one, and ``at``, in place
of both, one in the whole body: an int counts bytes, a float is a share. What goes out in one
write can be said everywhere: ``"event"``, ``"all"``, or a number of bytes.

Faults of what is said and faults of how it is sent go together: ``together(stream.error_tail(
503), stream.writes("all"))`` is an error in the same write as the events before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from pytest_resilience import Answer, Attempt, PlanError, faults
from pytest_resilience_gemini import _keys
from pytest_resilience_gemini._errors import ApiError
from pytest_resilience_gemini._events import Events
from pytest_resilience_gemini._presets import PRESETS
from pytest_resilience_gemini._wire import Call, pretty

__all__ = ["cut", "end", "error_event", "error_tail", "malformed", "slow", "stall", "writes"]

Writes = int | Literal["event", "all"]


def cut(
    after: int | None = None,
    *,
    within: float | None = None,
    at: float | None = None,
    reset: bool = False,
    writes: Writes = "event",
) -> faults.Fault:
    """The connection ends: with a FIN, or with ``reset`` a RST."""
    return _Sent(faults.cut_stream(after, within, at, reset, writes))


def stall(
    after: int | None = None,
    *,
    within: float | None = None,
    at: float | None = None,
    resume_after: float | None = None,
    writes: Writes = "event",
) -> faults.Fault:
    """Nothing more comes, or only after so many seconds."""
    return _Sent(faults.stall_stream(after, within, at, resume_after, writes))


def slow(seconds: float, *, writes: Writes = "event") -> faults.Fault:
    """Slow tokens: so many seconds before each event, or before each write of so many bytes."""
    return _Sent(faults.slicer(writes, seconds))


def writes(size: Writes) -> faults.Fault:
    """Nothing but other writes: an event each, all in one, or so many bytes."""
    return _Sent(faults.slicer(size))


def end(
    after: int | None = None, *, within: float | None = None, at: float | None = None
) -> faults.Fault:
    """The stream ends in order, and too soon: there is no ``finishReason``, and nothing tells."""
    return _Said(faults.end_stream(after, within, at))


def malformed(after: int = 1) -> faults.Fault:
    """The event behind so many, or the last one, is no JSON; what follows is."""
    return _Said(_Bent("stream_malformed", _place(after), _malformed))


def error_event(error: str | int = "overloaded", after: int = 1) -> faults.Fault:
    """An error is the last event: ``data: {"error": ...}`` (python-genai#2604).

    Args:
        error: The name of a preset, or a status.
        after: How many events come before.
    """
    return _Said(_Bent("stream_error_event", _place(after), _event_of(_maker(error))))


def error_tail(error: str | int = "overloaded", after: int = 1) -> faults.Fault:
    """An error is plain JSON behind the events, and nothing follows (llmgateway#3616).

    Args:
        error: The name of a preset, or a status.
        after: How many events come before.
    """
    return _Said(_Bent("stream_error_tail", _place(after), _tail_of(_maker(error))))


Bend = Callable[[Events, int, faults.Context], Answer]
"""Makes an answer of its events and of how many of them are to stay."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """A fault of how a stream is sent; others do not meet it."""

    fault: faults.Fault

    @property
    def label(self) -> str:
        return self.fault.label

    def wants(self, attempt: Attempt) -> bool:
        return attempt.path.endswith(":streamGenerateContent")

    def apply(self, script: faults.Script, context: faults.Context) -> faults.Script:
        return self.fault.apply(script, context)


@dataclass(frozen=True, slots=True)
class _Said(_Sent):
    """A fault of what a stream says: one of how it is sent may go together with it."""

    shapes_answer = True


@dataclass(frozen=True, slots=True)
class _Bent:
    label: str
    after: int
    bend: Bend

    def apply(self, script: faults.Script, context: faults.Context) -> faults.Script:
        if script.answer.status != 200:
            return script  # It was refused, and there is no stream.
        events = Events.of(script.answer)
        return replace(script, answer=self.bend(events, self.after, context))


def _place(after: object) -> int:
    if isinstance(after, bool) or not isinstance(after, int) or after < 0:
        raise PlanError(f"stream: after={after!r} is not allowed: wanted a number, 0 or more")
    return after


def _malformed(events: Events, after: int, _: faults.Context) -> Answer:
    texts = list(events.texts)
    place = min(after, len(texts) - 1)
    texts[place] = texts[place][: len(texts[place]) // 2]
    return events.answered(texts)


Maker = Callable[[Call, str], ApiError]


def _maker(error: object) -> Maker:
    if isinstance(error, str) and error in PRESETS:
        return PRESETS[error]
    if isinstance(error, int) and not isinstance(error, bool) and 400 <= error <= 599:
        return lambda _call, _key: ApiError(error)
    names = ", ".join(PRESETS)
    raise PlanError(f"stream: no error is {error!r}; there are: 400 to 599, {names}")


def _error_of(make: Maker, context: faults.Context) -> dict[str, object]:
    attempt = context.attempt
    key = _keys.sent(attempt.headers, attempt.target.partition("?")[2])
    return make(Call.of_attempt(attempt), key or "").body


def _event_of(make: Maker) -> Bend:
    def bend(events: Events, after: int, context: faults.Context) -> Answer:
        error = events.write(_error_of(make, context))
        return events.answered([*events.texts[:after], error])

    return bend


def _tail_of(make: Maker) -> Bend:
    def bend(events: Events, after: int, context: faults.Context) -> Answer:
        return events.answered(events.texts[:after], pretty(_error_of(make, context)))

    return bend
