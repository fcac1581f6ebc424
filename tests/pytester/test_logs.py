"""The fixture `logs` in whole pytest sessions: beside captures, workers and reports."""

from collections.abc import Callable

import pytest

Session = Callable[..., pytest.RunResult]

SPEAKS = """
import logging
import sys
import time
import warnings

log = logging.getLogger("client")

def patient(get):
    for attempt in (1, 2, 3):
        if get() == 404:
            return
        log.warning("attempt %d failed, next in %.1f s", attempt, attempt)
        time.sleep(attempt)

"""

SUITE = (
    SPEAKS
    + """
@pytest.mark.parametrize("n", range(3))
def test_joined(fake_github, virtual_clock, logs, n):
    fake_github.fail(503, times=2)
    patient(get)
    logs.check_retries()
    assert [(line.at, line.attempt) for line in logs.at("WARNING")] == [(0, 1), (1, 2)]

def test_captures(capsys, logs, caplog):
    print("out")
    sys.stderr.write("err\\n")
    log.warning("said")
    assert capsys.readouterr() == ("out\\n", "err\\n")
    assert [record.message for record in caplog.records] == ["said"]
    assert logs.texts == ["out", "err", "said"]

def test_captures_after(logs, capfd):
    print("out")
    assert capfd.readouterr().out == "out\\n"
    assert logs.texts == ["out"]

def test_warned(logs, recwarn):
    warnings.warn("careful")
    assert logs.by("warnings").texts == ["careful"]
    assert len(recwarn) == 1

def test_before_any_server(logs, fake_server):
    log.warning("alone")
    assert [line.attempt for line in logs.lines] == [None]
    logs.check_retries()

def test_no_server(logs):
    log.error("bad")
    assert repr(logs.lines).endswith("ERROR  client  bad>")

def test_without():
    assert type(sys.stdout).__name__ and "write" not in vars(sys.stdout)
    assert logging.Logger.isEnabledFor.__module__ == "logging"
"""
)


def test_alone(session: Session) -> None:
    """Every use of it, in one process."""
    session(SUITE).assert_outcomes(passed=9)


def test_in_a_worker(session: Session) -> None:
    """The same in a worker of xdist."""
    session(SUITE, "-p", "xdist", "-n1", apart=True).assert_outcomes(passed=9)


@pytest.mark.parametrize("argument", ["-s", "--capture=sys"])
def test_other_ways_to_capture(session: Session, argument: str) -> None:
    """With pytest's own capture off, or another, and with live logs."""
    session(SUITE, argument, "--log-cli-level=DEBUG", "-v", apart=True).assert_outcomes(passed=9)


def test_a_failed_check_stands_alone(session: Session) -> None:
    """The summary has the first line; the attempts and lines follow, with secrets masked."""
    result = session(
        SPEAKS
        + """
def test_it(fake_github, virtual_clock, logs):
    fake_github.fail(503)
    log.warning("token %s", os.environ["GITHUB_TOKEN"])
    get(), time.sleep(1), get()
    logs.check_retries()
"""
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *.CheckFailed: retry 1 (attempt 2) was logged with no number, wanted attempt 1 *",
            "E * 1  t=0.000  GET *  503  *",
            "E *     t=0.000  WARNING  client: token <GITHUB_TOKEN>   <- here",
            "E * 2  t=1.000  GET *  404  after a wait of 1.000 s  *",
            "FAILED *::test_it - *CheckFailed: retry 1*",
        ]
    )
    # Our frames are hidden: the reader sees his own line last.
    result.stdout.no_fnmatch_line("*lines.py*")


def test_an_assertion_on_lines_shows_them(session: Session) -> None:
    """What a plain `assert not logs.at(...)` prints."""
    result = session(
        SPEAKS + "def test_it(logs):\n    log.error('x')\n    assert not logs.at(40)\n"
    )

    result.stdout.fnmatch_lines(["E * assert not <1 line: t=*  ERROR  client  x>"])


def test_html_report(session: Session, acme: pytest.Pytester) -> None:
    """pytest-html shows a failed check as it shows any failure."""
    result = session(
        SPEAKS + "def test_it(logs):\n    log.error('x')\n    logs.check_retries()\n    assert 0\n",
        *("-p", "pytest_html.plugin", "-p", "pytest_metadata.plugin", "--html=r.html"),
        apart=True,
    )

    result.assert_outcomes(failed=1)
    assert "test_it" in acme.path.joinpath("r.html").read_text()


def test_all_is_put_back_after_an_interruption(session: Session) -> None:
    """Ctrl-C in a test leaves nothing of the recorder."""
    result = session(
        SPEAKS + "def test_it(logs):\n    raise KeyboardInterrupt\n",
        conftest="""
        import logging, warnings

        def pytest_unconfigure():
            print("levels:", logging.Logger.isEnabledFor.__module__)
            print("warn:", type(warnings.warn).__name__)
        """,
        apart=True,
    )

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["levels: logging", "warn: builtin_function_or_method"])


def test_it_is_listed(session: Session) -> None:
    """`pytest --fixtures` says what it is for."""
    session("", "--fixtures").stdout.fnmatch_lines(
        ["logs -- *", "*Everything said during the test*"]
    )
