"""A log against its contract: right ones are left alone, and each wrong one has its code."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest

from pytest_resilience.checks import logs
from pytest_resilience.checks.finding import Finding
from pytest_resilience.logs import Line
from pytest_resilience.policy.logs import ANYWHERE, LogContract
from pytest_resilience.records import Attempt, Outcome, Trace

SECOND = 1_000_000_000
CLAIMS = LogContract(
    logger="app",
    retry=r"attempt (?P<attempt>\S+) failed, (?P<delay>\S+) s to go",
    failure="gave up",
    longest=80,
)


def trace(*attempts: tuple[float, int], path: str = "/") -> Trace:
    """Attempts that each end when they begin, at these times and with these statuses."""
    return Trace(
        [
            Attempt(
                number,
                round(at * SECOND),
                1,
                False,  # noqa: FBT003 -- reused
                "GET",
                path,
                b"",
                status=status,
                ended_ns=round(at * SECOND),
                outcome=Outcome.ANSWERED,
            )
            for number, (at, status) in enumerate(attempts, start=1)
        ]
    )


FINE = trace((0, 200))
ONE = trace((0, 503), (1, 200))
TWO = trace((0, 503), (1, 503), (3, 200))
OUTAGE = trace((0, 503), (1, 503))


def line(text: str, attempt: int | None = 1, level: int = logging.WARNING, **rest: Any) -> Line:
    """A line of the client's."""
    return Line(
        **{
            "at": 0.0,
            "logger": "app.client",
            "level": level,
            "text": text,
            "attempt": attempt,
            **rest,
        }
    )


def retry(number: object, delay: object, attempt: int | None = None, **rest: Any) -> Line:
    """The line of a retry, about the attempt of the same number."""
    about = attempt if attempt is not None else int(str(number))
    return line(f"attempt {number} failed, {delay} s to go", about, **rest)


def gave_up(attempt: int = 2, **rest: Any) -> Line:
    """The line of a call that failed."""
    return line("gave up", attempt, **{"level": logging.ERROR, **rest})


def codes(
    lines: Sequence[Line],
    seen: Trace = TWO,
    contract: LogContract = CLAIMS,
    *,
    succeeded: bool | None = True,
) -> list[str]:
    """The codes of what was found."""
    return [found.code for found in logs.judge(lines, seen, contract, succeeded=succeeded)]


def only(
    lines: Sequence[Line],
    seen: Trace = TWO,
    contract: LogContract = CLAIMS,
    *,
    succeeded: bool | None = True,
) -> Finding:
    """The one thing that was found."""
    (found,) = logs.judge(lines, seen, contract, succeeded=succeeded)
    return found


RIGHT = [retry(1, "1.0"), retry(2, "2.0")]


def test_a_right_log_has_no_findings() -> None:
    """Of calls with retries, without any, and that failed."""
    info = line("asking", level=logging.INFO)

    assert codes([info, *RIGHT]) == []
    assert codes([info], FINE) == []
    assert codes([retry(1, 1), gave_up()], OUTAGE, succeeded=False) == []
    assert codes([], Trace(), LogContract()) == []


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([retry(1, "1.00"), retry(2, "2.000")], id="rounded"),
        pytest.param([retry(1, "1"), retry(2, "2")], id="whole"),
        pytest.param([retry(1, "1.0", 2), retry(2, "2.0", 3)], id="after the wait"),
        pytest.param(
            [
                line("attempt 1 failed, 1.0 s to go", None),
                line("attempt 2 failed, 2.0 s to go", None),
            ],
            id="not joined",
        ),
        pytest.param([*RIGHT, retry(2, "2.0", level=logging.INFO)], id="another level says it too"),
        pytest.param([*RIGHT, gave_up(level=logging.ERROR, logger="other")], id="another logger"),
        pytest.param([*RIGHT, gave_up(level=logging.ERROR, source="stderr")], id="an echo"),
    ],
)
def test_other_right_logs(lines: list[Line]) -> None:
    """Rounded delays, lines after the wait, and what others say are no fault."""
    assert codes(lines) == []


