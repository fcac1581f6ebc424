"""The engine's loop survives what others hang into it."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest

from pytest_resilience import FakeServer, engine
from pytest_resilience.clock import REAL
from pytest_resilience.engine._loop import Loop
from pytest_resilience.engine._poller import READ, Epoll, Poll
from pytest_resilience.engine._timers import Callback


def test_a_conductor_that_fails_is_reported_and_does_not_end_the_loop(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A defect of the clock's must not stop every server of the process."""
    loop = engine.acquire()

    def fail() -> float:
        loop.conductor = None
        raise ValueError("no idea")

    def hang_in() -> None:
        loop.conductor = fail

    try:
        loop.run(hang_in)
        loop.settle()
        loop.nudge()
        while loop.conductor is not None:
            loop.settle()

        assert loop.run(lambda: "still here") == "still here"
        assert [str(error) for error in engine.take_errors()] == ["no idea"]
        assert "ValueError: no idea" in capsys.readouterr().err
    finally:
        engine.release(loop)


def test_a_conductor_may_advise_to_wait_for_a_year() -> None:
    """The kernel counts milliseconds in an int, which holds 25 days: the loop asks again before."""
    with FakeServer() as server:
        loop = engine.running()
        assert loop is not None
        asked = threading.Event()

        def advise() -> float:
            asked.set()
            return 400 * 86_400.0

        loop.run(lambda: setattr(loop, "conductor", advise))
        assert asked.wait(20)
        assert loop.run(lambda: "still there") == "still there"
        loop.run(lambda: setattr(loop, "conductor", None))
        assert server.running
    assert engine.take_errors() == []


@pytest.fixture
def loop() -> Iterator[Loop]:
    """The process's loop, for one test."""
    loop = engine.acquire()
    yield loop
    engine.release(loop)


def test_between_two_turns_the_caller_does_it_himself(loop: Loop) -> None:
    """What is changed on the loop is changed on the calling thread, while the loop stands still."""
    handled = threading.Event()

    def change() -> list[object]:
        loop.call_soon_threadsafe(handled.set)
        return [threading.current_thread(), handled.wait(0.1), loop.between(lambda: "within")]

    assert loop.between(change) == [threading.current_thread(), False, "within"]
    assert handled.wait(20)


def test_what_fails_between_two_turns_fails_for_the_caller(loop: Loop) -> None:
    """And the loop goes on."""
    with pytest.raises(ValueError, match="no"):
        loop.between(lambda: int("no"))

    assert loop.run(lambda: "still here") == "still here"


def test_on_the_loop_s_thread_it_is_done_at_once(loop: Loop) -> None:
    """A handler may change what it likes."""
    for way in (loop.between, loop.run):
        where = loop.run(lambda way=way: way(threading.current_thread))  # type: ignore[misc]
        assert where.name.startswith("pytest-resil")


def test_with_a_conductor_the_loop_does_it_itself(loop: Loop) -> None:
    """A virtual clock has to be asked again after each change."""
    loop.run(lambda: setattr(loop, "conductor", lambda: -1.0))
    where = loop.between(threading.current_thread)
    loop.run(lambda: setattr(loop, "conductor", None))

    assert where is not threading.current_thread()


def test_a_conductor_that_is_set_between_two_turns_is_asked(loop: Loop) -> None:
    """The poll that is on when it is set knows of none; it is woken."""
    asked = threading.Event()

    def conduct() -> float:
        asked.set()
        return -1.0

    loop.settle()
    loop.between(lambda: setattr(loop, "conductor", conduct))
    came = asked.wait(20)
    loop.run(lambda: setattr(loop, "conductor", None))

    assert came


def test_a_timer_that_is_set_between_two_turns_is_kept(loop: Loop) -> None:
    """The loop waits for nothing when it is set; it is woken."""
    rung = threading.Event()
    loop.settle()
    loop.between(lambda: loop.call_at_real(REAL.monotonic_ns() + 1_000_000, rung.set))

    assert rung.wait(20)


def test_a_loop_with_nothing_to_do_is_not_waited_for(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every test asks at its end, and to wait for another thread costs more than the question."""
    loop.settle()
    monkeypatch.setattr(loop, "call_when_idle", None)
    assert isinstance(loop._poller, Epoll)

    loop.settle()
    loop.between(loop.settle)


def test_where_two_cannot_poll_at_once_the_loop_answers(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``select.poll`` refuses a second thread."""
    polls = Poll()
    loop.settle()
    asked: list[Callback] = []
    real = loop.call_when_idle

    def call_when_idle(job: Callback) -> None:
        asked.append(job)
        real(job)

    monkeypatch.setattr(loop._poller, "is_quiet", polls.is_quiet)
    monkeypatch.setattr(loop, "call_when_idle", call_when_idle)
    loop.settle()

    assert len(asked) == 1


def test_what_has_come_is_waited_for(loop: Loop) -> None:
    """Bytes that lie in the kernel are handled before the loop counts as settled."""
    reads, writes = socket.socketpair()
    seen: list[bytes] = []
    with reads, writes:
        loop.add(reads.fileno(), lambda _: seen.append(reads.recv(1)), READ)
        for _ in range(200):
            writes.send(b"x")
            loop.settle()
            assert seen.pop() == b"x"
        loop.remove(reads.fileno())


def test_a_loop_that_has_ended_lets_it_be_done() -> None:
    """Nobody waits for a thread that is no more."""
    loop = engine.acquire()
    engine.release(loop)

    assert loop.between(lambda: "done") == "done"


def test_who_comes_in_the_place_of_another_is_not_called_for_it(loop: Loop) -> None:
    """Of two that are ready at once, the first takes the other away and puts a third one there."""
    ends = dict([os.pipe(), os.pipe()])
    seen: list[str] = []

    def replace_the_other(this: int) -> None:
        seen.append("first")
        other = next(one for one in ends if one != this)
        for reads in (this, other):
            loop.remove(reads)
        os.read(this, 1)
        third, its_end = os.pipe()
        os.dup2(third, other)
        ends[third] = its_end
        loop.add(other, lambda _: seen.append("third"), READ)

    def make_both_ready() -> None:
        for reads, writes in tuple(ends.items()):
            loop.add(reads, partial(lambda this, _: replace_the_other(this), reads), READ)
            os.write(writes, b"x")

    loop.run(make_both_ready)
    loop.settle()
    third = next(one for one in ends if one in loop._handlers)
    loop.run(lambda: loop.remove(third))
    for end in (*ends, *ends.values()):
        os.close(end)

    assert seen == ["first"]


def test_a_descriptor_that_has_changed_hands_is_asked_anew(loop: Loop) -> None:
    """What the poll reports of one, and another one's by then, is reported again or not at all."""
    reads, writes = socket.socketpair()
    seen: list[str] = []
    with reads, writes:
        loop.add(reads.fileno(), lambda _: seen.append("old"), READ)
        loop.settle()

        def read(_: int) -> None:
            seen.append("new")
            reads.recv(1)

        def change() -> None:
            writes.send(b"x")
            time.sleep(0.05)  # The poll has come back by now, and the loop waits for us.
            loop.remove(reads.fileno())
            loop.add(reads.fileno(), read, READ)

        loop.between(change)
        loop.settle()
        loop.remove(reads.fileno())

    assert seen == ["new"]
