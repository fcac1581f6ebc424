"""Clients of Gemini that are too heavy for everyone's environment; `make sdks` installs them."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from pytest_resilience_gemini import Gemini
from tests.fakes.gemini.sdks.cases import MODEL, PROMPT, TIMEOUT, Calls, Client
from tests.fakes.gemini.sdks.google_genai import drained


@contextmanager
def google_generativeai(gemini: Gemini) -> Iterator[Calls]:
    """The SDK before google-genai, over REST."""
    genai: Any = importlib.import_module("google.generativeai")

    genai.configure(
        api_key=gemini.api_key,
        transport="rest",
        client_options={"api_endpoint": gemini.url},
    )
    model = genai.GenerativeModel(MODEL)
    options = {"timeout": TIMEOUT}
    yield Calls(
        lambda: model.generate_content(PROMPT, request_options=options).text,
        lambda: (
            chunk.text
            for chunk in model.generate_content(PROMPT, stream=True, request_options=options)
        ),
    )


@contextmanager
def langchain(gemini: Gemini) -> Iterator[Calls]:
    """langchain-google-genai."""
    module: Any = importlib.import_module("langchain_google_genai")

    model = module.ChatGoogleGenerativeAI(
        model=MODEL, api_key=gemini.api_key, base_url=gemini.url, timeout=TIMEOUT
    )
    yield Calls(
        lambda: str(model.invoke(PROMPT).text),
        lambda: (str(chunk.text) for chunk in model.stream(PROMPT)),
    )


def litellm(**options: Any) -> Client:
    """litellm's ``gemini/`` models."""

    @contextmanager
    def opened(gemini: Gemini) -> Iterator[Calls]:
        module: Any = importlib.import_module("litellm")

        module.suppress_debug_info = True
        module.in_memory_llm_clients_cache.flush_cache()
        arguments = {
            "model": f"gemini/{MODEL}",
            "messages": [{"role": "user", "content": PROMPT}],
            "api_key": gemini.api_key,
            "api_base": f"{gemini.url}/v1beta",
            "timeout": TIMEOUT,
            **options,
        }
        yield Calls(
            lambda: module.completion(**arguments).choices[0].message.content,
            lambda: (
                chunk.choices[0].delta.content
                for chunk in module.completion(stream=True, **arguments)
            ),
        )

    return opened


@contextmanager
def pydantic_ai(gemini: Gemini) -> Iterator[Calls]:
    """pydantic-ai's GoogleModel, asynchronous within."""
    module: Any = importlib.import_module("pydantic_ai")
    models: Any = importlib.import_module("pydantic_ai.models.google")
    providers: Any = importlib.import_module("pydantic_ai.providers.google")

    provider = providers.GoogleProvider(api_key=gemini.api_key, base_url=gemini.url)
    model = models.GoogleModel(MODEL, provider=provider)
    agent = module.Agent(model, model_settings={"timeout": TIMEOUT})
    with asyncio.Runner() as runner:

        async def generate() -> str:
            return str((await agent.run(PROMPT)).output)

        async def stream() -> AsyncIterator[str]:
            async with agent.run_stream(PROMPT) as run:
                async for text in run.stream_text(delta=True, debounce_by=None):
                    yield text

        yield Calls(lambda: runner.run(generate()), lambda: drained(runner, stream))


@contextmanager
def instructor(gemini: Gemini) -> Iterator[Calls]:
    """instructor on google-genai; its answers are data."""
    from google import genai
    from google.genai import types

    module: Any = importlib.import_module("instructor")
    pydantic: Any = importlib.import_module("pydantic")

    Words = pydantic.create_model("Words", words=(str, ...))  # noqa: N806 -- it is a class
    options = types.HttpOptions(base_url=gemini.url, timeout=int(TIMEOUT * 1000))
    gemini.say('{"words": "one two three"}')
    with genai.Client(api_key=gemini.api_key, http_options=options) as plain:
        client: Any = module.from_genai(plain, mode=module.Mode.GENAI_STRUCTURED_OUTPUTS)
        messages = [{"role": "user", "content": PROMPT}]
        yield Calls(
            lambda: (
                client.chat.completions.create(
                    model=MODEL, messages=messages, response_model=Words
                ).words
            ),
            lambda: _grown(
                client.chat.completions.create_partial(
                    model=MODEL, messages=messages, response_model=Words
                )
            ),
        )


def _grown(partials: Any) -> Iterator[str]:
    """What each partial answer has more than the one before."""
    before = ""
    for partial in partials:
        text = partial.words or ""
        yield text[len(before) :]
        before = text


def columns() -> dict[str, Client]:
    """The columns of the table."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # it would look on the web
    os.environ.setdefault("NO_PROXY", "127.0.0.1")
    return {
        "google-generativeai": google_generativeai,
        "langchain-google-genai": langchain,
        "litellm": litellm(),
        "litellm, `num_retries=3`": litellm(num_retries=3),
        "pydantic-ai": pydantic_ai,
        "instructor": instructor,
    }
