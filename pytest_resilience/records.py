"""What a server saw: attempts, and the trace of a test. Frozen values."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import overload

from pytest_resilience import schedule
from pytest_resilience.secrets.names import masked_value

__all__ = ["Attempt", "Headers", "Outcome", "Trace"]

SECOND = 1_000_000_000
MASKS: list[Callable[[str], str]] = []
"""What takes secrets out of reprs, while a test runs whose report may show them."""


def shown(text: str) -> str:
    """A repr without secrets."""
    for mask in MASKS:
        text = mask(text)
    return text


class Outcome(enum.Enum):
    """How an attempt ended."""

    PENDING = "pending"
    """It has not ended: the server is still reading, waiting or writing."""
    ANSWERED = "answered"
    """The whole answer was handed to the kernel (status faults included)."""
    CUT = "cut"
    """The server ended it early, because a fault said so or because it stopped."""
    GONE = "gone"
    """The client closed or reset the connection before the answer was complete."""


class Headers(Mapping[str, str]):
    """Header fields of a message; names compare without case, as HTTP wants it.

    A field sent twice reads as one value joined by ``", "``; `all` keeps them apart.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self._fields = tuple(fields)

    @classmethod
    def parse(cls, head: bytes) -> Headers:
        """Read the compact form in which an attempt keeps its header fields."""
        lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(": ") for line in lines if line)
        return cls([(name, value) for name, _, value in pairs])

    def all(self, name: str) -> list[str]:
        """Every value sent under this name, in order."""
        low = name.lower()
        return [value for key, value in self._fields if key.lower() == low]

    def items_sent(self) -> tuple[tuple[str, str], ...]:
        """Names and values as sent: order, case and repetitions kept."""
        return self._fields

    def __getitem__(self, name: str) -> str:
        values = self.all(name)
        if not values:
            raise KeyError(name)
        return ", ".join(values)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(key.lower() for key, _ in self._fields))

    def __len__(self) -> int:
        return len({key.lower() for key, _ in self._fields})

    def __repr__(self) -> str:
        """With credentials masked: it ends up in reports."""
        fields = [(name, masked_value(name, value)) for name, value in self._fields]
        return shown(f"Headers({fields!r})")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request as the server saw it, and how it ended.

    It is recorded when its head has been read, so an attempt that still hangs is in
    the trace already, with ``outcome`` PENDING. Times are on the server's clock and
    count from the start of the trace.
    """

    number: int
    """1 for the first attempt of the trace."""
    started_ns: int
    """When its head had been read, in nanoseconds since the trace began."""
    connection: int
    """Which connection carried it; 1 for the first one the server accepted."""
    reused: bool
    """True when the connection had carried an attempt before."""
    method: str
    target: str
    """The request target as sent: path and query, still percent-encoded."""
    head: bytes
    """The header fields as sent, one ``Name: value`` a line; see `headers`."""
    body: bytes = b""
    """The body, cut at the server's ``keep_body`` limit."""
    body_size: int = 0
    """Length of the body in bytes as received, however much of it was kept."""
    fault: str | None = None
    """What went wrong on purpose, in words; None when nothing did."""
    status: int | None = None
    """The status sent; None when no complete head was sent."""
    retry_after: str | None = None
    """The answer's Retry-After field, as sent."""
    sent: int = 0
    """Bytes of the answer handed to the kernel, head included."""
    ended_ns: int | None = None
    """When it ended, in nanoseconds since the trace began; None while pending."""
    outcome: Outcome = Outcome.PENDING
    unmatched: bool = False
    """True when no route of the fake matched the request."""
    note: str = ""
    """What else a reader should know: a used-up plan, a malformed request, ..."""

    @property
    def at(self) -> float:
        """Seconds from the start of the trace to this attempt."""
        return self.started_ns / SECOND

    @property
    def ended(self) -> float | None:
        """Seconds from the start of the trace to its end; None while pending."""
        return None if self.ended_ns is None else self.ended_ns / SECOND

    @property
    def path(self) -> str:
        """The target without its query, and without the scheme and host of an absolute one."""
        path = self.target.partition("?")[0]
        if path.startswith("/") or "://" not in path:
            return path
        return "/" + path.partition("://")[2].partition("/")[2]

    @property
    def query(self) -> str:
        """What follows the question mark; empty when there is none."""
        return self.target.partition("?")[2]

    @property
    def headers(self) -> Headers:
        """The request's header fields."""
        return Headers.parse(self.head)

    @property
    def failed(self) -> bool:
        """Whether a client has reason to try again: faulted, unanswered, or an error status."""
        if self.fault is not None or self.status is None:
            return True
        return self.status >= 400

    def __repr__(self) -> str:
        """As in a table: head, query and body may hold credentials, and end up in reports."""
        return shown(f"<Attempt {schedule.row(self, self.at, None).lstrip()}>")


