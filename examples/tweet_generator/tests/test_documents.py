"""The README keeps what it says: its code runs, its files are there, its events are ours."""

import ast
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from main import generate_tweet
from pytest_resilience_gemini import Gemini

HERE = Path(__file__).parents[1]
README = (HERE / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The README's blocks of a language."""
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return found


# test_request_log.py holds that the program logs these.
FIELDS = {
    "Making API request": ["url_endpoint", "prompt_length", "prompt_preview"],
    "API request successful": [
        "status_code",
        "latency_ms",
        "response_length",
        "response_preview",
    ],
    "API request failed": ["status_code", "latency_ms", "error_message"],
    "Retry attempt": ["attempt", "max_attempts", "delay_seconds", "exception"],
    "Retry succeeded": ["final_attempt"],
}
CODE = [block for block in blocks("python") if "def test_" not in block]


def test_there_is_code() -> None:
    """Four blocks: a tweet, the retry functions, the log, a tweet with five attempts."""
    assert len(CODE) == 4


@pytest.mark.parametrize("code", CODE, ids=["usage", "retry", "logging", "retries"])
def test_a_block_runs(
    code: str, fake_gemini: Gemini, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it stands, beside the modules; what it leaves out is what its words name."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"your_function": lambda: "done", "generate_tweet": generate_tweet}
    fake_gemini.say("A tweet.")

    exec(code, names)  # noqa: S102 -- the README's own

    assert names.get("tweet", "A tweet.") == "A tweet."
    assert names.get("result", "done") == "done"


def test_the_first_block_prints_its_tweet_and_logs_to_its_file(
    fake_gemini: Gemini,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With a retry in between, of which the file tells."""
    monkeypatch.chdir(tmp_path)
    fake_gemini.say("A tweet.")
    fake_gemini.fail(503)

    exec(CODE[0], {})  # noqa: S102 -- the README's own

    lines = [json.loads(line) for line in (tmp_path / "tweets.log").read_text().splitlines()]
    assert capsys.readouterr().out == "A tweet.\n"
    assert [line["event"] for line in lines] == [
        "Making API request",
        "API request failed",
        "Retry attempt",
        "Making API request",
        "API request successful",
        "Retry succeeded",
    ]
    assert fake_gemini.requests[0].text == (
        "Generate a professional tweet about Python Programming with no more than 25 words."
    )


def test_the_project_structure_is_the_folders() -> None:
    """Each file that is named is there, and each module and test is named."""
    tree = README[README.index("## Project Structure") :].split("```")[1]
    named = set(re.findall(r"[├└]── ([\w.]+)", tree))
    there = {path.name for path in (*HERE.glob("*.py"), *HERE.glob("tests/test_*.py"))}

    assert {name for name in named if not next(HERE.rglob(name), None)} <= {"tweet_generator.log"}
    assert there <= named


def test_each_decision_names_tests_that_exist() -> None:
    """A renamed test must not leave a decision in the air."""
    decisions = README[README.index("## Decisions") :]
    named = set(re.findall(r"`(test_\w+)`", decisions))
    tests = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("tests/test_*.py"))

    assert len(named) > 15
    assert [name for name in named if f"def {name}(" not in tests] == []


def test_the_printed_events_are_the_programs() -> None:
    """All fields of each, in their order; short forms leave some out."""
    printed = [
        json.loads(event)
        for block in blocks("json")
        for event in re.findall(r"\{.*?\}", block, re.DOTALL)
    ]

    whole = [event for event in printed if "timestamp" in event]
    assert {event["event"] for event in whole} == set(FIELDS)
    assert all(list(event)[3:] == FIELDS[event["event"]] for event in whole)
    short = [event for event in printed if "timestamp" not in event]
    assert len(short) == 4
    assert all(
        set(event) - {"event", "level", "retry_attempted"} <= set(FIELDS[event["event"]])
        for event in short
    )


def test_what_is_imported_is_required() -> None:
    """requirements.txt brings what the modules need, and nothing that they do not."""
    modules = {path.stem: ast.parse(path.read_text()) for path in HERE.glob("*.py")}
    nodes = [node for tree in modules.values() for node in ast.walk(tree)]
    imported = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    imported |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    foreign = {name.partition(".")[0] for name in imported} - modules.keys()
    foreign -= set(sys.stdlib_module_names)
    required = re.findall(r"^([\w-]+)[>=]", (HERE / "requirements.txt").read_text(), re.MULTILINE)

    # urllib3 comes with requests, and is named for its version alone.
    assert foreign | {"urllib3"} == {
        {"python-dotenv": "dotenv"}.get(name, name) for name in required
    }
