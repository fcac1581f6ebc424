"""The hands that make the calls: whatever a call is, it comes back or is got out of its wait."""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import requests

from pytest_resilience import RetryPolicy, VirtualClock, verify
from pytest_resilience.clock import kernel
from pytest_resilience.errors import ClockError
from pytest_resilience.judge.halting import Halted, Worker
from pytest_resilience.judge.hands import Hands


@pytest.fixture(autouse=True)
def clock() -> Iterator[VirtualClock]:
    """Virtual time, in which hands wait."""
    with VirtualClock() as clock:
        yield clock


async def numbers() -> AsyncIterator[int]:
    for number in (1, 2):
        yield number


async def promised() -> AsyncIterator[int]:
    return numbers()


def counted() -> Iterator[int]:
    yield from (1, 2)


@pytest.mark.parametrize("call", [numbers, promised, counted])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_generator_is_exhausted(call: object, is_async: bool) -> None:  # noqa: FBT001 -- a parameter
    """Whoever returns a generator, or promises one, is asked for all that it gives."""
    hands = Hands(is_async=is_async)
    ended = hands.call(call, 10)  # type: ignore[arg-type]  # whatever a client is

    assert hands.close()
    assert ended == ([1, 2], None)


async def fails() -> None:
    raise ValueError("no")


async def works() -> int:
    return 7


def test_of_coroutines_at_once_each_ends_by_itself() -> None:
    """What one raises is its own."""
    hands = Hands(is_async=True)
    one, two = hands.together([fails, works], 10)

    assert hands.close()
    assert one is not None
    assert repr(one[1]) == "ValueError('no')"
    assert two == (7, None)


def test_a_call_that_waits_for_ever_is_got_out_of_it() -> None:
    """It meets an exception in its wait, and its thread ends."""
    hands = Hands()
    ended = hands.call(lambda: time.sleep(10**9), 10)

    assert ended is None
    assert not hands.close()
    assert not hands.thread.is_alive()


def test_a_worker_that_nobody_can_wait_for_is_freed_all_the_same(
    monkeypatch: pytest.MonkeyPatch, clock: VirtualClock
) -> None:
    """A clock that sees no end of a wait for it does not leave it at work for ever."""

    def endless(*_: object) -> None:
        raise ClockError("this goes on for ever")

    hands = Hands()
    hands.call(lambda: time.sleep(10**9), 10)
    with monkeypatch.context() as patch:
        patch.setattr(hands.thread, "join", endless)

        assert not hands.close()

    hands.thread.join()
    assert clock.now < 10**9  # It has not slept to the end.


def test_a_call_that_catches_everything_is_told_three_times() -> None:
    """Then it is left alone."""
    caught: list[type[BaseException]] = []

    def stubborn() -> None:
        while len(caught) < 3:
            try:
                time.sleep(10**9)
            except BaseException as error:  # noqa: BLE001 -- the worst there is
                caught.append(type(error))
        time.sleep(100)

    hands = Hands()
    hands.call(stubborn, 10)

    assert not hands.close()
    assert hands.thread.is_alive()
    assert caught == [Halted] * 3
    hands.thread.join()


def test_a_thread_that_has_the_number_of_one_that_has_ended_is_left_alone() -> None:
    """The system gives the number of a thread to the next one as soon as it can."""
    worker = Worker(lambda: None, "verify")
    worker.start()
    worker.join()
    assert worker.native_id is not None
    while kernel.exists(worker.native_id):  # Its number is free when the kernel has let it go.
        pass
    # As if it were about to begin: nothing waits or is traced in here.
    caught: list[type[BaseException]] = []
    halted, over = threading.Lock(), threading.Lock()
    halted.acquire()
    over.acquire()

    def compute() -> None:
        try:
            while not halted.acquire(blocking=False):
                pass
        except BaseException as error:  # noqa: BLE001 -- what must not come
            caught.append(type(error))
        over.release()

    def halt() -> None:
        worker.halt()
        halted.release()

    others = 0
    while _thread.start_new_thread(compute, ()) != worker.ident and others < 8:
        others += 1
    for _ in range(others + 1):
        _thread.start_new_thread(halt, ())
        over.acquire()

    assert others < 8, "the system gives no number again: try otherwise"
    assert caught == []


def test_an_outage_without_a_status_has_no_body_to_be_returned() -> None:
    """A client that retries resets only is judged by resets."""

    def call(url: str) -> object:
        for wait in (1, None):
            try:
                answer = requests.get(url, timeout=5)
                answer.raise_for_status()
                return answer.json()
            except requests.ConnectionError:
                if wait is None:
                    raise
                time.sleep(wait)
        return None

    policy = RetryPolicy(attempts=2, statuses=[], failures=["reset"])

    assert verify(call, policy, only="outage-without-end").codes == []
