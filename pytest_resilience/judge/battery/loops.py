"""Event loops: a pulse in each of them, or its steps, show when it stood still, and how long."""

from __future__ import annotations

import contextlib
import gc
import inspect
import itertools
import sys
import warnings
from asyncio.base_events import BaseEventLoop
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from pytest_resilience import faults
from pytest_resilience.checks import loops
from pytest_resilience.checks.observation import Call
from pytest_resilience.judge._replaced import replaced
from pytest_resilience.judge.begun import Sleeps, Waits
from pytest_resilience.judge.blocking import blocked
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.stage import Stage
from pytest_resilience.judge.unawaited import forgotten

__all__ = ["running_trio", "scenarios"]

PERIOD = 0.05
SLOW = 0.53
"""Seconds that each answer takes, so that waiting for one takes time at all."""
LEAST_NS = 1_000_000


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """One slow failure, the wait after it, and a slow answer; a loop may be within a plain call."""

    def play(stage: Stage) -> dict[str, object]:
        stage.fail(faults.together(faults.latency(SLOW), _as_fault(subject.outage)))
        stage.fail(faults.latency(SLOW), times=subject.enough)
        begun = Sleeps(lambda: stage.now_ns)
        with (
            forgotten() as names,
            begun.watched(),
            _pulses(lambda: stage.now_ns, begun.look) as stops,
            _heard() as said,
            blocked() as blocked_by,
        ):
            client = _in_steps(stage, stops) if subject.is_foreign else None
            if subject.standard is None:
                stage.call(client)  # Who never tries again meets the failure alone.
            call = stage.call(client)
            gc.collect()  # A coroutine is missed when it is thrown away.
        return {
            "stops": tuple(stops),
            "blocked_by": tuple(blocked_by),
            "warnings": tuple(str(one.message) for one in said),
            "forgotten": tuple(names),
            "alone": begun.alone(_waits(call)),
        }

    yield Scenario(
        name="event-loop",
        clause="never blocks the event loop",
        play=play,
        checks=[loops.not_blocked, loops.awaited],
    )


def _waits(call: Call) -> Waits:
    """From when to when each failure was waited through."""
    return [
        (failed.started_ns if failed.ended_ns is None else failed.ended_ns, again.started_ns)
        for failed, again in itertools.pairwise(call.tries)
    ]


def _as_fault(fault: object) -> faults.Fault:
    return faults.status(fault) if isinstance(fault, int) else fault  # type: ignore[return-value]  # a status or a fault


@contextlib.contextmanager
def _heard() -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield said


@contextlib.contextmanager
def _pulses(
    now_ns: Callable[[], int], stopped: Callable[[BaseEventLoop], None]
) -> Iterator[list[tuple[int, int]]]:
    """A pulse in every loop that is run meanwhile; when and how long one missed its turn."""
    stops: list[tuple[int, int]] = []

    def pulsing(real: Callable[[BaseEventLoop], None]) -> Callable[[BaseEventLoop], None]:
        def run_forever(loop: BaseEventLoop) -> None:
            pulse = _Pulse(loop, now_ns, stops)
            try:
                real(loop)
            finally:
                pulse.stop()
                stopped(loop)

        return run_forever

    with replaced(BaseEventLoop, "run_forever", pulsing):
        yield stops


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


def _in_steps(stage: Stage, stops: list[tuple[int, int]]) -> Callable[[], object]:
    """The client's call, with an eye on each step of a trio that runs it."""

    async def call() -> object:
        async with _steps(lambda: stage.now_ns, stops):
            value = stage.client()
            return await value if inspect.isawaitable(value) else value

    return call


@contextlib.asynccontextmanager
async def _steps(now_ns: Callable[[], int], stops: list[tuple[int, int]]) -> AsyncIterator[None]:
    """Between two waits of trio's no time passes, unless a task blocks all others."""
    trio: Any = running_trio()
    if trio is None:
        yield
        return

    class Steps(trio.abc.Instrument):  # type: ignore[misc]  # of no module known before
        began = None

        def before_task_step(self, _: object) -> None:
            self.began = now_ns()

        def after_task_step(self, _: object) -> None:
            if self.began is not None and now_ns() - self.began > LEAST_NS:
                stops.append((self.began, now_ns()))

    steps = Steps()
    trio.lowlevel.add_instrument(steps)
    try:
        await trio.lowlevel.cancel_shielded_checkpoint()  # It sees whole steps only.
        yield
        await trio.lowlevel.cancel_shielded_checkpoint()
    finally:
        trio.lowlevel.remove_instrument(steps)


def running_trio() -> Any:  # noqa: ANN401 -- a module
    """trio, if it is what runs the calling task."""
    trio: Any = sys.modules.get("trio")
    try:
        trio.lowlevel.current_task()
    except (AttributeError, RuntimeError):  # It is not there, or something else runs the task.
        return None
    return trio
