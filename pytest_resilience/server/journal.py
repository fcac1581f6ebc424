"""The attempts of one server, recorded while they happen."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import fields
from itertools import islice
from operator import attrgetter

from pytest_resilience.answers import Answer
from pytest_resilience.clock import moments
from pytest_resilience.records import Attempt, Outcome, Trace

VALUES = attrgetter(*(field.name for field in fields(Attempt)))
ANSWERS = 100
"""How many answers are kept for their credentials."""
LARGEST = 64 * 1024
"""Bytes of a body that is read for credentials."""


class Journal:
    """Appends and amends attempts in constant time, however many there are.

    Args:
        keep: How many attempts to keep, the newest; None for all.
    """

    def __init__(self, keep: int | None = None) -> None:
        self._keep = keep
        self.lock = threading.Lock()  # guards the two below, and every entry
        self._entries: deque[Entry] = deque(maxlen=keep)
        self._count = 0
        # Clients repeat themselves: equal heads and targets are stored once.
        self._last_head = b""
        self._last_target = ""
        self.answers: deque[Answer] = deque(maxlen=ANSWERS)
        """The newest answers: the credentials in them are known to the client."""
        self.observer: Callable[[Attempt], object] | None = None
        """Told of each attempt when it is recorded and at each change, on the loop's thread.

        It must not wait, nor raise.
        """

    def begin(
        self,
        *,
        started_ns: int,
        connection: int,
        reused: bool,
        method: str,
        target: str,
        head: bytes,
        note: str = "",
    ) -> Entry:
        """Record an attempt whose head has just been read."""
        moments.end()
        if head == self._last_head:
            head = self._last_head
        if target == self._last_target:
            target = self._last_target
        self._last_head, self._last_target = head, target
        with self.lock:
            self._count += 1
            number = self._count
            entry = Entry(self, number, started_ns, connection, reused, method, target, head, note)
            self._entries.append(entry)
        if self.observer is not None:
            self.observer(entry.attempt)
        return entry

    def __bool__(self) -> bool:
        """Whether an attempt is kept."""
        return bool(self._entries)

    def clear(self) -> None:
        """Forget all attempts; the next one is number 1."""
        with self.lock:
            self._entries.clear()
            self.answers.clear()
            self._count = 0

    def renew_lock(self) -> None:
        """Have a new one, where whoever holds it may never give it back."""
        self.lock = threading.Lock()

    def trace(self, seed: int | None = None, mask: Callable[[str], str] = str) -> Trace:
        """All attempts kept, as they stand now.

        Args:
            seed: The seed of the server's plan.
            mask: What takes secrets out of a printed trace.
        """
        with self.lock:
            forgotten = self._count - len(self._entries)
            attempts = tuple(entry.attempt for entry in self._entries)
        return Trace(attempts, forgotten=forgotten, seed=seed, mask=mask)

    def exchanged(self, most: int) -> tuple[list[Attempt], list[Answer]]:
        """The newest attempts, so many, and the newest answers."""
        with self.lock:
            newest = [entry.attempt for entry in islice(reversed(self._entries), most)]
        return newest[::-1], list(self.answers)


class Entry:
    """One attempt being recorded; only the loop's thread changes it.

    The value that others see is made when somebody looks: most attempts change twice or more
    before that, and to make one takes as long as all else that is done for its record.
    """

    __slots__ = (
        "_journal",
        "_value",
        "body",
        "body_size",
        "connection",
        "ended_ns",
        "fault",
        "head",
        "method",
        "note",
        "number",
        "outcome",
        "retry_after",
        "reused",
        "sent",
        "started_ns",
        "status",
        "target",
        "unmatched",
    )

    def __init__(  # noqa: PLR0917 -- the fields of an attempt, in their order
        self,
        journal: Journal,
        number: int,
        started_ns: int,
        connection: int,
        reused: bool,  # noqa: FBT001 -- the same
        method: str,
        target: str,
        head: bytes,
        note: str,
    ) -> None:
        self._journal = journal
        self._value: Attempt | None = None
        self.number = number
        self.started_ns = started_ns
        self.connection = connection
        self.reused = reused
        self.method = method
        self.target = target
        self.head = head
        self.body = b""
        self.body_size = 0
        self.fault: str | None = None
        self.status: int | None = None
        self.retry_after: str | None = None
        self.sent = 0
        self.ended_ns: int | None = None
        self.outcome = Outcome.PENDING
        self.unmatched = False
        self.note = note

    @property
    def attempt(self) -> Attempt:
        """As it stands now. Elsewhere than on the loop's thread, to be read under the lock."""
        value = self._value
        if value is None:
            value = self._value = Attempt(*VALUES(self))
        return value

    def change(self, **changes: object) -> None:
        """Record a newer state."""
        journal = self._journal
        with journal.lock:
            for name, value in changes.items():
                setattr(self, name, value)
            self._value = None
        if journal.observer is not None:
            journal.observer(self.attempt)

    @property
    def pending(self) -> bool:
        """Whether its end has not been recorded yet."""
        return self.outcome is Outcome.PENDING

    def answered(self, answer: Answer) -> None:
        """Record what is being answered."""
        if sum(map(len, answer.body)) <= LARGEST:
            self._journal.answers.append(answer)

    def end(self, outcome: Outcome, ended_ns: int) -> None:
        """Record how it ended; the first end counts."""
        if self.outcome is Outcome.PENDING:
            self.change(outcome=outcome, ended_ns=ended_ns)
