"""What a fault changes: the answer to come, and the steps in which it reaches the socket.

A fault is a value with one method, ``apply(script, context) -> script``. A script starts
as "deliver this answer" and a fault bends it; ``deliver`` turns the result into steps.
Steps are carried out by ``server/wire.py``, the only module that misbehaves on a socket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from random import Random
from typing import Final, NamedTuple, Protocol

from pytest_resilience.answers import CHUNKED_END, Answer, chunk, head_bytes
from pytest_resilience.clock import Clock
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's
from pytest_resilience.records import Attempt


@dataclass(frozen=True, slots=True)
class Send:
    """Hand these bytes to the kernel in one write."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pause:
    """Let this many seconds pass on the server's clock."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """Say nothing more, for as long as the client stays."""


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection in order: a FIN after the last byte."""

    cut: bool = True
    """Whether the answer is cut short by it."""


@dataclass(frozen=True, slots=True)
class Reset:
    """End the connection with a RST."""


@dataclass(frozen=True, slots=True)
class ResetIdle:
    """Keep the connection; reset it after this many idle seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GoDown:
    """Reset every connection and refuse new ones for this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Await:
    """The next step is not known yet: the application is still making its answer."""


Step = Send | Pause | Hang | Close | Reset | ResetIdle | GoDown | Await


@dataclass(frozen=True, slots=True)
class Break:
    """Where an answer breaks whose body is still being made."""

    after: int
    """So many pieces come whole."""
    within: float
    """Where in the next one: an int counts its bytes, a float is a share of it."""
    steps: tuple[Step, ...]
    """What is done there."""
    goes_on: bool = False
    """Whether the rest follows."""


@dataclass(frozen=True, slots=True)
class Script:
    """An answer on its way to the wire."""

    answer: Answer
    head_only: bool = False
    """The request was a HEAD: no body follows, whatever the fields say."""
    http10: bool = False
    """The client does not know chunked bodies."""
    keep_alive: bool = True
    """Whether the connection may carry another request after this answer."""
    lead: tuple[Step, ...] = ()
    """Steps before the first byte."""
    steps: Iterable[Step] | None = None
    """Steps in place of the ordinary delivery."""
    tail: tuple[Step, ...] = ()
    """Steps after the ordinary delivery."""
    live: bool = False
    """The answer's body is still being made, and is sent meanwhile."""
    breaks: Break | None = None
    """Where such an answer breaks."""
    pace: float = 0.0
    """Seconds before each of its pieces."""

    def instead(self, *steps: Step) -> Script:
        """The same script with these steps in place of the ordinary delivery."""
        return replace(self, steps=steps)

    def saying(self, answer: Answer) -> Script:
        """The same script with this answer."""
        # By hand, as in `Answer`: each attempt that meets a fault passes here twice.
        return Script(
            answer,
            self.head_only,
            self.http10,
            self.keep_alive,
            self.lead,
            self.steps,
            self.tail,
            self.live,
            self.breaks,
            self.pace,
        )


class Chance:
    """Random numbers of one stream.

    It is begun when it is first drawn from: most faults draw nothing, and to seed a stream
    takes as long as to write the rule that has it.

    Args:
        seed: Of the stream; None for one that is never the same.
    """

    __slots__ = ("_random", "_seed")

    def __init__(self, seed: str | None = None) -> None:
        self._seed = seed
        self._random: Random | None = None

    @property
    def random(self) -> Random:
        """The stream."""
        if self._random is None:
            self._random = Random(self._seed)
        return self._random


@dataclass(frozen=True, slots=True)
class Context:
    """What a fault may ask while it is applied."""

    attempt: Attempt
    clock: Clock
    chance: Chance
    error: Callable[[int], Answer]
    """The service's own error answer for a status."""

    @property
    def random(self) -> Random:
        """The stream of the rule that the attempt has met."""
        return self.chance.random


class Fault(Protocol):
    """What goes wrong with one attempt. A frozen value; `label` names it in the trace.

    A fault with ``processed = False`` keeps the request from the application, as a proxy
    does that answers in its place; without the attribute the application handles it. One
    with a method ``wants(attempt)`` leaves the attempts alone for which it is false. One
    with ``live = True`` can bend an answer whose body is still being made, so that it goes
    out meanwhile (`Script.live`); for all others such a body is awaited first.
    """

    @property
    def label(self) -> str:
        """The fault in a few words."""

    def apply(self, script: Script, context: Context) -> Script:
        """Bend the script; called on the server's thread, once an attempt."""


class Framed(NamedTuple):
    """An answer with its framing fields, and its body as it goes over the wire."""

    answer: Answer
    pieces: tuple[bytes, ...]
    closing: bool
    """The connection ends with the body."""

    @property
    def head(self) -> bytes:
        return head_bytes(self.answer)


class OfTheBody:
    """Base of faults that only a body can meet: a HEAD request is left alone."""

    __slots__ = ()

    def wants(self, attempt: Attempt) -> bool:
        """Only an attempt whose answer may have a body."""
        return attempt.method != "HEAD"


def bodied(answer: Answer) -> Answer:
    """The same answer with a status that may have a body, for a fault that needs one."""
    return replace(answer, status=200, reason=None) if answer.bodiless else answer


def framed(script: Script) -> Framed:
    """Add what HTTP/1.1 needs to tell where the body ends (RFC 9112 section 6)."""
    answer, coded, closing = _coded(script)
    if closing or not script.keep_alive or _says_close(answer):
        return Framed(answer.with_header("Connection", "close"), coded, closing=True)
    return Framed(answer, coded, closing=False)


def _says_close(answer: Answer) -> bool:
    said = answer.header("Connection")
    return said is not None and "close" in said.lower()


def _coded(script: Script) -> tuple[Answer, tuple[bytes, ...], bool]:
    answer, body = script.answer, script.answer.body
    if answer.bodiless:
        return answer.without("Content-Length"), (), False
    pieces = () if script.head_only else tuple(filter(None, body))
    if answer.header("Content-Length") is not None:
        return answer, pieces, False
    if script.head_only and not body:  # How long a GET would make it, nobody has said.
        return answer, (), False
    if len(body) <= 1:
        return answer.with_new("Content-Length", str(len(answer.whole))), pieces, False
    if script.http10:
        return answer, pieces, True
    coded = () if script.head_only else (*map(chunk, pieces), CHUNKED_END)
    return answer.with_header("Transfer-Encoding", "chunked"), coded, False


FINISHED: Final = Close(cut=False)


def deliver(script: Script) -> Iterator[Step]:
    """The steps of a script, in order; without an end of its own the connection is kept."""
    if script.steps is not None:
        return chain(script.lead, script.steps)
    whole = framed(script)
    body = whole.pieces
    sends = [Send(whole.head + body[0] if body else whole.head)]
    if len(body) > 1:
        sends = [Send(whole.head), *map(Send, body)]
    end = (FINISHED,) if whole.closing else ()
    return iter((*script.lead, *sends, *script.tail, *end))
