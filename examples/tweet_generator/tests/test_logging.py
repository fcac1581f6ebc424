"""The log: where it goes, how it looks, and what it says about requests."""

import inspect
import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
import structlog

import logging_config
from logging_config import close_logging, setup_logging
from main import demonstrate_retry

ReadLog = Callable[[], list[dict[str, Any]]]


def logger() -> structlog.stdlib.BoundLogger:
    """A logger as any module has one."""
    bound: structlog.stdlib.BoundLogger = structlog.get_logger("test")
    return bound


def test_parameters_of_setup_logging() -> None:
    """Without arguments: INFO, and the file of the document."""
    parameters = inspect.signature(setup_logging).parameters

    assert {name: p.default for name, p in parameters.items()} == {
        "log_level": "INFO",
        "log_file": "tweet_generator.log",
    }


def test_the_default_file_is_made_where_the_program_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``setup_logging()`` writes tweet_generator.log into the working directory."""
    monkeypatch.chdir(tmp_path)
    setup_logging()
    logger().info("hello")

    assert json.loads((tmp_path / "tweet_generator.log").read_text())["event"] == "hello"


def test_console_and_file_get_the_same_json_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each event is one line of JSON, on stderr and in the file alike."""
    file = tmp_path / "both.log"
    setup_logging(log_level="INFO", log_file=file)
    logger().info("one", text="two\nlines \u2028 😀")
    logger().warning("two")

    console = capsys.readouterr()
    assert console.out == ""
    assert console.err == file.read_text("utf-8")
    assert [json.loads(line)["event"] for line in console.err.splitlines()] == ["one", "two"]
    assert json.loads(console.err.splitlines()[0])["text"] == "two\nlines \u2028 😀"


