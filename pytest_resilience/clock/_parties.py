"""Who takes part in virtual time: one record a client thread."""

from __future__ import annotations

import _thread
import enum
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_resilience.clock._conductor import Due


class Standing(enum.Enum):
    """What a thread is doing, as far as time is concerned."""

    RUNNING = "running"
    """It may do anything; time stands still."""
    WAITING = "waiting"
    """It waits for something we will see: a due, a lock, a socket."""
    UNSEEN = "blocked where nobody can see it"
    """It has not moved for the whole grace: time no longer waits for it."""
    OVER = "over"


class Reason(enum.Enum):
    """Why a wait has ended."""

    WOKEN = "woken"
    """What it waited for may have happened; look again."""
    DUE = "due"
    """Its time has come."""
    STOPPED = "stopped"
    """The clock has stopped; wait on in real time."""


class Party:
    """One thread in virtual time. Its fields are guarded by the conductor's lock."""

    __slots__ = (
        "adopted",
        "baton",
        "due",
        "error",
        "ident",
        "joiners",
        "moves",
        "name",
        "native_id",
        "number",
        "pending",
        "reads",
        "reads_since_ns",
        "reason",
        "seen_real_ns",
        "since_ns",
        "standing",
        "tick_ns",
        "what",
    )

    def __init__(self, number: int, name: str, *, adopted: bool) -> None:
        self.number = number
        """The order in which parties came to be; of equal dues the lower is first."""
        self.name = name
        self.adopted = adopted
        """True for a thread that was there before the clock: it leaves when it idles."""
        self.ident: int | None = None
        self.native_id: int | None = None
        self.standing = Standing.RUNNING
        self.what = ""
        self.since_ns = 0
        self.due: Due | None = None
        self.reason = Reason.WOKEN
        self.pending = False
        """Woken before it had begun to wait: the next wait ends at once."""
        self.error: BaseException | None = None
        self.joiners: list[Party] = []
        self.baton = _thread.allocate_lock()
        self.baton.acquire()
        self.reads = 0
        self.reads_since_ns = 0
        self.tick_ns = 0
        self.moves: tuple[str, ...] = ()
        self.seen_real_ns = 0

    def enter(self) -> None:
        """Called on the party's own thread."""
        self.ident = _thread.get_ident()
        self.native_id = _thread.get_native_id()

    def blocked_since(self, now_real_ns: int) -> int:
        """Real nanoseconds for which the kernel has seen this thread asleep without a move.

        A thread that waits for the interpreter's lock, or for a processor, is not asleep
        in this sense: it wakes every few milliseconds, or is ready to run. So only a thread
        that is blocked in something, and stays there, gets old here. 0 where the kernel
        does not say (no /proc).
        """
        moves = _moves_of(self.native_id)
        if not moves or moves[0] not in "SD" or moves != self.moves:
            self.moves, self.seen_real_ns = moves, now_real_ns
            return 0
        return now_real_ns - self.seen_real_ns


def _moves_of(native_id: int | None) -> tuple[str, ...]:
    """State and counts of context switches of a thread, from /proc (proc(5))."""
    try:
        with open(f"/proc/self/task/{native_id}/status") as lines:
            fields = dict(line.split(":", 1) for line in lines)
    except (OSError, ValueError):
        return ()
    return (
        fields["State"].strip()[:1],
        fields["voluntary_ctxt_switches"].strip(),
        fields["nonvoluntary_ctxt_switches"].strip(),
    )


HAS_PROC = os.path.exists("/proc/self/task")
