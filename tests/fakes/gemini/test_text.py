"""What generateContent answers when all is well."""

import re
from collections.abc import Callable

import pytest
import requests

from pytest_resilience import PlanError
from pytest_resilience_gemini import Gemini, Prompt, Reply

Ask = Callable[..., requests.Response]

HELLO = {"contents": [{"role": "user", "parts": [{"text": "Say hello"}]}]}


def text_of(response: requests.Response) -> str:
    """The text where clients look for it."""
    found: str = response.json()["candidates"][0]["content"]["parts"][0]["text"]
    return found


def test_a_text_is_a_candidate_with_usage_and_identity(gemini: Gemini, ask: Ask) -> None:
    """The answer has the service's fields, and no others."""
    gemini.say("Hello, world.")

    answer = ask().json()

    assert re.fullmatch(r"[A-Za-z0-9_-]{23}", answer.pop("responseId"))
    assert answer == {
        "candidates": [
            {
                "content": {"parts": [{"text": "Hello, world."}], "role": "model"},
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 3,
            "candidatesTokenCount": 4,
            "totalTokenCount": 7,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}],
            "serviceTier": "standard",
        },
        "modelVersion": "gemini-3.8-flash",
    }


def test_the_headers_are_the_services(ask: Ask) -> None:
    """Content-Type is exact, Vary comes three times, and the server names itself."""
    response = ask()

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert response.raw.headers.getlist("Vary") == ["Origin", "X-Origin", "Referer"]
    assert response.headers["Server"] == "scaffolding on HTTPServer2"
    assert response.headers["X-XSS-Protection"] == "0"
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Server-Timing"] == "gfet4t7; dur=299"


def test_json_is_written_as_the_service_writes_it(gemini: Gemini, ask: Ask) -> None:
    """Two blanks deep, in UTF-8 and not escaped, with a newline at the end."""
    gemini.say("Grüße \U0001f426")

    body = ask().content

    assert body.startswith(b'{\n  "candidates": [\n    {\n      "content": {\n')
    assert "Grüße \U0001f426".encode() in body
    assert body.endswith(b"}\n")


def test_without_a_word_said_there_is_a_text(ask: Ask) -> None:
    """A fake that nobody has told anything answers all the same."""
    assert text_of(ask()) == "Hello from the fake Gemini."


def test_texts_are_said_in_turn_and_the_last_repeats(gemini: Gemini, ask: Ask) -> None:
    """One text a request; there is always something to say."""
    gemini.say("one", "two")

    assert [text_of(ask()) for _ in range(4)] == ["one", "two", "two", "two"]


def test_say_forgets_what_was_to_be_said_before(gemini: Gemini, ask: Ask) -> None:
    """The newest word counts."""
    gemini.say("one", "two")
    gemini.say("three")

    assert text_of(ask()) == "three"


def test_a_function_of_the_prompt_answers(gemini: Gemini, ask: Ask) -> None:
    """What is said may depend on what was asked."""
    gemini.say(lambda prompt: prompt.text.upper())

    assert text_of(ask()) == "SAY HELLO"


def test_a_function_may_return_a_reply(gemini: Gemini, ask: Ask) -> None:
    """A trap may depend on what was asked."""
    gemini.say(lambda prompt: Reply.blocked("SAFETY"))

    assert ask().json()["promptFeedback"] == {"blockReason": "SAFETY"}


def test_a_function_that_returns_something_else_is_the_tests_error() -> None:
    """The client gets a 500, and the test learns why."""
    with Gemini() as gemini:
        gemini.say(lambda prompt: None)  # type: ignore[arg-type,return-value]  # the mistake
        url = f"{gemini.url}/v1/models/gemini-3.8-flash:generateContent"
        body = {"contents": {"parts": {"text": "hi"}}}
        response = requests.post(
            url, json=body, headers={"x-goog-api-key": gemini.api_key}, timeout=10
        )

        assert response.status_code == 500
        assert [str(error) for error in gemini.errors] == [
            "the function given to say() returned None: want a text or a Reply"
        ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), r'say\(\) wants something to say: say\("text"\)'),
        ((7,), r"say\(7\): want a text, a Reply or a function of the Prompt"),
        (("text", None), r"say\(None\): want a text, a Reply or a function of the Prompt"),
    ],
)
def test_what_cannot_be_said_is_refused(
    gemini: Gemini, arguments: tuple[object, ...], message: str
) -> None:
    """say() refuses it there and then."""
    with pytest.raises(PlanError, match=message):
        gemini.say(*arguments)  # type: ignore[arg-type]  # the mistake


