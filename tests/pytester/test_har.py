"""Failed tests leave HAR files where the user wants them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Session = Callable[..., pytest.RunResult]

CODE = """
def ask(token):
    import urllib.request
    headers = {"Authorization": "token " + token, "X-Trace": "by-" + token}
    request = urllib.request.Request(os.environ["GITHUB_URL"] + ISSUE, headers=headers)
    try:
        urllib.request.urlopen(request, timeout=5)
    except OSError as error:
        error.close()

def test_fails(fake_github):
    ask(os.environ["GITHUB_TOKEN"])
    assert 0

@pytest.mark.parametrize("name", ["a/b", "a:b", "\\x00" * 200])
def test_fails_too(fake_github, name):
    ask(os.environ["GITHUB_TOKEN"])
    assert 0

def test_passes(fake_github):
    ask(os.environ["GITHUB_TOKEN"])

def test_without():
    assert 0
"""


def names(folder: Path) -> list[str]:
    """The names of the files there, without their numbers."""
    return sorted(path.name.rpartition("-")[0] for path in folder.glob("*.har"))


def test_nothing_is_written_unless_asked_for(acme: pytest.Pytester, session: Session) -> None:
    """No file, and no section."""
    result = session(CODE)

    result.assert_outcomes(failed=5, passed=1)
    result.stdout.no_fnmatch_line("*HAR files*")
    assert not list(acme.path.rglob("*.har"))


def test_failed_tests_leave_files(acme: pytest.Pytester, session: Session) -> None:
    """One for each server, named after the test, without a secret; the report says where."""
    result = session(CODE, "--resilience-har=out/har")

    folder = acme.path / "out" / "har"
    result.assert_outcomes(failed=5, passed=1)
    result.stdout.fnmatch_lines([f"fake_github: {folder}/test_it.py-test_fails-fake_github-*.har"])
    assert len(list(folder.iterdir())) == 4
    assert names(folder)[:2] == [
        "test_it.py-test_fails-fake_github",
        "test_it.py-test_fails_too-a-b-fake_github",
    ]
    for path in folder.iterdir():
        text = path.read_text()
        log = json.loads(text)["log"]
        assert (log["_server"], len(log["entries"])) == ("fake_github", 1)
        assert "not+for/reports" not in text


def test_all_tests_leave_files(acme: pytest.Pytester, session: Session) -> None:
    """With one more setting; in workers of xdist as well."""
    pytest.importorskip("xdist")
    arguments = ("--resilience-har=har", "-o", "resilience_har_all=yes", "-p", "xdist", "-n", "2")
    result = session(CODE, *arguments)

    result.assert_outcomes(failed=5, passed=1)
    assert len(names(acme.path / "har")) == 5
    assert "test_it.py-test_passes-fake_github" in names(acme.path / "har")


def test_a_marker_says_where(acme: pytest.Pytester, session: Session, tmp_path: Path) -> None:
    """For a test alone, as a path or a text."""
    session(f"""
        from pathlib import Path

        @pytest.mark.resilience(har=Path({str(tmp_path / "a")!r}))
        def test_path(fake_github):
            assert 0

        @pytest.mark.resilience(har={str(tmp_path / "b")!r})
        def test_text(fake_github):
            assert 0

        def test_not(fake_github):
            assert 0
        """)

    assert names(tmp_path / "a") == ["test_it.py-test_path-fake_github"]
    assert names(tmp_path / "b") == ["test_it.py-test_text-fake_github"]
    assert not list(acme.path.rglob("*.har"))


def test_a_file_that_cannot_be_written_is_told_of(session: Session) -> None:
    """And the failure stays what it was."""
    code = """
import pathlib

def test_fails(fake_github):
    pathlib.Path("file").write_text("in the way of the directory")
    assert 0
"""
    result = session(code, "--resilience-har=file/below")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["fake_github: not written: *file/below*"])


@pytest.mark.parametrize("filters", [(), ("-W", "error"), ("-W", "ignore")])
def test_of_a_test_that_passes_a_warning_tells(session: Session, filters: tuple[str, ...]) -> None:
    """Its report shows nothing; and the warning fails nothing, whatever is made of others."""
    code = """
import pathlib

def test_passes(fake_github):
    pathlib.Path("file").write_text("in the way of the directory")
"""
    result = session(code, "--resilience-har=file/below", "--resilience-har-all=yes", *filters)

    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        ["*PytestWarning: HAR file of *::test_passes, fake_github: not written: *file/below*"]
    )


@pytest.mark.parametrize("value", ["", "  ", "client.py", "client.py/below", "/dev/null/a/b"])
def test_what_is_no_directory_ends_in_one_line(session: Session, value: str) -> None:
    """Nor can become one; before any test runs."""
    result = session(CODE, f"--resilience-har={value}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"ERROR: --resilience-har: wanted a directory that is there or can be made, got {value!r}"]
    )


@pytest.mark.parametrize(("value", "shown"), [("7", "7"), (r"'a\0b'", r"'a\x00b'")])
def test_what_is_no_path_is_no_directory(session: Session, value: str, shown: str) -> None:
    """In a marker."""
    result = session(f"@pytest.mark.resilience(har={value})\ndef test_it(fake_github):\n    pass\n")

    result.stderr.fnmatch_lines(
        [f"ERROR: *(har=...): wanted a directory that is there or can be made, got {shown}"]
    )
