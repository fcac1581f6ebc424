"""The standard library's logging is heard in full, and nothing of it is changed."""

from __future__ import annotations

import contextlib
import io
import logging
import logging.config
import logging.handlers
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_resilience.logs import Line, Recorder

NAMES = iter(range(10_000))


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """A logger of its own, left without handlers."""
    logger = logging.getLogger(f"tests.logs.own{next(NAMES)}")
    yield logger
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


@pytest.fixture
def _logging_as_it_was() -> Iterator[None]:
    """The root logger and the disabled level as before, whatever a test configures."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    # As `disable_existing_loggers` and its like leave them.
    states = {
        name: (logger.disabled, logger.level, logger.propagate)
        for name, logger in logging.Logger.manager.loggerDict.items()
        if isinstance(logger, logging.Logger)
    }
    yield
    logging.disable(logging.NOTSET)
    for handler in list(root.handlers):
        if handler not in handlers:
            root.removeHandler(handler)
            handler.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    for name, (disabled, own, propagate) in states.items():
        logger = logging.getLogger(name)
        logger.disabled, logger.propagate = disabled, propagate
        logger.setLevel(own)


def said(logs: Recorder) -> list[tuple[str, str, bool]]:
    """Level, text and whether it was dropped, of the lines of logging."""
    return [(line.level_name, line.text, line.dropped) for line in logs.lines.by("logging")]


def stream_handler(format_: str = "%(levelname)s %(message)s") -> Any:
    """A handler that writes to a text of its own."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter(format_))
    return handler


def test_all_levels_are_heard(log: logging.Logger) -> None:
    """What the level lets pass, and what it drops, in order."""
    log.setLevel(logging.ERROR)
    with Recorder() as logs:
        log.debug("one %d", 1)
        log.info("two")
        log.warning("three %(x)s", {"x": "y"})
        log.error("four")
        log.critical("five")
        log.log(25, "six")
        log.log(45, "seven")

    assert said(logs) == [
        ("DEBUG", "one 1", True),
        ("INFO", "two", True),
        ("WARNING", "three y", True),
        ("ERROR", "four", False),
        ("CRITICAL", "five", False),
        ("Level 25", "six", True),
        ("Level 45", "seven", False),
    ]


def test_what_is_dropped_reaches_nobody(log: logging.Logger) -> None:
    """No record is made of it: no factory, filter or handler of the code under test sees it."""
    made: list[str] = []
    factory = logging.getLogRecordFactory()
    handler = stream_handler()
    log.addHandler(handler)
    log.setLevel(logging.WARNING)

    def see(record: logging.LogRecord) -> bool:
        made.append(f"filter {record.msg}")
        return True

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        made.append(f"factory {args[4]}")
        return factory(*args, **kwargs)

    log.addFilter(see)
    logging.setLogRecordFactory(make)
    try:
        with Recorder() as logs:
            log.debug("hidden")
            log.warning("shown")
    finally:
        logging.setLogRecordFactory(factory)

    assert made == ["factory shown", "filter shown"]
    assert handler.stream.getvalue() == "WARNING shown\n"
    assert logs.texts == ["hidden", "shown"]


def test_levels_answer_as_ever(log: logging.Logger) -> None:
    """The code under test asks for levels, and gets the answers it gets without a recorder."""
    log.setLevel(logging.WARNING)
    with Recorder() as logs:
        asked = [log.isEnabledFor(logging.DEBUG), log.isEnabledFor(logging.ERROR)]
        adapter = logging.LoggerAdapter(log, {})
        asked.append(adapter.isEnabledFor(logging.DEBUG))
        levels = [log.level, log.getEffectiveLevel(), logging.getLogger().level]

    assert asked == [False, True, False]
    assert levels[:2] == [logging.WARNING, logging.WARNING]
    assert logs.lines == ()


def test_a_record_knows_its_caller(log: logging.Logger) -> None:
    """File, line and function of a record are the caller's, with a recorder as without."""
    handler = stream_handler("%(filename)s %(funcName)s %(message)s")
    log.addHandler(handler)
    with Recorder():
        log.warning("here")

    shown = handler.stream.getvalue()
    assert shown == "test_logging.py test_a_record_knows_its_caller here\n"