@pytest.mark.parametrize(
    ("real", "said", "right"),
    [
        (1.26, "1.3", True),
        (1.26, "1.2", False),
        (1.97, "1", True),
        (1.97, "2", True),
        (1.5, "2", True),
        (1.4, "2", False),
        (1.0, "2", False),
        (2.0, "0", False),
        (2.0, "2e0", True),
        (2.0, "inf", False),
        (2.0, "two", False),
    ],
)
def test_how_far_a_delay_may_be_off(real: float, said: str, *, right: bool) -> None:
    """Half of the last digit that is printed; one without digits may have been cut."""
    seen = trace((0, 503), (real, 200))

    assert codes([retry(1, said)], seen) == ([] if right else ["retry-logged-wrong"])


FIELDS = LogContract(logger="app", retry="^Retry$", attempt="n", delay="seconds")


@pytest.mark.parametrize(
    ("fields", "right"),
    [
        ({"n": 1, "seconds": 1.0}, True),
        ({"n": "1", "seconds": "1.000"}, True),
        ({"n": 2, "seconds": 1.0}, False),
        ({"n": True, "seconds": 1.0}, False),
        ({"n": 1, "seconds": 2}, False),
        ({"n": 1, "seconds": 0}, False),
        ({"n": 1, "seconds": None}, False),
        ({"n": 1, "seconds": float("inf")}, False),
        ({"n": 1}, False),
        ({}, False),
    ],
)
def test_numbers_in_fields(fields: dict[str, object], *, right: bool) -> None:
    """A structured log has its numbers in fields; whole ones there are exact."""
    lines = [line("Retry", fields=fields)]
    found = codes(lines, trace((0, 503), (1, 200)), FIELDS)

    assert found == ([] if right else ["retry-logged-wrong"])


def test_numbers_anywhere() -> None:
    """A number may stand in the text or in a field, wherever."""
    contract = LogContract(logger="app", retry="again", attempt=ANYWHERE, delay=ANYWHERE)
    lines = [
        line("no 1 of 5: again after 1.0s"),
        line("again", 2, fields={"try": 2, "wait": 2.0, "why": object()}),
    ]

    assert codes(lines, TWO, contract) == []
    assert codes([line("again in 9 s"), lines[1]], TWO, contract) == ["retry-logged-wrong"]


def test_the_number_of_the_next_attempt() -> None:
    """A client may count the attempt that comes."""
    contract = LogContract(logger="app", retry=r"now attempt (?P<attempt>\d)", counts="next")

    assert codes([line("now attempt 2", 2), line("now attempt 3", 3)], TWO, contract) == []
    assert codes([line("now attempt 1", 2), line("now attempt 2", 3)], TWO, contract) == [
        "retry-logged-wrong",
        "retry-logged-wrong",
    ]


def test_attempts_may_be_counted_for_each_request() -> None:
    """A call of two requests may count its own attempts, or those of each request."""
    first, second = trace((0, 503), (1, 200)), trace((1, 503), (2, 200), path="/two")
    attempts = [*first, *second]
    numbered = [
        Attempt(**{**{n: getattr(one, n) for n in one.__slots__}, "number": number})
        for number, one in enumerate(attempts, start=1)
    ]
    both = Trace(numbered)

    assert codes([retry(1, 1, 1), retry(2, 1, 3)], both) == []
    assert codes([retry(1, 1, 1), retry(1, 1, 3)], both) == []
    found = only([retry(1, 1, 1), retry(3, 1, 3)], both)
    assert found.sentence == "retry 2 (attempt 4) was logged with attempt 3, wanted 1 or 2"


def test_a_retry_that_is_not_logged() -> None:
    """The finding says which, and shows the attempts with what was said of them."""
    found = only([retry(1, "1.0"), line("asking", 3, level=logging.INFO)])

    assert found.code == "retry-not-logged"
    assert found.sentence == (
        f"retry 2 (attempt 3) was not logged, wanted WARNING of app that matches {CLAIMS.retry!r}"
    )
    assert found.evidence == (
        "  1  t=0.000  GET /  503",
        "       t=0.000  WARNING  app.client: attempt 1 failed, 1.0 s to go",
        "  2  t=1.000  GET /  503  after a wait of 1.000 s",
        "  3  t=3.000  GET /  200  after a wait of 2.000 s",
        "       t=0.000  INFO  app.client: asking",
    )


