"""What `serve` says while it serves: a line an attempt as it happens, and a summary.

Lines are written by a thread of their own, straight to the descriptor: neither a reader
that has stopped reading nor one that has gone may hold up the server or its end.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TextIO

from pytest_resilience import schedule
from pytest_resilience.clock import REAL
from pytest_resilience.plan import Plan
from pytest_resilience.records import Attempt, Outcome

HANGS = 0.1
"""Real seconds after which an open attempt gets a line of its own; its end gets another."""
MOST_TARGETS = 1_000
MOST_ROWS = 200
"""So many lines of attempts are written at once, at most."""
PATIENCE = 2.0
"""Real seconds that a reader is given at the end, for each next line."""
LOOKS = 4
"""So often it is looked in that time, or one pause of the whole machine would use it up."""


class Output:
    """Whole lines to a stream's descriptor; silent once the reader has gone."""

    def __init__(self, stream: TextIO | None) -> None:
        try:
            self._descriptor = -1 if stream is None else stream.fileno()
        except OSError:  # Something in memory stands in for stdout.
            self._descriptor = -1

    def line(self, text: str) -> None:
        """Write one line now; control characters are shown, not sent."""
        shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
        left = memoryview(f"{shown}\n".encode(errors="backslashreplace"))
        try:
            while left and self._descriptor >= 0:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            self._descriptor = -1


class Waits:
    """The wait before each retry, found as attempts end; see `schedule.retries`."""

    def __init__(self) -> None:
        self._failures: dict[tuple[str, str], list[Attempt]] = {}
        self._repeated_while_open: set[int] = set()

    def repeated(self, attempt: Attempt) -> Attempt | None:
        """The failed attempt that this one repeats; it is repeated only once."""
        failed = self._repeated_by(attempt)
        if failed is not None:
            self._failures[failed.method, failed.target].remove(failed)
            if failed.outcome is Outcome.PENDING:
                self._repeated_while_open.add(failed.number)
        return failed

    def _repeated_by(self, attempt: Attempt) -> Attempt | None:
        alike = self._failures.get((attempt.method, attempt.target), [])
        unread = self._failures.get(("", ""), [])
        near = (unread,) if attempt.method else self._failures.values()
        for failed in chain.from_iterable(near):
            if failed.number == attempt.number - 1 and schedule.neighbours(failed, attempt):
                return failed
        return next((failed for failed in alike if failed.number < attempt.number), None)

    def remember(self, attempt: Attempt) -> None:
        """A newer state of an attempt that a later one may repeat."""
        if attempt.number in self._repeated_while_open:
            self._repeated_while_open.discard(attempt.number)
            return
        key = (attempt.method, attempt.target)
        failures = self._failures.setdefault(key, [])
        known = [old for old in failures if old.number == attempt.number]
        if not schedule.wants_retry(attempt):
            failures[:] = [old for old in failures if old not in known]
        elif known:
            failures[failures.index(known[0])] = attempt
        else:
            failures.append(attempt)
            del failures[:-MOST_TARGETS]
        if len(self._failures) > MOST_TARGETS:
            del self._failures[next(iter(self._failures))]

    def clear(self) -> None:
        """Forget all."""
        self._failures.clear()
        self._repeated_while_open.clear()


