"""Settings: one stem in four places, refused in one line when they cannot be meant."""

import os
from collections.abc import Callable

import pytest

from pytest_resilience.reporting import settings

Session = Callable[..., pytest.RunResult]

NOTHING = "def test_it():\n    pass\n"
SEED = "def test_it(fake_github):\n    assert fake_github.trace.seed == {seed}\n"


@pytest.mark.parametrize(
    ("seed", "arguments", "variable", "mark"),
    [
        (7, ("--resilience-seed=7",), None, ""),
        (7, (), "7", ""),
        (7, (), None, "@pytest.mark.resilience(seed=7)\n"),
        (7, ("-o", "resilience_seed=7"), None, ""),
        (1, ("--resilience-seed=1", "-o", "resilience_seed=4"), "2", "(seed=3)"),
        (2, ("-o", "resilience_seed=4"), "2", "(seed=3)"),
        (3, ("-o", "resilience_seed=4"), None, "(seed=3)"),
    ],
)
def test_what_is_nearest_to_the_hand_wins(  # noqa: PLR0917 -- parametrized
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    arguments: tuple[str, ...],
    variable: str | None,
    mark: str,
) -> None:
    """Command line, environment, marker, ini: the first that is there counts."""
    if variable is not None:
        monkeypatch.setenv("RESILIENCE_SEED", variable)
    if mark.startswith("("):
        mark = f"@pytest.mark.resilience{mark}\n"

    result = session(mark + SEED.format(seed=seed), *arguments)

    result.assert_outcomes(passed=1)


def test_the_closest_marker_counts(session: Session) -> None:
    """A test's marker overrides its class's, argument by argument."""
    result = session("""
        @pytest.mark.resilience(seed=1, keep=1)
        class TestIt:
            @pytest.mark.resilience(seed=2)
            def test_it(self, fake_github):
                assert (get(), get()) == (404, 404)
                assert fake_github.trace.seed == 2
                assert len(fake_github.trace) == 1
        """)

    result.assert_outcomes(passed=1)


def test_settings_can_stand_in_pyproject(acme: pytest.Pytester, session: Session) -> None:
    """A project says it once, in its pyproject.toml."""
    acme.makepyprojecttoml("""
        [tool.pytest.ini_options]
        resilience_keep = "1"
        resilience_unmatched = true
    """)

    result = session("""
        def test_it(fake_github):
            assert (get(), get("/nowhere")) == (404, 404)
            assert len(fake_github.trace) == 1
        """)

    result.assert_outcomes(passed=1)


