"""Notices that the loop's thread is blocked in somebody's handler.

*Problem.* Handlers of fakes, and applications with ``blocking=False``, run on the loop's thread.
One that waits for what never comes stops every server of the process, and whoever waits for the
loop then waits for ever.

*Solution.* Who waits for the loop asks now and then whether its thread still moves. The kernel
knows (proc(5)); where it does not tell, nothing is noticed.
"""

from __future__ import annotations

from pytest_resilience.clock import REAL, kernel, pictures

PATIENCE_NS = 20_000_000_000
"""Real time for which the thread must have been asleep without a move, in the same turn."""


class Watchdog:
    """Of one loop."""

    def __init__(self) -> None:
        self._seen: object = None
        self._since_ns = 0

    def is_blocked(self, turn: int, native_id: int) -> bool:
        """Whether it has been blocked since this turn of the loop began to handle something."""
        now, moves = REAL.monotonic_ns(), kernel.moves_of(native_id)
        seen = (turn, moves)
        if moves is None or not moves.asleep or seen != self._seen:
            self._seen, self._since_ns = seen, now
            return False
        return now - self._since_ns >= PATIENCE_NS


def complaint(ident: int | None) -> str:
    """What is wrong, with the line in which the thread is."""
    where = pictures.place(ident)
    return (
        f"the server's own thread has been blocked for {PATIENCE_NS / 1e9:g} real seconds"
        f"{where and f' {where}'}; a handler of a fake, or an application with blocking=False, "
        "must not wait: give it what it waits for first, or serve it with blocking=True"
    )