def test_numbers_that_are_not_claimed() -> None:
    """A pattern without groups claims the line alone."""
    contract = LogContract(logger="app", retry="again")

    assert codes([line("again and again"), line("again", 2)], TWO, contract) == []


def test_nothing_claimed_of_retries() -> None:
    """A contract without a pattern demands no line."""
    assert codes([], TWO, LogContract(logger="app")) == []


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (
            [retry(1, "1.0", level=logging.INFO), RIGHT[1]],
            "retry 1 (attempt 2) was logged at INFO, wanted WARNING",
        ),
        (
            [RIGHT[0], retry(3, "2.0", 2)],
            "retry 2 (attempt 3) was logged with attempt 3, wanted 2",
        ),
        (
            [RIGHT[0], retry("two", "2.0", 2)],
            "retry 2 (attempt 3) was logged without its attempt, wanted 2",
        ),
        (
            [RIGHT[0], retry(2, "4.0")],
            "retry 2 (attempt 3) was logged with delay 4.0, and came after 2.000 s",
        ),
        (
            [RIGHT[0], retry(2, "soon")],
            "retry 2 (attempt 3) was logged without its delay, and came after 2.000 s",
        ),
        (
            [RIGHT[0], RIGHT[1], RIGHT[1]],
            "retry 2 (attempt 3) was logged 2 times, wanted once",
        ),
        (
            [*RIGHT, retry(3, "4.0")],
            "WARNING 'attempt 3 failed, 4.0 s to go' was logged, and no retry came of it",
        ),
    ],
)
def test_a_retry_that_is_logged_wrong(lines: list[Line], sentence: str) -> None:
    """Level, number, delay, twice, or for nothing."""
    found = only(lines)

    assert found.code == "retry-logged-wrong"
    assert found.sentence == sentence
    assert sum(row.endswith("<- here") for row in found.evidence) >= 1


def test_any_line_of_the_level() -> None:
    """An empty pattern takes any line of the level, and one that is right is enough."""
    contract = LogContract(retry="", attempt=ANYWHERE, delay=ANYWHERE)
    noise = line("HTTP 503")

    assert codes([noise, *RIGHT], TWO, contract) == []
    assert codes([noise, RIGHT[0]], TWO, contract) == ["retry-not-logged"]
    sentence = "retry 2 (attempt 3) was not logged, wanted WARNING"
    assert only([noise, RIGHT[0]], TWO, contract).sentence == sentence
    assert codes([noise, line("x", 2)], TWO, contract) == ["retry-logged-wrong"] * 2


@pytest.mark.parametrize(
    ("said", "numbers"),
    [
        ("attempt 1 failed", "1"),
        ("failed, retry in 1.0 s", "1.0"),
        ("attempt 1 failed, retry in 10 s", "1 and 10"),
        ("attempt 0 failed, retry in 1 s", "0 and 1"),
        ("failed", "no number"),
    ],
)
def test_of_two_numbers_anywhere_both_are_told(said: str, numbers: str) -> None:
    """Which of them is missing nobody can know: one number may be meant as either."""
    contract = LogContract(retry="", attempt=ANYWHERE, delay=ANYWHERE)

    sentence = f"was logged with {numbers}, wanted attempt 1 and delay 1.000"
    assert only([line(said)], ONE, contract).sentence == f"retry 1 (attempt 2) {sentence}"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (line("slow today"), "WARNING 'slow today' was logged, though nothing was retried"),
        (
            retry(1, 1, level=logging.DEBUG),
            "DEBUG 'attempt 1 failed, 1 s to go' was logged, though nothing was retried",
        ),
    ],
)
def test_noise(said: Line, shown: str) -> None:
    """A call that was answered at once has no warning, and no line of a retry at any level."""
    found = only([said], FINE)

    assert found.code == "noise-without-retry"
    assert found.sentence == shown
    assert codes([said], FINE, succeeded=None) == []


