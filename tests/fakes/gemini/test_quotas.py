"""quota(): requests and tokens, a minute and a day, counted on the server's clock."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from pytest_resilience import PlanError, VirtualClock
from pytest_resilience_gemini import Gemini

Ask = Callable[..., requests.Response]

SERVICE = "generativelanguage.googleapis.com/"
LONG = {"contents": [{"parts": [{"text": "x" * 400}]}]}  # 100 tokens
DAY = 86_400


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    """In force before the fake starts."""
    with VirtualClock() as clock:
        yield clock


@pytest.fixture
def metered(clock: VirtualClock, gemini: Gemini) -> Gemini:
    """The fake on a virtual clock; its quotas begin when they are set."""
    return gemini


def violations_of(response: requests.Response) -> list[dict[str, Any]]:
    """The quotas that a 429 says are used up."""
    assert response.status_code == 429
    details = {d["@type"].rpartition(".")[2]: d for d in response.json()["error"]["details"]}
    assert details.keys() == {"QuotaFailure", "Help", "RetryInfo"}
    assert "Retry-After" not in response.headers
    violations: list[dict[str, Any]] = details["QuotaFailure"]["violations"]
    return violations


def delay_of(response: requests.Response) -> str:
    """What RetryInfo says."""
    (delay,) = (d["retryDelay"] for d in response.json()["error"]["details"] if "retryDelay" in d)
    return str(delay)


def test_requests_a_minute(clock: VirtualClock, metered: Gemini, ask: Ask) -> None:
    """So many, and then a 429 that says when the minute ends; then so many again."""
    metered.quota(requests_per_minute=2)

    first, second = ask(), ask()
    time.sleep(12.5)
    third = ask()
    time.sleep(47)
    early = ask()
    time.sleep(0.5)
    fourth = ask()

    assert [r.status_code for r in (first, second, third, early, fourth)] == [
        200,
        200,
        429,
        429,
        200,
    ]
    assert violations_of(third) == [
        {
            "quotaMetric": SERVICE + "generate_content_free_tier_requests",
            "quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
            "quotaDimensions": {"location": "global", "model": "gemini-3.8-flash"},
            "quotaValue": "2",
        }
    ]
    assert third.json()["error"]["message"] == (
        "You exceeded your current quota, please check your plan and billing details. For more "
        "information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. "
        "To monitor your current usage, head to: https://ai.dev/rate-limit. \n* Quota exceeded "
        "for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, "
        "limit: 2, model: gemini-3.8-flash\nPlease retry in 47.500s."
    )
    assert (delay_of(third), delay_of(early)) == ("47s", "0s")


def test_who_waits_as_long_as_the_text_says_gets_through(
    clock: VirtualClock, metered: Gemini, ask: Ask
) -> None:
    """To the nanosecond; the whole seconds of RetryInfo are too few."""
    metered.quota(requests_per_minute=1)
    time.sleep(0.25)
    ask()
    refused = ask()
    text = refused.json()["error"]["message"].rpartition("Please retry in ")[2]

    time.sleep(float(text.removesuffix("s.")))

    assert text == "59.750s."
    assert ask().status_code == 200
    assert clock.now == 60


def test_tokens_a_minute(clock: VirtualClock, metered: Gemini, ask: Ask) -> None:
    """Those of prompts; one that is too long for what is left does not count."""
    metered.quota(tokens_per_minute=150)

    assert ask(LONG).status_code == 200
    assert violations_of(ask(LONG)) == [
        {
            "quotaMetric": SERVICE + "generate_content_free_tier_input_token_count",
            "quotaId": "GenerateContentInputTokensPerModelPerMinute-FreeTier",
            "quotaDimensions": {"location": "global", "model": "gemini-3.8-flash"},
            "quotaValue": "150",
        }
    ]
    assert ask().status_code == 200


def test_requests_a_day(clock: VirtualClock, metered: Gemini, ask: Ask) -> None:
    """What is used up for the day says to come again in a minute, in vain."""
    metered.quota(requests_per_day=1)
    ask()
    time.sleep(10)
    refused = ask()
    time.sleep(50)

    assert violations_of(refused)[0]["quotaId"] == (
        "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
    )
    assert delay_of(refused) == "50s"
    assert ask().status_code == 429

    clock.advance(DAY - 61)
    assert ask().status_code == 429
    clock.advance(1)
    assert ask().status_code == 200


def test_a_day_ends_at_midnight_in_california(
    clock: VirtualClock, metered: Gemini, ask: Ask
) -> None:
    """However soon that is; the next one is whole."""
    metered.quota(requests_per_day=1, day_ends_in=3600)
    ask()

    clock.advance(3599)
    assert ask().status_code == 429
    clock.advance(1)
    assert ask().status_code == 200
    clock.advance(DAY - 1)
    assert ask().status_code == 429
    clock.advance(1)
    assert ask().status_code == 200


def test_tokens_a_day_and_all_that_is_used_up(
    clock: VirtualClock, metered: Gemini, ask: Ask
) -> None:
    """Every quota that is used up is named, in details and text."""
    metered.quota(requests_per_minute=1, tokens_per_day=120)
    ask(LONG)
    refused = ask(LONG)

    assert [violation["quotaId"] for violation in violations_of(refused)] == [
        "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
        "GenerateContentInputTokensPerModelPerDay-FreeTier",
    ]
    assert refused.json()["error"]["message"].count("\n* Quota exceeded for metric: ") == 2


def test_a_paid_tier(clock: VirtualClock, metered: Gemini, ask: Ask) -> None:
    """Has other names."""
    metered.quota(requests_per_minute=0, tokens_per_minute=0, requests_per_day=0, paid=True)

    assert [(v["quotaMetric"], v["quotaId"]) for v in violations_of(ask())] == [
        (SERVICE + "generate_requests_per_model", "GenerateRequestsPerMinutePerProjectPerModel"),
        (
            SERVICE + "generate_content_paid_tier_input_token_count",
            "GenerateContentPaidTierInputTokensPerModelPerMinute",
        ),
        (
            SERVICE + "generate_requests_per_model_per_day",
            "GenerateRequestsPerDayPerProjectPerModel",
        ),
    ]


def test_each_model_has_its_own(clock: VirtualClock, metered: Gemini, ask: Ask) -> None:
    """Another model still answers, streaming or not."""
    metered.quota(requests_per_minute=1)
    ask()

    other = ask(method="streamGenerateContent", model="gemini-3.7-flash")

    assert other.status_code == 200
    assert ask(method="streamGenerateContent").json()[0]["error"]["code"] == 429


@pytest.mark.parametrize("count", [1, 3])
def test_each_text_is_an_embedding(
    clock: VirtualClock, metered: Gemini, ask: Ask, count: int
) -> None:
    """In a batch as well, and tokens are not counted."""
    metered.quota(requests_per_minute=3, tokens_per_minute=1, requests_per_day=9)
    content = {"parts": [{"text": "hello"}]}
    request = {"model": "models/gemini-embedding-001", "content": content}
    body: dict[str, Any]
    if count == 1:
        body, method = {"content": content}, "embedContent"
    else:
        body, method = {"requests": [request] * count}, "batchEmbedContents"

    statuses = [
        ask(body, method, model="gemini-embedding-001").status_code for _ in range(3 // count)
    ]

    assert set(statuses) == {200}
    assert violations_of(ask(body, method, model="gemini-embedding-001"))[0]["quotaId"] == (
        "EmbedContentRequestsPerMinutePerUserPerProjectPerModel-FreeTier"
    )


def test_what_is_refused_does_not_count(clock: VirtualClock, metered: Gemini, ask: Ask) -> None:
    """Neither bad requests, nor those that meet a fault, nor counts of tokens."""
    metered.quota(requests_per_minute=1)
    metered.fail(503)

    assert ask().status_code == 503
    assert ask({}).status_code == 400
    assert ask(method="countTokens").status_code == 200
    assert ask().status_code == 200
    assert ask().status_code == 429
    assert len(metered.requests) == 1


def test_a_quota_can_be_set_by_state_and_ends_with_it(
    clock: VirtualClock, metered: Gemini, ask: Ask
) -> None:
    """For other languages; start_over takes it away."""
    metered.set_state({"quota": {"requests_per_minute": 0}})
    refused = ask().status_code
    metered.start_over()

    assert (refused, ask().status_code) == (429, 200)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"requests_per_minute": -1}, r"quota\(requests_per_minute=-1\): want a number, 0 or"),
        ({"tokens_per_minute": 1.5}, r"quota\(tokens_per_minute=1.5\): want a number"),
        ({"requests_per_day": True}, r"quota\(requests_per_day=True\): want a number"),
        ({"day_ends_in": 0}, r"quota\(day_ends_in=0\): want seconds, up to a day's 86400"),
        ({"day_ends_in": "x"}, r"quota\(day_ends_in='x'\): want seconds"),
        ({"tokens_per_day": 1, "paid": True}, "a paid tier knows of no such quota"),
    ],
)
def test_a_quota_that_cannot_be_meant_is_refused(
    gemini: Gemini, limits: dict[str, Any], message: str
) -> None:
    """By its name, and nothing has changed."""
    with pytest.raises(PlanError, match=message):
        gemini.quota(**limits)


@pytest.mark.parametrize(
    ("passed", "text"),
    [(59.1, "900ms."), (59.999999, "0.001ms."), (59.5712, "428.800ms."), (0, "60s.")],
)
def test_less_than_a_second_is_said_in_milliseconds(
    clock: VirtualClock, metered: Gemini, ask: Ask, passed: float, text: str
) -> None:
    """And RetryInfo says nothing of it."""
    metered.quota(requests_per_minute=0)
    time.sleep(passed)

    error = ask().json()["error"]

    assert error["message"].rpartition("Please retry in ")[2] == text.replace(".800", ".8")
