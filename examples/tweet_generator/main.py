"""Tweets written by Gemini, with retries and a log.

Run it for a demo: ``python main.py``.
"""

import io
import itertools
import sys
import time

from gemini_client import generate_text
from gemini_errors import ConfigurationError, GeminiError, GeminiHTTPError
from logging_config import get_logger, setup_logging
from prompt_template import create_prompt
from redaction import preview
from retry_handler import check_attempts, retry_with_custom_backoff, retry_with_tenacity
from settings import Settings, load_settings

PREVIEW_LENGTH = 60

DEMO_TWEETS = (
    ("Artificial Intelligence", "professional"),
    ("Python Programming", "humorous"),
)

log = get_logger("tweet_generator")


def generate_tweet(
    topic: str, tone: str = "professional", max_words: int = 25, max_retries: int = 3
) -> str:
    """A tweet about ``topic``.

    Args:
        topic: What it is about.
        tone: An adjective such as "professional".
        max_words: What the model is asked to keep to; the answer is not cut.
        max_retries: Attempts in all, the first one included.

    Raises:
        GeminiError: No tweet; its kinds are in ``gemini_errors``.
        ValueError: An argument out of range.
    """
    check_attempts("max_retries", max_retries)
    prompt = create_prompt(topic, tone, max_words)
    settings = load_settings()
    numbers = itertools.count(1)

    def attempt() -> str:
        return _request_tweet(settings, prompt, last=next(numbers) >= max_retries)

    return retry_with_tenacity(attempt, max_attempts=max_retries)


def _request_tweet(settings: Settings, prompt: str, *, last: bool) -> str:
    log.info(
        "Making API request",
        url_endpoint=settings.model,
        prompt_length=len(prompt),
        prompt_preview=preview(prompt, PREVIEW_LENGTH),
    )
    started = time.perf_counter()
    try:
        text = generate_text(settings, prompt)
    except GeminiError as error:
        _log_failure(error, _milliseconds_since(started), last=last)
        raise
    log.info(
        "API request successful",
        status_code=200,
        latency_ms=_milliseconds_since(started),
        response_length=len(text),
        response_preview=preview(text, PREVIEW_LENGTH),
    )
    return text


def _log_failure(error: GeminiError, latency_ms: float, *, last: bool) -> None:
    """An ERROR is a tweet that was not written: an attempt that will be repeated is a WARNING."""
    fields: dict[str, object] = {
        "status_code": error.status_code,
        "latency_ms": latency_ms,
        "error_message": error.message,
    }
    if not error.retryable:
        fields["retry_attempted"] = False
    write = log.warning if error.retryable and not last else log.error
    write("API request failed", **fields)


def _milliseconds_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)


def demonstrate_retry() -> str:
    """Show the log of a retry without an outage: a stand-in fails once, then answers."""
    answers = iter((GeminiHTTPError("Service temporarily unavailable", 503), "second time lucky"))

    def stand_in() -> str:
        answer = next(answers)
        if isinstance(answer, GeminiHTTPError):
            raise answer
        return answer

    return retry_with_custom_backoff(stand_in)


def main() -> int:
    """The demo; its exit status is 0 when every tweet was written."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A Windows console may not know the emoji in a tweet.
        sys.stdout.reconfigure(errors="replace")
    try:
        load_settings()
        setup_logging()
    except (ConfigurationError, OSError) as error:
        # Of the system's errors there is one: a folder that takes no log file.
        print(f"Cannot start: {error}", file=sys.stderr)
        return 1
    written = [_show_tweet(topic, tone) for topic, tone in DEMO_TWEETS]
    print("\nWhat a retry looks like in the log (staged, no request is made):")
    print(demonstrate_retry())
    return 0 if all(written) else 1


def _show_tweet(topic: str, tone: str) -> bool:
    print(f"\nA {tone} tweet about {topic}:")
    try:
        print(generate_tweet(topic, tone))
    except GeminiError as error:
        print(f"No tweet: {error}")
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
