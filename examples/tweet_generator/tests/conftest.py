"""What the tests of the tweet generator share."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

import logging_config
import redaction
import settings

ReadLog = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _nothing_of_the_developer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key, address or .env of whoever runs the tests gets into them."""
    for name in ("GEMINI_API_KEY", "GEMINI_MODEL", "GOOGLE_GEMINI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(settings, "ENV_FILE", tmp_path / ".env")
    monkeypatch.setattr(redaction, "_secrets", set())


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """What a test set up for logging does not outlive it."""
    level = logging.getLogger().level
    yield
    logging_config.close_logging()
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def read_log(tmp_path: Path) -> ReadLog:
    """Everything is logged from DEBUG on; called, it gives the lines of the file."""
    file = tmp_path / "test.log"
    logging_config.setup_logging("DEBUG", file)
    return lambda: [json.loads(line) for line in file.read_text("utf-8").splitlines()]
