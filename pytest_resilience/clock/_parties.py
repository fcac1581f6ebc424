"""Who takes part in virtual time: one record a client thread."""

from __future__ import annotations

import _thread
import enum
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_resilience.clock import _kernel
from pytest_resilience.clock._looks import Looks

if TYPE_CHECKING:
    from pytest_resilience.clock._dues import Due
    from pytest_resilience.clock._members import Members

SIGNALS = 0.25
"""Real seconds after which the main thread looks whether a signal has come unheard."""


class Standing(enum.Enum):
    """What a thread is doing, as far as time is concerned."""

    RUNNING = "running"
    """It may do anything; time stands still."""
    WAITING = "waiting"
    """It waits for something we will see: a due, a lock, a socket."""
    OUTSIDE = "outside"
    """It waits for another process or host: virtual time moves no faster than real time."""
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
        "ahead",
        "ahead_at_ns",
        "baton",
        "behind",
        "conductor",
        "due",
        "error",
        "excused",
        "ident",
        "idles",
        "joiners",
        "looks",
        "looks_on",
        "moves",
        "moves_before",
        "name",
        "native_id",
        "nothing",
        "nothing_at_ns",
        "nothing_of",
        "number",
        "outcome",
        "past",
        "pending",
        "polls",
        "seen_real_ns",
        "since_ns",
        "standing",
        "summons",
        "what",
    )

    def __init__(self, conductor: Members, number: int, name: str, *, adopted: bool) -> None:
        self.conductor = conductor
        self.number = number
        """The order in which parties came to be; of equal dues the lower is first."""
        self.name = name
        self.adopted = adopted
        """True for a thread that was there before the clock."""
        self.ident: int | None = None
        self.native_id: int | None = None
        self.standing = Standing.RUNNING
        self.what = ""
        self.since_ns = 0
        self.due: Due | None = None
        self.summons: Due | None = None
        """Somebody has ended its wait, and it is to run when it is its turn."""
        self.outcome = [Reason.WOKEN]
        """Where the reason for the end of its wait is put."""
        self.pending = False
        """Woken before it had begun to wait: the next wait ends at once."""
        self.error: BaseException | None = None
        self.excused = False
        """It waits for something that is sure to come as soon as the kernel sees to it."""
        self.behind: int | None = None
        """The thread whose end it waits for in real time: it is blocked only if that one is."""
        self.joiners: list[Party] = []
        self.baton = _thread.allocate_lock()
        self.baton.acquire()
        self.looks = Looks()
        self.looks_on = False
        """Its waits have an end only in case that nothing else ends them: nobody spins for it."""
        self.idles = False
        """It only waits until it looks again: see _polling.py."""
        self.polls = 0
        """Polls in between of an event loop's, see _selecting.py."""
        self.past = 0.0
        """Seconds that its next reading of the clock is ahead: see _coarse.py."""
        # See _here.due_after.
        self.ahead, self.ahead_at_ns = 0.0, -1
        # See _polling.note_nothing.
        self.nothing, self.nothing_at_ns = 0, -1
        self.nothing_of: Callable[[], object] = lambda: None
        self.moves: _kernel.Moves | None = None
        self.moves_before: _kernel.Moves | None = None
        """The same of the thread that it is behind."""
        self.seen_real_ns = 0

    def enter(self) -> None:
        """Called on the party's own thread."""
        self.ident = _thread.get_ident()
        self.native_id = _thread.get_native_id()

    def sit(self) -> None:
        """Return when somebody has given it the baton; called on its own thread.

        The main thread also runs the handlers of signals, and looks for them now and then: one
        that comes in the last instant before it sleeps, or on another thread, wakes nobody.
        """
        is_main = self.ident == threading.main_thread().ident
        while not self.baton.acquire(timeout=SIGNALS if is_main else -1):
            self.conductor.engine.check()  # Nobody else would notice that it is blocked.

    def blocked_for(self, now_real_ns: int) -> int:
        """Real nanoseconds for which the kernel has seen this thread asleep without a move.

        A thread that waits for the interpreter's lock, or for a processor, is not asleep
        in this sense: it wakes every few milliseconds, or is ready to run. So only a thread
        that is blocked in something, and stays there, gets old here.
        """
        if self.native_id is None or self.excused:
            return 0
        moves = _kernel.moves_of(self.native_id)
        before = moves if self.behind is None else _kernel.moves_of(self.behind)
        asleep = moves is not None and moves.asleep and before is not None and before.asleep
        if not asleep or (moves, before) != (self.moves, self.moves_before):
            self.moves, self.moves_before, self.seen_real_ns = moves, before, now_real_ns
            return 0
        return now_real_ns - self.seen_real_ns

    def has_ended(self) -> bool:
        """Whether a look at a thread that was there has found nothing."""
        if self.moves is not None or self.native_id is None or self.excused:
            return False
        return not _kernel.exists(self.native_id)

    @property
    def waits(self) -> bool:
        """Whether somebody or something that we see will end its wait."""
        return self.standing is Standing.WAITING

    def describe(self) -> str:
        """What it does, for a person to read."""
        if self.idles:
            return f"thread {self.name!r} polls in a loop, t={self.looks.at_ns / 1e9:.3f}"
        if self.standing not in (Standing.WAITING, Standing.OUTSIDE):
            return f"thread {self.name!r} is {self.standing.value}"
        text = f"thread {self.name!r} waits for {self.what}, since t={self.since_ns / 1e9:.3f}"
        return text if self.due is None else f"{text}, until t={self.due.when_ns / 1e9:.3f}"
