"""What a test that is stuck says: who waits for what, since when, and in which line."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

from pytest_resilience import ClockError, VirtualClock
from pytest_resilience.clock import _pictures


def wait_for_a_lock() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def wait_in_a_loop() -> None:
    async def nap() -> None:
        await asyncio.sleep(0)
        await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(nap(), name="napper")
        await task

    asyncio.run(main())


def stuck(wait: Callable[[], object]) -> str:
    """What it says when this never ends."""
    with VirtualClock(patience=0.1) as clock:
        clock.advance(3)
        with pytest.raises(ClockError) as error:
            wait()
    here = Path(__file__).parent
    return str(error.value).replace(f"{here}/", "").replace("tests/clock/", "")


@pytest.mark.parametrize(
    ("wait", "said"),
    [
        (
            wait_for_a_lock,
            "'MainThread' waits for a lock, since t=3.000, at test_pictures.py",
        ),
        (lambda: queue.Queue[int]().get(), ", in queue.Queue.get, at test_pictures.py"),
        (lambda: threading.Event().wait(), ", in threading.Event.wait, at test_pictures.py"),
        (lambda: Future[int]().result(), ", in concurrent.futures._base.Future.result, at test"),
        (wait_in_a_loop, "an event loop's I/O, since t=3.000, in asyncio.runners.run, at test_"),
    ],
    ids=["lock", "queue", "event", "future", "loop"],
)
def test_the_first_line(wait: Callable[[], object], said: str) -> None:
    """It stands alone: the test's own line, and what it has called there."""
    first, *_ = stuck(wait).splitlines()

    assert first.startswith("nothing has moved for 0.1 real seconds, and nothing is due: ")
    assert said in first


def test_another_thread() -> None:
    """Each thread has its line; one that is nobody's own has none."""
    event = threading.Event()

    def wait() -> None:
        threading.Thread(target=event.wait, name="nobody's").start()
        helper = threading.Thread(target=lambda: event.wait(), name="helper")
        helper.start()
        helper.join()

    lines = stuck(wait).splitlines()
    event.set()

    assert lines[1] == "  thread 'MainThread' waits for thread 'helper' to end, since t=3.000"
    assert lines[2].endswith(": helper.join()")
    assert lines[3] == '  thread "nobody\'s" waits for a lock, since t=3.000'
    assert lines[4] == "  thread 'helper' waits for a lock, since t=3.000"
    assert "    in threading.Event.wait, at test_pictures.py:" in lines[5]


def test_tasks() -> None:
    """Each task has its innermost line."""
    lines = stuck(wait_in_a_loop).splitlines()

    assert lines[-1].startswith("    task 'napper' waits at test_pictures.py:")
    assert lines[-1].endswith(": await asyncio.Event().wait()")
    assert lines[-2].endswith(": await task")


def test_nobody() -> None:
    """A thread that is no more is nowhere."""
    assert _pictures.place(None) == ""
    assert _pictures.tasks(None) == []
