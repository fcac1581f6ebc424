"""Comparisons that explain themselves, as a pure function of a trace."""

from dataclasses import replace

import pytest

from pytest_resilience import Attempt, Outcome, Trace
from pytest_resilience.checks.compare import explain

MS = 1_000_000


def attempt(number: int, at_ms: float, status: int | None = 503) -> Attempt:
    """One attempt to log in, answered at once."""
    at = round(at_ms * MS)
    return Attempt(
        number,
        at,
        connection=1,
        reused=False,
        method="POST",
        target="/v1/auth/approle/login",
        head=b"",
        status=status,
        ended_ns=at,
        outcome=Outcome.ANSWERED,
    )


def trace(*starts_ms: float, last: int = 200) -> Trace:
    """Attempts at these times; all but the last get a 503."""
    statuses = [503] * (len(starts_ms) - 1) + [last]
    pairs = zip(starts_ms, statuses, strict=True)
    return Trace([attempt(n, at, status) for n, (at, status) in enumerate(pairs, 1)])


@pytest.mark.parametrize(
    ("starts", "wanted", "line"),
    [
        (
            (0, 1000, 5000),
            [1, 5],
            "wait 2 was 4.000 s, wanted 5.000 s (attempt 3)",
        ),
        (
            (0, 1000, 5000),
            [1, 5, 9],
            "wait 2 was 4.000 s, wanted 5.000 s (attempt 3); 2 waits, wanted 3",
        ),
        ((0, 1000, 3000), [1, 2, 4], "2 waits, wanted 3: wait 3 of 4.000 s never came"),
        (
            (0, 1000, 3000, 7000),
            [1, 2],
            "3 waits, wanted 2: wait 3 of 4.000 s is one too many (attempt 4)",
        ),
        ((0,), [1], "0 waits, wanted 1: wait 1 of 1.000 s never came"),
        ((0, 1000), [], "1 wait, wanted 0: wait 1 of 1.000 s is one too many (attempt 2)"),
        ((0, 1000.2), [1], "wait 1 was 1.000200 s, wanted 1.000000 s (attempt 2)"),
        ((0, 1000), [None], "wait 1 was 1.000 s, wanted None (attempt 2)"),
        ((0, 1000), ["x"], "wait 1 was 1.000 s, wanted 'x' (attempt 2)"),
        ((0, 1000), ["1"], "wait 1 was 1.000 s, wanted '1' (attempt 2)"),
        ((0, 1000), [float("nan")], "wait 1 was 1.000 s, wanted nan (attempt 2)"),
        ((0, 1000), [10**400], f"wait 1 was 1.000 s, wanted {'1':0<18}...{'0':0>19} (attempt 2)"),
        ((0, 1000), (1,), "the waits are as wanted, but they are a list and that is a tuple"),
    ],
)
def test_first_line_stands_alone(
    starts: tuple[float, ...], wanted: list[object], line: str
) -> None:
    """The first line names the first difference: which, what came, what was wanted."""
    assert explain(trace(*starts).waits, wanted)[0] == line


def test_approx_is_asked() -> None:
    """An element that is an approx decides for itself what is near enough."""
    wanted = [pytest.approx(1, abs=0.1), pytest.approx(2, abs=0.1)]

    lines = explain(trace(0, 1050, 5000).waits, wanted)

    shown = str(wanted[1])  # "2 ± 0.1"; pytest 8 writes "2 ± 1.0e-01"
    assert lines[0] == f"wait 2 was 3.950 s, wanted {shown} s (attempt 3)"
    assert lines[-1].endswith(f"<- wanted {shown} s")


def test_the_attempt_is_marked_in_the_table() -> None:
    """Below the first line stands the table, with how much too early or late it was."""
    assert explain(trace(0, 1000, 5000).waits, [1, 5]) == [
        "wait 2 was 4.000 s, wanted 5.000 s (attempt 3)",
        "  1  t=0.000  POST /v1/auth/approle/login  503",
        "  2  t=1.000  POST /v1/auth/approle/login  503  after a wait of 1.000 s",
        (
            "  3  t=5.000  POST /v1/auth/approle/login  200  after a wait of 4.000 s"
            "   <- too early by 1.000 s"
        ),
    ]


