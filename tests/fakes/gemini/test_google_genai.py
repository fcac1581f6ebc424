"""The real SDK, google-genai, against the fake: it must not notice."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pytest_resilience import FOREVER, faults
from pytest_resilience_gemini import Gemini, Reply

genai = pytest.importorskip(
    "google.genai", reason="google-genai is not installed; it comes with constraints/clock.txt"
)
httpx2 = pytest.importorskip("httpx2", reason="google-genai is not installed; httpx2 is its own")

# google-genai subclasses aiohttp's session, which aiohttp discourages.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning"
)

MODEL = "gemini-3.8-flash"


@pytest.fixture(scope="module")
def server() -> Iterator[Gemini]:
    """One fake for all: a client takes a third of a second to make."""
    with Gemini(seed=1) as fake:
        yield fake


@pytest.fixture(scope="module")
def client(server: Gemini) -> Iterator[Any]:
    """A client, configured by hand."""
    options = genai.types.HttpOptions(base_url=server.url)
    with genai.Client(api_key=server.api_key, http_options=options) as made:
        yield made


@pytest.fixture
def gemini(server: Gemini) -> Iterator[Gemini]:
    """The fake, as new."""
    server.start_over()
    yield server
    assert server.errors == []


def test_it_finds_the_fake_by_the_environment(
    gemini: Gemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else needs to be said."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name, value in gemini.environment.items():
        monkeypatch.setenv(name, value)
    gemini.say("Found.")

    with genai.Client() as client:
        response = client.models.generate_content(model=MODEL, contents="hi")

    assert response.text == "Found."
    assert gemini.trace[0].path == "/v1/models/gemini-3.8-flash:generateContent"
    assert gemini.trace[0].headers["x-goog-api-key"] == gemini.api_key


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
def test_it_generates(gemini: Gemini, version: str) -> None:
    """Text, reason, usage and identity are where it looks for them."""
    gemini.say(Reply(("Hello, world.",), thoughts=10))
    options = genai.types.HttpOptions(base_url=gemini.url, api_version=version)
    config = genai.types.GenerateContentConfig(
        system_instruction="Be brief.",
        temperature=0.7,
        top_k=3,
        stop_sequences=["END"],
        max_output_tokens=99,
        response_mime_type="application/json",
        response_schema={"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},
        safety_settings=[
            genai.types.SafetySetting(
                category="HARM_CATEGORY_HATE_SPEECH", threshold="BLOCK_ONLY_HIGH"
            )
        ],
        tools=[genai.types.Tool(google_search=genai.types.GoogleSearch())],
        thinking_config=genai.types.ThinkingConfig(thinking_budget=10),
        seed=1,
    )

    with genai.Client(api_key=gemini.api_key, http_options=options) as client:
        response = client.models.generate_content(model=MODEL, contents="hi", config=config)

    assert response.text == "Hello, world."
    assert response.candidates[0].finish_reason == genai.types.FinishReason.STOP
    assert response.model_version == "gemini-3.8-flash"
    assert len(response.response_id) == 23
    assert response.usage_metadata.candidates_token_count == 4
    assert response.usage_metadata.thoughts_token_count == 10
    assert (gemini.requests[0].system, gemini.requests[0].version) == ("Be brief.", version)


def test_it_streams(gemini: Gemini, client: Any) -> None:
    """Event by event."""
    gemini.say("one two three")

    chunks = list(client.models.generate_content_stream(model=MODEL, contents="hi"))

    assert [chunk.text for chunk in chunks] == ["one ", "two ", "three"]
    assert chunks[-1].candidates[0].finish_reason == genai.types.FinishReason.STOP
    assert gemini.trace[0].query == "alt=sse"


def test_it_chats(gemini: Gemini, client: Any) -> None:
    """The history comes back to the fake."""
    gemini.say("one", "two")
    chat = client.chats.create(model=MODEL)
    chat.send_message("first")
    chat.send_message("second")

    last = gemini.requests[-1]
    assert [content["role"] for content in last.contents] == ["user", "model", "user"]
    assert last.text == "second"


def test_it_counts(gemini: Gemini, client: Any) -> None:
    """Tokens."""
    assert client.models.count_tokens(model=MODEL, contents="12345").total_tokens == 2


def test_it_embeds(gemini: Gemini, client: Any) -> None:
    """Through batchEmbedContents."""
    config = genai.types.EmbedContentConfig(output_dimensionality=3)

    response = client.models.embed_content(
        model="gemini-embedding-001", contents=["a", "b"], config=config
    )

    assert [len(embedding.values) for embedding in response.embeddings] == [3, 3]


def test_it_lists_models_page_by_page(gemini: Gemini, client: Any) -> None:
    """The pager follows the tokens."""
    names = [model.name for model in client.models.list(config={"page_size": 4})]

    assert len(names) == 12
    assert names[0] == "models/gemini-3.8-flash"
    assert len(gemini.trace) == 3


def test_it_gets_a_model(gemini: Gemini, client: Any) -> None:
    """With its limits and methods."""
    model = client.models.get(model=MODEL)

    assert model.input_token_limit == 1048576
    assert "generateContent" in model.supported_actions


@pytest.fixture(params=["whole", "streamed"])
def generate(request: pytest.FixtureRequest, client: Any) -> Callable[[], Any]:
    """Ask for a text, in either way."""
    if request.param == "whole":
        return lambda: client.models.generate_content(model=MODEL, contents="hi")
    return lambda: list(client.models.generate_content_stream(model=MODEL, contents="hi"))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("overloaded", ("ServerError", 503, "UNAVAILABLE")),
        ("internal", ("ServerError", 500, "INTERNAL")),
        ("deadline", ("ServerError", 504, "DEADLINE_EXCEEDED")),
        ("quota_per_minute", ("ClientError", 429, "RESOURCE_EXHAUSTED")),
        ("key_expired", ("ClientError", 400, "INVALID_ARGUMENT")),
        ("key_suspended", ("ClientError", 403, "PERMISSION_DENIED")),
        ("location", ("ClientError", 400, "FAILED_PRECONDITION")),
        (404, ("ClientError", 404, "NOT_FOUND")),
    ],
)
def test_an_error_becomes_its_exception(
    gemini: Gemini, generate: Callable[[], Any], fault: Any, expected: tuple[str, int, str]
) -> None:
    """Code, status and details are understood, streaming or not."""
    gemini.fail(fault)

    with pytest.raises(genai.errors.APIError) as caught:
        generate()

    error = caught.value
    assert (type(error).__name__, error.code, error.status) == expected
    assert len(gemini.trace) == 1


def test_a_retired_model_is_a_client_error(gemini: Gemini, client: Any) -> None:
    """With the service's advice."""
    with pytest.raises(genai.errors.ClientError, match="Call ListModels to see the list"):
        client.models.generate_content(model="gemini-1.5-flash", contents="hi")


