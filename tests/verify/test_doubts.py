"""What a machine that gives a thread no processor makes of a client is no fault of the client's."""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from pytest_resilience import RetryPolicy, verify

ONCE = RetryPolicy(attempts=1)


class Stalls:
    """A client that is held up in C, so many times, when it meets this status."""

    def __init__(self) -> None:
        self.times, self.status = 0, 503
        self.lock = _thread.allocate_lock()

    def __call__(self, url: str) -> Any:
        response = requests.get(url, timeout=5)
        if response.status_code == self.status and self.times:
            self.times -= 1
            with self.lock:
                pass
        response.raise_for_status()
        return response.json()


@pytest.fixture
def stalls() -> Iterator[Stalls]:
    """A client; its lock is taken until the test ends."""
    client, before = Stalls(), set(threading.enumerate())
    with client.lock:
        yield client
    for thread in set(threading.enumerate()) - before:
        thread.join(20)


@pytest.mark.parametrize("status", [200, 503])
def test_what_went_on_without_a_thread_is_played_again(stalls: Stalls, status: int) -> None:
    """Time did not wait for it, so that the call seemed to last for weeks."""
    stalls.times, stalls.status = 1, status

    verdict = verify(stalls, ONCE, only="outage-without-end")

    assert stalls.times == 0
    assert verdict.codes == []


def test_who_is_lost_each_time_is_told(stalls: Stalls) -> None:
    """Nobody hopes for ever that it gets better."""
    stalls.times = 9

    verdict = verify(stalls, ONCE, only="outage-without-end")

    assert verdict.codes == ["call-never-returned"]


def test_who_computes_in_its_first_call_comes_back() -> None:
    """As one that imports half of its client there: it is not taken to spin."""
    seconds = [1.5]

    def call(url: str) -> Any:
        began = time.thread_time()
        while seconds and time.thread_time() - began < seconds[0]:
            pass
        seconds.clear()
        response = requests.get(url, timeout=5)
        response.raise_for_status()
        return response.json()

    assert verify(call, ONCE, only="outage-without-end").codes == []
