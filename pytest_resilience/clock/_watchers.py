"""Descriptors that clients wait for, watched by the engine in the same poll as the server's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pytest_resilience.clock._base import Scheduler

if TYPE_CHECKING:
    from pytest_resilience.clock._parties import Party


class Engine(Scheduler, Protocol):
    """What virtual time needs of the engine's loop."""

    conductor: Callable[[], float] | None

    @property
    def on_thread(self) -> bool:
        """Whether the caller runs on the loop's thread."""

    def check(self) -> None:
        """Raise ServerError if the loop is blocked; to be asked now and then by who waits."""

    def nudge(self) -> None:
        """Let the loop poll once more, so that it asks its conductor again."""

    def add(self, fd: int, handler: Callable[[int], object], events: int) -> None:
        """Call the handler when the descriptor is ready."""

    def change(self, fd: int, events: int) -> None:
        """Watch for other events."""

    def remove(self, fd: int, handler: Callable[[int], object] | None = None) -> None:
        """Stop watching, if it is this handler that watches."""


class Watcher:
    """One descriptor, and the parties that wait for it; usually one."""

    def __init__(self, engine: Engine, fd: int, on_ready: Callable[[Watcher], object]) -> None:
        self._engine = engine
        self._fd = fd
        self._armed = 0
        self._handler = self._ready  # One object: the engine compares it by identity.
        self._on_ready = on_ready
        self.parties: dict[Party, int] = {}

    def arm(self) -> None:
        """Watch for what the parties want, and for nothing when there is none."""
        wanted = 0
        for events in self.parties.values():
            wanted |= events
        if wanted == self._armed:
            return
        # Closed meanwhile: who waits for a closed descriptor waits for its due.
        with contextlib.suppress(KeyError, OSError, ValueError):
            if self._armed == 0:
                self._engine.add(self._fd, self._handler, wanted)
            elif wanted == 0:
                self._engine.remove(self._fd, self._handler)
            else:
                self._engine.change(self._fd, wanted)
        self._armed = wanted

    def _ready(self, _: int) -> None:
        self._on_ready(self)


class Watchers:
    """All watched descriptors. Guarded by the conductor's lock."""

    def __init__(self, engine: Engine, on_ready: Callable[[Watcher], object]) -> None:
        self._engine = engine
        self._on_ready = on_ready
        self._of: dict[int, Watcher] = {}

    def watch(self, party: Party, fd: int, events: int) -> None:
        """Tell when the descriptor is ready for the party."""
        watcher = self._of.get(fd)
        if watcher is None:
            watcher = self._of[fd] = Watcher(self._engine, fd, self._on_ready)
        watcher.parties[party] = events
        watcher.arm()

    def unwatch(self, party: Party, fd: int) -> None:
        """The party waits for it no longer."""
        watcher = self._of.get(fd)
        if watcher is None:
            return
        watcher.parties.pop(party, None)
        watcher.arm()
        if not watcher.parties:
            del self._of[fd]
