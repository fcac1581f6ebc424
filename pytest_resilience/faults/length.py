"""Faults of framing: bodies that end too early, or announce another length than they have."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_resilience.answers import chunk, head_bytes
from pytest_resilience.faults import _check
from pytest_resilience.faults._script import Close, Context, Hang, Script, Send
from pytest_resilience.faults.timing import spot


@dataclass(frozen=True, slots=True)
class LimitData:
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
        answer = script.answer.without("Transfer-Encoding")
        head = head_bytes(answer.with_header("Content-Length", str(announced)))
        part = b"" if script.head_only else body[: spot(self.at, announced)]
        return script.instead(Send(head + part), Close())


@dataclass(frozen=True, slots=True)
class CutChunk:
    """A chunked body that ends with a FIN before its last chunk.

    Args:
        at: Where: an int counts bytes of the body, a float is a share of it. The
            bytes before it come as one whole chunk; the next chunk is announced
            and never sent.
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
        body = script.answer.whole
        cut = spot(self.at, max(1, len(body)))
        rest = max(1, len(body) - cut)
        answer = script.answer.without("Content-Length")
        head = head_bytes(answer.with_header("Transfer-Encoding", "chunked"))
        part = b"" if script.head_only else chunk(body[:cut]) + b"%x\r\n" % rest
        return script.instead(Send(head + part), Close())


@dataclass(frozen=True, slots=True)
class WrongLength:
    """The whole body under a Content-Length that is off, on a connection that stays open.

    With a larger length the client waits for bytes that never come; with a smaller one
    the rest lies in the connection, where the next answer's head should be.

    Args:
        by: What to add to the true length; not 0.
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
        answer = script.answer.without("Transfer-Encoding")
        length = max(0, len(body) + self.by)
        head = head_bytes(answer.with_header("Content-Length", str(length)))
        sent = Send(head if script.head_only else head + body)
        return script.instead(sent, Hang()) if self.by > 0 else script.instead(sent)
