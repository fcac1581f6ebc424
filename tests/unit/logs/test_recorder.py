"""Everything said is in one list, with time and attempt, and nothing is left behind."""

from __future__ import annotations

import builtins
import functools
import io
import logging
import sys
import threading
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator

import pytest

from pytest_resilience import FakeServer, VirtualClock, faults
from pytest_resilience.logs import Line, Recorder, _hub

LOG = logging.getLogger("tests.logs.recorder")


def get(server: FakeServer, path: str = "/") -> int:
    """The status of one GET."""
    try:
        with urllib.request.urlopen(server.url + path, timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def taps() -> list[object]:
    """Everything that a recorder taps, as it is now."""
    return [
        logging.Logger.isEnabledFor,
        logging.Logger.handle,
        logging.Logger.callHandlers,
        logging.Handler.handle,
        logging.Handler.format,
        warnings.warn,
        vars(warnings)["_showwarnmsg"],
        sys.stdout.write,
        sys.stderr.write,
        list(sys.meta_path),
        type(sys),
        builtins.print,
    ]


def test_lines_have_the_time_of_the_virtual_clock() -> None:
    """A line's time is exact, as the times of a trace are."""
    with VirtualClock(), Recorder() as logs:
        LOG.warning("first")
        time.sleep(1.5)
        LOG.warning("second")

    assert [(line.at, line.text) for line in logs.lines] == [(0, "first"), (1.5, "second")]


def test_time_counts_from_the_recorders_beginning() -> None:
    """In a virtual clock that has run for long, the recorder begins at 0."""
    with VirtualClock() as clock:
        clock.advance(60)
        with Recorder() as logs:
            time.sleep(2)
            LOG.warning("now")

    assert [line.at for line in logs.lines] == [2]


def test_a_clock_that_comes_later_counts_from_its_own_beginning() -> None:
    """With a recorder that began in real time, lines have the clock's time all the same."""
    with Recorder() as logs:
        LOG.warning("real")
        with VirtualClock():
            time.sleep(5)
            LOG.warning("virtual")
        LOG.warning("real again")

    real, virtual, again = (line.at for line in logs.lines)
    assert real is not None
    assert again is not None
    assert 0 <= real < 5
    assert virtual == 5
    assert again >= 5


def test_recorders_overlap() -> None:
    """Each hears what is said in its own block, and none disturbs another."""
    outer, inner = Recorder(), Recorder()
    with outer:
        LOG.warning("one")
        with inner:
            LOG.warning("two")
        LOG.warning("three")

    assert outer.lines.texts == ["one", "two", "three"]
    assert inner.lines.texts == ["two"]


def test_a_recorder_can_be_used_again_and_forget() -> None:
    """What was said in an earlier block stays, until it is cleared."""
    logs = Recorder()
    with logs:
        LOG.warning("one")
    with logs:
        LOG.warning("two")
    texts = logs.lines.texts
    logs.clear()

    assert texts == ["one", "two"]
    assert logs.lines == ()


@pytest.mark.parametrize("failure", [None, RuntimeError, KeyboardInterrupt])
def test_everything_is_put_back(failure: type[BaseException] | None) -> None:
    """Whatever ends the block, all that was tapped is as it was."""
    before = taps()
    try:
        with Recorder():
            assert taps() != before
            if failure is not None:
                raise failure
    except (RuntimeError, KeyboardInterrupt):
        pass

    assert taps() == before


@pytest.fixture
def kept() -> Iterator[None]:
    """Taps that stay for the next recorder."""
    _hub.keep(wanted=True)
    yield
    _hub.keep(wanted=False)


@pytest.mark.usefixtures("kept")
def test_taps_that_are_kept_are_those_of_the_next_recorder() -> None:
    """It hears as the first one did, and what is said in between is heard by nobody."""
    before = taps()
    with Recorder() as first:
        LOG.warning("one")
        during = taps()
    between = taps()
    LOG.warning("nobody hears")
    with Recorder() as second:
        LOG.warning("two")
        sys.stdout.write("three\n")
        again = taps()
    _hub.keep(wanted=False)

    assert (first.lines.of("tests.logs").texts, second.lines.texts) == (["one"], ["two", "three"])
    assert during == between == again != before
    assert taps() == before


@pytest.mark.usefixtures("kept")
def test_a_stream_that_is_gone_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of kept taps, those on a stream that nobody writes to any more are taken away."""
    mine = io.TextIOWrapper(io.BytesIO(), write_through=True)
    other = io.TextIOWrapper(io.BytesIO(), write_through=True)
    before = mine.write
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", mine)
        with Recorder() as logs:
            sys.stdout.write("one\n")
            patch.setattr(sys, "stderr", other)
            other.detach()
    with Recorder():
        pass

    assert logs.lines.texts == ["one"]
    assert mine.write == before


def test_a_recorder_that_cannot_begin_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """When one tap cannot be put in place, those before it are taken away."""
    before = taps()

    def refuse() -> None:
        raise OSError("no")

    monkeypatch.setattr("pytest_resilience.logs._streams.install", refuse)
    with pytest.raises(OSError, match="no"):
        Recorder().__enter__()

    assert taps() == before


def test_a_tap_that_somebody_has_wrapped_stays_and_is_silent() -> None:
    """What another tool has put over a tap is not torn away, and nothing is recorded by it."""
    real = logging.Logger.callHandlers
    logs = Recorder()
    with logs:
        tap = functools.partialmethod(logging.Logger.callHandlers)
        logging.Logger.callHandlers = tap  # type: ignore[assignment,method-assign]
    try:
        LOG.warning("after")
        assert logging.Logger.callHandlers is not real
    finally:
        logging.Logger.callHandlers = real  # type: ignore[method-assign]

    assert logs.lines == ()


def test_lines_know_their_thread() -> None:
    """A line names the thread that said it."""
    with Recorder() as logs:
        thread = threading.Thread(target=lambda: LOG.warning("there"), name="worker-7")
        thread.start()
        thread.join()

    assert [(line.thread, line.text) for line in logs.lines] == [("worker-7", "there")]


def test_lines_are_joined_to_the_attempts_they_are_about() -> None:
    """What is said before a request is about it; what is said of a failure, about that one."""
    with VirtualClock(), FakeServer() as server, Recorder(server) as logs:
        server.fail(503, faults.latency(2))
        LOG.info("asking")
        get(server)
        LOG.info("it failed, waiting 4 s")
        time.sleep(4)
        LOG.info("asking again")
        get(server)
        LOG.info("done")
        time.sleep(60)
        LOG.info("long after")

    assert [(line.text, line.attempt) for line in logs.lines.of("tests.logs")] == [
        ("asking", 1),
        ("it failed, waiting 4 s", 1),
        ("asking again", 2),
        ("done", 2),
        ("long after", 2),
    ]


def test_a_line_said_during_an_attempt_is_about_it() -> None:
    """While an attempt hangs, what other threads say is about that attempt."""
    with VirtualClock(), FakeServer() as server, Recorder(server) as logs:
        server.fail(faults.latency(10))
        thread = threading.Timer(9, LOG.info, ["still waiting"])
        thread.start()
        get(server)
        thread.join()
        get(server)

    assert [line.attempt for line in logs.lines] == [1]


def test_a_retry_at_once_keeps_its_lines_with_the_failure() -> None:
    """Where both attempts are equally near, a line is about the earlier one."""
    with VirtualClock(), FakeServer() as server, Recorder(server) as logs:
        server.fail(503)
        get(server)
        LOG.warning("again, at once")
        get(server)

    assert [line.attempt for line in logs.lines] == [1]


def test_of_several_servers_the_nearest_attempt_counts() -> None:
    """A line is about the attempt that is nearest, whichever server it is at."""
    with (
        VirtualClock(),
        FakeServer() as one,
        FakeServer() as two,
        Recorder(lambda: [one, two]) as logs,
    ):
        get(one)
        get(one)
        LOG.info("two at one")
        time.sleep(5)
        get(two)
        LOG.info("one at two")

    assert [line.attempt for line in logs.lines] == [2, 1]


def test_without_attempts_a_line_is_about_none() -> None:
    """Nothing reached the server, so no line is about anything there."""
    with FakeServer() as server, Recorder(server) as logs:
        LOG.warning("nobody called")
    with Recorder(server):
        LOG.warning("the server has stopped")

    assert [line.attempt for line in logs.lines] == [None]


def test_attempts_that_were_forgotten_are_not_mistaken() -> None:
    """With `keep`, numbers go on counting; a line about a dropped attempt is about none."""
    with VirtualClock(), FakeServer(keep=1) as server, Recorder(server) as logs:
        get(server)
        LOG.info("of the first")
        get(server)
        get(server)
        LOG.info("of the third")

    assert [line.attempt for line in logs.lines] == [None, 3]


def test_a_line_reads_well() -> None:
    """Time, attempt, level, logger and text, as far as there are any."""
    assert str(Line(1.5, "logging", "app", logging.WARNING, "hm", attempt=2)) == (
        "t=1.500  #2  WARNING  app  hm"
    )
    assert str(Line(0.0, "stdout", text="hello")) == "t=0.000  stdout  hello"
    assert str(Line(source="structlog", level=10, text="ev")) == "DEBUG  structlog  ev"
    assert str(Line(source="file", path="/a.log", text="ev")) == "file  /a.log  ev"


def test_streams_are_not_replaced() -> None:
    """`sys.stdout` is the same object as without a recorder."""
    stdout, stderr = sys.stdout, sys.stderr
    with Recorder():
        assert (sys.stdout, sys.stderr) == (stdout, stderr)
        assert isinstance(sys.stdout, io.TextIOBase)