def test_without_a_file_there_is_the_console(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``log_file=None`` writes no file."""
    monkeypatch.chdir(tmp_path)
    setup_logging(log_file=None)
    logger().info("hello")

    assert json.loads(capsys.readouterr().err)["event"] == "hello"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("level", "events"),
    [
        ("DEBUG", ["debug", "info", "warning", "error", "critical"]),
        ("INFO", ["info", "warning", "error", "critical"]),
        ("WARNING", ["warning", "error", "critical"]),
        ("ERROR", ["error", "critical"]),
        ("CRITICAL", ["critical"]),
        ("warning", ["warning", "error", "critical"]),
    ],
)
def test_the_level_is_the_least_that_is_logged(
    tmp_path: Path, level: str, events: list[str]
) -> None:
    """What is less severe than ``log_level`` is left out, from libraries too."""
    file = tmp_path / "level.log"
    setup_logging(level, file)
    for name in ("debug", "info", "warning", "error", "critical"):
        getattr(logger(), name)(name)
        getattr(logging.getLogger("a.library"), name)(name)

    logged = [json.loads(line)["event"] for line in file.read_text().splitlines()]
    assert logged[::2] == events
    assert logged[1::2] == events


@pytest.mark.parametrize("level", ["LOUD", "", "NOTSET", None, 10])
def test_an_unknown_level_is_refused(level: object) -> None:
    """A level that does not exist is named, with those that do."""
    with pytest.raises(
        ValueError, match=r"log_level must be one of DEBUG, INFO, .*, not " + re.escape(repr(level))
    ):
        setup_logging(level)  # type: ignore[arg-type]


def test_setting_up_again_replaces_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Called twice, each event is still logged once, and only where it was said last."""
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    log = logger()
    setup_logging(log_file=first)
    log.info("one")
    setup_logging(log_level="DEBUG", log_file=second)
    log.debug("two")

    assert len(first.read_text().splitlines()) == 1
    assert len(second.read_text().splitlines()) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_an_application_may_cache_its_loggers(tmp_path: Path) -> None:
    """A set-up reaches the generator's loggers after their first event, however structlog was."""
    theirs = structlog.testing.LogCapture()
    structlog.configure(processors=[theirs], cache_logger_on_first_use=True)
    demonstrate_retry()
    setup_logging(log_file=tmp_path / "later.log")
    demonstrate_retry()

    lines = (tmp_path / "later.log").read_text().splitlines()
    assert [entry["event"] for entry in theirs.entries] == ["Retry attempt", "Retry succeeded"]
    assert [json.loads(line)["event"] for line in lines] == ["Retry attempt", "Retry succeeded"]


def test_the_same_file_twice_does_not_double_its_lines(tmp_path: Path) -> None:
    """Setting up again with the same file keeps it, and appends each event once."""
    file = tmp_path / "same.log"
    for _ in range(5):
        setup_logging(log_file=file)
    logger().info("once")

    assert len(file.read_text().splitlines()) == 1


def test_setting_up_again_closes_the_file(tmp_path: Path) -> None:
    """No file stays open behind a later set-up."""
    before = set(logging.getLogger().handlers)
    setup_logging(log_file=tmp_path / "first.log")
    (old,) = (
        handler
        for handler in set(logging.getLogger().handlers) - before
        if isinstance(handler, logging.FileHandler)
    )
    stream = old.stream
    assert stream is not None
    setup_logging(log_file=tmp_path / "second.log")

    assert stream.closed
    assert old not in logging.getLogger().handlers

    close_logging()
    assert set(logging.getLogger().handlers) == before


def test_a_file_that_cannot_be_written_leaves_the_logging_as_it_was(tmp_path: Path) -> None:
    """An impossible ``log_file`` is an error there and then; what was set up goes on."""
    file = tmp_path / "good.log"
    setup_logging(log_file=file)
    with pytest.raises(FileNotFoundError):
        setup_logging(log_file=tmp_path / "no" / "such" / "folder.log")
    logger().info("still here")

    assert len(file.read_text().splitlines()) == 1


def test_a_rotated_file_is_opened_anew(tmp_path: Path) -> None:
    """After logrotate has moved the file away, a new one is written under its name."""
    file = tmp_path / "tweets.log"
    setup_logging(log_file=file)
    logger().info("before")
    file.rename(tmp_path / "tweets.log.1")
    logger().info("after")

    assert json.loads((tmp_path / "tweets.log.1").read_text())["event"] == "before"
    assert json.loads(file.read_text())["event"] == "after"


def test_lines_begin_as_the_document_prints_them(read_log: ReadLog) -> None:
    """Event, level and timestamp come first, then the fields in the order they were given."""
    logger().info("hello", zebra=1, apple=2)

    assert list(read_log()[0]) == ["event", "level", "timestamp", "zebra", "apple"]


def test_timestamps_are_utc_with_microseconds_and_a_z(read_log: ReadLog) -> None:
    """2024-08-24T16:04:23.123456Z, and close to now."""
    logger().info("hello")

    text = read_log()[0]["timestamp"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(text)) < timedelta(minutes=1)


def test_a_whole_second_has_its_zeros(monkeypatch: pytest.MonkeyPatch, read_log: ReadLog) -> None:
    """One timestamp in a million has no microseconds; it is as long as the others."""

    class WholeSecond(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "WholeSecond":
            return cls(2024, 8, 24, 16, 4, 23, tzinfo=tz)

    monkeypatch.setattr(logging_config, "datetime", WholeSecond)
    logger().info("hello")

    assert read_log()[0]["timestamp"] == "2024-08-24T16:04:23.000000Z"


def test_libraries_log_the_same_lines(read_log: ReadLog) -> None:
    """What urllib3 and others log becomes JSON too, and names its logger."""
    logging.getLogger("urllib3.connectionpool").debug("%s on %s", "hello", "wire")

    (line,) = read_log()
    line.pop("timestamp")
    assert line == {
        "event": "hello on wire",
        "level": "debug",
        "logger": "urllib3.connectionpool",
    }


def test_positional_arguments_are_filled_in(read_log: ReadLog) -> None:
    """``log.info("%s", x)`` works as with the standard library."""
    logger().info("hello %s", "world")

    assert read_log()[0]["event"] == "hello world"


def test_an_exception_stays_on_its_line(read_log: ReadLog) -> None:
    """A traceback is a field of the line, without the variables of its frames."""

    def fail() -> None:
        local = "what a variable holds"
        raise ValueError(len(local))

    try:
        fail()
    except ValueError:
        logger().exception("failed")
        logging.getLogger("a.library").exception("failed")

    for line in read_log():
        assert line["exception"].startswith("Traceback (most recent call last):")
        assert line["exception"].endswith("ValueError: 21")
