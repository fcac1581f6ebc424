"""Faults of a stream: events on their way that break off, stop, come slowly or too soon to an end.

A stream is a body in several pieces, as an application that streams has written it: each
piece is an event, a chunk of HTTP and, unless told otherwise, a write of its own. A body in
one piece is a stream of one event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, NamedTuple

from pytest_resilience.answers import CHUNKED_END, Answer
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's
from pytest_resilience.faults import _check
from pytest_resilience.faults._script import (
    Break,
    Close,
    Context,
    Hang,
    OfTheBody,
    Pause,
    Reset,
    Script,
    Send,
    Step,
    bodied,
    framed,
)
from pytest_resilience.faults.timing import spot

Writes = int | Literal["event", "all"]


def _check_writes(fault: str, writes: object) -> None:
    if isinstance(writes, str) and writes in {"event", "all"}:
        return
    wanted = '"event", "all", or a number of bytes, 1 or more'
    if isinstance(writes, bool) or not isinstance(writes, int) or writes < 1:
        _check.refuse(f"{fault}(writes)", writes, wanted)
    _check.whole(f"{fault}(writes)", writes, 1)


@dataclass(frozen=True, slots=True)
class _InAStream(OfTheBody):
    """Base of the faults that have a place in a stream: after one event, unless it is said."""

    after: int | None = None
    within: float | None = None
    at: float | None = None

    name: ClassVar[str]

    def __post_init__(self) -> None:
        if self.after is not None:
            _check.whole(f"{self.name}(after)", self.after)
        if self.within is not None:
            _check.place(f"{self.name}(within)", self.within)
        if self.at is None:
            return
        _check.place(f"{self.name}(at)", self.at)
        if self.after is not None or self.within is not None:
            _check.refuse(f"{self.name}(at)", self.at, "a place by at, or by after and within")

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return self.name

    def _breaks(self, *steps: Step, goes_on: bool = False) -> Break:
        """The same place in a body that is still being made; for one that is no share of it."""
        return Break(1 if self.after is None else self.after, self.within or 0, steps, goes_on)

    def place(self, events: tuple[bytes, ...]) -> tuple[int, int]:
        """How many events come whole, and how many bytes of the next one."""
        if self.at is None:
            whole = min(1 if self.after is None else self.after, len(events))
            return whole, spot(self.within or 0, len(events[whole])) if whole < len(events) else 0
        left = spot(self.at, sum(map(len, events)))
        for number, event in enumerate(events):
            if left < len(event):
                return number, left
            left -= len(event)
        return 0, 0  # There are none.


@dataclass(frozen=True, slots=True)
class CutStream(_InAStream):
    """A stream whose connection ends before the stream does.

    Args:
        after: How many events come before, 1 if not said; all of them, and the
            stream's end is missing, when there are no more.
        within: Where in the next event: an int counts its bytes, a float is a share of it.
        at: In place of both: where in the whole body, in bytes or as a share.
        reset: With a RST in place of a FIN.
        writes: What goes out in one write: an ``"event"``, ``"all"``, or so many bytes.
    """

    reset: bool = False
    writes: Writes = "event"

    name: ClassVar[str] = "cut_stream"

    def __post_init__(self) -> None:
        _InAStream.__post_init__(self)  # super() knows the class from before its slots
        _check.flag("cut_stream(reset)", self.reset)
        _check_writes(self.name, self.writes)

    @property
    def live(self) -> bool:
        """Whether the events go out while they are made."""
        return self.at is None and self.writes == "event"

    def apply(self, script: Script, context: Context) -> Script:
        """Send the events before the place, and end the connection."""
        end = Reset() if self.reset else Close()
        if script.live:
            return replace(script, breaks=self._breaks(end))
        parted = _parted(script, self)
        return script.saying(parted.answer).instead(*_sends(parted.before, self.writes), end)


@dataclass(frozen=True, slots=True)
class StallStream(_InAStream):
    """A stream that falls silent.

    Args:
        after: How many events come before, 1 if not said; all of them, and the
            stream's end does not come, when there are no more.
        within: Where in the next event: an int counts its bytes, a float is a share of it.
        at: In place of both: where in the whole body, in bytes or as a share.
        resume_after: Seconds after which the rest follows; None for never.
        writes: What goes out in one write: an ``"event"``, ``"all"``, or so many bytes.
    """

    resume_after: float | None = None
    writes: Writes = "event"

    name: ClassVar[str] = "stall_stream"

    def __post_init__(self) -> None:
        _InAStream.__post_init__(self)
        _check_writes(self.name, self.writes)
        if self.resume_after is not None:
            _check.seconds("stall_stream(resume_after)", self.resume_after)

    @property
    def live(self) -> bool:
        """Whether the events go out while they are made."""
        return self.at is None and self.writes == "event"

    def apply(self, script: Script, context: Context) -> Script:
        """Send the events before the place, and stop there."""
        if script.live:
            silent = self.resume_after is None
            stop = Hang() if self.resume_after is None else Pause(self.resume_after)
            return replace(script, breaks=self._breaks(stop, goes_on=not silent))
        parted = _parted(script, self, goes_on=self.resume_after is not None)
        script = script.saying(parted.answer)
        steps: list[Step] = list(_sends(parted.before, self.writes))
        if self.resume_after is None:
            return script.instead(*steps, Hang())
        steps += [Pause(self.resume_after), *_sends(parted.rest, self.writes)]
        return script.instead(*steps, *_end(closing=parted.closing))


@dataclass(frozen=True, slots=True)
class EndStream(_InAStream):
    """A stream that ends too early, and in order: nothing but its content tells.

    Args:
        after: How many events come, 1 if not said; the last one never does.
        within: Where in the next event: an int counts its bytes, a float is a share of it.
        at: In place of both: where in the whole body, in bytes or as a share.
    """

    name: ClassVar[str] = "end_stream"
    shapes_answer: ClassVar[bool] = True

    def apply(self, script: Script, context: Context) -> Script:
        """Leave the other events out."""
        events = _events(script.answer)
        number, size = self.place(events)
        if events and number == len(events):
            number -= 1
        kept = (*events[:number], events[number][:size] if events else b"")
        # The empty piece keeps it a chunked body, however few are left.
        return replace(script, answer=_with_body(script.answer, (*kept, b"")))


@dataclass(frozen=True, slots=True)
class Slicer(OfTheBody):
    """An answer in writes of other sizes, at once or with time between them.

    ``slicer(seconds=0.5)`` is a stream with half a second before each event,
    ``slicer(writes=1)`` one that comes byte by byte.

    Args:
        writes: What goes out in one write: an ``"event"``, ``"all"``, or so many bytes.
            Bytes are counted as they go over the wire, with the framing of HTTP.
        seconds: How long to wait before each write but the first, the head's.
    """

    writes: Writes = "event"
    seconds: float = 0.0

    def __post_init__(self) -> None:
        _check_writes("slicer", self.writes)
        _check.seconds("slicer(seconds)", self.seconds)

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return f"slicer {self.writes}" + (f" {self.seconds:g} s" if self.seconds else "")

    @property
    def live(self) -> bool:
        """Whether the events go out while they are made."""
        return self.writes == "event"

    def apply(self, script: Script, context: Context) -> Script:
        """Put the same bytes into other writes."""
        if script.live:
            return replace(script, pace=self.seconds)
        whole = framed(script)
        pieces = list(whole.pieces)
        if pieces[-1:] == [CHUNKED_END] and len(pieces) > 1:
            pieces[-2:] = [pieces[-2] + CHUNKED_END]
        return script.instead(*self._paced([whole.head, *pieces]), *_end(closing=whole.closing))

    def _paced(self, pieces: list[bytes]) -> Iterator[Step]:
        for number, send in enumerate(_sends(pieces, self.writes)):
            if number and self.seconds:
                yield Pause(self.seconds)
            yield send


def _events(answer: Answer) -> tuple[bytes, ...]:
    return tuple(piece for piece in answer.body if piece)


def _with_body(answer: Answer, body: tuple[bytes, ...]) -> Answer:
    return replace(bodied(answer).without("Content-Length"), body=body)


class Parted(NamedTuple):
    """A stream, broken at a fault's place."""

    answer: Answer
    before: list[bytes]
    """What is written before it, beginning with the head."""
    rest: list[bytes]
    closing: bool
    """The connection ends with the stream."""