class Trace(Sequence[Attempt]):
    """The attempts of a test, in the order in which they arrived.

    A trace is a snapshot: reading ``server.trace`` again gives a newer one.
    """

    __slots__ = ("_attempts", "_mask", "forgotten", "part_of", "seed")

    def __init__(
        self,
        attempts: Sequence[Attempt] = (),
        *,
        forgotten: int = 0,
        seed: int | None = None,
        mask: Callable[[str], str] = str,
        part_of: int = 0,
    ) -> None:
        self._mask = mask
        self._attempts = tuple(attempts)
        self.forgotten = forgotten
        """How many older attempts were dropped to keep within the server's bound."""
        self.seed = seed
        """The seed of the server's random faults; start a server with it to replay them."""
        self.part_of = part_of
        """How many attempts the trace has of which this is a slice, or what `to` left; else 0."""

    @overload
    def __getitem__(self, index: int) -> Attempt: ...
    @overload
    def __getitem__(self, index: slice) -> Trace: ...
    def __getitem__(self, index: int | slice) -> Attempt | Trace:
        if isinstance(index, slice):
            return self._with(self._attempts[index])
        try:
            return self._attempts[index]
        except IndexError:
            __tracebackhide__ = True  # A report shows the line that asks.
        raise IndexError(f"no attempt at [{index}]: the trace has {len(self)}")

    def __iter__(self) -> Iterator[Attempt]:
        return iter(self._attempts)

    def __len__(self) -> int:
        return len(self._attempts)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, list | tuple):  # ``trace == []`` says that nothing was sent.
            return self._attempts == tuple(other)
        return isinstance(other, Trace) and self._attempts == other._attempts

    def __hash__(self) -> int:
        return hash(self._attempts)

    @property
    def waits(self) -> schedule.Waits:
        """Seconds a client waited before each retry, in order of the retries.

        A retry is an attempt with the method and target of an earlier one that had
        failed, or whose answer did not go out in full; the wait runs from the end of the
        one to the start of the other. An attempt that still hung when its retry came gives
        0.0. Of a connection that was never read nobody knows what it asked for: it is taken
        for a retry of the failure right before it, and the attempt right after it for its
        own retry.
        """
        return schedule.Waits(schedule.waits(self._attempts), self)

    @property
    def gaps(self) -> schedule.Gaps:
        """Seconds from the start of each attempt to the start of the next."""
        return schedule.Gaps(schedule.gaps(self._attempts), self)

    @property
    def times(self) -> schedule.Times:
        """Seconds from the start of the first attempt to the start of each."""
        return schedule.Times(schedule.times(self._attempts), self)

    @property
    def statuses(self) -> schedule.Statuses:
        """The status of each answer; None where none was sent."""
        return schedule.Statuses([attempt.status for attempt in self._attempts], self)

    @property
    def faults(self) -> schedule.Faults:
        """The fault each attempt met; None where it met none."""
        return schedule.Faults([attempt.fault for attempt in self._attempts], self)

    def to(self, method: str | None = None, path: str | None = None) -> Trace:
        """Only the attempts with this method and a path that this glob matches."""
        return self._with(
            [
                attempt
                for attempt in self._attempts
                if (method is None or attempt.method == method.upper())
                and (path is None or fnmatchcase(attempt.path, path))
            ]
        )

    def table(self) -> str:
        """The trace as a person reads it, a line an attempt."""
        return self.masked(schedule.table(self))

    def masked(self, text: str) -> str:
        """The text without the secrets of the server that has made this trace."""
        return self._mask(text)

    def _with(self, attempts: Sequence[Attempt]) -> Trace:
        return Trace(
            attempts,
            forgotten=self.forgotten,
            seed=self.seed,
            mask=self._mask,
            part_of=self.part_of or len(self),
        )

    def __repr__(self) -> str:
        return f"<Trace of {len(self)} attempts>\n{self.table()}" if self else "<Trace: empty>"