def test_quiet_may_be_another_level_or_none() -> None:
    """What counts as noise is claimed."""
    warning, info = line("hm"), line("hm", level=logging.INFO)

    assert codes([warning], FINE, LogContract(logger="app", quiet=None)) == []
    assert codes([info], FINE, LogContract(logger="app", quiet="INFO")) == ["noise-without-retry"]
    assert codes([line("x", level=5)], FINE, LogContract(logger="app", quiet="INFO")) == []
    loose = LogContract(logger="app", failure_level=None)
    assert codes([gave_up()], FINE, loose) == ["noise-without-retry"]
    assert codes([Line(logger="app", text="no level")], FINE, loose) == []


def test_an_error_of_a_call_that_succeeded() -> None:
    """Nobody need be woken for a call that succeeded."""
    found = only([*RIGHT, gave_up(3)])

    assert found.code == "error-logged-on-success"
    assert found.sentence == "the call succeeded, and ERROR 'gave up' was logged"
    assert codes([gave_up(1)], FINE) == ["error-logged-on-success"]
    assert codes([gave_up(1)], FINE, succeeded=None) == []


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "the call failed, and no ERROR that matches 'gave up' was logged"),
        (
            [gave_up(level=logging.WARNING)],
            "the call failed, and no ERROR that matches 'gave up' was logged",
        ),
        (
            [line("sad", level=logging.ERROR)],
            "the call failed, and no ERROR that matches 'gave up' was logged",
        ),
        (
            [gave_up(), gave_up()],
            "the call failed once, and was logged 2 times as an error",
        ),
    ],
)
def test_a_failure_that_is_not_logged_once(lines: list[Line], sentence: str) -> None:
    """One error for a call that failed: not none, not two."""
    found = only([retry(1, 1), *lines], OUTAGE, succeeded=False)

    assert found.code == "failure-not-logged"
    assert found.sentence == sentence


def test_failures_without_a_pattern() -> None:
    """Any error will do, or none is claimed."""
    any_error = LogContract(failure="")

    assert codes([line("sad", level=50)], OUTAGE, any_error, succeeded=False) == []
    assert codes([], OUTAGE, any_error, succeeded=False) == ["failure-not-logged"]
    assert codes([], OUTAGE, LogContract(failure_level=None), succeeded=False) == []
    assert codes([], OUTAGE, LogContract(logger="app"), succeeded=False) == []


def test_nothing_reached_the_server() -> None:
    """Without attempts there is still something to show."""
    any_error = LogContract(failure="")
    found = only([], Trace(), any_error, succeeded=False)

    assert found.evidence == ("no attempt reached the server, and nothing was logged",)
    assert only([gave_up(7), gave_up(7)], Trace(), any_error, succeeded=False).evidence == (
        "  t=0.000  ERROR  app.client: gave up   <- here",
        "  t=0.000  ERROR  app.client: gave up   <- here",
    )


EVIL = "oops\nERROR root: forged"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (EVIL, r"oops\nERROR root: forged"),
        ("oops\rERROR root: forged", r"oops\rERROR root: forged"),
        ("a\r\nb\n", r"a\r\nb\n"),
        ("oops\fERROR root: forged", r"oops\x0cERROR root: forged"),
        ("oops\x85ERROR root: forged", r"oops\x85ERROR root: forged"),
        ("{oops\u2028ERROR root: forged", r"{oops\u2028ERROR root: forged"),
    ],
)
def test_a_forged_line(text: str, shown: str) -> None:
    """Whatever ends a line for some reader is shown as what it is."""
    found = only([line(text, level=logging.INFO)], FINE)

    assert found.code == "forged-line"
    assert found.sentence == f"INFO '{shown}' is more than one line"
    assert "\n" not in "".join(found.evidence)