def test_loggers_that_do_not_propagate(log: logging.Logger) -> None:
    """A logger that keeps its records to itself is heard, whenever it began to."""
    log.propagate = False
    log.addHandler(logging.NullHandler())
    with Recorder() as logs:
        log.warning("before")
        late = logging.getLogger(f"{log.name}.late")
        late.propagate = False
        late.warning("during")

    assert said(logs) == [("WARNING", "before", False), ("WARNING", "during", False)]


@pytest.mark.usefixtures("_logging_as_it_was")
def test_logging_that_is_configured_during_the_test(log: logging.Logger) -> None:
    """dictConfig, basicConfig(force=True), disabled loggers and logging.disable()."""
    out = io.StringIO()
    logging.getLogger().setLevel(logging.WARNING)
    with Recorder() as logs:
        log.info("at first")
        logging.basicConfig(force=True, stream=out, level="INFO", format="basic %(message)s")
        log.info("basic")
        logging.config.dictConfig(
            {
                "version": 1,
                "disable_existing_loggers": True,
                "formatters": {"f": {"format": "dict %(message)s"}},
                "handlers": {
                    "h": {"class": "logging.StreamHandler", "stream": out, "formatter": "f"}
                },
                "root": {"level": "DEBUG", "handlers": ["h"]},
            }
        )
        log.error("disabled")
        logging.getLogger("tests.logs.fresh").debug("fresh")
        logging.disable(logging.CRITICAL)
        logging.getLogger("tests.logs.fresh").critical("all is off")

    assert out.getvalue() == "basic basic\ndict fresh\n"
    assert said(logs) == [
        ("INFO", "at first", True),
        ("INFO", "basic", False),
        ("ERROR", "disabled", True),
        ("DEBUG", "fresh", False),
        ("CRITICAL", "all is off", True),
    ]
    assert [line.rendered for line in logs.lines if line.text == "fresh"] == [("dict fresh",)]


class Counting(logging.LoggerAdapter[logging.Logger]):
    """An adapter with a way of its own, and without anything extra."""

    def __init__(self, logger: logging.Logger) -> None:
        self.logger = logger
        self.count = 0

    def process(self, msg: object, kwargs: Any) -> tuple[str, Any]:
        self.count += 1
        return f"[{self.count}] {msg}", kwargs


def test_an_adapter_is_not_asked_for_what_it_drops(log: logging.Logger) -> None:
    """It might count; what it would have made of it can be asked for afterwards."""
    log.setLevel(logging.WARNING)
    adapter = Counting(log)
    with Recorder() as logs:
        adapter.info("below %s", "level")
        adapter.warning("above")
        dropped, said = logs.lines

    assert (dropped.text, said.text) == ("below level", "[1] above")
    assert said.adapted is None
    assert dropped.adapted is not None
    assert dropped.adapted() == "(('[2] below %s', {}), ('level',)) "


def test_a_traceback_that_an_adapter_drops_is_shown_with_its_message(log: logging.Logger) -> None:
    """Of the message alone nobody could tell whether all of it would have been put right."""
    log.setLevel(logging.WARNING)
    with Recorder() as logs:
        try:
            int("inside")
        except ValueError:
            Counting(log).debug("below", exc_info=True)
        (dropped,) = logs.lines

    assert dropped.adapted is not None
    assert str(dropped.adapted()).endswith("base 10: 'inside'")


def test_adapters(log: logging.Logger) -> None:
    """What an adapter adds is in the line, dropped or not, and adapters may be stacked."""
    log.setLevel(logging.WARNING)
    inner = logging.LoggerAdapter(log, {"request": 7})
    with Recorder() as logs:
        inner.debug("below")
        inner.warning("above")
        logging.LoggerAdapter(inner, {"outer": 1}).info("twice")
        logging.LoggerAdapter(log, None).info("bare")

    assert [(line.text, dict(line.fields)) for line in logs.lines] == [
        ("below", {"request": 7}),
        ("above", {"request": 7}),
        ("twice", {"outer": 1}),
        ("bare", {}),
    ]


def test_extra_fields_and_arguments(log: logging.Logger) -> None:
    """`extra=` is in `fields`, and arguments are kept as they were given."""
    log.setLevel(logging.INFO)
    with Recorder() as logs:
        log.info("%s and %s", "a", 2, extra={"delay": 1.5})
        log.debug("%s", "b", extra={"delay": 2.5})

    assert [(dict(line.fields), line.args) for line in logs.lines] == [
        ({"delay": 1.5}, ("a", 2)),
        ({"delay": 2.5}, ("b",)),
    ]


