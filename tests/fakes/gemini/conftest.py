"""A Gemini of one's own for each test, and a plain HTTP client that speaks to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from pytest_resilience_gemini import Gemini

MODEL = "gemini-3.8-flash"
HELLO = {"contents": [{"role": "user", "parts": [{"text": "Say hello"}]}]}


@pytest.fixture
def gemini() -> Iterator[Gemini]:
    """A fake that runs, with the seed of every run."""
    with Gemini(seed=1) as fake:
        yield fake
        assert fake.errors == []


@pytest.fixture
def ask(gemini: Gemini) -> Iterator[Callable[..., requests.Response]]:
    """POST to a method of a model, with the right key."""
    with requests.Session() as session:
        session.trust_env = False

        def post(
            body: Any = HELLO,
            method: str = "generateContent",
            *,
            model: str = MODEL,
            version: str = "v1beta",
            **options: Any,
        ) -> requests.Response:
            options.setdefault("headers", {"x-goog-api-key": gemini.api_key})
            content = {"data": body} if isinstance(body, bytes) else {"json": body}
            url = f"{gemini.url}/{version}/models/{model}:{method}"
            return session.post(url, timeout=10, **content, **options)

        yield post
