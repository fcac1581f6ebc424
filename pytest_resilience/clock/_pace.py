"""Virtual time beside the world outside: no faster than real time while somebody waits for it.

A database, a subprocess or somebody else's server takes its real time. Meanwhile time may
pass for the others, but only as it passes out there, so that nobody's timeout is overtaken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_resilience.clock._real import real_monotonic_ns

if TYPE_CHECKING:
    from pytest_resilience.clock._parties import Party


class Pace:
    """Who waits for the outside, and when the first of them began. Guarded by the conductor."""

    def __init__(self) -> None:
        self._parties: set[Party] = set()
        self._real_ns = 0
        self._virtual_ns = 0

    def __bool__(self) -> bool:
        return bool(self._parties)

    def keeps_others(self, than: set[Party]) -> bool:
        """Whether it is kept for somebody who is not one of these."""
        return not self._parties <= than

    def keep(self, party: Party, now_ns: int) -> None:
        """This one begins to wait for the outside."""
        if not self._parties:
            self._real_ns, self._virtual_ns = real_monotonic_ns(), now_ns
        self._parties.add(party)

    def drop(self, party: Party) -> None:
        """It waits for it no longer."""
        self._parties.discard(party)

    def wait(self, when_ns: int, now_real_ns: int) -> int:
        """Real nanoseconds until time may be at this moment; 0 or less for now."""
        if not self._parties:
            return 0
        return (when_ns - self._virtual_ns) - (now_real_ns - self._real_ns)
