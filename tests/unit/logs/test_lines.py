"""Lines are chosen in words, and an assertion on them explains itself."""

from __future__ import annotations

import logging
import time
import urllib.error

import pytest

from pytest_resilience import (
    CheckFailed,
    FakeServer,
    LogContract,
    PolicyError,
    ResilienceError,
    VirtualClock,
)
from pytest_resilience.logs import Line, Lines, Recorder
from tests.unit.logs.test_recorder import get

LOG = logging.getLogger("tests.logs.lines")

SOME = Lines(
    [
        Line(0.0, "logging", "a", logging.DEBUG, "one", attempt=1),
        Line(1.0, "structlog", "a.b", logging.WARNING, "two of 3", attempt=1),
        Line(2.0, "logging", "ab", logging.ERROR, "three", attempt=2),
        Line(3.0, "stdout", text="four"),
    ]
)


def client(server: FakeServer, say: str = "attempt %d failed, next in %.1f s") -> int:
    """A client that retries and tells of it."""
    for attempt in (1, 2, 3):
        status = get(server)
        if status < 500:
            break
        LOG.warning(say, attempt, float(attempt))
        time.sleep(attempt)
    return status


def test_choosing() -> None:
    """By level, logger, source, attempt, text, or anything."""
    assert SOME.at("warning").texts == ["two of 3"]
    assert SOME.at(10).texts == ["one"]
    assert SOME.above("WARNING").texts == ["two of 3", "three"]
    assert SOME.of("a").texts == ["one", "two of 3"]
    assert SOME.by("stdout").texts == ["four"]
    assert SOME.about(1).texts == ["one", "two of 3"]
    assert SOME.about(None).texts == ["four"]
    assert SOME.matching(r"of \d$").texts == ["two of 3"]
    assert SOME.those(lambda line: line.at == 2).texts == ["three"]
    assert SOME.of("a").above(20).about(1).matching("two") == (SOME[1],)


def test_a_level_that_is_none() -> None:
    """The error names the levels there are."""
    with pytest.raises(ValueError, match=r"^no level is called 'LOUD'; there are: .*WARNING"):
        SOME.at("LOUD")
    with pytest.raises(ValueError, match=r"^no level is called None; there are: .*WARNING"):
        SOME.above(None)  # type: ignore[arg-type]


def test_what_no_line_can_have_is_refused() -> None:
    """Nothing found would look as if nothing had been said."""
    with pytest.raises(ValueError, match=r"^no source is called 'loguru'; there are: logging, "):
        SOME.by("loguru")
    with pytest.raises(ValueError, match=r"^about\('x'\): wanted the number of an attempt, or"):
        SOME.about("x")  # type: ignore[arg-type]
    with pytest.raises(PolicyError, match=r"^retry='\(' is not allowed: wanted a regular expr"):
        SOME.check_retries("(")


def test_lines_show_themselves() -> None:
    """A failed assertion shows the lines, with what is secret masked."""
    masked = Lines(SOME, mask=lambda text: text.replace("three", "***"))

    assert repr(Lines()) == "<no lines>"
    assert repr(masked.at("ERROR")) == "<1 line: t=2.000  #2  ERROR  ab  ***>"
    assert repr(masked.of("a")) == (
        "<2 lines: t=0.000  #1  DEBUG  a  one | t=1.000  #1  WARNING  a.b  two of 3>"
    )
    assert masked.at("ERROR").table() == "  t=2.000  #2  ERROR  ab  ***"


def test_every_retry_was_logged() -> None:
    """In one line: at WARNING, with attempt and delay."""
    with VirtualClock(), FakeServer() as server, Recorder(server) as logs:
        server.fail(503, times=2)
        client(server)

    logs.check_retries()
    logs.check_retries(r"attempt (?P<attempt>\d) failed, next in (?P<delay>\S+) s")
    logs.lines.of("tests.logs").check_retries(trace=server.trace)
    with pytest.raises(CheckFailed, match=r"^retry 1 \(attempt 2\) was not logged, wanted INFO \("):
        logs.check_retries(level="INFO")
    with pytest.raises(CheckFailed, match=r"^retry 1 \(attempt 2\) was not logged, wanted WARN"):
        logs.check_retries(logger="other")


def test_a_retry_that_was_not_logged_is_explained() -> None:
    """The first line stands alone; the attempts and what was said of them follow, masked."""
    with VirtualClock(), FakeServer() as server:
        with Recorder(server, mask=lambda text: text.replace("again", "***")) as logs:
            server.fail(503, times=2)
            client(server, "%d again in %.0f0 s")
        with pytest.raises(CheckFailed) as failed:
            logs.check_retries()

    shown = str(failed.value).replace("  (the plan is used up: answered normally)", "")
    assert shown.splitlines() == [
        (
            "retry 1 (attempt 2) was logged with 1 and 10, wanted attempt 1 and delay 1.000 "
            "(and 1 more)"
        ),
        "  1  t=0.000  GET /  503  [status 503]",
        "       t=0.000  WARNING  tests.logs.lines: 1 *** in 10 s   <- here",
        "  2  t=1.000  GET /  503  [status 503]  after a wait of 1.000 s",
        "       t=1.000  WARNING  tests.logs.lines: 2 *** in 20 s",
        "  3  t=3.000  GET /  200  after a wait of 2.000 s",
        "retry 2 (attempt 3) was logged with 2 and 20, wanted attempt 2 and delay 2.000",
    ]


def test_a_contract_by_hand() -> None:
    """`check` holds the lines to a contract, and says nothing when they keep it."""
    contract = LogContract(
        logger="tests.logs", retry=r"attempt (?P<attempt>\d)", failure="", longest=20
    )
    with VirtualClock(), FakeServer() as server, Recorder(server) as logs:
        server.fail(503)
        client(server)

    with pytest.raises(CheckFailed, match=r"^a line has 31 characters, wanted at most 20\n"):
        logs.check(contract, succeeded=True)
    with pytest.raises(CheckFailed, match=r"^the call failed, and no ERROR was logged \(and 1"):
        logs.check(contract, succeeded=False)


def test_of_several_servers_one_must_be_named() -> None:
    """Nobody can guess whose retries are meant; a server that nobody called is none."""
    with FakeServer() as one, FakeServer() as two, Recorder(one, two) as logs:
        get(one)
        logs.check_retries()
        get(two)
        with pytest.raises(ResilienceError, match=r"trace=server\.trace"):
            logs.check_retries()
        logs.check_retries(trace=one.trace)


def test_without_a_server_there_are_no_retries() -> None:
    """A recorder alone can be held to a contract as well."""
    with Recorder() as logs:
        LOG.error("why?")

    logs.check_retries()
    with pytest.raises(CheckFailed, match=r"^the call succeeded, and ERROR 'why"):
        logs.check(LogContract(), succeeded=True)
    with pytest.raises(ResilienceError):
        SOME.check(LogContract())


def test_nothing_of_a_client_that_cannot_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection is no attempt: its lines are about none."""
    with FakeServer() as server, Recorder(server) as logs:
        server.down()
        with pytest.raises(urllib.error.URLError):
            get(server)
        LOG.warning("refused")

    assert [line.attempt for line in logs.lines] == [None]