class Open:
    """An attempt that has not ended."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.due = REAL.monotonic() + HANGS
        self.shown = False
        self.repeats: Attempt | None = None

    @property
    def wait(self) -> float | None:
        """Seconds since the end of the failed attempt that it repeats."""
        if self.repeats is None:
            return None
        return schedule.wait(self.repeats, self.attempt) / schedule.SECOND

    def repeats_no_more(self, answered: Attempt) -> None:
        """What was still open was taken for a failure, and now it is none."""
        if self.repeats is not None and self.repeats.number == answered.number:
            self.repeats = None


class Lines:
    """Writes what it is told of, on its own thread.

    Args:
        output: Where to.
        quiet: Count attempts without a line each.
        mask: What takes secrets out of the line of an attempt or a rule.
    """

    def __init__(self, output: Output, *, quiet: bool, mask: Callable[[str], str] = str) -> None:
        self._output = output
        self._mask = mask
        self._quiet = quiet
        self._queue: queue.SimpleQueue[Attempt | str | Plan] = queue.SimpleQueue()
        self._open: dict[int, Open] = {}  # by connection: each carries one attempt at a time
        self._waits = Waits()
        self._rows: list[str] = []
        self._written = 0
        self._begun = 0
        self._statuses: Counter[int | None] = Counter()
        self._thread = threading.Thread(target=self._work, name="serve-lines", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, news: Attempt | str) -> None:
        """An attempt has changed, or something is to be said; from any thread, without waiting."""
        self._queue.put(news)

    def stop(self, plan: Plan) -> None:
        """Write what is left and a summary, unless nobody reads it.

        Args:
            plan: What the attempts should have met.
        """
        self._queue.put(plan)
        idle = 0
        while self._thread.is_alive() and idle < LOOKS:
            before = self._written
            self._thread.join(PATIENCE / LOOKS)
            idle = idle + 1 if self._written == before else 0

    def _summary(self, plan: Plan) -> Iterator[str]:
        yield ""
        yield self._counts()
        for rule in plan.rules:
            yield self._mask(f"unmet: {rule.unmet}" if rule.unmet else f"met x{rule.met}: {rule}")

    def _counts(self) -> str:
        counted = sorted(self._statuses.items(), key=lambda item: item[0] or 1_000)
        parts = [f"{'no answer' if status is None else status} x{n}" for status, n in counted]
        attempts = f"{self._begun} attempt{'' if self._begun == 1 else 's'}"
        return f"{attempts}: {', '.join(parts)}" if parts else attempts

    def _work(self) -> None:
        while not isinstance(news := self._next(), Plan):
            if isinstance(news, Attempt):
                self._take(news)
            elif news is None:
                self._show_hanging()
            else:
                self._write_rows()
                self._output.line(news)
            if self._queue.empty() or len(self._rows) >= MOST_ROWS:
                self._write_rows()
        self._write_rows()
        for line in self._summary(news):
            self._output.line(line)

    def _next(self) -> Attempt | str | Plan | None:
        """What there is to say; None when an open attempt is due first."""
        try:
            return self._queue.get(timeout=self._patience())
        except queue.Empty:
            return None

    def _write_rows(self) -> None:
        """All at once: to look for secrets takes longer than a request."""
        rows, self._rows = self._rows, []
        together = "\n".join(rows)
        clean = not rows or self._mask(together) == together
        for row in rows:
            self._output.line(row if clean else self._mask(row))
            self._written += 1

    def _patience(self) -> float | None:
        dues = [entry.due for entry in self._open.values() if not entry.shown]
        return max(0.0, min(dues) - REAL.monotonic()) if dues and not self._quiet else None

    def _take(self, attempt: Attempt) -> None:
        entry = self._open.get(attempt.connection)
        if attempt.outcome is Outcome.PENDING:
            if entry is None:
                self._begin(attempt)
            else:
                entry.attempt = attempt
        elif entry is not None:  # None: a second word about its end
            del self._open[attempt.connection]
            self._end(entry, attempt)

    def _begin(self, attempt: Attempt) -> None:
        if attempt.number == 1:  # The trace was started over, and its times with it.
            self._waits.clear()
            self._open.clear()
        self._begun += 1
        self._open[attempt.connection] = Open(attempt)

    def _end(self, entry: Open, attempt: Attempt) -> None:
        self._statuses[attempt.status] += 1
        if self._quiet:
            return
        if not entry.shown:
            entry.repeats = self._waits.repeated(attempt)
        elif not schedule.wants_retry(attempt):
            for other in self._open.values():
                other.repeats_no_more(attempt)
        self._show(attempt, entry.wait)

    def _show_hanging(self) -> None:
        now = REAL.monotonic()
        for entry in self._open.values():
            if not entry.shown and entry.due <= now:
                entry.shown = True
                entry.repeats = self._waits.repeated(entry.attempt)
                self._show(entry.attempt, entry.wait)

    def _show(self, attempt: Attempt, wait: float | None) -> None:
        self._rows.append(schedule.row(attempt, attempt.at, wait))
        self._waits.remember(attempt)
