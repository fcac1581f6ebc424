"""structlog is heard in full: events, and what was rendered of them; and nothing is changed."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from pytest_resilience.logs import Recorder

JSON = structlog.processors.JSONRenderer()


@pytest.fixture(autouse=True)
def _structlog_as_it_was() -> Iterator[None]:
    """What a test configures does not outlive it."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def summary(logs: Recorder) -> list[tuple[str, str, str, bool]]:
    """Source, level, text and whether it was dropped, without echoes."""
    return [
        (line.source, line.level_name, line.text, line.dropped)
        for line in logs.lines
        if not line.echo
    ]


def test_events_with_their_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """An event has its text, level, fields and what was rendered, and is printed as ever."""
    log = structlog.wrap_logger(structlog.PrintLogger(), processors=[JSON])
    with Recorder() as logs:
        log.bind(user=7).warning("Retry attempt", attempt=1)

    line, printed = logs.lines
    assert (line.source, line.level, line.text) == ("structlog", logging.WARNING, "Retry attempt")
    assert dict(line.fields) == {"user": 7, "attempt": 1, "event": "Retry attempt"}
    assert line.rendered == ('{"user": 7, "attempt": 1, "event": "Retry attempt"}',)
    assert (printed.source, printed.text, printed.echo) == ("stdout", line.rendered[0], True)
    assert capsys.readouterr().out == f"{line.rendered[0]}\n"


def test_the_default_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    """A program that configures nothing is heard, and its rendering is known for the default."""
    with Recorder() as logs:
        structlog.get_logger("name").info("hello", a=1)
        structlog.wrap_logger(structlog.PrintLogger(), processors=[JSON]).info("own")

    first, _, own, _ = logs.lines
    assert (first.text, first.fields["a"], first.by_default) == ("hello", 1, True)
    assert "hello" in first.rendered[0]
    assert (own.rendered, own.by_default) == (('{"event": "own"}',), False)
    assert "hello" in capsys.readouterr().out


@pytest.mark.parametrize("when", ["before", "during"])
@pytest.mark.parametrize("cached", [True, False])
def test_configured_before_and_during(when: str, *, cached: bool) -> None:
    """Loggers are heard whenever they are configured, cached or not."""
    out = io.StringIO()
    log = structlog.get_logger()

    def configure() -> None:
        structlog.configure(
            processors=[structlog.processors.add_log_level, JSON],
            logger_factory=structlog.PrintLoggerFactory(out),
            cache_logger_on_first_use=cached,
        )

    if when == "before":
        configure()
        log.info("cached now")
    with Recorder() as logs:
        if when == "during":
            configure()
        log.error("heard")
    log.info("after")

    assert summary(logs) == [("structlog", "ERROR", "heard", False)]
    assert logs.lines[0].rendered == ('{"event": "heard", "level": "error"}',)
    assert out.getvalue().splitlines()[-1] == '{"event": "after", "level": "info"}'


def test_context_variables() -> None:
    """What a processor merges in from context variables is in the fields."""
    log = structlog.wrap_logger(
        structlog.PrintLogger(io.StringIO()),
        processors=[structlog.contextvars.merge_contextvars, JSON],
    )
    with Recorder() as logs, structlog.contextvars.bound_contextvars(request="r-1"):
        log.info("x")

    assert logs.lines[0].fields["request"] == "r-1"


def test_fields_are_those_that_were_rendered() -> None:
    """What a processor takes out or puts in counts, and the renderer's own mess does not."""

    def redact(_logger: object, _method: str, event_dict: Any) -> Any:
        event_dict.pop("password")
        event_dict["redacted"] = True
        return event_dict

    log = structlog.wrap_logger(
        structlog.PrintLogger(io.StringIO()),
        processors=[redact, structlog.dev.ConsoleRenderer(colors=False)],
    )
    with Recorder() as logs:
        log.info("in", password="hunter2")

    assert dict(logs.lines[0].fields) == {"redacted": True, "event": "in"}
    assert "hunter2" not in repr(logs.lines)


@pytest.mark.parametrize("method", ["debug", "info", "msg"])
def test_below_the_level_of_a_filtering_logger(method: str) -> None:
    """A filtering logger's methods that do nothing still do nothing, and are heard."""
    out = io.StringIO()
    log = structlog.wrap_logger(
        structlog.PrintLogger(out),
        processors=[JSON],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )
    with Recorder() as logs:
        getattr(log.bind(a=1), method)("low %d", 3, b=2)
        getattr(log, method)("odd %d")

    assert out.getvalue() == ""
    assert [text for _, _, text, _ in summary(logs)] == ["low 3", "odd %d"]
    assert {dropped for _, _, _, dropped in summary(logs)} == {True}
    assert logs.lines[0].level == (logging.DEBUG if method == "debug" else logging.INFO)
    assert dict(logs.lines[0].fields) == {"a": 1, "b": 2, "event": "low 3"}


