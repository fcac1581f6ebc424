"""Parameters that every API of Google's takes, with a dollar in front or without."""

from collections.abc import Callable

import pytest
import requests

from pytest_resilience_gemini import Gemini, Reply

Ask = Callable[..., requests.Response]
INT = {"$alt": "json;enum-encoding=int"}
HARM = {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}


def test_enums_are_numbers_where_they_are_asked_for(gemini: Gemini, ask: Ask) -> None:
    """As google-generativeai asks in every call; what a function is called with stays."""
    gemini.say(
        Reply(("Hi.",), finish="MAX_TOKENS", calls=(("f", {"category": "HARM_CATEGORY_TOXICITY"}),),
              ratings={"HARM_CATEGORY_HARASSMENT": "LOW"})
    )  # fmt: skip

    answer = ask(params=INT).json()

    candidate = answer["candidates"][0]
    assert candidate["finishReason"] == 2
    assert candidate["safetyRatings"] == [{"category": 7, "probability": 2}]
    call = candidate["content"]["parts"][1]["functionCall"]
    assert call["args"] == {"category": "HARM_CATEGORY_TOXICITY"}
    assert answer["usageMetadata"]["promptTokensDetails"] == [{"modality": 1, "tokenCount": 3}]


@pytest.mark.parametrize(
    ("reply", "numbers"),
    [
        (Reply.blocked("SAFETY"), [1]),
        (Reply.blocked("JAILBREAK"), ["JAILBREAK"]),
        (Reply.safety("UNEXPECTED_TOOL_CALL"), [12]),
        (Reply.safety("MALFORMED_RESPONSE"), ["MALFORMED_RESPONSE"]),
    ],
)
def test_what_has_no_number_in_the_protos_stays_a_name(
    gemini: Gemini, ask: Ask, reply: Reply, numbers: list[object]
) -> None:
    """Nothing is made up."""
    gemini.say(reply)

    answer = ask(params={"alt": "json;enum-encoding=int"}).json()

    reasons = [one["finishReason"] for one in answer.get("candidates", ())]
    assert reasons + list(answer.get("promptFeedback", {}).values()) == numbers


@pytest.mark.parametrize("alt", ["json;enum-encoding=int", "sse;enum-encoding=int"])
def test_streams_have_numbers_too(gemini: Gemini, ask: Ask, alt: str) -> None:
    """Of either form."""
    gemini.say(Reply(("one ", "two")))

    text = ask(method="streamGenerateContent", params={"$alt": alt}).text

    assert text.count('"finishReason": 1') == 1
    assert text.count('"modality": 1') == 2
    assert text.startswith("data: ") is alt.startswith("sse")


def test_traps_have_numbers_too(gemini: Gemini, ask: Ask) -> None:
    """An answer whose text was taken away."""
    gemini.fail("no_content")

    assert ask(params=INT).json()["candidates"] == [{"finishReason": 3, "index": 0}]


def test_tokens_are_counted_with_numbers(ask: Ask) -> None:
    """Their modality is an enum."""
    answer = ask(method="countTokens", params=INT).json()

    assert answer["promptTokensDetails"] == [{"modality": 1, "tokenCount": 3}]


def test_a_stream_of_events_may_be_asked_for_with_a_dollar(gemini: Gemini, ask: Ask) -> None:
    """``$alt`` is ``alt``."""
    answer = ask(method="streamGenerateContent", params={"$alt": "sse"})

    assert answer.headers["Content-Type"] == "text/event-stream"


def test_the_key_may_come_with_a_dollar(gemini: Gemini, ask: Ask) -> None:
    """``$key`` is ``key``."""
    assert ask(headers={}, params={"$key": gemini.api_key}).ok


def test_blanks_may_be_left_out(gemini: Gemini, ask: Ask) -> None:
    """In answers and in the list of models; an error is never dense."""
    dense = {"prettyPrint": "FALSE"}
    gemini.say("<b> é")
    answer, error = ask(params=dense), ask({}, params=dense)
    url = f"{gemini.url}/v1/models/gemini-3.8-flash?$prettyPrint=false"
    model = requests.get(url, headers={"x-goog-api-key": gemini.api_key}, timeout=10)

    assert answer.text.startswith(
        '{"candidates":[{"content":{"parts":[{"text":"\\u003cb\\u003e é"}],"role":"model"},'
    )
    assert error.text.startswith('{\n  "error": {\n    "code": 400,')
    assert model.text.startswith('{"name":"models/gemini-3.8-flash","version":"001",')


@pytest.mark.parametrize("model", ["gemini-pro", "gemini-1.0-pro-001"])
def test_the_first_models_said_in_every_event_why_they_stopped(model: str) -> None:
    """Clients that take the first reason for the end have lost texts by that."""
    with Gemini(models=[model]) as gemini:
        gemini.say(Reply(("one ", "two ", "three")))
        url = f"{gemini.url}/v1/models/{model}:streamGenerateContent?key={gemini.api_key}"
        events = requests.post(url, json={"contents": {"parts": {"text": "x"}}}, timeout=10).json()

    assert [event["candidates"][0]["finishReason"] for event in events] == ["STOP"] * 3


