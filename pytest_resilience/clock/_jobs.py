"""Work that a server hands to a thread of its own: virtual time waits until it is done."""

from __future__ import annotations

from collections.abc import Callable

from pytest_resilience.clock import _current


class Job:
    """A call to be made on another thread, counted as running from now until it returns."""

    __slots__ = ("_conductor", "_function")

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function
        self._conductor = _current.conductor
        if self._conductor is not None:
            self._conductor.expect_job()

    def __call__(self) -> None:
        """Make the call; its thread takes part in virtual time meanwhile."""
        conductor = self._conductor
        if conductor is None:
            self._function()
            return
        party = conductor.begin_job()
        try:
            self._function()
        finally:
            conductor.leave(party)

    def forget(self) -> None:
        """The call will not be made."""
        if self._conductor is not None:
            self._conductor.forget_job()