def test_requests_are_the_prompts_that_reached_the_model(gemini: Gemini, ask: Ask) -> None:
    """Refused ones and those that met a fault are not among them."""
    gemini.fail(503)
    ask()
    ask({"contents": []})
    ask(
        {
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "Hi"}]},
                {"role": "model", "parts": [{"text": "Hello"}]},
                {"role": "user", "parts": [{"text": "A "}, {"text": "tweet"}]},
            ],
            "generationConfig": {"maxOutputTokens": 9},
        },
        version="v1",
    )

    (prompt,) = gemini.requests

    assert prompt.text == "A tweet"
    assert prompt.system == "Be brief."
    assert prompt.config == {"max_output_tokens": 9}
    assert (prompt.model, prompt.version, prompt.stream) == ("gemini-3.8-flash", "v1", False)
    assert [content["role"] for content in prompt.contents] == ["user", "model", "user"]


def test_a_prompt_without_extras_has_empty_ones() -> None:
    """No system instruction and no config are no errors."""
    prompt = Prompt("m", "v1", stream=False, body={"contents": [{"parts": [{"text": "hi"}]}]})

    assert prompt.system == ""
    assert prompt.config == {}


@pytest.mark.parametrize("version", ["v1", "v1beta"])
@pytest.mark.parametrize(
    "body",
    [
        {"contents": [{"parts": [{"text": "hi"}]}], "systemInstruction": {"parts": {"text": "x"}}},
        {"contents": {"parts": {"text": "hi"}}, "system_instruction": {"parts": [{"text": "x"}]}},
        {"contents": [{"parts": [{"text": "hi"}]}], "generation_config": {"top_k": "3"}},
        {"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {"topK": 3.0}},
        {"contents": [{"role": "", "parts": [{"text": "hi"}]}], "tools": None},
    ],
)
def test_both_versions_take_both_spellings(ask: Ask, version: str, body: object) -> None:
    """Names in camelCase and snake_case, one value for a list of one, proto3's kinds of numbers."""
    assert ask(body, version=version).status_code == 200


def test_stop_sequences_end_the_text(gemini: Gemini, ask: Ask) -> None:
    """The text ends before the first of them, and the reason is STOP."""
    gemini.say("one two three")
    config = {"stopSequences": ["three", "two", ""]}

    candidate = ask({**HELLO, "generationConfig": config}).json()["candidates"][0]

    assert candidate["content"]["parts"] == [{"text": "one "}]
    assert candidate["finishReason"] == "STOP"


def test_a_text_longer_than_allowed_is_cut(gemini: Gemini, ask: Ask) -> None:
    """The limit on tokens counts, and the reason is MAX_TOKENS."""
    gemini.say("0123456789")

    answer = ask({**HELLO, "generationConfig": {"maxOutputTokens": 2}}).json()

    assert answer["candidates"][0]["content"]["parts"] == [{"text": "01234567"}]
    assert answer["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert answer["usageMetadata"]["candidatesTokenCount"] == 2


def test_a_text_as_long_as_allowed_is_whole(gemini: Gemini, ask: Ask) -> None:
    """The limit itself is within the limit."""
    gemini.say("01234567")

    answer = ask({**HELLO, "generationConfig": {"maxOutputTokens": 2}}).json()

    assert answer["candidates"][0]["finishReason"] == "STOP"


def test_a_text_stopped_at_once_is_empty(gemini: Gemini, ask: Ask) -> None:
    """There is still a text, of no characters."""
    gemini.say("END of it")

    answer = ask({**HELLO, "generationConfig": {"stopSequences": ["END"]}}).json()

    assert answer["candidates"][0]["content"]["parts"] == [{"text": ""}]


def test_candidates_come_as_many_as_wanted(gemini: Gemini, ask: Ask) -> None:
    """Each has its index, and all of them count."""
    gemini.say("four")

    two = {**HELLO, "generationConfig": {"candidateCount": 2}}
    answer = ask(two, model="gemini-2.5-flash").json()

    assert [candidate["index"] for candidate in answer["candidates"]] == [0, 1]
    assert answer["usageMetadata"]["candidatesTokenCount"] == 2
    assert answer["usageMetadata"]["totalTokenCount"] == 5


def test_the_same_seed_gives_the_same_answers() -> None:
    """Ids too, so that a failure can be replayed."""
    bodies = []
    for _ in range(2):
        with Gemini(seed=7) as gemini:
            url = f"{gemini.url}/v1/models/gemini-3.8-flash:generateContent"
            headers = {"x-goog-api-key": gemini.api_key}
            bodies.append(requests.post(url, json=HELLO, headers=headers, timeout=10).content)

    assert bodies[0] == bodies[1]


# The traps: 200, and no text where one looks.


def test_a_blocked_prompt_has_no_candidates(gemini: Gemini, ask: Ask) -> None:
    """The key is missing, not empty."""
    gemini.say(Reply.blocked())

    response = ask()
    answer = response.json()

    assert response.status_code == 200
    assert answer["promptFeedback"] == {"blockReason": "PROHIBITED_CONTENT"}
    assert "candidates" not in answer
    assert answer["usageMetadata"] == {
        "promptTokenCount": 3,
        "totalTokenCount": 3,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}],
        "serviceTier": "standard",
    }


