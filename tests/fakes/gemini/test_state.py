"""state() and set_state(): the fake by remote control."""

import json
from collections.abc import Callable

import pytest
import requests

from pytest_resilience import PlanError
from pytest_resilience_gemini import Gemini, Reply

Ask = Callable[..., requests.Response]


def test_a_new_fake_says_what_it_is(gemini: Gemini) -> None:
    """Texts, models and key, as JSON."""
    state = gemini.state()

    assert state.keys() == {"say", "models", "api_key", "quota"}
    assert state["say"] == ["Hello from the fake Gemini."]
    assert state["models"][0]["name"] == "models/gemini-3.8-flash"
    assert state["api_key"] == gemini.api_key
    assert json.loads(json.dumps(state)) == state


def test_a_state_can_be_carried_over(gemini: Gemini) -> None:
    """Into another fake, which then is the same."""
    gemini.say("one", Reply(("two", " three"), thoughts=3), Reply.blocked())
    gemini.quota(requests_per_minute=5, paid=True)
    other = Gemini()
    other.set_state(json.loads(json.dumps(gemini.state())))

    assert other.state() == gemini.state()
    assert other.api_key == gemini.api_key
    assert gemini.state()["say"] == [
        "one",
        {"pieces": ["two", " three"], "finish": "STOP", "block": None, "thoughts": 3},
        {"pieces": [], "finish": "STOP", "block": "PROHIBITED_CONTENT", "thoughts": 0},
    ]


def test_calls_and_ratings_can_be_carried_over(gemini: Gemini) -> None:
    """As objects, where there are any."""
    calls = Reply(calls=(("f", {"a": 1}), ("g", {})))
    rated = Reply.rated("x", HARASSMENT="LOW")
    gemini.say(calls, rated)
    other = Gemini()
    other.set_state(json.loads(json.dumps(gemini.state())))

    assert other.state()["say"] == gemini.state()["say"]
    assert gemini.state()["say"][0]["calls"] == [
        {"name": "f", "args": {"a": 1}},
        {"name": "g", "args": {}},
    ]
    assert gemini.state()["say"][1]["ratings"] == {"HARM_CATEGORY_HARASSMENT": "LOW"}
    assert hash(calls) == hash(Reply())


def test_what_was_said_is_not_said_again(gemini: Gemini, ask: Ask) -> None:
    """The state is what is still to come."""
    gemini.say("one", "two")
    ask()

    assert gemini.state()["say"] == ["two"]


def test_parts_not_given_stay(gemini: Gemini, ask: Ask) -> None:
    """Set one thing, and only that changes."""
    gemini.set_state({"say": ["x", {"block": "SAFETY"}]})

    assert ask().json()["candidates"][0]["content"]["parts"] == [{"text": "x"}]
    assert ask().json()["promptFeedback"] == {"blockReason": "SAFETY"}


def test_a_new_key_is_the_valid_one(gemini: Gemini, ask: Ask) -> None:
    """Until start_over brings the first one back."""
    first = gemini.api_key
    gemini.set_state({"api_key": "another"})

    assert ask(headers={"x-goog-api-key": first}).status_code == 400
    assert ask(headers={"x-goog-api-key": "another"}).status_code == 200
    assert gemini.environment["GEMINI_API_KEY"] == "another"

    gemini.start_over()

    assert ask(headers={"x-goog-api-key": first}).status_code == 200


def test_models_are_names_or_parts_of_resources(gemini: Gemini) -> None:
    """What is not said of a model is as for others."""
    gemini.set_state({"models": ["a", {"name": "models/b", "inputTokenLimit": 7}]})

    assert list(gemini.models) == ["a", "b"]
    assert gemini.models["b"]["inputTokenLimit"] == 7
    assert gemini.models["b"]["supportedGenerationMethods"][0] == "generateContent"


def test_start_over_forgets(gemini: Gemini, ask: Ask) -> None:
    """Texts and requests."""
    gemini.say("x")
    ask()
    gemini.start_over()

    assert gemini.requests == []
    assert gemini.state()["say"] == ["Hello from the fake Gemini."]


def test_a_function_is_shown_and_cannot_be_set(gemini: Gemini) -> None:
    """JSON knows no functions."""

    class Speaker:
        def __call__(self, prompt: object) -> str:
            return "x"

    gemini.say(str.upper, Speaker())  # type: ignore[arg-type]  # any callable will do here

    assert gemini.state()["say"] == [{"function": "str.upper"}, {"function": "Speaker"}]
    with pytest.raises(PlanError, match="a reply has no field 'function'; there are: pieces,"):
        gemini.set_state(gemini.state())


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ([], r"state: want an object, not \[\]"),
        ({"texts": []}, "state: no part 'texts'; there are: say, models, api_key, quota"),
        ({"say": "x"}, "state: say wants a list of texts or replies, not 'x'"),
        ({"say": []}, r"state: say wants a list of texts or replies, not \[\]"),
        ({"say": [7]}, "a reply is a text or an object, not 7"),
        ({"say": [{"text": "x"}]}, "a reply has no field 'text'; there are: pieces, finish,"),
        ({"say": [{"pieces": "x"}]}, r"Reply\(pieces='x'\): want a tuple of texts"),
        ({"say": [{"calls": 7}]}, 'a reply\'s call is {"name": ..., "args": {...}}, not 7'),
        ({"say": [{"calls": [{"f": 1}]}]}, "a reply's call is .*, not {'f': 1}"),
        (
            {"say": [{"calls": [{"args": {}}]}]},
            r"Reply\(calls=\(\(None, {}\),\)\): want a tuple of",
        ),
        ({"say": [{"ratings": 7}]}, r"Reply\(ratings=7\): want probabilities by category"),
        ({"say": [{"ratings": {"X": "LOW"}}]}, "category='X'"),
        ({"quota": 7}, "state: quota wants an object, not 7"),
        ({"quota": {"rpm": 7}}, "state: quota has no 'rpm'; there are: requests_per_minute,"),
        ({"quota": {"paid": 1}}, r"quota\(paid=1\): want True or False"),
        ({"say": [{"finish": "X"}]}, r"Reply\(finish='X'\): want one of STOP"),
        ({"models": "x"}, "state: models wants a list of names or resources, not 'x'"),
        ({"models": [7]}, "state: a model wants a name such as"),
        ({"models": [{"name": "models/"}]}, "state: a model wants a name such as"),
        ({"models": [{}]}, "state: a model wants a name such as"),
        ({"models": ["tunedModels/m"]}, "state: a model wants a name such as"),
        ({"models": [{"name": "m", "limit": 1}]}, "a model has no field 'limit'; there are: name,"),
        ({"models": [{"name": "m", "topK": "x"}]}, "state: a model's topK cannot be 'x'"),
        ({"models": [{"name": "m", "topK": True}]}, "state: a model's topK cannot be True"),
        ({"api_key": ""}, "state: api_key wants visible ASCII characters without blanks"),
        ({"api_key": 7}, "state: api_key wants visible ASCII characters without blanks"),
        ({"say": ["x"], "api_key": "a\n"}, "state: api_key wants visible ASCII characters"),
    ],
)
def test_a_state_that_cannot_be_meant_is_refused(
    gemini: Gemini, state: object, message: str
) -> None:
    """By name, and nothing has changed."""
    before = gemini.state()

    with pytest.raises(PlanError, match=message):
        gemini.set_state(state)

    assert gemini.state() == before