@pytest.mark.parametrize("level", [logging.DEBUG, logging.CRITICAL])
def test_exceptions(log: logging.Logger, level: int) -> None:
    """An exception that was logged is there with its traceback, dropped or not."""
    log.setLevel(level)
    given = KeyError("k")
    with Recorder() as logs:
        try:
            int("wrong")
        except ValueError as caught:
            error = caught
            log.exception("with this")
            log.info("the same", exc_info=sys.exc_info())
        log.info("given", exc_info=given)
        log.info("none", exc_info=True)  # noqa: LOG014 -- there is none
        log.info("no", exc_info=False)

    assert [line.exc_info for line in logs.lines] == [error, error, given, None, None]
    assert logs.lines[0].traceback.startswith("Traceback (most recent call last):\n")
    assert logs.lines[0].traceback.endswith(
        "\nValueError: invalid literal for int() with base 10: 'wrong'"
    )
    assert logs.lines[2].traceback == "KeyError: 'k'"
    assert logs.lines[3].traceback == ""


class Rude:
    """Has no text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


@pytest.mark.parametrize("level", [logging.DEBUG, logging.CRITICAL])
def test_arguments_that_cannot_be_filled_in(
    log: logging.Logger, level: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong message is recorded as it is, and breaks nothing that does not break without us."""
    monkeypatch.setattr(logging, "raiseExceptions", False)
    log.propagate = False
    log.addHandler(stream_handler())
    log.setLevel(level)
    with Recorder() as logs:
        log.info("%d of %d", "x")  # noqa: PLE1206 -- wrong it is
        log.info("%s", Rude())
        log.info(Rude())

    texts = logs.by("logging").texts
    assert texts[0] == "'%d of %d' ('x',)"
    assert texts[1].startswith("'%s' <tuple object at 0x") or texts[1].startswith("'%s' <")
    assert "Rude object at" in texts[2]


def test_filters_of_a_logger(log: logging.Logger) -> None:
    """What a filter drops is in the list as dropped; what it changes reads as it changed it."""

    def decide(record: logging.LogRecord) -> bool:
        record.msg = str(record.msg).replace("secret", "***")
        return "drop" not in record.msg

    log.addFilter(decide)
    log.setLevel(logging.DEBUG)
    with Recorder() as logs:
        log.info("keep the secret")
        log.info("drop this")

    assert said(logs) == [("INFO", "keep the ***", False), ("INFO", "drop this", True)]


def test_a_filter_that_logs_and_one_that_raises(log: logging.Logger) -> None:
    """Records within records keep their own fates, and errors go where they go without us."""
    other = logging.getLogger(f"{log.name}.other")

    def decide(record: logging.LogRecord) -> bool:
        other.warning("about to decide")
        if record.msg == "bad":
            raise LookupError("filter")
        return False

    log.addFilter(decide)
    with Recorder() as logs:
        log.warning("no")
        with pytest.raises(LookupError):
            log.warning("bad")

    assert said(logs) == [
        ("WARNING", "about to decide", False),
        ("WARNING", "no", True),
        ("WARNING", "about to decide", False),
        ("WARNING", "bad", True),
    ]


def test_what_handlers_make_of_it(log: logging.Logger) -> None:
    """Each text that handlers format is kept once; pytest's own handlers are none of ours."""
    log.addHandler(stream_handler("A %(message)s"))
    log.addHandler(stream_handler("A %(message)s"))
    log.addHandler(stream_handler("B %(message)s"))
    with Recorder() as logs:
        log.warning("x")

    assert logs.lines[0].rendered == ("A x", "B x")


def test_handlers_that_raise(log: logging.Logger) -> None:
    """The line is there, and the error goes to whoever would have had it."""

    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("disk full")

    log.addHandler(Broken())
    log.addHandler(stream_handler())
    with Recorder() as logs, pytest.raises(OSError, match="disk full"):
        log.warning("x")

    assert said(logs) == [("WARNING", "x", False)]


