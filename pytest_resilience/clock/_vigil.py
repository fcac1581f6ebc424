"""Watches those who run: time stands still for them as long as they really do.

*Problem.* A thread may be blocked where nobody can see it, in a C library or in a lock from
before the clock, and it may spin until another one has done something. Both count as
running, and neither would ever end.

*Solution.* The kernel is asked. A thread that it has seen asleep without a move for the
whole grace is given up, unless somebody else still runs; a process that computes and
computes while somebody's sleep is due is taken to spin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_resilience.clock import _kernel
from pytest_resilience.clock._real import SECOND

if TYPE_CHECKING:
    from pytest_resilience.clock._dues import Due
    from pytest_resilience.clock._gathering import Gathering
    from pytest_resilience.clock._parties import Party

TURN_NS = 20_000_000
"""Real time for which all who run must be blocked before somebody else takes a turn."""
TURN_CPU_NS = 1_000_000_000
"""Processor time after which one that runs and runs is taken to spin for somebody else.

Long enough for a first request that imports half of its client, traced by coverage."""
TURN_LOST_NS = 3_000_000_000
"""Real time asleep, a little at a time, after which a turn passes on; only order is lost.

What a thread has waited for a processor does not count, where the kernel tells."""
ADOPTED_GRACE_NS = 50_000_000
"""The same as the grace, for a thread from before the clock: it goes back to its idling."""


def _awake(party: Party) -> int:
    return (party.native_id and _kernel.awake_ns(party.native_id)) or 0


class Vigil:
    """How long those who run are waited for. Guarded by the conductor's lock."""

    def __init__(self, gathering: Gathering, grace_ns: int) -> None:
        self._gathering = gathering
        self._progress = gathering.progress
        self._grace_ns = grace_ns
        self._look_real_ns = 0
        self._turn_real_ns = 0
        self._awake_ns: dict[Party, int] = {}
        """What those who run had been awake when their turn was first looked at."""

    def watch(self, due: Due | None, now_real: int) -> float:
        """Somebody runs. Returns real seconds to wait before asking again, as `conduct` does."""
        gathering = self._gathering
        if due is None and not any(p.waits for p in gathering.parties.values()):
            return -1
        if due is not None and due.when_ns <= gathering.now_ns:
            return self._turn(now_real)
        return self._look_for_unseen(now_real)

    def _turn(self, now_real: int) -> float:
        """Something needs no time to pass and waits only until those who run wait.

        Who spins, or is blocked, until that very thing has happened must not hold it back.
        """
        waited = now_real - self._progress.real_ns
        if waited >= TURN_NS and (
            not _kernel.HAS_PROC
            or (self._is_asleep(now_real) and waited >= TURN_LOST_NS)
            or self._progress.computed_ns() >= TURN_CPU_NS
            or self._all_are_blocked(now_real)
        ):
            self._progress.note()
            self._gathering.dues.fire()
            return 0
        return TURN_NS / 8 / SECOND

    def _is_asleep(self, now_real: int) -> bool:
        """Whether nobody who runs has been awake for most of this turn."""
        turn_ns, awake = self._awake_in_turn(now_real)
        return all(turn_ns - awake_ns >= TURN_LOST_NS for awake_ns in awake)

    def _awake_in_turn(self, now_real: int) -> tuple[int, list[int]]:
        """Real time since the first look at those who run, and for how long each was awake."""
        running = self._gathering.running
        if self._turn_real_ns < self._progress.real_ns or not running <= self._awake_ns.keys():
            self._turn_real_ns = now_real
            self._awake_ns = {party: _awake(party) for party in running}
        awake = [_awake(party) - self._awake_ns[party] for party in running]
        return now_real - self._turn_real_ns, awake

    def _all_are_blocked(self, now_real: int) -> bool:
        blocked = [party.blocked_for(now_real) for party in self._gathering.running]  # Each.
        # The worker that is to begin a job waits for nobody but the kernel.
        return not self._gathering.jobs and all(real_ns >= TURN_NS / 2 for real_ns in blocked)

    def _look_for_unseen(self, now_real: int) -> float:
        """Give up on threads that are blocked where nobody can see it; a look now and then."""
        if not _kernel.HAS_PROC:
            return -1
        left = self._look_real_ns - now_real
        if left > 0:
            return left / SECOND
        self._look_real_ns = now_real + self._grace_ns // 8
        gathering = self._gathering
        blocked = {party: party.blocked_for(now_real) for party in gathering.running}
        all_are = not gathering.jobs and all(ns >= self._grace_ns for ns in blocked.values())
        restless = self._is_restless(now_real)
        for party, real_ns in blocked.items():
            self._look_at(party, real_ns, give_up=all_are, restless=restless)
        return 0 if not gathering.running and not gathering.jobs else self._grace_ns / SECOND / 8

    def _is_restless(self, now_real: int) -> bool:
        """Whether those who run sleep and wake, or compute, and it comes to nothing."""
        turn_ns, awake = self._awake_in_turn(now_real)
        return turn_ns - sum(awake) >= 4 * self._grace_ns or self._spins()

    def _look_at(self, party: Party, blocked_ns: int, *, give_up: bool, restless: bool) -> None:
        if party.has_ended():
            self._gathering.resign(party)  # A thread from before the clock.
        elif party.adopted and blocked_ns >= min(ADOPTED_GRACE_NS, self._grace_ns):
            self._gathering.lose(party)
        elif give_up:
            self._gathering.estrange(party)
            self._lose(
                party,
                f"was blocked for {self._grace_ns / SECOND:g} real seconds where nobody can see it",
            )
        elif party.adopted and restless:
            # It polls by itself, in real time, as it did before the clock.
            self._gathering.lose(party)
        elif self._spins() and self._somebody_sleeps():
            seconds = self._gathering.patience_ns / SECOND
            self._lose(party, f"has computed for {seconds:g} seconds without a wait")

    def _lose(self, party: Party, why: str) -> None:
        self._gathering.lose(party)
        self._gathering.reports.append(
            f"thread {party.name!r} {why}; virtual time went on without it"
        )

    def _spins(self) -> bool:
        return self._progress.computed_ns() >= self._gathering.patience_ns

    def _somebody_sleeps(self) -> bool:
        parties = self._gathering.parties.values()
        return any(p.due is not None and not p.looks_on for p in parties)