@pytest.mark.parametrize(
    ("alt", "message"),
    [
        ("media", 'Unsupported alt type "media" for non byte stream request.'),
        ("MEDIA", 'Unsupported alt type "media" for non byte stream request.'),
        ("proto", "Invalid value \"proto\" for query parameter 'alt'"),
        ("Xml", "Invalid value \"Xml\" for query parameter 'alt'"),
        ("sse?key=AIza", "Invalid value \"sse?key=AIza\" for query parameter 'alt'"),
    ],
)
def test_a_form_that_there_is_not_is_refused(
    gemini: Gemini, ask: Ask, alt: str, message: str
) -> None:
    """Before the key is looked at; the last is what a key behind a second question mark does."""
    error = {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}
    list_url = f"{gemini.url}/v1/models"

    assert ask(headers={}, params={"alt": alt}).json() == error
    assert ask(headers={}, method="streamGenerateContent", params={"alt": alt}).json() == [error]
    assert requests.get(list_url, params={"$alt": alt}, timeout=10).json() == error
    assert gemini.requests == []


@pytest.mark.parametrize("alt", ["", "json", "JSON", "json&alt=media", "Sse"])
def test_forms_are_written_in_any_case_and_the_first_counts(gemini: Gemini, alt: str) -> None:
    """Of several."""
    url = f"{gemini.url}/v1/models/gemini-3.8-flash:streamGenerateContent?alt={alt}"
    body = {"contents": {"parts": {"text": "x"}}}

    text = requests.post(f"{url}&key={gemini.api_key}", json=body, timeout=10).text

    assert text.startswith("data: " if alt == "Sse" else "[{")


def test_a_list_may_come_as_a_script(gemini: Gemini) -> None:
    """A call of the function that is named, and always 200; nothing else comes so."""
    url, key = f"{gemini.url}/v1/models/gemini-3.8-flash", {"x-goog-api-key": gemini.api_key}
    named = {"callback": "my.fn[0]", "fields": "name"}

    good = requests.get(url, params=named, headers=key, timeout=10)
    bad = requests.get(url, params=named, timeout=10)
    plain = requests.get(url, params={**named, "alt": "sse"}, headers=key, timeout=10)

    assert good.text == '// API callback\nmy.fn[0]({\n  "name": "models/gemini-3.8-flash"\n}\n);'
    assert good.headers["Content-Type"] == "text/javascript; charset=UTF-8"
    assert bad.status_code == 200
    assert bad.text.startswith('// API callback\nmy.fn[0]({\n  "error": {\n    "code": 403,')
    assert plain.json() == {"name": "models/gemini-3.8-flash"}


def test_what_cannot_be_called_is_refused_by_its_own_name(gemini: Gemini) -> None:
    """Escaped, so that it does nothing."""
    url = f"{gemini.url}/v1/models"

    answer = requests.get(url, params={"callback": 'a("<b>")'}, timeout=10)

    assert answer.status_code == 200
    assert answer.text.startswith('// API callback\na(\\"\\u003cb\\u003e\\")({\n')
    assert "Invalid JSONP callback name: 'a(" in answer.text


def test_a_post_comes_as_no_script(ask: Ask) -> None:
    """Whatever it is to be called."""
    assert ask(params={"callback": "a b"}).json().keys() == ask().json().keys()


def test_what_cannot_be_seen_is_escaped(gemini: Gemini, ask: Ask) -> None:
    """And other letters, signs and blanks are not."""
    hidden = "\x7f\x85\xad\u200b\u2028\ufeff\U000e0041<>"
    seen = "é\u00a0\u3000🙂&'/"
    gemini.say(f"{hidden}|{seen}")

    whole, event = ask(), ask(method="streamGenerateContent", params={"alt": "sse"})

    escaped = r"\u007f\u0085\u00ad\u200b\u2028\ufeff\udb40\udc41\u003c\u003e"
    assert f'"text": "{escaped}|{seen}"' in whole.content.decode()
    assert r'"text": "\u007f\u0085"' in event.content.decode()
    assert whole.json()["candidates"][0]["content"]["parts"] == [{"text": f"{hidden}|{seen}"}]


@pytest.mark.parametrize("field", ["serviceTier", "service_tier"])
def test_a_tier_is_named_by_answers(ask: Ask, field: str) -> None:
    """In each event's usage, and in a header field of what is no stream."""
    body = {"contents": {"parts": {"text": "x"}}, field: "flex"}

    whole = ask(body)
    array = ask(body, method="streamGenerateContent")
    counted = ask({"contents": {"parts": {"text": "x"}}}, method="countTokens")

    assert whole.headers["X-Gemini-Service-Tier"] == "flex"
    assert whole.json()["usageMetadata"]["serviceTier"] == "flex"
    assert {event["usageMetadata"]["serviceTier"] for event in array.json()} == {"flex"}
    assert "X-Gemini-Service-Tier" not in array.headers
    assert "X-Gemini-Service-Tier" not in counted.headers
    assert ask().headers["X-Gemini-Service-Tier"] == "standard"


def test_a_tier_that_there_is_not_is_refused(ask: Ask) -> None:
    """Nor are those that there are known in upper case."""
    kind = "type.googleapis.com/google.ai.generativelanguage.v1beta.ServiceTier"
    for tier in ("FLEX", "not-a-tier"):
        answer = ask({"contents": {"parts": {"text": "x"}}, "serviceTier": tier})
        message = answer.json()["error"]["message"]
        assert message == f"Invalid value at 'service_tier' ({kind}), \"{tier}\""