def test_a_bad_key_is_a_client_error(gemini: Gemini) -> None:
    """400, as there is no 401 for keys."""
    options = genai.types.HttpOptions(base_url=gemini.url)
    with (
        genai.Client(api_key="wrong", http_options=options) as client,
        pytest.raises(genai.errors.ClientError, match="API key not valid") as caught,
    ):
        client.models.generate_content(model=MODEL, contents="hi")

    assert caught.value.code == 400


def test_the_traps_have_no_text(gemini: Gemini, client: Any, caplog: Any) -> None:
    """And raise nothing."""
    caplog.set_level(logging.ERROR)
    gemini.say(Reply.blocked(), Reply.safety(), Reply.max_tokens(), Reply.empty())

    responses = [client.models.generate_content(model=MODEL, contents="hi") for _ in range(4)]

    assert [response.text for response in responses] == [None, None, None, None]
    assert responses[0].candidates is None
    assert responses[0].prompt_feedback.block_reason.name == "PROHIBITED_CONTENT"
    assert responses[1].candidates[0].content is None
    assert responses[2].candidates[0].finish_reason.name == "MAX_TOKENS"


def test_its_retries_are_attempts(gemini: Gemini) -> None:
    """Five for one call that never succeeds."""
    gemini.fail("overloaded", times=FOREVER)
    retry = genai.types.HttpRetryOptions(initial_delay=0.001, max_delay=0.002, jitter=0.0)
    options = genai.types.HttpOptions(base_url=gemini.url, retry_options=retry)
    with (
        genai.Client(api_key=gemini.api_key, http_options=options) as client,
        pytest.raises(genai.errors.ServerError),
    ):
        client.models.generate_content(model=MODEL, contents="hi")

    assert gemini.trace.statuses == [503, 503, 503, 503, 503]


