"""What one model can do and another cannot."""

from collections.abc import Callable

import pytest
import requests

from pytest_resilience_gemini import Gemini

Ask = Callable[..., requests.Response]

HI = [{"role": "user", "parts": [{"text": "hi"}]}]

LEVEL = "Thinking level "
NO_LEVEL = LEVEL + "is not supported for this model."
NO_MINIMAL = LEVEL + (
    "MINIMAL is not supported for this model. Please retry with other thinking level."
)
BOGUS = (
    "Invalid value at 'generation_config.thinking_config.thinking_level' "
    "(type.googleapis.com/google.ai.generativelanguage.v1beta.ThinkingConfig.ThinkingLevel), "
    '"BOGUS"'
)
ALWAYS = "Budget 0 is invalid. This model only works in thinking mode."


def budget_error(budget: int, least: int, most: int) -> str:
    """What is said of a budget that is not between these."""
    return (
        f"The thinking budget {budget} is invalid. Please choose a value between {least} and "
        f"{most}."
    )


@pytest.mark.parametrize(
    ("model", "thinking", "message"),
    [
        ("gemini-3.8-flash", {"thinkingLevel": "low"}, None),
        ("gemini-3.8-flash", {"thinkingBudget": 0}, None),
        ("gemini-3.5-flash-lite", {"thinkingLevel": "MINIMAL"}, None),
        ("gemini-2.5-flash", {"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}, None),
        (
            "gemini-3.8-flash",
            {"thinkingLevel": "low", "thinkingBudget": 0},
            "You can only set only one of thinking budget and thinking level.",
        ),
        ("gemini-2.5-flash", {"thinkingLevel": "low"}, NO_LEVEL),
        ("gemini-3.8-flash", {"thinkingLevel": "minimal"}, NO_MINIMAL),
        ("gemini-3.1-pro-preview", {"thinkingLevel": "minimal"}, NO_MINIMAL),
        ("gemini-3.8-flash", {"thinkingLevel": "BOGUS"}, BOGUS),
        ("gemini-2.5-pro", {"thinkingBudget": 0}, ALWAYS),
        ("gemini-3.1-pro-preview", {"thinkingBudget": 0}, ALWAYS),
        ("gemini-2.5-pro", {"thinkingBudget": 127}, budget_error(127, 128, 32_768)),
        ("gemini-2.5-pro", {"thinkingBudget": 128}, None),
        ("gemini-2.5-pro", {"thinkingBudget": -1}, None),
        ("gemini-2.5-flash", {"thinkingBudget": 24_577}, budget_error(24_577, 0, 24_576)),
        ("gemini-2.5-flash", {"thinkingBudget": 24_576}, None),
    ],
)
def test_models_think_as_much_as_they_can(
    ask: Ask, model: str, thinking: dict[str, object], message: str | None
) -> None:
    """A level or a budget, and none that the model does not know."""
    answer = ask(
        {"contents": HI, "generationConfig": {"thinkingConfig": thinking}}, model=model
    ).json()

    assert answer.get("error", {}).get("message") == message


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("gemini-3.8-flash", "Requests ending with a model turn are not supported."),
        ("gemini-3.6-flash", "Requests ending with a model turn are not supported."),
        ("gemini-3.5-flash", None),
        ("gemini-2.5-pro", None),
    ],
)
def test_the_newest_models_take_no_beginning_of_an_answer(
    ask: Ask, model: str, message: str | None
) -> None:
    """Older ones go on with it."""
    prefilled = [*HI, {"role": "model", "parts": [{"text": "Once upon"}]}]

    answer = ask({"contents": prefilled}, model=model).json()

    assert answer.get("error", {}).get("message") == message


@pytest.mark.parametrize("model", ["gemini-3.8-flash", "gemini-3.1-pro-preview"])
def test_from_gemini_3_on_there_is_one_candidate(ask: Ask, model: str) -> None:
    """Whoever wants several asks several times."""
    one, two = (
        ask({"contents": HI, "generationConfig": {"candidateCount": count}}, model=model).json()
        for count in (1, 2)
    )

    assert "error" not in one
    assert two["error"]["message"] == "Multiple candidates is not enabled for this model"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"presencePenalty": 0.5}, "Penalty is not enabled for this model"),
        ({"frequencyPenalty": -0.5}, "Penalty is not enabled for this model"),
        ({"frequencyPenalty": 0}, None),
        ({"responseLogprobs": True}, "Logprobs is not enabled for this model"),
        ({"responseLogprobs": False}, None),
    ],
)
def test_since_gemini_2_5_there_are_no_penalties_and_no_logprobs(
    ask: Ask, config: dict[str, object], message: str | None
) -> None:
    """Though the fields are there."""
    answer = ask({"contents": HI, "generationConfig": config}, model="gemini-2.5-flash").json()

    assert answer.get("error", {}).get("message") == message


def test_an_older_model_has_what_it_had() -> None:
    """Penalties, and several candidates."""
    config = {"presencePenalty": 0.5, "responseLogprobs": True, "candidateCount": 2}

    with Gemini(models=["gemini-2.0-flash"]) as gemini:
        answer = requests.post(
            f"{gemini.url}/v1beta/models/gemini-2.0-flash:generateContent",
            json={"contents": HI, "generationConfig": config},
            headers={"x-goog-api-key": gemini.api_key},
            timeout=10,
        )

    assert len(answer.json()["candidates"]) == 2
