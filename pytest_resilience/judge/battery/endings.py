"""How it ends when it cannot succeed: exceptions, Ctrl-C, cancellation."""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from pytest_resilience import faults
from pytest_resilience.checks import attempts, endings
from pytest_resilience.clock import interrupt
from pytest_resilience.judge import taps
from pytest_resilience.judge.battery import loops
from pytest_resilience.judge.ground import FAULTS
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.stage import Stage
from pytest_resilience.plan import FaultLike

__all__ = ["scenarios"]

STAY = 60.0
"""Seconds after which a cancelled task that is still there goes on regardless."""


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """A reset for its cause, and the ways in which a caller may end a call early."""
    yield Scenario(
        name="resets-without-end",
        clause="tells its caller, and says why",
        play=_resets(subject),
        checks=[endings.told, endings.cause_kept, attempts.last_is_last],
    )
    yield Scenario(
        name="status-400",
        clause="tells its caller of a request that was refused",
        play=_refused(),
        checks=[endings.told],
    )
    if not subject.is_async:
        yield Scenario(
            name="ctrl-c",
            clause="ends with Ctrl-C",
            play=_interrupted(subject),
            checks=[endings.interrupted],
        )
        if subject.standard is not None:
            yield Scenario(
                name="ctrl-c-during-its-wait",
                clause="ends with Ctrl-C during its wait",
                play=_interrupted_later(subject.standard, _within_a_wait(subject)),
                checks=[endings.interrupted],
            )
    else:
        silence = faults.timeout(close_after=7200)
        yield _cancelled("attempt", silence, 0.2)
        if subject.standard is not None:
            yield _cancelled("wait", subject.standard, _within_a_wait(subject))


def _within_a_wait(subject: Subject) -> float:
    """Seconds after the first failure at which a client waits, if it waits at all."""
    low, _ = subject.policy.wait_range(1) or (0.1, 0.1)
    return low / 2 or 0.01


def _resets(subject: Subject) -> Callable[[Stage], object]:
    def play(stage: Stage) -> None:
        # Twice as many: a transport may send by itself once more.
        stage.fail(FAULTS["reset"], times=2 * subject.enough)
        stage.call()

    return play


def _refused() -> Callable[[Stage], object]:
    def play(stage: Stage) -> object:
        stage.fail(400, times=5)
        stage.call()
        return {"error_body": stage.error_body(400), "refused": True}

    return play


def _interrupted(subject: Subject) -> Callable[[Stage], object]:
    request = 1 if subject.standard is None else 2

    def play(stage: Stage) -> object:
        if subject.standard is not None:
            stage.fail(subject.standard)
        with taps.interrupt(request, stage.hands.thread) as pressed:
            stage.call()
        if pressed.sent or not stage.server.trace:
            return {"interrupted": pressed.happened}
        # Another thread sends for the one that is interrupted, which waits meanwhile.
        stage.server.plan.clear()
        stage.fail(faults.timeout(close_after=7200))
        return {"interrupted": _pressed_after(stage, 0.2)}

    return play


def _interrupted_later(fault: FaultLike, after: float) -> Callable[[Stage], object]:
    def play(stage: Stage) -> object:
        stage.fail(fault)
        return {"interrupted": _pressed_after(stage, after)}

    return play


def _pressed_after(stage: Stage, seconds: float) -> bool:
    """Make a call, and interrupt what it waits for; whether it waited for anything."""
    pressed: list[bool] = []

    def press() -> None:
        if not _runs_trio(stage.hands.thread):
            pressed.append(interrupt(stage.hands.thread, KeyboardInterrupt()))

    timer = threading.Timer(seconds, press)  # In virtual time, as all is on a stage.
    timer.start()
    try:
        stage.call()
    finally:
        timer.cancel()
        timer.join()
    return any(pressed)


def _runs_trio(thread: threading.Thread) -> bool:
    """Whether it waits within trio, which takes Ctrl-C in by a way of its own.

    An exception that comes out of its selector is an internal error, and leaves it unfit for
    another run (trio/_core/_run.py, unrolled_run).
    """
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 -- documented
    while frame is not None and frame.f_globals.get("__name__") != "trio._core._run":
        frame = frame.f_back
    return frame is not None


def _cancelled(when: str, fault: FaultLike, after: float) -> Scenario:
    def play(stage: Stage) -> object:
        stage.fail(fault)

        async def cancel() -> str:
            trio: Any = loops.running_trio()
            if trio is not None:
                return await _outcome_in_trio(trio, stage.client, after)
            return await _outcome_of_cancelling(stage.client, after)

        outcome = stage.call(cancel).value
        # A client that has stopped the loop leaves nothing to be said.
        return {
            "outcome": outcome if isinstance(outcome, str) else "done",
            "when": f"during its {when}",
        }

    return Scenario(
        name=f"cancelled-during-its-{when}",
        clause=f"ends when it is cancelled during its {when}",
        play=play,
        checks=[endings.cancelled],
    )


async def _whole(client: Callable[[], object]) -> object:
    value = client()
    return await value if inspect.isawaitable(value) else value


async def _outcome_of_cancelling(client: Callable[[], object], after: float) -> str:
    task = asyncio.ensure_future(_whole(client))
    await asyncio.sleep(after)
    if task.done():
        task.exception()
        return "done"
    task.cancel()
    await asyncio.wait({task}, timeout=STAY)
    if not task.done():
        return f"went on for {STAY:g} s and more"
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    return "returned" if error is None else f"raised {type(error).__name__}"


async def _outcome_in_trio(trio: Any, client: Callable[[], object], after: float) -> str:  # noqa: ANN401 -- a module
    outcome = "returned"
    with trio.move_on_after(after) as scope:
        try:
            await _whole(client)
        except Exception as error:  # noqa: BLE001 -- a cancellation is none
            # What a thread raises that cannot be cancelled comes before the cancellation.
            outcome = f"raised {type(error).__name__}" if _from(error, trio.Cancelled) else "done"
    if scope.cancelled_caught:
        return "cancelled"
    return outcome if scope.cancel_called else "done"


def _from(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether one of this kind has led to it."""
    led: BaseException | None = error
    while led is not None and not isinstance(led, kind):
        led = led.__cause__ or led.__context__
    return led is not None