@pytest.mark.parametrize(
    ("said", "forged"),
    [
        pytest.param({"text": "one line\n"}, False, id="its own end"),
        pytest.param({"text": EVIL, "rendered": ('{"event": "oops\\n"}',)}, False, id="escaped"),
        pytest.param({"text": "fine", "rendered": (EVIL,)}, True, id="rendered so"),
        pytest.param(
            {"text": "a\u2028b", "rendered": ('{"event": "a\u2028b"}',)}, False, id="within JSON"
        ),
        pytest.param(
            {"text": "fine", "rendered": (EVIL,), "traceback": "Traceback ..."},
            False,
            id="a traceback",
        ),
        pytest.param(
            {"text": "fine", "rendered": (EVIL,), "by_default": True}, False, id="by default"
        ),
    ],
)
def test_where_a_forged_line_is_looked_for(said: dict[str, Any], *, forged: bool) -> None:
    """In what was printed, as far as the client's own configuration has printed it."""
    found = codes([line(**{"level": logging.INFO, **said})], FINE)

    assert found == (["forged-line"] if forged else [])
    assert codes([line(**{"level": logging.INFO, **said})], FINE, LogContract(one_line=False)) == []


def test_a_line_that_is_too_long() -> None:
    """The longest one is told."""
    found = only([line("x" * 81, level=10), line("y" * 200, level=10)], FINE)

    assert found.code == "line-too-long"
    assert found.sentence == "a line has 200 characters, wanted at most 80"
    assert found.evidence[2].endswith("y" * 117 + "...   <- here")
    assert codes([line("x" * 80, level=10)], FINE) == []


JSON = LogContract(logger="app", json=["event", "level"], events={"Retry": ["attempt"]})


@pytest.mark.parametrize(
    ("text", "rendered", "sentence"),
    [
        ("x", ['{"event": "x", "level": "info"}'], None),
        ("x", ['{"event": "x"'], "INFO 'x' is no JSON: Expecting ',' delimiter: line 1 column 14"),
        ("x", ["[1]"], "INFO 'x' is no JSON object but list"),
        ("x", ['{"event": NaN, "level": 1}'], "INFO 'x' is no JSON: it has NaN"),
        ("x", ["[" * 100_000], "INFO 'x' is no JSON: maximum recursion depth exceeded"),
        ("x", ['{"event": "x"}'], "INFO 'x' lacks level"),
        ("Retry", ['{"event": 1, "level": 1}'], "INFO 'Retry' lacks attempt"),
        ("Retry", ['{"event": 1, "level": 1, "attempt": 1}'], None),
        ("Retry", [], "INFO 'Retry' lacks attempt"),
        ("x\ny", [], None),
        ("x", ['{"event": 1, "level": 1}', "plain"], "INFO 'x' is no JSON: Expecting value"),
    ],
)
def test_json_lines(text: str, rendered: list[str], sentence: str | None) -> None:
    """Each rendered line is an object with the keys of all lines and those of its event."""
    said = line(text, level=logging.INFO, rendered=tuple(rendered))
    found = logs.judge([said], FINE, JSON, succeeded=True)

    assert [one.code for one in found] == ([] if sentence is None else ["bad-json-line"])
    assert sentence is None or found[0].sentence.startswith(sentence)


def test_fields_of_an_event_that_nobody_rendered() -> None:
    """Where nothing was rendered, the fields have the keys."""
    contract = LogContract(events=[("Retry", ("attempt",))])

    assert codes([line("Retry", level=20, fields={"attempt": 1})], FINE, contract) == []
    assert codes([line("Retry", level=20)], FINE, contract) == ["bad-json-line"]


@pytest.mark.parametrize(
    ("contract", "source", "logger", "own"),
    [
        ("app", "logging", "app", True),
        ("app", "logging", "app.x", True),
        ("app", "logging", "apple", False),
        ("app", "logging", "", False),
        ("app", "structlog", "", True),
        ("app", "warnings", "app", False),
        (None, "logging", "anything", True),
        (None, "logging", "urllib3.connectionpool", False),
        ("urllib3", "logging", "urllib3.connectionpool", True),
    ],
)
def test_whose_lines_count(contract: str | None, source: str, logger: str, *, own: bool) -> None:
    """Those of the named logger and below it; without a name all but HTTP libraries'."""
    said = Line(source=source, logger=logger, level=40, text="x")

    assert logs.lines_of(LogContract(logger=contract), [said]) == ((said,) if own else ())
