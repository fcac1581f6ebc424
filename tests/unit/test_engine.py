"""The engine's loop survives what others hang into it."""

import pytest

from pytest_resilience import engine


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
