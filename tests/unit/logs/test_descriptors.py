"""What goes to the descriptors of stdout and stderr is heard, whoever writes it, and once."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_resilience import FakeServer, VirtualClock
from pytest_resilience.logs import Recorder, _descriptors
from tests.unit.logs.test_recorder import get

pytestmark = pytest.mark.usefixtures("capfd")  # with -s as well


def by_c(text: str) -> None:
    libc = ctypes.CDLL(None)
    libc.puts(text.encode())
    libc.fflush(None)


def by_shell(text: str) -> None:
    os.system(f"echo {text} >&2")  # noqa: S605 -- it is what is tested


def by_child(text: str) -> None:
    subprocess.run(["/bin/echo", text], check=True)


def by_number(text: str) -> None:
    os.write(2, f"{text}\n".encode())


@pytest.fixture
def logs() -> Iterator[Recorder]:
    with Recorder() as logs:
        yield logs


@pytest.mark.parametrize("say", [by_c, by_shell, by_child, by_number])
def test_it_has_its_time_and_attempt(say: Callable[[str], None]) -> None:
    """As what streams write."""
    with FakeServer() as server, VirtualClock(), Recorder(server) as logs:
        server.fail(503, times=2)
        for attempt in (1, 2, 3):
            say(f"attempt-{attempt}-{get(server)}")
            time.sleep(attempt)

        assert [(line.at, line.attempt, line.text) for line in logs.lines] == [
            (0, 1, "attempt-1-503"),
            (1, 2, "attempt-2-503"),
            (3, 3, "attempt-3-200"),
        ]


def test_each_line_is_heard_once_and_in_order(
    logs: Recorder, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever writes it, and though one of them keeps it back; nothing is taken away."""
    with contextlib.redirect_stdout(open(1, "w", closefd=False)):
        sys.stdout.write("one\n")
        os.write(1, b"two\n")
        logs.lines  # noqa: B018 -- it looks
        sys.stdout.flush()
    sys.stdout.write("three\n")
    sys.stdout.buffer.write(b"four\n")
    os.write(1, b"fi")
    logs.lines  # noqa: B018 -- the same
    os.write(1, b"ve\n")

    assert logs.texts == ["one", "two", "three", "four", "five"]
    assert capfd.readouterr().out == "two\none\nthree\nfour\nfive\n"


def test_what_has_been_read_begins_anew(logs: Recorder, capfd: pytest.CaptureFixture[str]) -> None:
    """By a test that asks for its output."""
    for text in ("a longer line", "short"):
        os.write(1, f"{text}\n".encode())
        assert logs.texts[-1] == text
        assert capfd.readouterr().out == f"{text}\n"


def test_what_streams_write_elsewhere_is_none_of_it(logs: Recorder, tmp_path: Path) -> None:
    """To files, or nowhere."""
    with (tmp_path / "a.txt").open("w") as file, contextlib.redirect_stdout(file):
        sys.stdout.write("one\n")
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())):
        sys.stdout.write("two\n")
    os.write(1, b"one\n")

    assert logs.texts == ["one", "two", "one"]


def test_what_a_stream_does_to_write_is_its_own(logs: Recorder) -> None:
    """Whatever it says meanwhile."""

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            with contextlib.redirect_stderr(io.StringIO()):
                os.write(1, b"on the way\n")
            return super().write(text)

    with contextlib.redirect_stdout(Stream()):
        sys.stdout.write("one\n")

    assert logs.texts == ["one"]


def test_what_comes_while_a_stream_begins_to_write_may_be_its_own(
    logs: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nobody knows, so nothing is told."""
    grown = _descriptors._grown

    def slow(number: int) -> bytes:
        _descriptors._turn[0] += 1
        return grown(number)

    monkeypatch.setattr(_descriptors, "_grown", slow)
    os.write(1, b"whose?\n")

    assert logs.texts == []


def test_descriptors_that_are_no_captured_files_are_let_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written to a pipe or a file with a name is somebody else's."""
    reader, writer = os.pipe()
    with (tmp_path / "a.txt").open("w") as file:
        numbers = {writer: "stdout", file.fileno(): "stderr", 1_000_000: "stderr"}
        monkeypatch.setattr(_descriptors, "NUMBERS", numbers)
        with Recorder() as logs, Recorder():
            os.write(writer, b"one\n")
            os.write(file.fileno(), b"two\n")
    os.close(writer)
    os.close(reader)

    assert logs.texts == []


def test_a_forked_child_waits_for_no_lock_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has it does not exist there."""
    before = _descriptors._lock
    monkeypatch.setattr(_descriptors, "_lock", before)
    _descriptors._forget_in_child()

    assert _descriptors._lock is not before
