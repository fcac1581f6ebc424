"""Faults of the connection: closed, reset, refused, or never served."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's
from pytest_resilience.faults import _check
from pytest_resilience.faults._script import (
    Close,
    Context,
    GoDown,
    Reset,
    ResetIdle as ResetIdleStep,
    Script,
    Send,
    framed,
)
from pytest_resilience.faults.timing import broken
from pytest_resilience.records import Attempt


@dataclass(frozen=True, slots=True)
class EmptyReply:
    """The connection is closed in order, without a byte of an answer.

    Args:
        processed: Whether the application handles the request before its answer is lost.
    """

    processed: bool = False

    def __post_init__(self) -> None:
        _check.flag("empty_reply(processed)", self.processed)

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return "empty_reply"

    def apply(self, script: Script, context: Context) -> Script:
        """Close at once."""
        return script.instead(Close())


@dataclass(frozen=True, slots=True)
class ResetPeer:
    """The connection is reset: the client's kernel sees a RST.

    Args:
        when: ``"head"`` before the first byte of the answer, ``"body"`` within its body.
        at: With ``"body"``: where; an int counts bytes, a float is a share of the body.
        processed: With ``"head"``: whether the application handles the request before its
            answer is lost. With ``"body"`` it always does.
    """

    when: str = "head"
    at: float = 0.5
    processed: bool = False

    def __post_init__(self) -> None:
        if self.when not in ("head", "body"):
            _check.refuse("reset_peer(when)", self.when, '"head" or "body"')
        _check.place("reset_peer(at)", self.at)
        _check.flag("reset_peer(processed)", self.processed)
        if self.when == "body":
            object.__setattr__(self, "processed", True)

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return "reset_peer" if self.when == "head" else "reset_peer in the body"

    def wants(self, attempt: Attempt) -> bool:
        """A reset in the body leaves a HEAD request alone."""
        return self.when == "head" or attempt.method != "HEAD"

    def apply(self, script: Script, context: Context) -> Script:
        """Reset before or within the answer."""
        if self.when == "head":
            return script.instead(Reset())
        part, _ = broken(script, self.at)
        return script.instead(Send(part), Reset())


@dataclass(frozen=True, slots=True)
class ResetIdle:
    """The answer is right; its kept-alive connection is reset while idle afterwards.

    A client that looks before it reuses a pooled connection opens a new one and never
    notices. See `stale_connection` for the case in which looking does not help. A request
    whose connection ends with its answer is left alone.

    Args:
        after: Idle seconds before the reset; a request that comes earlier prevents it.
    """

    after: float = 0.0

    def __post_init__(self) -> None:
        _check.seconds("reset_idle(after)", self.after)

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return "reset_idle"

    def wants(self, attempt: Attempt) -> bool:
        """Only an attempt that wants its connection kept."""
        return "close" not in attempt.headers.get("Connection", "").lower()

    def apply(self, script: Script, context: Context) -> Script:
        """Answer, then let the reset follow; nothing is kept for HTTP/1.0 or if the answer says."""
        if framed(script).closing:
            return script
        return replace(script, tail=(*script.tail, ResetIdleStep(self.after)))


@dataclass(frozen=True, slots=True)
class StaleConnection:
    """A request on a reused connection meets a reset, as when a server has dropped it.

    The client could not know: the reset answers its request. Only attempts on a reused
    connection meet this fault; others are left alone.
    """

    processed: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return "stale_connection"

    def wants(self, attempt: Attempt) -> bool:
        """Only an attempt on a connection that has carried one before."""
        return attempt.reused

    def apply(self, script: Script, context: Context) -> Script:
        """Reset at once."""
        return script.instead(Reset())


@dataclass(frozen=True, slots=True)
class Down:
    """The server goes down: connections are reset, new ones refused, for a while.

    Args:
        seconds: How long until the same port listens again.
    """

    seconds: float
    processed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check.seconds("down(seconds)", self.seconds)

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return f"down {self.seconds:g} s"

    def apply(self, script: Script, context: Context) -> Script:
        """Take the server down in the middle of this attempt."""
        return script.instead(GoDown(self.seconds))


@dataclass(frozen=True, slots=True)
class NeverRead:
    """The connection is accepted and nothing is ever read from it.

    It is met when a connection is accepted, before there is a request, so a rule with
    it cannot match on a request. A large request blocks in the client's write.
    """

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return "never_read"

    def apply(self, script: Script, context: Context) -> Script:
        """Never called: there is no request to answer."""
        return script