def test_a_stream_that_is_cut_is_an_error(gemini: Gemini, client: Any) -> None:
    """Of its HTTP library."""
    gemini.say("one two three four")
    gemini.fail(faults.cut_chunk())

    with pytest.raises(httpx2.RemoteProtocolError):
        list(client.models.generate_content_stream(model=MODEL, contents="hi"))


# Functions, data, safety


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"grey in {city}"


def test_it_calls_functions_by_itself(gemini: Gemini, client: Any) -> None:
    """The call, its signature and the response come back to the fake."""
    gemini.say(Reply.call("get_weather", city="Paris"), "It rains.")
    config = genai.types.GenerateContentConfig(tools=[get_weather])

    response = client.models.generate_content(model=MODEL, contents="Paris?", config=config)

    assert response.text == "It rains."
    assert len(response.automatic_function_calling_history) == 3
    call, answer = gemini.requests[-1].contents[1:]
    assert call["parts"][0]["thought_signature"]
    assert answer["parts"][0]["function_response"]["response"] == {"result": "grey in Paris"}


def test_it_streams_calls(gemini: Gemini, client: Any) -> None:
    """As the last event."""
    gemini.say(Reply(("One moment.",), calls=(("get_weather", {"city": "Paris"}),)))
    declared = genai.types.FunctionDeclaration.from_callable(
        client=client._api_client, callable=get_weather
    )
    config = genai.types.GenerateContentConfig(
        tools=[genai.types.Tool(function_declarations=[declared])],
    )

    chunks = list(
        client.models.generate_content_stream(model=MODEL, contents="Paris?", config=config)
    )

    assert [call.name for call in chunks[-1].function_calls] == ["get_weather"]
    assert chunks[0].function_calls is None


def test_its_data_fits_a_model(gemini: Gemini, client: Any) -> None:
    """Told or not, in both ways to write a schema."""
    pydantic = pytest.importorskip("pydantic", reason="google-genai brings it")
    user = pydantic.create_model("User", name=(str, ...), age=(int, ...))
    config = genai.types.GenerateContentConfig(
        response_mime_type="application/json", response_schema=user
    )
    raw = genai.types.GenerateContentConfig(
        response_mime_type="application/json", response_json_schema=user.model_json_schema()
    )

    untold = client.models.generate_content(model=MODEL, contents="hi", config=config).parsed
    written = client.models.generate_content(model=MODEL, contents="hi", config=raw).parsed
    gemini.say(Reply.json({"name": "Ada", "age": 36}))
    told = client.models.generate_content(model=MODEL, contents="hi", config=config).parsed

    assert (untold.name, untold.age) == ("text", 1)
    assert written == {"name": "text", "age": 1}
    assert (told.name, told.age) == ("Ada", 36)


def test_its_safety_settings_are_heeded(gemini: Gemini, client: Any) -> None:
    """And the ratings are where it looks for them."""
    gemini.say(Reply.rated("Bad stuff.", HATE_SPEECH="HIGH"))
    setting = genai.types.SafetySetting(
        category="HARM_CATEGORY_HATE_SPEECH", threshold="BLOCK_ONLY_HIGH"
    )
    config = genai.types.GenerateContentConfig(safety_settings=[setting])

    response = client.models.generate_content(model=MODEL, contents="hi", config=config)

    assert response.text is None
    assert response.candidates[0].finish_reason.name == "SAFETY"
    assert response.candidates[0].safety_ratings[0].blocked


