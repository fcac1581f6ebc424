"""What the kernel says of threads (proc(5)): whether one is asleep, and whether it has moved."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

TASKS = Path("/proc/self/task")
HAS_PROC = TASKS.exists()


class Moves(NamedTuple):
    """State and counts of context switches of a thread."""

    state: str
    voluntary: str
    involuntary: str

    @property
    def asleep(self) -> bool:
        """Whether it waits for something that may never come (D is for disks, and ends)."""
        return self.state == "S"


def moves_of(native_id: int) -> Moves | None:
    """What a thread of this process has done so far; None when there is no such thread."""
    try:
        text = (TASKS / str(native_id) / "status").read_text()
    except OSError:
        return None
    fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    return Moves(
        fields["State"][:1],
        fields["voluntary_ctxt_switches"],
        fields["nonvoluntary_ctxt_switches"],
    )


def ran_ns(native_id: int) -> int | None:
    """Nanoseconds for which a thread has run; None where nobody counts."""
    times = _schedstat(native_id)
    return None if times is None else times[0]


def awake_ns(native_id: int) -> int | None:
    """The same for which it has run or was ready to run."""
    times = _schedstat(native_id)
    return None if times is None else sum(times)


def _schedstat(native_id: int) -> tuple[int, int] | None:
    """For how long it has run, and has waited for a processor (kernel's documents, sched-stats)."""
    try:
        ran, waited, _ = (TASKS / str(native_id) / "schedstat").read_text().split()
    except (OSError, ValueError):
        return None
    return int(ran), int(waited)


def exists(native_id: int) -> bool:
    """Whether this process has such a thread."""
    return (TASKS / str(native_id)).exists()


def threads() -> set[int]:
    """All threads of this process, those of C libraries included."""
    try:
        return {int(task.name) for task in TASKS.iterdir()}
    except OSError:
        return set()
