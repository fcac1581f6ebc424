"""The waits between attempts, computed in whole nanoseconds so that they compare with ``==``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, TypeVar

if TYPE_CHECKING:
    from pytest_resilience.records import Attempt, Trace

__all__ = [
    "Faults",
    "Gaps",
    "Seen",
    "Statuses",
    "Times",
    "Waits",
    "gaps",
    "neighbours",
    "retries",
    "row",
    "table",
    "times",
    "wait",
    "waits",
    "waits_by_number",
    "wants_retry",
]

SECOND = 1_000_000_000

T = TypeVar("T")


class Seen(list[T]):
    """A list of what was seen that remembers its trace, so that a failed comparison can show it."""

    __slots__ = ("trace",)
    noun: ClassVar[str]
    """What one element is called."""

    def __init__(self, values: Iterable[T], trace: Trace) -> None:
        super().__init__(values)
        self.trace = trace

    def attempts(self) -> Sequence[Attempt]:
        """The attempt that each element is about, in the same order."""
        return self.trace


class Times(Seen[float]):
    """Seconds from the first attempt to each."""

    __slots__ = ()
    noun = "time"


class Gaps(Seen[float]):
    """Seconds from each attempt's start to the next one's."""

    __slots__ = ()
    noun = "gap"

    def attempts(self) -> Sequence[Attempt]:
        """The later attempt of each two."""
        return self.trace[1:]


class Waits(Seen[float]):
    """Seconds before each retry."""

    __slots__ = ()
    noun = "wait"

    def attempts(self) -> Sequence[Attempt]:
        """The retries."""
        return [retry for _, retry in retries(self.trace)]


class Statuses(Seen[int | None]):
    """The status of each answer."""

    __slots__ = ()
    noun = "status"


class Faults(Seen[str | None]):
    """The fault that each attempt met."""

    __slots__ = ()
    noun = "fault"


def retries(attempts: Sequence[Attempt]) -> list[tuple[Attempt, Attempt]]:
    """Each retry with the failed attempt that it repeats.

    Attempts with one method and target are paired in order: the oldest failure that
    has not been retried yet comes first. With several clients at once the pairing of
    like requests is a guess; compare `gaps` or one client's own trace there.
    An attempt that was never read is taken for a retry of the one right before it, when that
    has failed, and the one right after it for its own retry.
    """
    open_failures: dict[tuple[str, str], list[Attempt]] = {}
    pairs = []
    before: Attempt | None = None
    for attempt in attempts:
        waiting = open_failures.setdefault((attempt.method, attempt.target), [])
        if before is not None and neighbours(before, attempt):
            pairs.append((open_failures[before.method, before.target].pop(), attempt))
        elif waiting:
            pairs.append((waiting.pop(0), attempt))
        before = attempt if wants_retry(attempt) else None
        if before is not None:
            waiting.append(before)
    return pairs


def wants_retry(attempt: Attempt) -> bool:
    """Whether its client may try again: it has failed, or its client has not got all of it."""
    return attempt.failed or attempt.outcome.value in {"cut", "gone"}


def neighbours(failed: Attempt, following: Attempt) -> bool:
    """Whether two attempts can only be paired by their place: nobody knows what one asks for."""
    return any(not one.method and one.fault is not None for one in (failed, following))


def waits(attempts: Sequence[Attempt]) -> list[float]:
    """Seconds from the end of each failed attempt to the start of its retry."""
    return [wait(failed, retry) / SECOND for failed, retry in retries(attempts)]


def waits_by_number(attempts: Sequence[Attempt]) -> dict[int, float]:
    """The same waits, each under the number of the retry that it came before."""
    return {retry.number: wait(failed, retry) / SECOND for failed, retry in retries(attempts)}


def wait(failed: Attempt, retry: Attempt) -> int:
    """Nanoseconds from the end of a failed attempt to the start of its retry."""
    ended = retry.started_ns if failed.ended_ns is None else failed.ended_ns
    return max(0, retry.started_ns - ended)


def gaps(attempts: Sequence[Attempt]) -> list[float]:
    """Seconds from each attempt's start to the next one's."""
    return [(after.started_ns - before.started_ns) / SECOND for before, after in pairwise(attempts)]


def times(attempts: Sequence[Attempt]) -> list[float]:
    """Seconds from the first attempt's start to each one's."""
    if not attempts:
        return []
    first = attempts[0].started_ns
    return [(attempt.started_ns - first) / SECOND for attempt in attempts]


def table(trace: Trace) -> str:
    """A line an attempt: number, time, request, answer, fault, how it ended."""
    lines = []
    if trace.forgotten:
        lines.append(f"  ... {trace.forgotten} older attempts were dropped (keep=)")
    retried = waits_by_number(trace)
    for attempt, at in zip(trace, times(trace), strict=True):
        lines.append(row(attempt, at, retried.get(attempt.number)))
    return "\n".join(lines)


def row(attempt: Attempt, at: float, wait: float | None) -> str:
    """One line of a table: the attempt, its time, and the wait before it."""
    what = f"{attempt.method or '?'} {shown(attempt.target) or '-'}"
    answer = "---" if attempt.status is None else str(attempt.status)
    parts = [f"{attempt.number:>3}  t={at:.3f}  {what}  {answer}"]
    if attempt.retry_after is not None:
        parts.append(f"Retry-After: {attempt.retry_after}")
    if attempt.fault is not None:
        parts.append(f"[{attempt.fault}]")
    if attempt.outcome.value != "answered":
        parts.append(_ending(attempt))
    if wait is not None:
        parts.append(f"after a wait of {wait:.3f} s")
    if attempt.note:
        parts.append(f"({attempt.note})")
    return "  ".join(parts)


def _ending(attempt: Attempt) -> str:
    words = {"pending": "still open", "cut": "cut by the server", "gone": "client went away"}
    text = words[attempt.outcome.value]
    if attempt.ended_ns is not None and attempt.ended_ns > attempt.started_ns:
        text += f" after {(attempt.ended_ns - attempt.started_ns) / SECOND:.3f} s"
    return text


def shown(target: str, most: int = 80) -> str:
    """A request target short enough for a table; its query is left out, it may hold a secret."""
    path, mark, _ = target.partition("?")
    text = path + ("?..." if mark else "")
    return text if len(text) <= most else text[: most - 3] + "..."