def test_its_error_says_which_quota_is_used_up(gemini: Gemini, client: Any) -> None:
    """With the details as they were sent."""
    gemini.quota(requests_per_day=0)

    with pytest.raises(genai.errors.ClientError) as caught:
        client.models.generate_content(model=MODEL, contents="hi")

    details = caught.value.details["error"]["details"]
    assert details[1]["violations"][0]["quotaId"] == (
        "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
    )


# The asynchronous half, over aiohttp and over httpx2.


@asynccontextmanager
async def asynchronous(gemini: Gemini, backend: str) -> AsyncIterator[Any]:
    """An asynchronous client; a transport of one's own turns aiohttp off."""
    arguments = {} if backend == "aiohttp" else {"transport": httpx2.AsyncHTTPTransport()}
    options = genai.types.HttpOptions(base_url=gemini.url, async_client_args=arguments)
    client = genai.Client(api_key=gemini.api_key, http_options=options)
    try:
        async with client.aio as made:
            yield made
    finally:
        client.close()


@pytest.fixture(params=["aiohttp", "httpx2"])
def run(request: pytest.FixtureRequest, gemini: Gemini) -> Callable[..., Any]:
    """Run a coroutine function with an asynchronous client of either kind."""
    if request.param == "aiohttp":
        pytest.importorskip("aiohttp", reason="aiohttp is not installed: google-genai[aiohttp]")

    def run_with_client(work: Callable[[Any], Any]) -> Any:
        async def main() -> Any:
            async with asynchronous(gemini, request.param) as client:
                return await work(client)

        return asyncio.run(main())

    return run_with_client


def test_it_generates_asynchronously(gemini: Gemini, run: Callable[..., Any]) -> None:
    """The same text."""
    gemini.say("Hello.")

    async def work(client: Any) -> Any:
        return await client.models.generate_content(model=MODEL, contents="hi")

    assert run(work).text == "Hello."


def test_it_streams_asynchronously(gemini: Gemini, run: Callable[..., Any]) -> None:
    """The same events."""
    gemini.say("one two three")

    async def work(client: Any) -> list[str]:
        stream = await client.models.generate_content_stream(model=MODEL, contents="hi")
        return [chunk.text async for chunk in stream]

    assert run(work) == ["one ", "two ", "three"]


def test_it_calls_functions_asynchronously(gemini: Gemini, run: Callable[..., Any]) -> None:
    """By itself, too."""
    gemini.say(Reply.call("get_weather", city="Paris"), "It rains.")
    config = genai.types.GenerateContentConfig(tools=[get_weather])

    async def work(client: Any) -> Any:
        return await client.models.generate_content(model=MODEL, contents="hi", config=config)

    assert run(work).text == "It rains."


def test_it_counts_and_lists_asynchronously(run: Callable[..., Any]) -> None:
    """Tokens and models."""

    async def work(client: Any) -> tuple[int, int]:
        counted = await client.models.count_tokens(model=MODEL, contents="12345")
        models = [model async for model in await client.models.list(config={"page_size": 4})]
        return counted.total_tokens, len(models)

    assert run(work) == (2, 12)


def test_an_error_becomes_its_exception_asynchronously(
    gemini: Gemini, run: Callable[..., Any]
) -> None:
    """Code and status are understood."""
    gemini.fail("overloaded")

    async def work(client: Any) -> Any:
        return await client.models.generate_content(model=MODEL, contents="hi")

    with pytest.raises(genai.errors.ServerError) as caught:
        run(work)

    assert (caught.value.code, caught.value.status) == (503, "UNAVAILABLE")
    assert caught.value.message == "The model is overloaded. Please try again later."


def test_an_error_before_a_stream_asynchronously(gemini: Gemini, run: Callable[..., Any]) -> None:
    """The code is understood, whatever the Content-Type says."""
    gemini.fail("quota_per_day")

    async def work(client: Any) -> Any:
        stream = await client.models.generate_content_stream(model=MODEL, contents="hi")
        return [chunk async for chunk in stream]

    with pytest.raises(genai.errors.ClientError, match="You exceeded your current quota") as caught:
        run(work)

    assert caught.value.code == 429
