"""What a test leaves behind fails it at its teardown, unless it says that it is meant."""

from collections.abc import Callable

import pytest

Session = Callable[..., pytest.RunResult]

LEFT_BEHIND = {
    "unmatched": "get('/repo/acme/anvil/issues/1')",
    "unmet": "fake_github.fail(503, times=3); get()",
    "errors": "get('/boom')",
}

LINES = {
    "unmatched": (
        "fake_github: no route matched GET /repo/acme/anvil/issues/1 (attempt 1); "
        "the nearest routes are: GET /repos/<owner>/<repo>/issues/<int:number>, GET /boom"
    ),
    "unmet": "fake_github: a planned fault was not met: status 503 x3: met 1 of 3 times",
    "errors": ("fake_github: raised while it was serving: ValueError('a bug in the fake')"),
}


@pytest.mark.parametrize("kind", ["unmatched", "unmet", "errors"])
def test_leftovers_fail_a_test_that_passed(session: Session, kind: str) -> None:
    """An unmatched request, an unmet fault, an error in the application: an error in one line."""
    result = session(f"def test_it(fake_github):\n    {LEFT_BEHIND[kind]}\n")

    result.assert_outcomes(passed=1, errors=1)
    lines = result.outlines
    first = lines.index(LINES[kind])
    assert "ERROR at teardown of test_it" in lines[first - 1]
    assert f"if that is meant: @pytest.mark.resilience({kind}=True)" in lines
    assert "/pytest_resilience/" not in "\n".join(lines[first:])


@pytest.mark.parametrize("kind", ["unmatched", "unmet", "errors"])
@pytest.mark.parametrize("way", ["marker", "option", "ini"])
def test_leftovers_can_be_allowed(session: Session, kind: str, way: str) -> None:
    """Marker, option and ini allow each of them by its name."""
    mark = f"@pytest.mark.resilience({kind}=True)\n" if way == "marker" else ""
    arguments = {
        "marker": (),
        "option": (f"--resilience-{kind}=yes",),
        "ini": ("-o", f"resilience_{kind}=yes"),
    }[way]

    result = session(f"{mark}def test_it(fake_github):\n    {LEFT_BEHIND[kind]}\n", *arguments)

    result.assert_outcomes(passed=1)


def test_allowing_one_allows_no_other(session: Session) -> None:
    """A test that allows one kind is still failed for another."""
    result = session("""
        @pytest.mark.resilience(unmatched=True)
        def test_it(fake_github):
            get("/nowhere")
            fake_github.fail(503)
        """)

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "fake_github: a planned fault was not met: status 503: met 0 of 1 times",
            "if that is meant: @pytest.mark.resilience(unmet=True)",
        ]
    )


def test_all_leftovers_are_told(session: Session) -> None:
    """Of several findings the first stands in the first line, with the number of the others."""
    result = session("""
        def test_it(fake_github, fake_my_api):
            get("/a", fake_github.url), get("/a?key=x", fake_github.url)
            fake_my_api.fail(faults.timeout(), path="/never", times=FOREVER)
        """)

    result.stdout.fnmatch_lines(
        [
            "fake_github: no route matched GET /a (attempts 1, 2); the nearest * (and 1 more)",
            (
                "fake_my_api: a planned fault was not met: timeout forever on /never: never met; "
                "no attempt reached the server"
            ),
            "if that is meant: @pytest.mark.resilience(unmatched=True, unmet=True)",
        ]
    )


def test_many_leftovers_are_counted(session: Session) -> None:
    """Five of a kind are told one by one, and how many more there are in one line."""
    result = session(
        """
        def test_it(fake_github):
            for number in range(8):
                get(f"/nowhere/{number}", fake_github.url)
        """
    )

    result.stdout.fnmatch_lines(
        [
            "fake_github: no route matched GET /nowhere/0 (attempt 1)*(and 5 more)",
            "fake_github: no route matched GET /nowhere/4 (attempt 5)*",
            "fake_github: no route matched: and 3 more of the kind",
        ]
    )


def test_a_failed_predicate_is_told(session: Session) -> None:
    """A predicate of the plan that raises is no silent pass, and said before what it causes."""
    result = session("""
        def test_it(fake_server):
            server = fake_server(app)
            server.fail(503, when=lambda attempt: attempt.nothing_like_it)
            assert get("/", server.url) == 200
        """)

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "fake_server: raised while it was serving: AttributeError(*nothing_like_it* (and 1 *)",
            "fake_server: a planned fault was not met: status 503 when *",
        ]
    )


def test_an_error_of_the_engine_is_told(session: Session) -> None:
    """A defect of ours fails the test that it happened to; no setting hides it."""
    result = session("""
        from pytest_resilience import engine

        @pytest.mark.resilience(errors=True)
        def test_it(fake_server):
            fake_server(app)
            engine.running().run(lambda: None)
            engine.running().call_soon_threadsafe(lambda: 1 / 0)
            engine.running().run(lambda: None)

        def test_after(fake_server):
            fake_server(app)
        """)

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        [
            (
                "the engine of pytest-resilience caught an error of its own, please report it: "
                "ZeroDivisionError('division by zero')"
            )
        ]
    )


@pytest.mark.parametrize(
    ("ending", "outcomes"),
    [
        ("assert not 'the test itself'", {"failed": 1}),
        ("pytest.skip('not today')", {"skipped": 1}),
        ("pytest.xfail('known')", {"xfailed": 1}),
    ],
)
def test_a_test_that_did_not_pass_is_not_judged(
    session: Session, ending: str, outcomes: dict[str, int]
) -> None:
    """A test that broke off has met what it has met; its own reason is not hidden."""
    result = session(f"""
def test_it(fake_github):
    fake_github.fail(503, times=3)
    get("/nowhere")
    {ending}
""")

    result.assert_outcomes(**outcomes)


def test_a_failure_says_what_was_left_as_well(session: Session) -> None:
    """Beside a test's own failure the findings are told: they may be the reason of it."""
    result = session("""
        def test_it(fake_github):
            assert get("/repos/acme/anvil/issue/1") == 200
        """)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E * assert 404 == 200",
            "*- trace of fake_github (call) -*",
            "  1  t=0.000  GET /repos/acme/anvil/issue/1  404  (no route matched; *",
            "*- resilience (call) -*",
            "fake_github: no route matched GET /repos/acme/anvil/issue/1 (attempt 1); *",
        ]
    )


def test_what_a_fixture_does_after_the_test_counts(session: Session) -> None:
    """The judgement waits for the test's fixtures: their teardown may meet the fault, or stray."""
    result = session("""
        @pytest.fixture
        def meets(fake_github):
            yield
            assert get() == 503

        @pytest.fixture
        def strays(fake_github):
            yield
            get("/nowhere")

        def test_meets(fake_github, meets):
            fake_github.fail(503)

        def test_strays(strays):
            pass
        """)

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["ERROR test_it.py::test_strays - Failed: fake_github: no route*"])
