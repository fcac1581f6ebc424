"""Where a secret must not be, and what is no leak."""

import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_resilience.logs import leaks
from pytest_resilience.logs._redaction import Way
from pytest_resilience.logs.leaks import Leak, Place
from pytest_resilience.logs.line import Line
from pytest_resilience.records import Attempt, Trace
from pytest_resilience.secrets.value import Secret

VALUE = "hvs.CAESIJk3vQx7Lw9ZpR2mT5nB8cY1dF4gH6aS0eU"
OTHER = "s3cr3t"
SECRETS = [Secret.of("the token", VALUE), Secret.of("the password", OTHER)]


def found(*places: Place) -> list[Leak]:
    return leaks.look(places, SECRETS)


def in_line(way: Way | None = None, **fields: object) -> list[str]:
    """Where a line of a logger shows a secret."""
    line = Line(logger="client", level=logging.INFO, **fields)  # type: ignore[arg-type]
    return [leak.where for leak in leaks.look(leaks.in_line(line, way), SECRETS)]


def test_a_leak_says_where_and_not_what() -> None:
    """Place, encoding and position; other secrets around it are masked as well."""
    (token, password) = found(Place("the text", f"{OTHER} before {VALUE}", "it"))

    assert token.sentence == (
        "the password has leaked into the text of it (plain, characters 1-6): "
        "'<the password> before <the token>'"
    )
    assert password.sentence == (
        "the token has leaked into the text of it (plain, characters 15-57): "
        "'<the password> before <the token>'"
    )
    assert VALUE not in repr(token)


def test_of_bytes_the_place_is_given_in_bytes() -> None:
    """A file may hold anything."""
    (leak,) = found(Place("a file", b"\xff\xfe" + VALUE[:30].encode() + b"\xff"))

    assert leak.sentence == (
        "a part of the token has leaked into a file (plain, characters 3-32): "
        "'\ufffd\ufffd<the token>\ufffd'"
    )


def test_a_line_tells_once() -> None:
    """Its arguments and fields show what its message shows."""
    where = in_line(text=f"it is {VALUE}", args=(VALUE,), fields={"a": VALUE})

    assert where == ["the message of an INFO by client"]


def test_nothing_to_see_is_nothing_found() -> None:
    """No places, no secrets, no hits."""
    assert leaks.look([], SECRETS) == []
    assert leaks.look([Place("a", VALUE)], []) == []
    assert found(Place("a", "nothing"), Place("b", b"nothing")) == []


class Stubborn:
    """Has no repr."""

    def __repr__(self) -> str:
        raise RuntimeError(VALUE)


class Talkative:
    def __repr__(self) -> str:
        return f"<{VALUE}>"


class Stern:
    """Shows it to those who ask for a text."""

    def __str__(self) -> str:
        return VALUE


def cyclic() -> dict[str, object]:
    value: dict[str, object] = {"a": VALUE}
    value["self"] = value
    return value


def deep(value: object, depth: int) -> object:
    return value if depth == 0 else [deep(value, depth - 1)]


@pytest.mark.parametrize(
    "value",
    [
        VALUE,
        [{"x": (VALUE,)}],
        {VALUE: 1},
        {VALUE},
        VALUE.encode(),
        bytearray(VALUE.encode()),
        Talkative(),
        cyclic(),
        deep(VALUE, 15),
        deep(VALUE, 40),
        ValueError(VALUE),
        Stern(),
    ],
    ids=range(12),
)
def test_a_field_is_searched_at_any_depth(value: object) -> None:
    """Mappings and their keys, sequences, sets, bytes, and the reprs of all else."""
    assert in_line(fields={"a": value}) == ["the field a of an INFO by client"]


def test_of_an_argument_counts_what_was_asked_for() -> None:
    """Its text, where a message has that; its repr, which is how a record shows it."""
    assert in_line(text="to 'it'", args=(Talkative(),)) == ["the arguments of an INFO by client"]
    assert in_line(text="to <it>", args=({"a": Stern()},)) == []


