"""What the document promises of retries and of the log, clause by clause: see pyproject.toml."""

import pytest

from main import generate_tweet
from pytest_resilience_gemini import Gemini


@pytest.mark.retry_contract
def test_contract(fake_gemini: Gemini, read_log: object) -> str:
    return generate_tweet("patience")
