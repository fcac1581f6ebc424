"""The engine's loop survives what others hang into it."""

import threading

import pytest

from pytest_resilience import FakeServer, engine


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