@pytest.mark.skipif(pytest.version_tuple < (9, 0), reason="[tool.pytest] came with pytest 9")
def test_settings_can_be_plain_toml(acme: pytest.Pytester, session: Session) -> None:
    """A number is written as a number where pytest reads TOML as TOML."""
    acme.makepyprojecttoml("""
        [tool.pytest]
        resilience_keep = 1
        resilience_unmatched = true
    """)

    result = session("def test_it(fake_github):\n    get(), get('/nowhere')\n")

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("--resilience-seed=often",),
            "ERROR: --resilience-seed: wanted a whole number, 0 or more, got 'often'",
        ),
        (
            ("--resilience-keep=0",),
            "ERROR: --resilience-keep: wanted a whole number, 1 or more, got '0'",
        ),
        (
            ("--resilience-env=perhaps",),
            "ERROR: --resilience-env: wanted yes or no, got 'perhaps'",
        ),
        (
            ("-o", "resilience_unmet=perhaps"),
            "ERROR: resilience_unmet: wanted yes or no*'perhaps'*",
        ),
        (("-o", "resilience_seed=-3"), "ERROR: resilience_seed: *-3*"),
        (("-o", "resilience_seed=soon"), "ERROR: resilience_seed: wanted a whole number*'soon'*"),
        (("--resilience-seed=" + "9" * 1001,), "ERROR: --resilience-seed: wanted a whole *"),
    ],
)
def test_bad_values_end_in_one_line(
    session: Session, arguments: tuple[str, ...], line: str
) -> None:
    """A value that cannot be meant ends the run before any test, as a usage error."""
    result = session(NOTHING, *arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([line])
    assert [text for text in result.errlines if text] == [result.errlines[0]]


@pytest.mark.parametrize(
    "name",
    [
        *("ENV", "ERRORS", "HAR", "HAR_ALL", "KEEP"),
        *("LEAKS", "SEED", "UNMATCHED", "UNMET", "VIRTUAL_CLOCK"),
    ],
)
def test_an_empty_variable_is_as_good_as_none(
    session: Session, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A shell that passes on an unset variable passes on an empty one."""
    monkeypatch.setenv(f"RESILIENCE_{name}", "")

    result = session("def test_it(fake_github):\n    assert get() == 404\n")

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("value", [" ", "x", "1" * 5_000])
def test_a_variable_that_cannot_be_meant(
    session: Session, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """It is named, and shown in part at most."""
    monkeypatch.setenv("RESILIENCE_SEED", value)

    result = session(NOTHING)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [text for text in result.errlines if text]
    assert line.startswith("ERROR: RESILIENCE_SEED: wanted a whole number, 0 or more, got '")
    assert len(line) < 300


def test_a_variable_that_a_test_sets_and_cannot_mean(session: Session) -> None:
    """It fails that test, in one line and without a frame of ours."""
    result = session("""
        @pytest.fixture
        def wrong(monkeypatch):
            monkeypatch.setenv("RESILIENCE_SEED", "soon")

        def test_it(wrong, request):
            request.getfixturevalue("fake_server")

        def test_next(fake_server):
            pass
        """)

    result.assert_outcomes(passed=1, failed=1)
    at = result.outlines.index("RESILIENCE_SEED: wanted a whole number, 0 or more, got 'soon'")
    assert "test_it" in result.outlines[at - 1]
    assert "= short test summary info =" in result.outlines[at + 1]


@pytest.mark.parametrize(
    ("mark", "line"),
    [
        (
            "(unmatches=True)",
            (
                "ERROR: test_it.py::test_it: @pytest.mark.resilience has no argument 'unmatches'; "
                "did you mean 'unmatched'?; there are: env, unmatched, *keep"
            ),
        ),
        (
            "(seed='x')",
            (
                "ERROR: test_it.py::test_it: @pytest.mark.resilience(seed=...): "
                "wanted a whole number, 0 or more, got 'x'"
            ),
        ),
        (
            "(seed='7')",
            (
                "ERROR: test_it.py::test_it: @pytest.mark.resilience(seed=...): "
                "wanted a whole number, 0 or more, got '7'"
            ),
        ),
        (
            "(virtual_clock='yes')",
            (
                "ERROR: test_it.py::test_it: @pytest.mark.resilience(virtual_clock=...): "
                "wanted True or False, got 'yes'"
            ),
        ),
        (
            "(seed=True)",
            (
                "ERROR: test_it.py::test_it: @pytest.mark.resilience(seed=...): "
                "wanted a whole number, 0 or more, got True"
            ),
        ),
        (
            "(env=0)",
            (
                "ERROR: test_it.py::test_it: @pytest.mark.resilience(env=...): "
                "wanted True or False, got 0"
            ),
        ),
        (
            "(False)",
            (
                "ERROR: test_it.py::test_it: @pytest.mark.resilience takes keyword arguments only "
                "(env, unmatched, *keep), got (False,)"
            ),
        ),
    ],
)
def test_bad_markers_end_in_one_line(session: Session, mark: str, line: str) -> None:
    """An argument that does not exist is told with those that do, whether or not it matters."""
    result = session(f"@pytest.mark.resilience{mark}\n{NOTHING}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([line])
    assert [text for text in result.errlines if text] == [result.errlines[0]]


def test_bad_markers_fail_their_test_under_xdist(session: Session) -> None:
    """A worker's usage error would end the run without a word, so there the test fails."""
    result = session(
        f"@pytest.mark.resilience(unmatches=True)\n{NOTHING}", "-p", "xdist", "-n1", apart=True
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["test_it.py::test_it: @pytest.mark.resilience has no argument 'unmatches'; did you *"]
    )


def test_good_markers_pass_under_xdist(session: Session) -> None:
    """A marker that is right changes nothing in a worker."""
    result = session(
        f"@pytest.mark.resilience(unmatched=True)\n{NOTHING}", "-p", "xdist", "-n1", apart=True
    )

    result.assert_outcomes(passed=1)


def test_help_says_it_all(session: Session) -> None:
    """`--help` lists options and ini settings, `--markers` the marker."""
    names = ("env", "unmatched", "unmet", "errors", "seed", "keep")

    shown = session(NOTHING, "--help").stdout.str()
    markers = session(NOTHING, "--markers", "--strict-markers").stdout.str()

    assert [name for name in names if f"--resilience-{name}=" not in shown] == []
    assert [name for name in names if f"resilience_{name} (" not in shown] == []
    assert "@pytest.mark.resilience(env=bool, unmatched=bool, unmet=bool, errors=bool" in markers


def test_variables_are_read_anew_when_they_change(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever they are changed: in ``os.environ``, or by another dictionary in its place."""
    before = settings.of_item(request.node).keep
    monkeypatch.setenv("RESILIENCE_KEEP", "77")
    changed = settings.of_item(request.node).keep
    monkeypatch.setattr(os, "environ", {**os.environ, "RESILIENCE_KEEP": "78"})
    replaced = settings.of_item(request.node).keep
    monkeypatch.undo()

    assert [changed, replaced] == [77, 78]
    assert settings.of_item(request.node).keep == before