def test_processors_are_not_asked_for_what_is_dropped() -> None:
    """They might count; what they would have made of it can be asked for afterwards."""
    asked: list[str] = []

    def count(_: object, method: str, event: Any) -> Any:
        asked.append(method)
        return {**event, "number": len(asked)}

    log = structlog.wrap_logger(
        structlog.PrintLogger(),
        processors=[count, structlog.processors.format_exc_info, JSON],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )
    with Recorder() as logs:
        try:
            int("inside")
        except ValueError:
            log.debug("below", exc_info=True)
        log.warning("above")
        (dropped, said) = logs.lines.by("structlog")

    assert asked == ["warning"]
    assert said.adapted is None
    assert dropped.adapted is not None
    made = json.loads(str(dropped.adapted()))
    assert (made["event"], made["number"], asked) == ("below", 2, ["warning", "debug"])
    assert made["exception"].endswith("base 10: 'inside'")


def test_what_the_standard_library_drops_can_be_made_a_record() -> None:
    """With the exception that was being handled when it was said."""
    logger = logging.getLogger("tests.logs.structlog.records")
    logger.setLevel(logging.WARNING)
    log = structlog.wrap_logger(
        logger,
        processors=[structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    with Recorder() as logs:
        try:
            int("inside")
        except ValueError as error:
            log.info("below", a=1, exc_info=True)
            inside = error
        (dropped,) = logs.lines

    assert dropped.adapted is not None
    record = dropped.adapted()
    assert isinstance(record, logging.LogRecord)
    assert (record.name, record.levelname, record.getMessage()) == (logger.name, "INFO", "below")
    assert vars(record)["a"] == 1
    assert record.exc_info is not None
    assert record.exc_info[1] is inside


@pytest.mark.parametrize(
    "processors",
    [
        [structlog.processors.format_exc_info, structlog.stdlib.render_to_log_kwargs],
        [
            structlog.stdlib.filter_by_level,
            structlog.processors.format_exc_info,
            structlog.stdlib.render_to_log_kwargs,
        ],
    ],
    ids=["by the logger", "by a processor"],
)
def test_such_a_record_has_no_exception_that_a_processor_has_made_text_of(processors: Any) -> None:
    """Another may have taken secrets out of the text."""
    record = below_with_exception(processors)

    assert record.exc_info is None
    assert vars(record)["exception"].endswith("base 10: 'inside'")


def test_such_a_record_has_the_exception_in_the_event_for_a_formatter() -> None:
    """One of structlog's, which would look for what is being handled."""
    wrap = structlog.stdlib.ProcessorFormatter.wrap_for_formatter
    record = below_with_exception([wrap])

    chain: list[Any] = [structlog.processors.format_exc_info, JSON]
    text = structlog.stdlib.ProcessorFormatter(processors=chain).format(record)
    assert "base 10: 'inside'" in text


def below_with_exception(processors: Any) -> logging.LogRecord:
    """What the standard library would have got of an event that is below its level."""
    logger = logging.getLogger("tests.logs.structlog.exceptions")
    logger.setLevel(logging.WARNING)
    log = structlog.wrap_logger(
        logger, processors=processors, wrapper_class=structlog.stdlib.BoundLogger
    )
    with Recorder() as logs:
        try:
            int("inside")
        except ValueError:
            log.info("below", exc_info=True)
        (dropped,) = logs.lines
    assert dropped.adapted is not None
    record = dropped.adapted()
    assert isinstance(record, logging.LogRecord)
    return record


def test_async_methods() -> None:
    """Async methods are heard as the others are, above the level and below."""
    log = structlog.wrap_logger(
        structlog.PrintLogger(io.StringIO()),
        processors=[JSON],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )

    async def main() -> None:
        await log.awarning("above")
        await log.adebug("below")

    with Recorder() as logs:
        asyncio.run(main())

    assert [one for one in summary(logs) if one[0] == "structlog"] == [
        ("structlog", "WARNING", "above", False),
        ("structlog", "DEBUG", "below", True),
    ]


def std(name: str, *processors: Any, **options: Any) -> Any:
    """A logger of structlog's on top of the standard library's."""
    return structlog.wrap_logger(
        logging.getLogger(name),
        processors=list(processors),
        wrapper_class=structlog.stdlib.BoundLogger,
        **options,
    )


def test_on_top_of_the_standard_library() -> None:
    """An event that goes on into logging is one line: structlog's, with logging's name."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, JSON]
        )
    )
    name = "tests.logs.std"
    logging.getLogger(name).addHandler(handler)
    wrap = structlog.stdlib.ProcessorFormatter.wrap_for_formatter
    try:
        with Recorder() as logs:
            std(name, wrap).warning("one", a=1)
            std(name, structlog.stdlib.PositionalArgumentsFormatter(), JSON).error("two %d", 2)
            std(name, structlog.stdlib.render_to_log_kwargs).error("three", b=3)
            logging.getLogger(name).warning("four")
    finally:
        logging.getLogger(name).removeHandler(handler)

    assert summary(logs) == [
        ("structlog", "WARNING", "one", False),
        ("structlog", "ERROR", "two 2", False),
        ("structlog", "ERROR", "three", False),
        ("logging", "WARNING", "four", False),
    ]
    assert {line.logger for line in logs.lines} == {name}
    assert logs.lines[0].rendered == ('{"a": 1, "event": "one"}',)
    assert dict(logs.lines[2].fields) == {"b": 3, "event": "three"}


def test_dropped_by_the_standard_library() -> None:
    """What the level drops is one line, whether structlog asks or logging finds out."""
    name = "tests.logs.std.quiet"
    logging.getLogger(name).setLevel(logging.ERROR)
    with Recorder() as logs:
        std(name, structlog.stdlib.filter_by_level, JSON).info("asked %s", "before")
        std(name, JSON).info("found out")
        logging.getLogger(name).addFilter(lambda _: False)
        std(name, JSON).error("filtered")
    logging.getLogger(name).filters.clear()

    assert summary(logs) == [
        ("structlog", "INFO", "asked before", True),
        ("structlog", "INFO", "found out", True),
        ("structlog", "ERROR", "filtered", True),
    ]


def test_bytes(tmp_path: Path) -> None:
    """A logger that writes bytes to a file: the text, and the file's lines."""
    path = tmp_path / "out.log"
    with path.open("wb") as file, Recorder() as logs:
        log = structlog.wrap_logger(
            structlog.BytesLogger(file),
            processors=[lambda _logger, _method, fields: json.dumps(fields).encode()],
        )
        log.info("x")

    line, written = logs.lines
    assert line.rendered == ('{"event": "x"}',)
    assert (written.source, written.path, written.text) == ("file", str(path), '{"event": "x"}')
    assert written.echo
    assert path.read_bytes() == b'{"event": "x"}\n'


def test_exceptions() -> None:
    """An exception is there, however it was given, and its traceback where it was rendered."""
    error = KeyError("k")
    log = structlog.wrap_logger(
        structlog.PrintLogger(io.StringIO()),
        processors=[structlog.processors.format_exc_info, JSON],
    )
    with Recorder() as logs:
        log.info("given", exc_info=error)
        try:
            int("x")
        except ValueError as caught:
            log.exception("caught")
            error_caught = caught
        log.info("none")

    assert [line.exc_info for line in logs.by("structlog")] == [error, error_caught, None]
    assert logs.lines[0].traceback == "KeyError: 'k'"
    assert logs.lines[1].level == logging.ERROR
    assert "ValueError: invalid literal" in logs.lines[1].traceback
    assert logs.lines[2].traceback == ""


def test_an_exception_that_the_standard_library_gets() -> None:
    """`exc_info` that goes on into logging is the line's as well."""
    with Recorder() as logs:
        try:
            int("x")
        except ValueError:
            std("tests.logs.std", structlog.stdlib.render_to_log_kwargs).exception("caught")

    assert isinstance(logs.lines[0].exc_info, ValueError)
    assert "ValueError" in logs.lines[0].traceback


def test_processors_that_drop_and_processors_that_raise() -> None:
    """Both are in the list as dropped; an error goes where it goes without us."""

    def drop(_logger: object, _method: str, event_dict: Any) -> Any:
        if event_dict["event"] == "bad":
            raise LookupError("processor")
        raise structlog.DropEvent

    log = structlog.wrap_logger(structlog.PrintLogger(io.StringIO()), processors=[drop])
    with Recorder() as logs:
        log.info("gone")
        with pytest.raises(LookupError):
            log.info("bad")
        logging.getLogger("tests.logs.plain").warning("not merged")

    assert summary(logs) == [
        ("structlog", "INFO", "gone", True),
        ("structlog", "INFO", "bad", True),
        ("logging", "WARNING", "not merged", False),
    ]


def test_events_that_are_odd() -> None:
    """An event may be no text, or missing, or come out as keyword arguments."""
    got: list[Any] = []

    class Takes:
        name = 7

        def info(self, *args: Any, **kw: Any) -> str:
            got.append((args, kw))
            return "returned"

        custom = info

    log: Any = structlog.wrap_logger(Takes(), processors=[], wrapper_class=structlog.BoundLogger)
    with Recorder() as logs:
        returned = log.info("x", a=1)
        log.info(42)
        log.info()
        log.custom("y", level="warning")
        log.custom("z", level="loud", logger="by.field")

    assert returned == "returned"
    assert got[0] == ((), {"a": 1, "event": "x"})
    assert [(line.text, line.level_name, line.logger) for line in logs.lines] == [
        ("x", "INFO", ""),
        ("42", "INFO", ""),
        ("", "INFO", ""),
        ("y", "WARNING", ""),
        ("z", "", "by.field"),
    ]


def test_a_wrapper_that_processes_by_itself() -> None:
    """What such a class does with what came out is its own affair, and mixes nothing up."""

    class Own(structlog.BoundLoggerBase):
        def say(self, event: str) -> None:
            args, _ = self._process_event("info", event, {})
            logging.getLogger("tests.logs.own").warning("as text: %s", args[0])

    log = structlog.wrap_logger(
        structlog.PrintLogger(io.StringIO()), processors=[JSON], wrapper_class=Own
    )
    with Recorder() as logs:
        log.say("x")

    assert summary(logs) == [
        ("structlog", "INFO", "x", False),
        ("logging", "WARNING", 'as text: {"event": "x"}', False),
    ]


class Context:
    """Holds a context, and is no mapping."""

    def __init__(self, *args: Any, **kw: Any) -> None:
        self.held = dict(*args, **kw)

    def copy(self) -> dict[str, Any]:
        return dict(self.held)

    def update(self, *args: Any, **kw: Any) -> None:
        self.held.update(*args, **kw)


@pytest.mark.parametrize("level", [logging.INFO, logging.ERROR])
def test_a_context_of_another_class(level: int) -> None:
    """A context need only do what structlog asks of it."""
    log = structlog.wrap_logger(
        structlog.PrintLogger(io.StringIO()),
        processors=[JSON],
        context_class=Context,  # type: ignore[arg-type]  # any class will do
        wrapper_class=structlog.make_filtering_bound_logger(level),
        a=1,
    )
    with Recorder() as logs:
        log.info("x", exc_info=0)

    assert dict(logs.lines[0].fields) == {"a": 1, "exc_info": 0, "event": "x"}


def test_a_renamed_event() -> None:
    """A chain that calls the event a message has the text all the same."""
    log = structlog.wrap_logger(
        structlog.PrintLogger(io.StringIO()),
        processors=[structlog.processors.EventRenamer("msg"), JSON],
    )
    with Recorder() as logs:
        log.info("x")

    assert (logs.lines[0].text, dict(logs.lines[0].fields)) == ("x", {"msg": "x"})


def test_capture_logs_beside_it() -> None:
    """structlog's own recorder gets what it gets without us."""
    structlog.configure(processors=[JSON])
    with Recorder() as logs, capture_logs() as captured:
        structlog.get_logger().info("x", a=1)

    assert captured == [{"a": 1, "event": "x", "log_level": "info"}]
    assert summary(logs)[0][2] == "x"


def test_a_logger_that_was_cached_while_listening_works_afterwards() -> None:
    """Nothing of the recorder stays in loggers that outlive it."""
    out = io.StringIO()
    structlog.configure(
        processors=[JSON],
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    log = structlog.get_logger()
    with Recorder() as logs:
        log.info("during")
    log.info("after")

    assert out.getvalue() == '{"event": "during"}\n{"event": "after"}\n'
    assert logs.texts == ["during"]


def test_a_renderer_before_another_processor() -> None:
    """A chain may go on with text, and end with bytes."""
    out = io.BytesIO()
    log = structlog.wrap_logger(
        structlog.BytesLogger(out), processors=[JSON, lambda _l, _m, text: str(text).encode()]
    )
    with Recorder() as logs:
        log.info("x", a=1)

    assert out.getvalue() == b'{"a": 1, "event": "x"}\n'
    assert dict(logs.lines[0].fields) == {"a": 1, "event": "x"}
    assert logs.lines[0].rendered == ('{"a": 1, "event": "x"}',)


def test_methods_that_are_kept_work_afterwards() -> None:
    """Who got hold of a tap has what it stood for."""
    out = io.StringIO()
    quiet = structlog.make_filtering_bound_logger(logging.WARNING)
    log = structlog.wrap_logger(structlog.PrintLogger(out), processors=[JSON], wrapper_class=quiet)
    with Recorder() as logs:
        bound = log.bind()
        nop, proxy, process = bound.debug, bound._proxy_to_logger, bound._process_event
    nop("nothing")
    proxy("info", "after")
    args, _ = process("info", "processed", {})

    assert args == ('{"event": "processed"}',)
    assert out.getvalue() == '{"event": "after"}\n'
    assert logs.lines == ()


LATE = """
import sys
from pytest_resilience.logs import Recorder

before = list(sys.meta_path)
with Recorder():
    pass
assert sys.meta_path == before
assert "structlog" not in sys.modules
with Recorder() as logs:
    import json.tool
    import structlog
    structlog.get_logger().warning("late")
    assert sys.meta_path == before
assert logs.texts[0] == "late", logs
with Recorder() as logs:
    structlog.get_logger().warning("again")
assert logs.by("structlog").texts == ["again"], logs
structlog.get_logger().warning("unheard")
"""

TOO_LATE = """
import sys
from pytest_resilience.logs import Recorder

with Recorder() as logs:
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
    try:
        import structlog
    except ImportError:
        print("not to be had", end="")
"""

IMPORTED_TWICE = """
import importlib.util
import sys
from pytest_resilience.logs import Recorder

with Recorder():
    finder = sys.meta_path[0]
spec = finder.find_spec("structlog", None)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(module.BoundLoggerBase._process_event.__module__, end="")
"""


@pytest.mark.parametrize(
    ("code", "said"),
    [(LATE, None), (TOO_LATE, "not to be had"), (IMPORTED_TWICE, "structlog._base")],
)
def test_structlog_that_is_imported_while_somebody_listens(code: str, said: str | None) -> None:
    """It is tapped as soon as it is there, and not loaded for our sake."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert run.stderr == ""
    assert run.returncode == 0
    assert said is None or run.stdout == said


CALLSITE = structlog.processors.CallsiteParameterAdder(
    [
        structlog.processors.CallsiteParameter.MODULE,
        structlog.processors.CallsiteParameter.FUNC_NAME,
        structlog.processors.CallsiteParameter.LINENO,
    ]
)


async def waits(said: Awaitable[object]) -> None:
    """A caller who stays where he is while another thread looks for his line."""
    await said


def says_where(output: io.StringIO) -> None:
    """Say something in every way in which structlog, or logging for it, looks for the caller."""
    chain: list[Any] = [structlog.processors.StackInfoRenderer(), CALLSITE, JSON]
    structlog.configure(chain, logger_factory=structlog.PrintLoggerFactory(output))
    structlog.get_logger().info("printed")
    structlog.get_logger().bind(x=1).info("with a stack", stack_info=True)
    wrapper = structlog.make_filtering_bound_logger(logging.INFO)
    structlog.configure(chain, wrapper, logger_factory=structlog.PrintLoggerFactory(output))
    structlog.get_logger().info("filtered")
    asyncio.run(waits(structlog.get_logger().ainfo("async")))
    handler = logging.StreamHandler(output)
    handler.setFormatter(logging.Formatter("%(module)s %(funcName)s %(lineno)d %(message)s"))
    log = logging.getLogger("where")
    log.addHandler(handler)
    structlog.configure(
        [CALLSITE, JSON],
        structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    structlog.get_logger("where").warning("on top")
    log.removeHandler(handler)


def test_the_caller_is_still_found() -> None:
    """Module, function, line and stack are those of the code under test, not of the recorder."""
    alone, heard = io.StringIO(), io.StringIO()

    for output, listening in ((alone, False), (heard, True)):
        if listening:
            with Recorder() as logs:
                says_where(output)
        else:
            says_where(output)

    assert [line.text for line in logs.by("structlog")] == [
        "printed",
        "with a stack",
        "filtered",
        "async",
        "on top",
    ]
    where = [line.partition(", line")[0] for line in alone.getvalue().splitlines()]
    assert [line.partition(", line")[0] for line in heard.getvalue().splitlines()] == where
    assert alone.getvalue().count("says_where") >= 5