@pytest.mark.parametrize("value", [None, 7, 1.5, True, Stubborn(), "", []])
def test_other_fields_show_nothing(value: object) -> None:
    """And cannot make the search fail."""
    assert in_line(fields={"a": value, "event": VALUE}) == []


@pytest.mark.parametrize(
    ("line", "where"),
    [
        (Line(text=VALUE), "the message of a line"),
        (Line(level=40, text=VALUE), "the message of an ERROR"),
        (Line(source="stdout", text=VALUE), "stdout"),
        (Line(source="warnings", text=VALUE), "a warning (Warning)"),
        (Line(source="file", text=VALUE, path="/x/a.txt"), "the file a.txt"),
        (Line(level=10, traceback=f"x\n{VALUE}"), "the traceback of a DEBUG"),
        (Line(level=10, rendered=(VALUE,)), "the rendering of a DEBUG"),
    ],
)
def test_all_that_is_said_is_searched(line: Line, where: str) -> None:
    """Each with its own words."""
    (leak,) = leaks.look(leaks.in_line(line), SECRETS)

    assert leak.where == where


# What is put right


@pytest.mark.parametrize(("made", "leaks"), [(f"x {VALUE}", 1), ("x ***", 0)])
def test_an_adapter_is_asked_what_it_would_have_made_of_a_line(made: str, leaks: int) -> None:
    """Which was below its level; of what it was made with nobody knows."""
    assert len(in_line(fields={"a": VALUE}, dropped=True, adapted=lambda: made)) == leaks


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"text": VALUE, "rendered": ("***",)}, []),
        ({"text": VALUE, "rendered": ("***",), "by_default": True}, ["the message"]),
        ({"text": VALUE, "rendered": (f"INFO {VALUE}",)}, ["the rendering"]),
        ({"text": "x", "fields": {"key": VALUE}, "rendered": ("x key=***",)}, []),
        ({"text": "x", "fields": {"key": VALUE}, "rendered": ("x",)}, ["the field key"]),
        ({"source": "structlog", "text": VALUE}, ["the message"]),
    ],
)
def test_what_was_rendered_counts(given: Mapping[str, object], where: list[str]) -> None:
    """A message that a formatter has put right is none; a field that it left out is one."""
    way = Way((), ())

    assert in_line(way, **given) == [f"{one} of an INFO by client" for one in where]


class Redact(logging.Filter):
    """As many write it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = record.getMessage().replace(VALUE, "***")
        record.args = ()
        if hasattr(record, "key"):
            record.key = "***"
        return True


class RedactArguments(logging.Filter):
    """As the SDK of OpenAI does it: the arguments, where they are a mapping."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, dict):
            record.args = dict.fromkeys(record.args, "***")
        return True


