"""Every client works against the fake as against the service; `make sdks` runs this."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_resilience_gemini import Gemini, Reply
from tests.fakes.gemini.sdks import others
from tests.fakes.gemini.sdks.cases import MODEL, TIMEOUT

EMBEDDER = "gemini-embedding-001"
QUESTION = "What is the weather in Paris?"


@pytest.fixture
def gemini(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gemini]:
    """A fake to which the environment points."""
    others.columns()
    with Gemini(seed=1) as fake:
        for name, value in fake.environment.items():
            monkeypatch.setenv(name, value)
        yield fake
        assert fake.errors == []
        assert not [attempt for attempt in fake.trace if attempt.status != 200]


def get_weather(city: str) -> str:
    """The weather in a city.

    Args:
        city: Its name.
    """
    return f"grey in {city}"


# google-generativeai, over REST


@pytest.fixture
def legacy(gemini: Gemini) -> Any:
    """The module, configured."""
    genai: Any = importlib.import_module("google.generativeai")
    options = {"api_endpoint": gemini.url}
    genai.configure(api_key=gemini.api_key, transport="rest", client_options=options)
    return genai


def test_google_generativeai_calls_functions(gemini: Gemini, legacy: Any) -> None:
    """By itself, with the model that asks for no signature."""
    gemini.say(Reply.call("get_weather", city="Paris"), "It rains.")
    model = legacy.GenerativeModel("gemini-2.5-flash", tools=[get_weather])

    chat = model.start_chat(enable_automatic_function_calling=True)

    assert chat.send_message(QUESTION).text == "It rains."
    assert "grey in Paris" in str(gemini.requests[-1].contents)


def test_google_generativeai_does_the_rest(gemini: Gemini, legacy: Any) -> None:
    """Counts, embeds, lists models; enums go as numbers."""
    model = legacy.GenerativeModel(MODEL, safety_settings={"HARASSMENT": "BLOCK_ONLY_HIGH"})
    gemini.say(Reply.rated("Hm.", HARASSMENT="HIGH"), Reply.json({"a": 1}))

    blocked = model.generate_content("hi")
    config = {"response_mime_type": "application/json"}
    data = model.generate_content("hi", generation_config=config)

    assert blocked.candidates[0].finish_reason.name == "SAFETY"
    assert data.text == '{"a": 1}'
    assert model.count_tokens("12345").total_tokens == 2
    assert len(legacy.embed_content(f"models/{EMBEDDER}", "hi")["embedding"]) == 3072
    assert f"models/{MODEL}" in [model.name for model in legacy.list_models()]


# langchain-google-genai


@pytest.fixture
def chat(gemini: Gemini) -> Any:
    """A chat model."""
    module: Any = importlib.import_module("langchain_google_genai")
    return module.ChatGoogleGenerativeAI(
        model=MODEL, api_key=gemini.api_key, base_url=gemini.url, timeout=TIMEOUT
    )


def test_langchain_calls_functions(gemini: Gemini, chat: Any) -> None:
    """And gives the signature back."""
    messages: Any = importlib.import_module("langchain_core.messages")
    gemini.say(Reply.call("get_weather", city="Paris"), "It rains.")
    bound = chat.bind_tools([get_weather])
    asked = messages.HumanMessage(QUESTION)

    called = bound.invoke([asked])
    (call,) = called.tool_calls
    answer = messages.ToolMessage(get_weather(**call["args"]), tool_call_id=call["id"])

    assert call["args"] == {"city": "Paris"}
    assert str(bound.invoke([asked, called, answer]).text) == "It rains."


def test_langchain_gets_data_and_embeddings(gemini: Gemini, chat: Any) -> None:
    """Untold, the fake answers what fits the schema."""
    module: Any = importlib.import_module("langchain_google_genai")
    schema = {"title": "User", "type": "object", "properties": {"age": {"type": "integer"}}}

    assert chat.with_structured_output(schema).invoke("hi") == {"age": 1}

    embedder = module.GoogleGenerativeAIEmbeddings(
        model=EMBEDDER, api_key=gemini.api_key, base_url=gemini.url
    )
    assert [len(vector) for vector in embedder.embed_documents(["a", "b"])] == [3072, 3072]


# litellm


def test_litellm_calls_functions(gemini: Gemini) -> None:
    """And keeps the signature in the call's id."""
    litellm: Any = importlib.import_module("litellm")
    gemini.say(Reply.call("get_weather", city="Paris"), "It rains.")
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    }
    function = {"name": "get_weather", "parameters": parameters}
    arguments = {
        "model": f"gemini/{MODEL}",
        "api_key": gemini.api_key,
        "api_base": f"{gemini.url}/v1beta",
        "tools": [{"type": "function", "function": function}],
    }
    messages: list[Any] = [{"role": "user", "content": QUESTION}]

    called = litellm.completion(messages=messages, **arguments).choices[0].message
    (call,) = called.tool_calls
    result = {"role": "tool", "tool_call_id": call.id, "content": "grey in Paris"}
    messages += [called.model_dump(), result]
    answer = litellm.completion(messages=messages, **arguments)

    assert call.function.name == "get_weather"
    assert answer.choices[0].message.content == "It rains."


def test_litellm_embeds(gemini: Gemini) -> None:
    """In a batch."""
    litellm: Any = importlib.import_module("litellm")

    made = litellm.embedding(
        model=f"gemini/{EMBEDDER}",
        input=["a", "b"],
        api_key=gemini.api_key,
        api_base=f"{gemini.url}/v1beta",
    )

    assert [len(one["embedding"]) for one in made.data] == [3072, 3072]


# pydantic-ai


def test_pydantic_ai_calls_functions_and_gets_data(gemini: Gemini) -> None:
    """A tool of one's own, and then the one for the answer, which the model must call."""
    module: Any = importlib.import_module("pydantic_ai")
    models: Any = importlib.import_module("pydantic_ai.models.google")
    providers: Any = importlib.import_module("pydantic_ai.providers.google")
    pydantic: Any = importlib.import_module("pydantic")
    provider = providers.GoogleProvider(api_key=gemini.api_key, base_url=gemini.url)
    answer = pydantic.create_model("Weather", sky=(str, ...))
    agent = module.Agent(
        models.GoogleModel(MODEL, provider=provider), output_type=answer, tools=[get_weather]
    )
    gemini.say(Reply.call("get_weather", city="Paris"), Reply.call("final_result", sky="grey"))

    result = agent.run_sync(QUESTION)

    assert result.output.sky == "grey"
    assert "grey in Paris" in str(gemini.requests[-1].contents)


# instructor


@pytest.mark.parametrize("mode", ["GENAI_STRUCTURED_OUTPUTS", "GENAI_TOOLS"])
def test_instructor_gets_data(gemini: Gemini, mode: str) -> None:
    """In both of its modes, untold."""
    from google import genai

    module: Any = importlib.import_module("instructor")
    pydantic: Any = importlib.import_module("pydantic")
    user = pydantic.create_model("User", name=(str, ...), age=(int, ...))
    with genai.Client() as plain:
        client: Any = module.from_genai(plain, mode=getattr(module.Mode, mode))

        made = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "hi"}], response_model=user
        )

    assert (made.name, made.age) == ("text", 1)
