"""Warnings are heard whatever becomes of them, and come from where they came from."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from pytest_resilience.logs import Recorder

HERE = __file__
LATER = (3, 12)
"""Since then frames can be skipped by their file."""


class OwnWarning(UserWarning):
    pass


def outcome(logs: Recorder) -> list[tuple[str, object, bool]]:
    """Text, category and whether it was dropped."""
    return [
        (line.text, line.fields["category"], line.dropped) for line in logs.lines.by("warnings")
    ]


def test_shown_ignored_and_made_errors(recwarn: pytest.WarningsRecorder) -> None:
    """Whatever a filter does, the warning is in the list; only an ignored one is dropped."""
    with Recorder() as logs:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("shown", stacklevel=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.warn("ignored", DeprecationWarning, stacklevel=1)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(OwnWarning, match="raised"):
                warnings.warn(OwnWarning("raised"), stacklevel=1)

    assert outcome(logs) == [
        ("shown", "UserWarning", False),
        ("ignored", "DeprecationWarning", True),
        ("raised", "OwnWarning", False),
    ]


def test_explicit_ones_are_heard_whatever_becomes_of_them() -> None:
    """Those that say themselves where they come from; all arguments by name as well."""
    by_name: dict[str, Any] = {"category": OwnWarning, "filename": "x.py", "lineno": 1}
    with Recorder() as logs:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.warn_explicit("ignored", OwnWarning, "x.py", 1)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(OwnWarning, match="raised"):
                warnings.warn_explicit(message="raised", **by_name)
        kept = warnings.warn_explicit
    with pytest.warns(OwnWarning, match="later"):
        kept("later", OwnWarning, "x.py", 1)

    assert outcome(logs) == [
        ("ignored", "OwnWarning", True),
        ("raised", "OwnWarning", False),
    ]


@pytest.mark.filterwarnings("always")
def test_pytests_recorders_beside_it() -> None:
    """`recwarn` and `pytest.warns` get what they get without us."""
    with Recorder() as logs, pytest.warns(OwnWarning, match="x") as caught:
        warnings.warn("x", OwnWarning, stacklevel=1)

    assert [str(one.message) for one in caught] == ["x"]
    assert outcome(logs) == [("x", "OwnWarning", False)]


def inner(warn: Callable[..., None], **options: Any) -> int:
    """Warn, from this line."""
    warn("where", **options)
    return sys._getframe().f_lineno - 1


def outer(warn: Callable[..., None], **options: Any) -> tuple[int, int]:
    """Call it, from this line."""
    line = inner(warn, **options)
    return line, sys._getframe().f_lineno - 1


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("stacklevel", [0, 1, 2])
@pytest.mark.parametrize("listening", [True, False])
def test_a_warning_points_where_it_points_without_us(stacklevel: int, *, listening: bool) -> None:
    """Its file and line are those of the caller that `stacklevel` means."""
    recorder = Recorder()
    with recorder:
        kept = warnings.warn
        if listening:
            with warnings.catch_warnings(record=True) as caught:
                lines = outer(warnings.warn, stacklevel=stacklevel)
    if not listening:
        with warnings.catch_warnings(record=True) as caught:
            lines = outer(kept, stacklevel=stacklevel)

    (one,) = caught
    assert (one.filename, one.lineno) == (HERE, lines[1 if stacklevel == 2 else 0])
    assert len(recorder.lines) == (1 if listening else 0)


@pytest.mark.skipif(sys.version_info < LATER, reason="since Python 3.12")
@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("prefix", [HERE, "/somewhere/else"])
@pytest.mark.parametrize("stacklevel", [1, 2, 3])
def test_frames_that_are_skipped_by_their_file(prefix: str, stacklevel: int) -> None:
    """`skip_file_prefixes` means the frames it means without us."""
    options: dict[str, Any] = {"stacklevel": stacklevel, "skip_file_prefixes": (prefix,)}
    with warnings.catch_warnings(record=True) as without:
        outer(warnings.warn, **options)
    with Recorder(), warnings.catch_warnings(record=True) as beside:
        outer(warnings.warn, **options)

    def where(caught: Any) -> list[tuple[str, bool]]:
        return [(one.filename, one.filename == HERE or one.lineno) for one in caught]

    assert where(beside) == where(without)


def test_once_for_each_place() -> None:
    """What is shown once only is heard each time."""
    with warnings.catch_warnings(record=True), Recorder() as logs:
        warnings.simplefilter("default")
        for _ in range(2):
            warnings.warn("again", OwnWarning, stacklevel=1)

    assert outcome(logs) == [("again", "OwnWarning", False), ("again", "OwnWarning", True)]


EARLY = warnings.warn
"""As `from warnings import warn` keeps it."""


@pytest.mark.filterwarnings("always")
def test_names_from_before_and_the_interpreters_own(recwarn: pytest.WarningsRecorder) -> None:
    """A warning by another way is heard when it is shown."""
    with Recorder() as logs:
        EARLY("early", OwnWarning, stacklevel=1)
        warnings.warn_explicit("explicit", OwnWarning, "somewhere.py", 3)
        compile("x = '\\d'", "there.py", "exec")

    assert [text for text, _, _ in outcome(logs)][:2] == ["early", "explicit"]
    assert "invalid escape sequence" in outcome(logs)[2][0]
    assert len(recwarn) == 3


@pytest.mark.filterwarnings("always")
def test_a_warning_that_is_printed_is_an_echo(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is printed of a warning is an echo of its line, by either way."""

    def show(message: object, *_: object) -> None:
        sys.stderr.write(f"warned: {message}\n")

    monkeypatch.setattr(warnings, "showwarning", show)
    with Recorder() as logs:
        warnings.warn("one", stacklevel=1)
        EARLY("two", stacklevel=1)

    printed = [(line.text, line.echo) for line in logs.by("stderr")]
    assert printed == [("warned: one", True), ("warned: two", True)]
    assert capsys.readouterr().err == "warned: one\nwarned: two\n"


@pytest.mark.filterwarnings("always")
def test_warnings_that_go_to_logging(capsys: pytest.CaptureFixture[str]) -> None:
    """`logging.captureWarnings` works, and both are heard."""
    logging.captureWarnings(True)  # noqa: FBT003 -- its name
    try:
        with Recorder() as logs:
            warnings.warn("x", OwnWarning, stacklevel=1)
    finally:
        logging.captureWarnings(False)  # noqa: FBT003 -- its name

    assert [line.source for line in logs.lines if not line.echo][:2] == ["warnings", "logging"]
    assert logs.lines[1].logger == "py.warnings"


def test_ignored_while_an_error_is_handled() -> None:
    """An ignored warning is dropped, whatever else is going wrong."""
    with warnings.catch_warnings(), Recorder() as logs:
        warnings.simplefilter("ignore")
        try:
            int("x")
        except ValueError:
            warnings.warn("x", stacklevel=1)

    assert outcome(logs) == [("x", "UserWarning", True)]


@pytest.mark.filterwarnings("always")
def test_a_name_that_is_kept_works_afterwards() -> None:
    """Who got hold of a tap has what it stood for."""
    with Recorder() as logs:
        show = vars(warnings)["_showwarnmsg"]
    with warnings.catch_warnings(record=True) as caught:
        message = warnings.WarningMessage(UserWarning("x"), UserWarning, "there.py", 1)
        show(message)

    assert caught == [message]
    assert logs.lines == ()


def test_a_wrong_warning() -> None:
    """What is no warning is refused as ever."""
    with Recorder(), pytest.raises(TypeError):
        warnings.warn("x", int, stacklevel=1)  # type: ignore[arg-type]