def test_a_withheld_text_is_a_candidate_without_content(gemini: Gemini, ask: Ask) -> None:
    """Only the reason is there."""
    gemini.say(Reply.safety())

    assert ask().json()["candidates"] == [{"finishReason": "SAFETY", "index": 0}]


def test_tokens_spent_on_thoughts_leave_no_parts(gemini: Gemini, ask: Ask) -> None:
    """The content has a role and nothing else; the thoughts are in the sum."""
    gemini.say(Reply.max_tokens(thoughts=50))

    answer = ask().json()

    assert answer["candidates"] == [
        {"content": {"role": "model"}, "finishReason": "MAX_TOKENS", "index": 0}
    ]
    assert answer["usageMetadata"] == {
        "promptTokenCount": 3,
        "totalTokenCount": 53,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}],
        "thoughtsTokenCount": 50,
        "serviceTier": "standard",
    }


def test_the_model_may_have_nothing_to_say(gemini: Gemini, ask: Ask) -> None:
    """STOP, as if all were well, and no parts."""
    gemini.say(Reply.empty())

    assert ask().json()["candidates"] == [
        {"content": {"role": "model"}, "finishReason": "STOP", "index": 0}
    ]


def test_an_empty_text_is_a_part(gemini: Gemini, ask: Ask) -> None:
    """A text of no characters is not the same as no text."""
    gemini.say("")

    assert ask().json()["candidates"][0]["content"]["parts"] == [{"text": ""}]


def test_total_is_prompt_and_candidates_and_thoughts(gemini: Gemini, ask: Ask) -> None:
    """The usage adds up."""
    gemini.say(Reply(("Hello, world.",), thoughts=10))

    usage = ask().json()["usageMetadata"]

    assert usage["promptTokenCount"] == 3
    assert usage["candidatesTokenCount"] == 4
    assert usage["thoughtsTokenCount"] == 10
    assert usage["totalTokenCount"] == 17


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"pieces": "text"}, r"Reply\(pieces='text'\): want a tuple of texts"),
        ({"pieces": (1,)}, r"Reply\(pieces=\(1,\)\): want a tuple of texts"),
        ({"finish": "stop"}, r"Reply\(finish='stop'\): want one of STOP, MAX_TOKENS, SAFETY"),
        ({"block": "NO"}, r"Reply\(block='NO'\): want one of SAFETY, OTHER"),
        ({"thoughts": -1}, r"Reply\(thoughts=-1\): want a number of tokens"),
        ({"thoughts": True}, r"Reply\(thoughts=True\): want a number of tokens"),
    ],
)
def test_a_reply_that_cannot_be_is_refused(fields: dict[str, object], message: str) -> None:
    """Where it is written, with field, value and what is allowed."""
    with pytest.raises(PlanError, match=message):
        Reply(**fields)  # type: ignore[arg-type]  # the mistake
