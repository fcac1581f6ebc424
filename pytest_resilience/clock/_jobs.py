"""Work that a server hands to a thread of its own: virtual time waits until it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_resilience.clock import _current
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's

if TYPE_CHECKING:
    from pytest_resilience.clock._conductor import Conductor


class Job:
    """A call to be made on another thread.

    From `expect` until it returns it counts as running. A job that has to wait until some
    thread is free is not expected before: if all of them wait for time to pass, it must.
    """

    __slots__ = ("_conductor", "_function")

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function
        self._conductor: Conductor | None = None

    def expect(self) -> None:
        """A thread is free to make the call."""
        self._conductor = _current.conductor
        if self._conductor is not None:
            self._conductor.expect_job()

    def __call__(self, before_leaving: Callable[[], object]) -> None:
        """Make the call; its thread takes part in virtual time meanwhile.

        Args:
            before_leaving: Called at the end, while time still waits for this thread.
        """
        conductor = self._conductor
        if conductor is None:
            self._function()
            before_leaving()
            return
        party = conductor.begin_job()
        try:
            self._function()
        finally:
            before_leaving()
            conductor.leave(party)

    def forget(self) -> None:
        """The call will not be made."""
        if self._conductor is not None:
            self._conductor.forget_job()
