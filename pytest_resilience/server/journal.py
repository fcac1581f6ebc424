"""The attempts of one server, recorded while they happen."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import fields
from itertools import islice
from operator import attrgetter

from pytest_resilience.answers import Answer
from pytest_resilience.records import Attempt, Outcome, Trace

FIELDS = tuple(field.name for field in fields(Attempt))
VALUES = attrgetter(*FIELDS)
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
        self._lock = threading.Lock()  # guards the three below
        self._entries: deque[Attempt] = deque(maxlen=keep)
        self._count = 0
        self._generation = 0
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
        if head == self._last_head:
            head = self._last_head
        if target == self._last_target:
            target = self._last_target
        self._last_head, self._last_target = head, target
        with self._lock:
            self._count += 1
            attempt = Attempt(
                self._count, started_ns, connection, reused, method, target, head, note=note
            )
            self._entries.append(attempt)
            entry = Entry(self, attempt, self._generation)
        if self.observer is not None:
            self.observer(attempt)
        return entry

    def store(self, attempt: Attempt, generation: int) -> None:
        """Put a newer state of an attempt in the place of the older one."""
        with self._lock:
            place = attempt.number - self._count - 1  # from the end: it is recent
            if generation == self._generation and -place <= len(self._entries):
                self._entries[place] = attempt
        if self.observer is not None:
            self.observer(attempt)

    def clear(self) -> None:
        """Forget all attempts; the next one is number 1."""
        with self._lock:
            self._entries.clear()
            self.answers.clear()
            self._count = 0
            self._generation += 1

    def forget_in_child(self) -> None:
        """In a forked child, where whoever held the lock may not exist."""
        self._lock = threading.Lock()

    def trace(self, seed: int | None = None, mask: Callable[[str], str] = str) -> Trace:
        """All attempts kept, as they stand now.

        Args:
            seed: The seed of the server's plan.
            mask: What takes secrets out of a printed trace.
        """
        with self._lock:
            forgotten = self._count - len(self._entries)
            return Trace(tuple(self._entries), forgotten=forgotten, seed=seed, mask=mask)

    def exchanged(self, most: int) -> tuple[list[Attempt], list[Answer]]:
        """The newest attempts, so many, and the newest answers."""
        with self._lock:
            newest = list(islice(reversed(self._entries), most))
        return newest[::-1], list(self.answers)


class Entry:
    """One attempt being recorded; only the loop's thread changes it."""

    __slots__ = ("_generation", "_journal", "attempt")

    def __init__(self, journal: Journal, attempt: Attempt, generation: int) -> None:
        self._journal = journal
        self.attempt = attempt
        self._generation = generation

    def change(self, **changes: object) -> None:
        """Record a newer state."""
        # As dataclasses.replace does it, in half the time; every request comes here twice.
        values = dict(zip(FIELDS, VALUES(self.attempt), strict=True))
        values.update(changes)
        self.attempt = Attempt(**values)
        self._journal.store(self.attempt, self._generation)

    @property
    def pending(self) -> bool:
        """Whether its end has not been recorded yet."""
        return self.attempt.outcome is Outcome.PENDING

    def answered(self, answer: Answer) -> None:
        """Record what is being answered."""
        if sum(map(len, answer.body)) <= LARGEST:
            self._journal.answers.append(answer)

    def end(self, outcome: Outcome, ended_ns: int, **changes: object) -> None:
        """Record how it ended; the first end counts."""
        if self.pending:
            self.change(outcome=outcome, ended_ns=ended_ns, **changes)