def test_a_handler_that_fails_complains_as_ever(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the traceback and the stack that it shows without a recorder."""
    handler = stream_handler("%(nothing)s")
    log.addHandler(handler)
    complaints = []
    for listening in (contextlib.nullcontext(), Recorder()):
        with listening:
            log.warning("x")
        complaints.append(capsys.readouterr().err)
    log.removeHandler(handler)

    assert complaints[0].startswith("--- Logging error ---\nTraceback")
    assert complaints[1] == complaints[0]


def test_handlers_that_format_nothing(log: logging.Logger) -> None:
    """A formatter may return anything, and a handler may be handed a record of nobody's."""

    class Odd(logging.Formatter):
        def format(self, record: logging.LogRecord) -> Any:
            return {"not": "text"}

    class Takes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert self.format(record) == {"not": "text"}  # type: ignore[comparison-overlap]

    handler = Takes()
    handler.setFormatter(Odd())
    log.addHandler(handler)
    with Recorder() as logs:
        log.warning("x")
        handler.handle(logging.makeLogRecord({"msg": "not said by a logger"}))

    assert [(line.text, line.rendered) for line in logs.lines] == [("x", ())]


def test_queue_handlers(log: logging.Logger, tmp_path: Path) -> None:
    """A copy that a listener handles in another thread belongs to the line it came from."""
    records: queue.Queue[logging.LogRecord] = queue.Queue()
    file = logging.FileHandler(tmp_path / "q.log", encoding="utf-8")
    file.setFormatter(logging.Formatter("in the file: %(message)s"))
    listener = logging.handlers.QueueListener(records, file)
    log.addHandler(logging.handlers.QueueHandler(records))
    with Recorder() as logs:
        listener.start()
        for number in range(3):
            log.warning("number %d", number)
        listener.stop()
        file.close()

    assert [line.rendered for line in logs.by("logging")] == [
        ("in the file: number 0",),
        ("in the file: number 1",),
        ("in the file: number 2",),
    ]
    assert logs.by("file").texts == [f"in the file: number {number}" for number in range(3)]


def test_what_stays_in_a_queue(log: logging.Logger) -> None:
    """Its text counts until a handler behind the queue has read it; others do not speak for it."""
    records: queue.Queue[logging.LogRecord] = queue.Queue()
    waiting = logging.handlers.QueueHandler(records)
    waiting.setFormatter(logging.Formatter("queued: %(message)s"))
    log.addHandler(waiting)
    log.addHandler(stream_handler("beside it: %(message)s"))
    with Recorder() as logs:
        log.warning("one")
        before = [line.rendered for line in logs.by("logging")]
        stream_handler("behind it: %(message)s").handle(records.get())

    assert before == [("beside it: one", "queued: one")]
    assert [line.rendered for line in logs.by("logging")] == [
        ("beside it: one", "behind it: queued: one")
    ]


def test_several_handlers_behind_a_queue(log: logging.Logger) -> None:
    """Each speaks for itself."""
    records: queue.Queue[logging.LogRecord] = queue.Queue()
    waiting = logging.handlers.QueueHandler(records)
    waiting.setFormatter(logging.Formatter("queued: %(message)s"))
    log.addHandler(waiting)
    with Recorder() as logs:
        log.warning("one")
        record = records.get()
        for number in (1, 2):
            stream_handler(f"{number}: %(message)s").handle(record)

    assert logs.by("logging")[0].rendered == ("1: queued: one", "2: queued: one")


def test_log_files(log: logging.Logger, tmp_path: Path) -> None:
    """What handlers write to files is there line by line, with the file's name, as an echo."""
    path = tmp_path / "app.log"
    path.write_text("from before\n")
    handler = logging.FileHandler(path, encoding="utf-8")
    log.addHandler(handler)
    with Recorder() as logs:
        log.warning("one\ntwo ä")

    assert [line.text for line in logs.by("file")] == ["one", "two ä"]
    assert {(line.path, line.echo, line.level) for line in logs.by("file")} == {
        (str(path), True, None)
    }
    assert path.read_text("utf-8") == "from before\none\ntwo ä\n"


def test_log_files_that_begin_anew(log: logging.Logger, tmp_path: Path) -> None:
    """Late ones, truncated ones, rotated ones and those that were moved away."""
    late = logging.FileHandler(tmp_path / "late.log", mode="w", delay=True, encoding="utf-8")
    (tmp_path / "late.log").write_text("old and long " * 10)
    rotating = logging.handlers.RotatingFileHandler(
        tmp_path / "rotating.log", maxBytes=8, backupCount=2
    )
    watched = logging.handlers.WatchedFileHandler(tmp_path / "watched.log", encoding="utf-16")
    for handler in (late, rotating, watched):
        log.addHandler(handler)
    with Recorder() as logs:
        log.warning("first")
        (tmp_path / "watched.log").unlink()
        log.warning("second")

    found = {(Path(line.path).name, line.text) for line in logs.by("file")}
    assert {name for name, text in found if text.endswith("first")} == {
        "late.log",
        "rotating.log",
        "watched.log",
    }
    assert ("late.log", "second") in found
    assert ("rotating.log", "second") in found
    assert len(found) == 6


def test_a_file_that_is_gone(log: logging.Logger, tmp_path: Path) -> None:
    """A log file that was deleted has nothing to be read from."""
    path = tmp_path / "gone.log"
    handler = logging.FileHandler(path)
    log.addHandler(handler)
    path.unlink()
    with Recorder() as logs:
        log.warning("into the void")

    assert logs.by("file") == ()
    assert logs.by("logging").texts == ["into the void"]


def test_handler_levels_are_the_handlers_business(log: logging.Logger) -> None:
    """A handler that wants errors only gets errors only, and the line is not dropped."""
    handler = stream_handler()
    handler.setLevel(logging.ERROR)
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    with Recorder() as logs:
        log.warning("below the handler")

    assert handler.stream.getvalue() == ""
    assert said(logs) == [("WARNING", "below the handler", False)]
    assert logs.lines[0].rendered == ()


def test_records_from_elsewhere(log: logging.Logger) -> None:
    """A record that is handled as it came, from a socket for example, is heard."""
    record = logging.makeLogRecord({"msg": "far %s", "args": ("away",), "levelno": 30})
    with Recorder() as logs:
        log.handle(record)

    assert said(logs) == [("WARNING", "far away", False)]


def test_handlers_that_are_called_directly(log: logging.Logger) -> None:
    """Who calls the handlers without the logger's filters is heard."""
    with Recorder() as logs:
        log.callHandlers(logging.makeLogRecord({"msg": "straight", "levelno": 30}))

    assert said(logs) == [("WARNING", "straight", False)]


def test_methods_that_are_kept_work_afterwards(log: logging.Logger) -> None:
    """Who got hold of a tap has what it stood for."""
    handler = stream_handler()
    log.addHandler(handler)
    with Recorder() as logs:
        handle, is_enabled, write = log.handle, log.isEnabledFor, handler.handle
    record = logging.makeLogRecord({"msg": "after", "levelno": 30, "levelname": "WARNING"})
    handle(record)
    write(record)
    log.setLevel(logging.ERROR)

    assert is_enabled(logging.INFO) is False
    assert handler.stream.getvalue() == "WARNING after\n" * 2
    assert logs.lines == ()


def test_loggers_of_other_classes() -> None:
    """A logger's own methods are heard when they use the base's."""

    class Chatty(logging.Logger):
        def debug(self, msg: object, *args: object, **kwargs: Any) -> None:
            super().debug(f"chatty: {msg}", *args, **kwargs)

        def notice(self, msg: str) -> None:
            if self.isEnabledFor(logging.DEBUG):
                self._log(logging.DEBUG, msg, ())

    log = Chatty("tests.logs.chatty", logging.INFO)
    with Recorder() as logs:
        log.debug("hello %d", 1)
        log.notice("asked for itself")

    assert logs.texts == ["chatty: hello 1"]


@pytest.mark.parametrize("where", ["records", "levels", "output"])
def test_caplog_beside_it(
    log: logging.Logger, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    """caplog captures what it captures without a recorder."""
    checks: dict[str, Callable[[], object]] = {
        "records": lambda: [record.getMessage() for record in caplog.records],
        "levels": lambda: [record.levelno for record in caplog.records],
        "output": lambda: caplog.text.count("\n"),
    }
    wanted: dict[str, object] = {"records": ["loud"], "levels": [40], "output": 1}
    with Recorder() as logs, caplog.at_level(logging.WARNING):
        log.debug("quiet")
        log.error("loud")

    assert checks[where]() == wanted[where]
    assert logs.texts == ["quiet", "loud"]


def test_many_threads(log: logging.Logger) -> None:
    """Lines of threads that log at once are all there."""

    def often() -> None:
        for _ in range(50):
            log.debug("x")

    with Recorder() as logs:
        threads = [threading.Thread(target=often) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(logs.lines) == 400
    assert isinstance(logs.lines[0], Line)
