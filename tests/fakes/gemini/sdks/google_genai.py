"""google-genai, in the forms in which it is used."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pytest_resilience_gemini import Gemini
from tests.fakes.gemini.sdks.cases import MODEL, PROMPT, TIMEOUT, Calls, Client


def _options(gemini: Gemini, retry: Any, arguments: dict[str, Any]) -> Any:
    from google.genai import types

    return types.HttpOptions(
        base_url=gemini.url, timeout=int(TIMEOUT * 1000), retry_options=retry, **arguments
    )


def _retry() -> Any:
    from google.genai import types

    return types.HttpRetryOptions()


def synchronous(*, retries: bool) -> Client:
    """The client that most examples show."""

    @contextmanager
    def opened(gemini: Gemini) -> Iterator[Calls]:
        from google import genai

        options = _options(gemini, _retry() if retries else None, {})
        with genai.Client(api_key=gemini.api_key, http_options=options) as client:
            yield Calls(
                lambda: client.models.generate_content(model=MODEL, contents=PROMPT).text,
                lambda: (
                    chunk.text
                    for chunk in client.models.generate_content_stream(model=MODEL, contents=PROMPT)
                ),
            )

    return opened


def asynchronous(*, retries: bool, aiohttp: bool) -> Client:
    """The same for asyncio; over aiohttp when it is installed, unless told otherwise."""

    @contextmanager
    def opened(gemini: Gemini) -> Iterator[Calls]:
        from google import genai

        arguments: dict[str, Any] = {}
        if not aiohttp:
            import httpx2

            arguments = {"async_client_args": {"transport": httpx2.AsyncHTTPTransport()}}
        options = _options(gemini, _retry() if retries else None, arguments)
        client = genai.Client(api_key=gemini.api_key, http_options=options)
        with asyncio.Runner() as runner:

            async def generate() -> str | None:
                response = await client.aio.models.generate_content(model=MODEL, contents=PROMPT)
                return response.text

            async def stream() -> AsyncIterator[str | None]:
                chunks = await client.aio.models.generate_content_stream(
                    model=MODEL, contents=PROMPT
                )
                async for chunk in chunks:
                    yield chunk.text

            yield Calls(lambda: runner.run(generate()), lambda: drained(runner, stream))
            runner.run(client.aio.aclose())
        client.close()

    return opened


def drained(
    runner: asyncio.Runner, stream: Callable[[], AsyncIterator[str | None]]
) -> Iterator[str | None]:
    """The texts of an asynchronous stream, taken in one task, and the error that ended it."""
    came: list[str | None] = []

    async def take() -> Exception | None:
        try:
            async for text in stream():
                came.append(text)  # noqa: PERF401 -- those before an error count as well
        except Exception as error:  # noqa: BLE001 -- raised again below
            return error
        return None

    error = runner.run(take())
    yield from came
    if error is not None:
        raise error


def columns() -> dict[str, Client]:
    """The columns of the table."""
    importlib.import_module("google.genai")  # half a second, and none of it the clients'
    return {
        "sync": synchronous(retries=False),
        "sync, `HttpRetryOptions()`": synchronous(retries=True),
        "async, httpx2": asynchronous(retries=False, aiohttp=False),
        "async, aiohttp": asynchronous(retries=False, aiohttp=True),
        "async, aiohttp, `HttpRetryOptions()`": asynchronous(retries=True, aiohttp=True),
    }
