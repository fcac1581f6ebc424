"""Every Python block of the two documents runs, and prints what the document says.

A text block right after a Python block is its output. `<word>` in it stands for
anything. A comment before the Python block says what Vault answers first:
`<!-- vault: 503 silent -->`.
"""

import inspect
import logging
import re
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import pytest

from helpers import answering
from pytest_resilience import faults
from pytest_resilience_vault import Vault

HERE = Path(__file__).parents[1]
BLOCK = re.compile(
    r"(?:<!-- vault: (?P<plan>[a-z0-9 ]+) -->\n\n)?"
    r"```python\n(?P<code>.*?)```\n"
    r"(?:\n```text\n(?P<output>.*?)```\n)?",
    re.DOTALL,
)
State = tuple[list[logging.Handler], int, list[Any]]
OUTAGES: dict[str, faults.Fault] = {
    "silent": faults.timeout(),
    "cut": faults.limit_data(),
    "quota": answering(
        429, {"errors": ['request path "auth/approle/login": rate limit quota exceeded']}
    ),
    "denied": answering(403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}),
}


def blocks() -> Iterator[Any]:
    """Each Python block with what belongs to it, named by file and line."""
    for name in ("README.md", "LOGGING_AND_RETRY_GUIDE.md"):
        text = (HERE / name).read_text()
        for found in BLOCK.finditer(text):
            line = text.count("\n", 0, found.start("code"))
            yield pytest.param(found, id=f"{name}:{line}")


@contextmanager
def unconfigured() -> Iterator[None]:
    """Logging as a program finds it that has configured nothing; afterwards as it was.

    Not a fixture, because pytest adds handlers of its own after the fixtures.
    """
    loggers = [logging.getLogger(name) for name in ("", "gds_vault", "gds_vault.vault", "urllib3")]
    before = [(logger.handlers[:], logger.level, logger.filters[:]) for logger in loggers]
    loggers[0].handlers = []
    try:
        yield
    finally:
        restore(loggers, before)


def restore(loggers: list[logging.Logger], before: list[State]) -> None:
    """Undo what a block has configured."""
    for logger, (handlers, level, filters) in zip(loggers, before, strict=True):
        for handler in set(logger.handlers) - set(handlers):
            handler.close()
        logger.handlers, logger.filters = handlers, filters
        logger.setLevel(level)


def as_documented(output: str, vault: Vault) -> str:
    """Put the documents' address for the real one."""
    return output.replace(vault.url, "https://vault.example.com").strip()


def run(code: str, request: pytest.FixtureRequest) -> None:
    """Run a block, and the tests that it defines with their fixtures."""
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, "example", "exec"), namespace)  # noqa: S102 - our own document
    for test in [value for name, value in namespace.items() if name.startswith("test_")]:
        test(*(request.getfixturevalue(name) for name in inspect.signature(test).parameters))


@pytest.mark.parametrize("block", list(blocks()))
def test_a_block_runs_and_prints_what_the_document_says(
    block: re.Match[str],
    vault: Vault,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the documents show is what happens."""
    for name in ("myapp", "app1", "app2"):
        vault.put(f"secret/{name}", {"password": "s3cr3t"})
    plan = (block["plan"] or "").split()
    if plan:
        vault.fail(*(int(word) if word.isdigit() else OUTAGES[word] for word in plan))

    with unconfigured(), chdir(tmp_path):
        run(block["code"], request)

    if block["output"] is not None:
        printed = as_documented("".join(capsys.readouterr()), vault)
        wanted = re.sub(r"<\\[a-z\\ ]+>|<[a-z]+>", ".+", re.escape(block["output"].strip()))
        assert re.fullmatch(wanted, printed), printed


def test_each_decision_names_tests_that_exist() -> None:
    """The README says which test holds a decision; a renamed test must not leave it in the air."""
    named = set(re.findall(r"`(test_\w+)`", (HERE / "README.md").read_text()))
    tests = "".join(path.read_text() for path in HERE.glob("tests/test_*.py"))

    assert len(named) > 20
    assert [name for name in named if f"def {name}(" not in tests] == []


def test_the_guide_is_comprehensive() -> None:
    """The document promises more than 500 lines."""
    guide = (HERE / "LOGGING_AND_RETRY_GUIDE.md").read_text()

    assert guide.count("\n") > 500
