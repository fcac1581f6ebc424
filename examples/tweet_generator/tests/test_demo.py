"""``python main.py``, in a process of its own as a person runs it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import main
from pytest_resilience import VirtualClock
from pytest_resilience_gemini import Gemini


def lines_of(text: str) -> list[dict[str, Any]]:
    """The log as its lines."""
    return [json.loads(line) for line in text.splitlines()]


def test_the_program_without_a_key(tmp_path: Path) -> None:
    """Without a key the demo ends at once, with exit status 1 and what to do."""
    # A copy, since the developer's .env lies beside the original.
    for module in Path(main.__file__).parent.glob("*.py"):
        shutil.copy(module, tmp_path)
    run = subprocess.run(
        [sys.executable, "main.py"],
        cwd=tmp_path,
        env={**os.environ, "GEMINI_API_KEY": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr.startswith("Cannot start: GEMINI_API_KEY is not set: export it, or copy")
    assert "Traceback" not in run.stderr


def test_the_program_in_a_folder_that_takes_no_log_file(
    fake_gemini: Gemini,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The demo ends at once, too, and names the file; no tweet is asked for."""
    (tmp_path / "tweet_generator.log").mkdir()
    monkeypatch.chdir(tmp_path)

    assert main.main() == 1

    shown = capsys.readouterr()
    assert shown.err.startswith("Cannot start: [Errno ")
    assert "tweet_generator.log" in shown.err
    assert len(fake_gemini.trace) == 0


def test_the_demo_writes_tweets_and_shows_a_retry(
    fake_gemini: Gemini,
    virtual_clock: VirtualClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The tweets go to stdout, the log to stderr and tweet_generator.log."""
    monkeypatch.chdir(tmp_path)
    fake_gemini.say("First tweet \U0001f426.", "Second tweet.")

    assert main.main() == 0

    shown = capsys.readouterr()
    assert "First tweet \U0001f426.\n" in shown.out
    assert "Second tweet.\n" in shown.out
    assert shown.err == (tmp_path / "tweet_generator.log").read_text()
    assert [line["event"] for line in lines_of(shown.err)] == [
        "Making API request",
        "API request successful",
        "Making API request",
        "API request successful",
        "Retry attempt",
        "Retry succeeded",
    ]
    first = lines_of(shown.err)[0]
    assert first["prompt_preview"] == (
        "Generate a professional tweet about Artificial Intelligence..."
    )  # as the document prints it
    assert len(fake_gemini.trace) == 2
    assert virtual_clock.now == 1


def test_the_demo_goes_on_after_a_failure(
    fake_gemini: Gemini,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A tweet that could not be written is named, the next one is tried, the status is 1."""
    monkeypatch.chdir(tmp_path)
    fake_gemini.say("Second tweet.")
    fake_gemini.fail(403)

    assert main.main() == 1

    shown = capsys.readouterr()
    assert "No tweet: HTTP 403: " in shown.out
    assert "Second tweet.\n" in shown.out
    assert fake_gemini.trace.statuses == [403, 200]
