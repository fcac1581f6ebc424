"""Log files that somebody writes by himself are heard, whatever he opens them with."""

from __future__ import annotations

import gc
import io
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from pytest_resilience import FakeServer, VirtualClock
from pytest_resilience.logs import Recorder, _kept_back, _own_files
from tests.unit.logs.test_recorder import get

Say = Callable[[Path, str], object]


@pytest.fixture(autouse=True)
def traced() -> Iterator[None]:
    """What an audit hook does is measured when it allows it."""
    hook: Any = _own_files._hook
    hook.__cantrace__ = True
    yield
    del hook.__cantrace__


def written(logs: Recorder) -> list[tuple[float | None, int | None, str]]:
    """When, about which attempt, and what."""
    return [(line.at, line.attempt, line.text) for line in logs.by("file")]


def by_open(path: Path, text: str) -> None:
    with open(path, "a") as file:  # noqa: PTH123 -- it is what is tested
        file.write(text)


def by_pathlib(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def by_descriptor(path: Path, text: str) -> None:
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(opened, text.encode())
    os.close(opened)


def anew(path: Path, text: str) -> None:
    path.write_text(text)


@pytest.mark.parametrize("say", [by_open, by_pathlib, by_descriptor, anew])
def test_each_line_has_the_time_when_the_file_was_opened_for_it(say: Say, tmp_path: Path) -> None:
    """Exact, in virtual time, and the attempt; what stood there before was not said."""
    path = tmp_path / "client.log"
    path.write_text("old\n")
    with FakeServer() as server, VirtualClock(), Recorder(server) as logs:
        server.fail(503, times=2)
        for attempt in (1, 2, 3):
            say(path, f"attempt {attempt}: {get(server)}\n")
            time.sleep(attempt)

    assert written(logs) == [
        (0, 1, "attempt 1: 503"),
        (1, 2, "attempt 2: 503"),
        (3, 3, "attempt 3: 200"),
    ]


def fetch(server: FakeServer, say: Callable[[str], object]) -> None:
    """A client that tries three times, and says so before and after each wait."""
    for attempt in (1, 2, 3):
        say(f"attempt {attempt}: {get(server)}\n")
        if attempt < 3:
            time.sleep(attempt)
            say(f"trying {attempt + 1}\n")


FETCHED = [
    (0, 1, "attempt 1: 503"),
    (1, 2, "trying 2"),
    (1, 2, "attempt 2: 503"),
    (3, 3, "trying 3"),
    (3, 3, "attempt 3: 200"),
]


@pytest.mark.parametrize("buffering", [-1, 1])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_lines_in_a_file_that_stays_open_have_their_time_and_attempt(
    encoding: str, buffering: int, tmp_path: Path
) -> None:
    """Also those that Python has kept back until it was closed."""
    path = tmp_path / "client.log"
    with FakeServer() as server, Recorder(server) as logs, VirtualClock():
        server.fail(503, times=2)
        with path.open("a", encoding=encoding, buffering=buffering) as file:
            fetch(server, file.write)

    assert written(logs) == FETCHED


@pytest.mark.parametrize("buffering", [-1, 0])
def test_so_have_those_that_are_written_as_bytes(buffering: int, tmp_path: Path) -> None:
    """With a buffer and without one."""
    with FakeServer() as server, VirtualClock(), Recorder(server) as logs:
        server.fail(503, times=2)
        with (tmp_path / "client.log").open("wb", buffering=buffering) as file:
            fetch(server, lambda text: file.write(text.encode()))
        assert written(logs) == FETCHED


def test_so_have_those_that_no_object_writes(tmp_path: Path) -> None:
    """It is looked for among others, some of which are closed."""
    with (tmp_path / "closed.log").open("w") as closed:
        pass
    with FakeServer() as server, VirtualClock(), Recorder(server) as logs:
        server.fail(503, times=2)
        opened = os.open(tmp_path / "client.log", os.O_WRONLY | os.O_CREAT)
        fetch(server, lambda text: os.write(opened, text.encode()))
        assert written(logs) == FETCHED
        assert closed.closed
        os.close(opened)


def test_nothing_gets_to_a_file_earlier_because_we_listen(tmp_path: Path) -> None:
    """Nor does anything else than what is written there."""
    paths = [tmp_path / name for name in ("a.log", "b.log", "c.log", "d.log")]
    with (
        VirtualClock(),
        Recorder() as logs,
        paths[0].open("w") as kept,
        paths[1].open("w", encoding="utf-16") as marked,  # even nothing has a mark before it
        paths[2].open("w+") as readable,
    ):
        paths[3].open("w").close()
        kept.write("one\n")
        readable.write("two\n")
        time.sleep(1)
        assert [path.read_bytes() for path in paths] == [b""] * 4
        readable.flush()
        kept.close()
        marked.close()
        assert paths[1].read_bytes() == b""

    assert sorted(written(logs)) == [(0, None, "one"), (1, None, "two")]


def test_a_line_belongs_where_it_begins(tmp_path: Path) -> None:
    """Whatever is between its beginning and its end."""
    with VirtualClock(), Recorder() as logs, (tmp_path / "client.log").open("w") as file:
        for text in ("waiting", " and", " done\nnext\n", "last"):
            file.write(text)
            time.sleep(1)
        file.flush()

        assert written(logs) == [
            (0, None, "waiting and done"),
            (2, None, "next"),
            (3, None, "last"),
        ]


def test_of_two_who_write_at_once_nobody_knows_what_is_kept_back(tmp_path: Path) -> None:
    """Each knows but its own part of the end; when it gets there is known."""
    path = tmp_path / "client.log"
    with VirtualClock(), Recorder() as logs, path.open("a") as one, path.open("a") as other:
        one.write("one\n")
        time.sleep(1)
        other.write("other\n")
        other.flush()
        time.sleep(1)
        one.flush()

        assert written(logs) == [(1, None, "other"), (2, None, "one")]


@pytest.mark.parametrize("generation", [0, 1, 2])
def test_what_writes_may_be_of_different_ages(generation: int, tmp_path: Path) -> None:
    """To the collector of garbage, which may have come in between."""
    with VirtualClock(), Recorder() as logs:
        buffer = io.BufferedWriter(io.FileIO(tmp_path / "client.log", "w"))
        gc.collect(generation)
        with io.TextIOWrapper(buffer, encoding="utf-8") as file:
            for text in ("one\n", "two\n"):
                file.write(text)
                time.sleep(1)

    assert written(logs) == [(0, None, "one"), (1, None, "two")]


@pytest.mark.parametrize("generation", [0, 1, 2])
def test_so_may_two_who_write_at_once(generation: int, tmp_path: Path) -> None:
    """Both are found, so that nobody is taken for the only one."""
    path = tmp_path / "client.log"
    with VirtualClock(), Recorder() as logs, path.open("a") as one:
        gc.collect(generation)
        with path.open("a") as other:
            other.write("other\n")
            time.sleep(1)
            one.write("one\n")
            one.flush()

    assert written(logs) == [(1, None, "one"), (1, None, "other")]


def test_in_real_time_nobody_knows_when(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something was written to a file that stays open; nor where open files cannot be listed."""
    with Recorder() as logs, (tmp_path / "client.log").open("w") as file:
        file.write("at once\n")
        file.flush()
        assert written(logs) == [(None, None, "at once")]
        logs.clear()
        file.write("later\n")
        file.flush()
        assert written(logs) == [(None, None, "later")]

    monkeypatch.setattr(_kept_back, "_OPENED", tmp_path / "nowhere")
    with Recorder() as logs:
        by_open(tmp_path / "other.log", "closed\n")

    assert written(logs) == [(None, None, "closed")]


def test_what_is_rotated_away_is_read_before(tmp_path: Path) -> None:
    """By whatever name a client does it."""
    path = tmp_path / "client.log"
    with Recorder() as logs:
        for text in "abc":
            by_open(path, f"{text}\n")
            path.replace(f"{path}.1") if text == "a" else path.unlink()
        by_open(path, "a longer line\n")
        os.truncate(path, 0)
        by_open(path, "d\n")

    assert logs.texts == ["a", "b", "c", "a longer line", "d"]


def test_each_line_is_heard_once(tmp_path: Path) -> None:
    """What handlers and loggers write to files is told of by their own taps."""
    log = logging.getLogger("tests.logs.own_files")
    with Recorder() as logs, (tmp_path / "b.log").open("w") as file:
        handler = logging.FileHandler(tmp_path / "a.log")
        log.addHandler(handler)
        log.warning("one")
        log.removeHandler(handler)
        handler.close()
        structlog.wrap_logger(structlog.WriteLogger(file), processors=[lambda *_: "two"]).info("x")

    assert [line.text for line in logs.by("file")] == ["one", "two"]


def test_what_another_process_writes_is_heard(tmp_path: Path) -> None:
    """To a file that was opened for it here."""
    with Recorder() as logs, (tmp_path / "stdout").open("w") as file:
        subprocess.run([sys.executable, "-c", "print('hello')"], stdout=file, check=True)

    assert logs.texts == ["hello"]


def test_what_is_no_log_file_is_let_be(tmp_path: Path) -> None:
    """By its name, or because it cannot be read twice; and whatever else may be opened."""
    pipe = tmp_path / "pipe.log"
    os.mkfifo(pipe)
    reader = threading.Thread(target=pipe.read_text)
    with Recorder() as logs:
        reader.start()
        by_open(pipe, "gone\n")
        reader.join()
        by_open(tmp_path / "state.json", "{}\n")
        by_descriptor(Path(os.devnull), "nothing\n")
        os.close(os.open(tmp_path / "state.json", os.O_RDWR))
        with os.fdopen(os.open(tmp_path / "x", os.O_CREAT | os.O_WRONLY), "w") as file:
            os.truncate(file.fileno(), 0)
        with pytest.raises(ValueError, match="null"):
            by_open(Path("a\0.log"), "never")
        with pytest.raises(FileNotFoundError):
            by_open(tmp_path / "nowhere" / "a.log", "never")
        os.truncate(tmp_path / "x", 0)

    assert logs.lines == ()


def test_nothing_is_heard_when_nobody_listens(tmp_path: Path) -> None:
    """Neither before nor afterwards: an audit hook stays for ever."""
    path = tmp_path / "client.log"
    by_open(path, "before\n")
    with Recorder() as logs:
        by_open(path, "now\n")
    by_open(path, "afterwards\n")

    assert logs.texts == ["now"]


def test_what_goes_wrong_with_us_keeps_no_file_from_being_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An audit hook that raises would."""
    with Recorder() as logs:
        monkeypatch.setattr(logs, "hear", lambda entry: 1 / 0)
        by_open(tmp_path / "client.log", "x")

    assert (tmp_path / "client.log").read_text() == "x"
