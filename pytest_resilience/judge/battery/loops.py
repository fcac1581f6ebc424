"""Event loops: a pulse in each of them shows when it stood still, and for how long."""

from __future__ import annotations

import contextlib
import gc
import warnings
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Iterator

from pytest_resilience import faults
from pytest_resilience.checks import loops
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.stage import Stage

__all__ = ["scenarios"]

PERIOD = 0.05
SLOW = 0.53
"""Seconds that each answer takes, so that waiting for one takes time at all."""
LEAST_NS = 1_000_000


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """One slow failure, the wait after it, and a slow answer; a loop may be within a plain call."""
    if subject.is_foreign:
        return

    def play(stage: Stage) -> dict[str, object]:
        if subject.standard is not None:
            slow = faults.together(faults.latency(SLOW), _as_fault(subject.standard))
            stage.fail(slow)
        stage.fail(faults.latency(SLOW), times=subject.enough)
        with _pulses(lambda: stage.now_ns) as stops, _heard() as said:
            stage.call()
            gc.collect()  # A coroutine is missed when it is thrown away.
        return {"stops": tuple(stops), "warnings": tuple(str(one.message) for one in said)}

    yield Scenario(
        name="event-loop",
        clause="never blocks the event loop",
        play=play,
        checks=[loops.not_blocked, loops.awaited],
    )


def _as_fault(fault: object) -> faults.Fault:
    return faults.status(fault) if isinstance(fault, int) else fault  # type: ignore[return-value]  # a status or a fault


@contextlib.contextmanager
def _heard() -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield said


@contextlib.contextmanager
def _pulses(now_ns: Callable[[], int]) -> Iterator[list[tuple[int, int]]]:
    """A pulse in every loop that is run meanwhile; when and how long one missed its turn."""
    stops: list[tuple[int, int]] = []
    real = BaseEventLoop.run_forever

    def run_forever(loop: BaseEventLoop) -> None:
        pulse = _Pulse(loop, now_ns, stops)
        try:
            real(loop)
        finally:
            pulse.stop()

    BaseEventLoop.run_forever = run_forever  # type: ignore[method-assign, assignment]  # taken back below
    try:
        yield stops
    finally:
        BaseEventLoop.run_forever = real  # type: ignore[method-assign]  # as it was


class _Pulse:
    def __init__(
        self,
        loop: BaseEventLoop,
        now_ns: Callable[[], int],
        stops: list[tuple[int, int]],
    ) -> None:
        self._loop = loop
        self._now_ns = now_ns
        self._stops = stops
        self._beat()

    def _beat(self) -> None:
        self._due_ns = self._now_ns() + round(PERIOD * 1e9)
        self._handle = self._loop.call_later(PERIOD, self._come)

    def _come(self) -> None:
        self._look()
        self._beat()

    def _look(self) -> None:
        now_ns = self._now_ns()
        if now_ns - self._due_ns > LEAST_NS:
            self._stops.append((self._due_ns, now_ns))

    def stop(self) -> None:
        """The loop has ended, perhaps right after it had stood still."""
        self._look()
        self._handle.cancel()
