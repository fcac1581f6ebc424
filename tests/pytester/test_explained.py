"""`assert fake.trace.waits == [1, 2, 4]` explains itself in a whole pytest session."""

from collections.abc import Callable

import pytest

Session = Callable[..., pytest.RunResult]

TRACE = """
from pytest_resilience import Attempt, Outcome, Trace

def attempt(number, at, status):
    at *= 1_000_000_000
    return Attempt(number, at, 1, False, "GET", "/", b"", status=status, ended_ns=at,
                   outcome=Outcome.ANSWERED)

TRACE = Trace([attempt(1, 0, 503), attempt(2, 1, 503), attempt(3, 5, 200)])
"""

EXPLAINED = [
    "E * assert wait 2 was 4.000 s, wanted 5.000 s (attempt 3)",
    "E * 1  t=0.000  GET /  503",
    "E * 2  t=1.000  GET /  503  after a wait of 1.000 s",
    "E * 3  t=5.000  GET /  200  after a wait of 4.000 s   <- too early by 1.000 s",
]


@pytest.mark.parametrize(
    "comparison",
    ["TRACE.waits == [1, 5]", "[1, 5] == TRACE.waits", "TRACE.waits == [1, 5, 9][:2]"],
)
def test_a_failed_comparison_explains_itself(session: Session, comparison: str) -> None:
    """On either side of ==, the first line says it and the table shows it."""
    result = session(f"{TRACE}\ndef test_it():\n    assert {comparison}\n")

    result.stdout.fnmatch_lines(EXPLAINED, consecutive=True)


@pytest.mark.parametrize(
    "comparison",
    [
        "TRACE.waits == pytest.approx([1, 5], abs=0.1)",
        "pytest.approx([1, 5], abs=0.1) == TRACE.waits",
        "TRACE.waits == [1, pytest.approx(5, abs=0.1)]",
    ],
)
def test_approx_explains_itself(session: Session, comparison: str) -> None:
    """`pytest.approx` on either side, or within, is told with its tolerance."""
    result = session(f"{TRACE}\ndef test_it():\n    assert {comparison}\n")

    result.stdout.fnmatch_lines(
        [
            "E * assert wait 2 was 4.000 s, wanted 5 ± * s (attempt 3)",
            "E * 3  t=5.000 * <- wanted 5 ± * s",
        ]
    )


def test_approx_holds(session: Session) -> None:
    """Comparing with approx stays what pytest makes of it."""
    result = session(f"""
{TRACE}
def test_it():
    assert TRACE.waits == pytest.approx([1.05, 3.95], abs=0.1)
    assert TRACE.waits == pytest.approx([1, 4])
    assert TRACE.waits != pytest.approx([1, 5])
    assert TRACE.waits == [1, 4]
""")

    result.assert_outcomes(passed=1)


def test_the_short_summary_says_it(session: Session) -> None:
    """The line that stands alone is the one in pytest's summary."""
    result = session(f"{TRACE}\ndef test_it():\n    assert TRACE.statuses == [503, 200]\n")

    result.stdout.fnmatch_lines(["FAILED test_it.py::test_it - *status 2 was 503, wanted 200*"])


def test_other_comparisons_are_pytests(session: Session) -> None:
    """What is not compared with a list is explained as ever, and so are all other lists."""
    result = session(f"""
{TRACE}
def test_number():
    assert TRACE.waits == 3

def test_less():
    assert TRACE.waits < [0]

def test_plain():
    assert [1, 2] == [1, 3]
""")

    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["E * assert *1.0, 4.0* == 3"])
    result.stdout.fnmatch_lines(["E * assert [[]1, 2[]] == [[]1, 3[]]"])


def test_without_rewriting_nothing_breaks(session: Session) -> None:
    """Under plain assertions there is no explanation, and the trace is shown all the same."""
    result = session(
        "def test_it(fake_github):\n    get()\n    assert fake_github.trace.waits == [1]\n",
        "--assert=plain",
        apart=True,
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E * AssertionError", "*- trace of fake_github (call) -*"])


@pytest.mark.parametrize(
    "mistake",
    [
        "fake_server().fail('tiemout')",
        "fake_server().fail(503, times=0)",
        "fake_server().fail(99)",
        "fake_server(port='x')",
        "fake_server(lambda: 3)",
        "faults.latency('soon')",
        "faults.together(503)",
        "RetryPolicy(attempts=0)",
        "RetryPolicy.parse('some attempts')",
    ],
)
def test_what_is_refused_shows_who_wrote_it(session: Session, mistake: str) -> None:
    """A value that cannot be meant is shown in the test's own line, and no line of ours."""
    code = f"""
        from pytest_resilience import RetryPolicy, faults

        def test_it(fake_server):
            {mistake}
        """

    result = session(code)
    in_full = session(code, "--full-trace")

    assert [line for line in result.outlines if line.startswith(">")] == [
        f">       {mistake}",
    ]
    assert sum(line.startswith(">") for line in in_full.outlines) > 1