def test_gaps_and_times() -> None:
    """Gaps and times are called by their names, and mark the right attempt."""
    seen = trace(0, 1000, 5000)

    assert explain(seen.gaps, [1, 3])[0] == "gap 2 was 4.000 s, wanted 3.000 s (attempt 3)"
    assert explain(seen.gaps, [1, 3])[-1].endswith("<- too late by 1.000 s")
    assert explain(seen.times, [0, 2, 5])[0] == "time 2 was 1.000 s, wanted 2.000 s (attempt 2)"
    assert explain(seen.times, [0, 2, 5])[2].endswith("<- too early by 1.000 s")


def test_statuses_and_faults() -> None:
    """Statuses and faults read as what they are, an absent one too."""
    seen = Trace([attempt(1, 0, None), attempt(2, 5, 200)])

    assert explain(seen.statuses, [503, 200])[0] == (
        "status 1 was no answer, wanted 503 (attempt 1)"
    )
    assert explain(seen.statuses, [None])[0] == (
        "2 statuses, wanted 1: status 2 of 200 is one too many (attempt 2)"
    )
    assert explain(seen.faults, ["timeout", None])[0] == (
        "fault 1 was no fault, wanted 'timeout' (attempt 1)"
    )
    assert explain(seen.faults, ["timeout", None])[1].endswith("<- wanted 'timeout'")


def test_real_time_gets_a_hint() -> None:
    """A difference that only real time makes is told how to compare."""
    hint = "real time is never exact: compare with pytest.approx(..., abs=0.05)"

    assert explain(trace(0, 1000.3).waits, [1])[1] == hint
    assert hint not in explain(trace(0, 1001).waits, [1])
    assert hint not in explain(trace(0, 1300.3).waits, [1])


def test_an_empty_trace_says_so() -> None:
    """When nothing came, the explanation says that instead of a table."""
    assert explain(Trace().statuses, [200]) == [
        "0 statuses, wanted 1: status 1 of 200 never came",
        "no attempt reached the server",
    ]


def test_an_empty_part_of_a_trace_says_so() -> None:
    """Attempts came, and the filter has left none of them."""
    none = explain(trace(0, 1000).to(path="/v1/secret/*")[1:].waits, [1])
    nor_here = explain(trace(0).to("GET").statuses, [200])

    assert none[1] == "2 attempts reached the server, none of them in this part of the trace"
    assert nor_here[1] == "1 attempt reached the server, not in this part of the trace"


def test_numbers_survive_filters() -> None:
    """In a filtered trace the attempts keep the numbers that the whole table shows."""
    seen = trace(0, 1000, 3000)[1:]

    assert explain(seen.statuses, [503, 503])[0] == ("status 2 was 200, wanted 503 (attempt 3)")


@pytest.mark.parametrize("place", [0, 1, 50, 97, 98])
def test_long_traces_fit_into_what_pytest_shows(place: int) -> None:
    """At most 8 lines and 640 characters, so that pytest cuts none of it; the mark is in it."""
    seen = trace(*[n * 1000.0 for n in range(100)])
    wanted: list[object] = [1.0] * 99
    wanted[place] = 2.0

    lines = explain(seen.waits, wanted)

    assert len(lines) <= 8
    assert len("".join(lines)) <= 640
    assert [line for line in lines if "<- too early by 1.000 s" in line] != []
    assert lines[1] != "  ... 0 before"


def test_wide_rows_leave_room_for_themselves() -> None:
    """Rows too wide for many of them are shown as far as there is room."""
    wide = [replace(each, retry_after="x" * 300) for each in trace(0, 1000, 3000, 7000)]

    lines = explain(Trace(wide).waits, [1, 5, 4])

    assert lines[0] == "wait 2 was 2.000 s, wanted 5.000 s (attempt 3)"
    assert lines[1:] == [
        "  ... 2 before",
        (
            f"  3  t=3.000  POST /v1/auth/approle/login  503  Retry-After: {'x' * 300}"
            "  after a wait of 2.000 s   <- too early by 3.000 s"
        ),
        "  ... 1 after",
    ]


def test_values_that_look_alike_are_told_apart() -> None:
    """When nine digits are not enough, all of them are shown."""
    wanted = 1.0000000000001

    assert explain(trace(0, 1000).waits, [wanted])[0] == (
        "wait 1 was 1.0, wanted 1.0000000000001 (attempt 2)"
    )
