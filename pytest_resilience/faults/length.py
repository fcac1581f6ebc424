"""Faults of framing: bodies that end too early, or announce another length than they have."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_resilience.answers import chunk, head_bytes
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's
from pytest_resilience.faults import _check
from pytest_resilience.faults._script import (
    Close,
    Context,
    Hang,
    OfTheBody,
    Script,
    Send,
    Step,
    bodied,
    framed,
)
from pytest_resilience.faults.timing import spot


@dataclass(frozen=True, slots=True)
class LimitData(OfTheBody):
    """A truncated body: Content-Length announces it whole, a part comes, then a FIN.

    Args:
        at: Where: an int counts bytes of the body, a float is a share of it.
    """

    at: float = 0.5

    def __post_init__(self) -> None:
        _check.place("limit_data(at)", self.at)

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return "limit_data"

    def apply(self, script: Script, context: Context) -> Script:
        """Send the head of the whole body and only a part of it."""
        body = script.answer.whole
        announced = max(1, len(body))
        answer = bodied(script.answer).without("Transfer-Encoding")
        answer = answer.with_header("Content-Length", str(announced))
        part = head_bytes(answer) + body[: spot(self.at, announced)]
        return script.saying(answer).instead(Send(part), Close())


@dataclass(frozen=True, slots=True)
class CutChunk(OfTheBody):
    """A chunked body that ends with a FIN before its last chunk.

    Args:
        at: Where: an int counts bytes of the body, a float is a share of it. The
            bytes before it come as one whole chunk; the next chunk is announced
            and never sent. A client of HTTP/1.0 knows no chunks and gets `limit_data`.
    """

    at: float = 0.5

    def __post_init__(self) -> None:
        _check.place("cut_chunk(at)", self.at)

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return "cut_chunk"

    def apply(self, script: Script, context: Context) -> Script:
        """Send one chunk, announce another, and close."""
        if script.http10:
            return LimitData(self.at).apply(script, context)
        body = script.answer.whole
        cut = spot(self.at, max(1, len(body)))
        rest = max(1, len(body) - cut)
        answer = bodied(script.answer).without("Content-Length")
        answer = answer.with_header("Transfer-Encoding", "chunked")
        part = head_bytes(answer) + chunk(body[:cut]) + b"%x\r\n" % rest
        return script.saying(answer).instead(Send(part), Close())


@dataclass(frozen=True, slots=True)
class WrongLength(OfTheBody):
    """The whole body under a Content-Length that is off, on a connection that stays open.

    With a larger length the client waits for bytes that never come; with a smaller one
    the rest lies in the connection, where the next answer's head should be.

    Args:
        by: What to add to the true length; not 0. The length sent is never below 0.
    """

    by: int = -1

    def __post_init__(self) -> None:
        if _check.whole("wrong_length(by)", self.by, -(2**60), 2**60) == 0:
            _check.refuse("wrong_length(by)", self.by, "a whole number other than 0")

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return f"wrong_length {self.by:+d}"

    def apply(self, script: Script, context: Context) -> Script:
        """Send all of it under the wrong number."""
        body = script.answer.whole
        length = max(0, len(body) + self.by)
        answer = bodied(script.answer).without("Transfer-Encoding")
        answer = answer.with_header("Content-Length", str(length))
        closing = framed(script).closing
        if closing:
            answer = answer.with_header("Connection", "close")
        # An empty body cannot be longer than it says, so a byte is made up.
        whole = head_bytes(answer) + (body or b"?" * (self.by < 0))
        return script.saying(answer).instead(Send(whole), *self._end(closing=closing))

    def _end(self, *, closing: bool) -> tuple[Step, ...]:
        if self.by > 0:
            return (Hang(),)
        return (Close(cut=False),) if closing else ()
