"""What the document promises of retries and of the log, clause by clause."""

import pytest

from gemini_errors import GeminiError
from main import generate_tweet
from pytest_resilience import LogContract, RetryPolicy
from pytest_resilience_gemini import Gemini

EVENTS = {
    "Making API request": ["url_endpoint", "prompt_length", "prompt_preview"],
    "API request successful": ["status_code", "latency_ms", "response_length", "response_preview"],
    "API request failed": ["status_code", "latency_ms", "error_message"],
    "Retry attempt": ["attempt", "max_attempts", "delay_seconds", "exception"],
    "Retry succeeded": ["final_attempt"],
}
LOG = LogContract(
    logger="tweet_generator",
    retry="^Retry attempt$",
    attempt="attempt",
    delay="delay_seconds",
    failure="^API request failed$",
    longest=2000,
    json=["event", "level", "timestamp"],
    events=EVENTS,
)
DOCUMENT = RetryPolicy(
    attempts=3,
    backoff=[1, 2],
    statuses=["5xx"],
    never_statuses=[400, 401, 403, 404, 408, 409, 422, 429],
    failures=["connect", "refused", "read-timeout", "reset", "truncated", "bad-json", "stale"],
    timeout=30,
    raises=GeminiError,
    validates=True,
    logs=LOG,
)


@pytest.mark.retry_contract(DOCUMENT)
def test_contract(fake_gemini: Gemini, read_log: object) -> str:
    return generate_tweet("patience")