def _parted(script: Script, fault: _InAStream, *, goes_on: bool = False) -> Parted:
    events = _events(script.answer)
    answer = _with_body(script.answer, (*events, b"", b""))
    number, size = fault.place(events)
    if script.http10 and not goes_on:  # It knows no chunks: a FIN would be a proper end.
        length = sum(map(len, events)) + (number == len(events))
        answer = answer.with_header("Content-Length", str(length))
    whole = framed(replace(script, answer=answer))
    coded = list(whole.pieces)
    if not size:
        before, rest = coded[:number], coded[number:]
        return Parted(answer, [whole.head, *before], rest, whole.closing)
    cut = size if script.http10 else size + len(b"%x\r\n" % len(events[number]))
    before, rest = [*coded[:number], coded[number][:cut]], [coded[number][cut:]]
    return Parted(answer, [whole.head, *before], rest + coded[number + 1 :], whole.closing)


def _sends(pieces: Iterable[bytes], writes: Writes) -> Iterator[Send]:
    if writes == "event":
        yield from map(Send, pieces)
        return
    whole = b"".join(pieces)
    size = len(whole) if writes == "all" else writes
    for start in range(0, len(whole), max(1, size)):
        yield Send(whole[start : start + size])


def _end(*, closing: bool) -> tuple[Step, ...]:
    return (Close(cut=False),) if closing else ()
