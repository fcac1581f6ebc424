"""Time does not pass in the real moment that a thread takes to end."""

from __future__ import annotations

import threading
import time

import pytest

from pytest_resilience import VirtualClock
from pytest_resilience.clock import _real, _sleep
from pytest_resilience.clock._members import Members
from pytest_resilience.clock._parties import Party

GRACE = 0.1
LONG_NS = 5 * round(GRACE * _real.SECOND)


class Lingering:
    """Computes when it is thrown away: for as long as a loaded machine may give no processor."""

    def __del__(self) -> None:
        end_ns = _real.real_monotonic_ns() + LONG_NS
        while _real.real_monotonic_ns() < end_ns:
            pass


def sleeps_long() -> threading.Thread:
    """Somebody whose wait is what virtual time would go on to."""
    thread = threading.Thread(target=time.sleep, args=(1000,))
    thread.start()
    return thread


def test_who_joins_a_thread_goes_on_in_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """However late those are woken for whom time waits: a thread that ends waits for nobody."""
    wake = Members.wake

    def late(self: Members, party: Party) -> None:
        _sleep.real_sleep(0.1)
        wake(self, party)

    with VirtualClock() as clock:
        sleeper = sleeps_long()
        monkeypatch.setattr(Members, "wake", late)
        thread = threading.Thread(target=time.sleep, args=(1,))
        thread.start()
        thread.join()
        assert clock.now == 1
        monkeypatch.undo()
        sleeper.join()


@pytest.mark.parametrize("asked", ["join", "is_alive"])
def test_a_thread_that_lingers_is_waited_for(asked: str) -> None:
    """It has left, and is not gone yet: who waits for that is not blocked."""
    local = threading.local()

    def work() -> None:
        local.lingering = Lingering()

    with VirtualClock(grace=GRACE) as clock:
        sleeper = sleeps_long()
        thread = threading.Thread(target=work)
        thread.start()
        while asked == "is_alive" and thread.is_alive():
            pass
        thread.join()
        assert clock.now == 0
        assert clock.reports == ()
        sleeper.join()
