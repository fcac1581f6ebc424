"""What the document promises of retries, clause by clause."""

import pytest

from gemini_errors import GeminiError
from main import generate_tweet
from pytest_resilience import RetryPolicy
from pytest_resilience_gemini import Gemini

DOCUMENT = RetryPolicy(
    attempts=3,
    backoff=[1, 2],
    statuses=["5xx"],
    never_statuses=[400, 401, 403, 404, 408, 409, 422, 429],
    failures=["connect", "refused", "read-timeout", "reset", "truncated", "bad-json", "stale"],
    timeout=30,
    raises=GeminiError,
    validates=True,
)


@pytest.mark.retry_contract(DOCUMENT)
def test_contract(fake_gemini: Gemini) -> str:
    return generate_tweet("patience")