class Refuse(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return False


class Broken(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        raise KeyError("request_id")


class RedactAll(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{super().format(record)} {vars(record).get('key')}".replace(VALUE, "***")


class ShowsKey(RedactAll):
    def format(self, record: logging.LogRecord) -> str:
        return f"{super().format(record)} key=***"


def handler(
    *filters: logging.Filter, formatter: type[logging.Formatter] = logging.Formatter
) -> logging.Handler:
    one = logging.StreamHandler()
    one.filters = list(filters)
    one.setFormatter(formatter("%(message)s"))
    return one


def redacted(*given: Any) -> logging.LogRecord:
    """As a record factory of the client's own may have it."""
    record = logging.LogRecord(*given)
    Redact().filter(record)
    return record


def wants_more(*given: object) -> logging.LogRecord:
    """A record factory that looks for what there was when the line was said."""
    raise LookupError("request_id")


class Redacting(logging.Logger):
    def makeRecord(self, *given: Any) -> logging.LogRecord:  # noqa: N802 -- its name
        return redacted(*given)


MESSAGE = {"text": f"it is {VALUE}", "args": (VALUE,)}
MAPPING = {"text": f"it is {VALUE}", "args": {"a": VALUE}}
FIELD = {"text": "it is", "fields": {"key": VALUE, "name": "theirs"}}
TRACE = {"text": "it is", "traceback": f"ValueError: {VALUE}"}


@pytest.mark.parametrize(
    ("way", "given"),
    [
        (Way([Redact()], []), MESSAGE),
        (Way([Redact()], []), FIELD),
        (Way([Refuse()], []), MESSAGE),
        (Way([Refuse()], []), FIELD),
        (Way([Refuse()], []), TRACE),
        (Way([RedactArguments()], []), MAPPING),
        (Way([], [handler(Redact())]), MESSAGE),
        (Way([], [handler(Redact()), handler(Refuse())]), FIELD),
        (Way([], [handler(RedactArguments())]), MAPPING),
        (Way([], [handler(Refuse())]), MESSAGE),
        (Way([], [handler()], redacted), MESSAGE),
        (Way([], [], redacted), MESSAGE),
        (Way([], [handler()], Redacting("x").makeRecord), MESSAGE),
        (Way([], [handler(Redact())], wants_more), MESSAGE),
        (Way([], [handler(formatter=RedactAll)]), MESSAGE),
        (Way([], [handler(formatter=RedactAll)]), TRACE),
        (Way([], [handler(formatter=ShowsKey)]), FIELD),
    ],
)
def test_what_nobody_rendered_is_put_to_those_who_would(
    way: Way, given: Mapping[str, object]
) -> None:
    """A line below its level would have been put right, too."""
    assert in_line(way, **given) == []


@pytest.mark.parametrize(
    ("way", "given"),
    [
        (Way([], []), MESSAGE),
        (Way([Broken()], []), MESSAGE),
        (Way([RedactArguments()], []), MESSAGE),
        (Way([Redact()], []), TRACE),
        (Way([], [handler(Redact()), handler()]), FIELD),
        (Way([], [handler()]), MESSAGE),
        (Way([], [handler()], wants_more), MESSAGE),
        (Way([], [handler(Redact()), handler()]), TRACE),
        (Way([], [handler(formatter=RedactAll)]), FIELD),
    ],
)
def test_a_line_that_nobody_would_put_right_is_a_leak(
    way: Way, given: Mapping[str, object]
) -> None:
    """One handler without a redactor is enough."""
    assert len(in_line(way, **given)) == 1


class Reports(logging.Handler):
    """Of a plugin of pytest's, such as pytest-json-report."""

    __module__ = "pytest_reports.plugin"


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """A logger below one that has a handler."""
    above = logging.getLogger("tests_of_leaks")
    above.addHandler(handler(Redact()))
    above.addHandler(logging.NullHandler())
    above.addHandler(Reports())
    yield logging.getLogger("tests_of_leaks.client")
    above.handlers.clear()


def test_the_way_of_a_line_is_that_of_its_logger(logger: logging.Logger) -> None:
    """Handlers of loggers above count, unless the logger does not propagate."""
    line = Line(logger=logger.name, level=10, text=VALUE)
    silent = logging.getLogger("tests_of_leaks.silent")
    silent.propagate = False

    assert leaks.look(leaks.in_line(line), SECRETS) == []
    assert len(Way.of(logger.name).handlers) == 1
    assert Way.of(silent.name).handlers == ()


def test_the_way_of_a_line_begins_with_who_makes_its_record(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record factory that was there then, or a logger that makes its own."""
    plain = logging.getLogRecordFactory()
    redacting = Redacting("tests_of_leaks.redacting")
    monkeypatch.setitem(logging.Logger.manager.loggerDict, redacting.name, redacting)
    try:
        logging.setLogRecordFactory(redacted)
        way = Way.of(logger.name)
    finally:
        logging.setLogRecordFactory(plain)

    assert way.make is redacted
    assert Way.of(logger.name).make is plain
    assert Way.of(redacting.name).make == redacting.makeRecord


# Exceptions


class Textless(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def with_context() -> BaseException:
    error = OSError("no")
    error.__context__ = KeyError(VALUE)
    return error


def of_itself() -> BaseException:
    error = ValueError("x")
    error.__cause__ = error
    return error


def test_an_exception_is_searched_with_what_led_to_it() -> None:
    """Its context as well as its cause."""
    (leak,) = found(*leaks.in_exception(with_context()))

    assert leak.where == "the text of KeyError, which led to OSError"


def test_an_exception_is_searched_to_its_first_cause() -> None:
    """However often it was raised anew."""
    error: BaseException = with_context()
    for number in range(100):
        again = RuntimeError(number)
        again.__cause__, error = error, again

    assert [leak.secret for leak in found(*leaks.in_exception(error))] == ["the token"]


@pytest.mark.parametrize("error", [Textless(), of_itself(), ValueError("x")])
def test_an_exception_without_a_secret_shows_none(error: BaseException) -> None:
    """Nor does a strange one make the search fail."""
    assert found(*leaks.in_exception(error)) == []


def test_a_repr_of_aiohttps_is_not_the_clients_fault() -> None:
    """ClientResponseError has the request's headers in its repr, not in its text."""
    aiohttp = pytest.importorskip("aiohttp")
    url = aiohttp.client_reqrep.URL("http://h/")
    request = aiohttp.RequestInfo(url, "GET", {"Authorization": f"Bearer {VALUE}"}, url)
    error = aiohttp.ClientResponseError(request, (), status=401)

    assert VALUE in repr(error)
    assert found(*leaks.in_exception(error)) == []
    assert found(*leaks.in_exception(RuntimeError(error))) == []
    assert found(*leaks.in_exception(ExceptionGroup("no", [error]))) == []
    assert in_line(text="no: ...", args=(error,), fields={"error": error}) == []


# Requests and files


def test_the_query_of_a_request_is_searched() -> None:
    """Its headers and its body are where a secret belongs."""
    head = f"X-Vault-Token: {VALUE}".encode()
    trace = Trace(
        [
            Attempt(1, 0, 1, reused=False, method="GET", target=f"/?key={VALUE}", head=head),
            Attempt(
                2,
                0,
                1,
                reused=False,
                method="POST",
                target="/login",
                head=head,
                body=VALUE.encode(),
            ),
        ]
    )

    assert [leak.where for leak in found(*leaks.in_attempts(trace))] == ["the URL of attempt 1"]


def test_log_files_are_searched_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Log files only, those that can be read, and not too many."""
    (tmp_path / "a.log").write_text(VALUE)
    (tmp_path / "b.txt").write_text(VALUE)
    (tmp_path / "c.log").symlink_to(tmp_path / "nowhere")
    (tmp_path / "d.log").mkdir()

    assert [leak.where for leak in found(*leaks.in_files(tmp_path))] == ["the file a.log"]
    monkeypatch.setattr(leaks, "MOST_FILES", 0)
    assert list(leaks.in_files(tmp_path)) == []


@pytest.mark.parametrize("filler", [10, 700, 1000, 3000])
def test_of_a_long_file_both_ends_are_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filler: int
) -> None:
    """With the place of what is found, counted from its beginning."""
    monkeypatch.setattr(leaks, "MOST_BYTES", 1000)
    (tmp_path / "a.log").write_text("x" * filler + " " + VALUE)

    (leak,) = found(*leaks.in_files(tmp_path))

    assert (leak.start, leak.end) == (filler + 1, filler + 1 + len(VALUE))


@pytest.mark.parametrize(
    ("name", "is_log"),
    [
        ("a.LOG.gz", True),
        ("app-log.txt", True),
        ("stdout", True),
        ("trace.1", True),
        ("catalog", False),
        ("log_config.json", False),
        ("token", False),
    ],
)
def test_logs_are_known_by_their_names(tmp_path: Path, name: str, is_log: bool) -> None:  # noqa: FBT001 -- a case
    """Other files may be where a secret belongs."""
    (tmp_path / name).write_text(VALUE)

    assert bool(found(*leaks.in_files(tmp_path))) is is_log


def test_a_file_that_cannot_be_read_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has taken it away meanwhile."""
    (tmp_path / "a.log").write_text(VALUE)
    monkeypatch.setattr(Path, "is_file", lambda self: True)
    monkeypatch.setattr(leaks, "LOG_FILE", re.compile(""))
    (tmp_path / "folder").mkdir()

    assert [leak.where for leak in found(*leaks.in_files(tmp_path))] == ["the file a.log"]
