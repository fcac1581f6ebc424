"""The service's errors: by name, by status, and in the form that the call has asked for."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from pytest_resilience import PlanError
from pytest_resilience_gemini import Gemini

Ask = Callable[..., requests.Response]

GOOGLE_RPC = "type.googleapis.com/google.rpc."
SERVICE = "generativelanguage.googleapis.com"
HELP = {
    "@type": GOOGLE_RPC + "Help",
    "links": [
        {
            "description": "Learn more about Gemini API quotas",
            "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
        }
    ],
}
QUOTA = (
    "You exceeded your current quota, please check your plan and billing details. For more "
    "information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."
)

HIGH_DEMAND = (
    "This model is currently experiencing high demand. Spikes in demand are usually temporary. "
    "Please try again later."
)
DEADLINE = "Deadline expired before operation could complete."
INTERNAL = (
    "An internal error has occurred. Please retry or report in "
    "https://developers.generativeai.google/guide/troubleshooting"
)
EXHAUSTED = "Resource has been exhausted (e.g. check quota)."
PAYLOAD = "Request payload size exceeds the limit: 20971520 bytes."
TOO_LONG = "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576)."
LEAKED = "Your API key was reported as leaked. Please use another API key."
NO_KEY = (
    "Method doesn't allow unregistered callers (callers without established identity). Please "
    "use API Key or other form of API consumer identity to call this API."
)
LOCATION = "User location is not supported for the API use."
RETIRED = (
    "models/gemini-3.8-flash is not found for API version v1beta, or is not supported for "
    "generateContent. Call ListModels to see the list of available models and their supported "
    "methods."
)
CLOSED = (
    "This model models/gemini-3.8-flash is no longer available to new users. Please update your "
    "code to use models/gemini-3.8-flash for the latest features and improvements. We recommend "
    "you to use the Interactions API (https://ai.google.dev/gemini-api/docs/get-started)."
)
NO_CREDITS = (
    "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects "
    "to manage your project and billing. Learn more at "
    "https://ai.google.dev/gemini-api/docs/billing#prepay. "
)


def failing(metric: str, quota_id: str, value: str) -> dict[str, Any]:
    """The detail that names a quota."""
    return {
        "@type": GOOGLE_RPC + "QuotaFailure",
        "violations": [
            {
                "quotaMetric": f"generativelanguage.googleapis.com/generate_content_{metric}",
                "quotaId": quota_id,
                "quotaDimensions": {"location": "global", "model": "gemini-3.8-flash"},
                "quotaValue": value,
            }
        ],
    }


def retry(delay: str) -> dict[str, Any]:
    """The detail that says when to come again."""
    return {"@type": GOOGLE_RPC + "RetryInfo", "retryDelay": delay}


@pytest.mark.parametrize(
    ("name", "code", "status", "text"),
    [
        ("overloaded", 503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        ("high_demand", 503, "UNAVAILABLE", HIGH_DEMAND),
        ("unavailable_deadline", 503, "UNAVAILABLE", DEADLINE),
        ("deadline", 504, "DEADLINE_EXCEEDED", DEADLINE),
        ("internal", 500, "INTERNAL", INTERNAL),
        ("internal_short", 500, "INTERNAL", "Internal error encountered."),
        ("quota_exhausted", 429, "RESOURCE_EXHAUSTED", EXHAUSTED),
        ("credits_depleted", 429, "RESOURCE_EXHAUSTED", NO_CREDITS),
        ("key_leaked", 403, "PERMISSION_DENIED", LEAKED),
        ("key_missing", 403, "PERMISSION_DENIED", NO_KEY),
        ("location", 400, "FAILED_PRECONDITION", LOCATION),
        ("model_retired", 404, "NOT_FOUND", RETIRED),
        ("model_closed", 404, "NOT_FOUND", CLOSED),
        ("payload_too_large", 400, "INVALID_ARGUMENT", PAYLOAD),
        ("prompt_too_long", 400, "INVALID_ARGUMENT", TOO_LONG),
        ("invalid_argument", 400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    ],
)
def test_errors_without_details(  # noqa: PLR0917 -- the table's columns
    gemini: Gemini, ask: Ask, name: str, code: int, status: str, text: str
) -> None:
    """Code, message and status name; the key ``details`` is not there."""
    gemini.fail(name)

    response = ask()

    assert response.status_code == code
    assert response.json() == {"error": {"code": code, "message": text, "status": status}}
    assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert gemini.trace.faults == [name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("key_invalid", "API key not valid. Please pass a valid API key."),
        ("key_expired", "API key expired. Please renew the API key."),
        ("key_not_found", "API Key not found. Please pass a valid API key."),
    ],
)
def test_a_key_that_is_none_is_400(gemini: Gemini, ask: Ask, name: str, message: str) -> None:
    """All of them are API_KEY_INVALID, and say it twice."""
    gemini.fail(name)

    assert ask().json() == {
        "error": {
            "code": 400,
            "message": message,
            "status": "INVALID_ARGUMENT",
            "details": [
                {
                    "@type": GOOGLE_RPC + "ErrorInfo",
                    "reason": "API_KEY_INVALID",
                    "domain": "googleapis.com",
                    "metadata": {"service": SERVICE},
                },
                {
                    "@type": GOOGLE_RPC + "LocalizedMessage",
                    "locale": "en-US",
                    "message": message,
                },
            ],
        }
    }


def test_a_suspended_key_is_echoed(gemini: Gemini, ask: Ask) -> None:
    """Three times: whoever logs the body logs the key."""
    gemini.fail("key_suspended")

    response = ask()
    message = f"Permission denied: Consumer 'api_key:{gemini.api_key}' has been suspended."

    assert response.status_code == 403
    assert response.text.count(gemini.api_key) == 3
    assert response.json()["error"]["message"] == message
    assert response.json()["error"]["details"][0] == {
        "@type": GOOGLE_RPC + "ErrorInfo",
        "reason": "CONSUMER_SUSPENDED",
        "domain": "googleapis.com",
        "metadata": {
            "service": SERVICE,
            "consumer": "projects/895908428397",
            "containerInfo": f"api_key:{gemini.api_key}",
        },
    }


def test_a_blocked_method_is_named(gemini: Gemini, ask: Ask) -> None:
    """By its full name, in the text and in the details."""
    gemini.fail("key_blocked")

    error = ask(method="countTokens", version="v1").json()["error"]
    name = "google.ai.generativelanguage.v1.GenerativeService.CountTokens"

    assert error["message"] == f"Requests to this API {SERVICE} method {name} are blocked."
    assert error["details"][0]["reason"] == "API_KEY_SERVICE_BLOCKED"
    assert error["details"][0]["metadata"]["methodName"] == name
    assert error["details"][1]["message"] == error["message"]


def test_the_wrong_scheme_is_401(gemini: Gemini, ask: Ask) -> None:
    """The same as a real one."""
    gemini.fail("wrong_scheme")

    named = ask()
    real = ask(headers={"Authorization": "Bearer x"})

    assert named.status_code == 401
    assert named.content == real.content


def test_the_quota_of_a_minute(gemini: Gemini, ask: Ask) -> None:
    """Its delay has up to nine decimals."""
    gemini.fail("quota_per_minute")

    error = ask().json()["error"]

    assert error["code"] == 429
    assert error["message"] == QUOTA
    assert error["status"] == "RESOURCE_EXHAUSTED"
    assert error["details"] == [
        failing("free_tier_requests", "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "10"),
        HELP,
        retry("47.318205613s"),
    ]


def test_the_quota_of_tokens(gemini: Gemini, ask: Ask) -> None:
    """As reported in full."""
    gemini.fail("quota_tokens")

    assert ask().json()["error"]["details"] == [
        failing(
            "free_tier_input_token_count",
            "GenerateContentInputTokensPerModelPerMinute-FreeTier",
            "250000",
        ),
        HELP,
        retry("26s"),
    ]


def test_the_quota_of_a_day_may_say_come_again_in_half_a_minute(gemini: Gemini, ask: Ask) -> None:
    """It lies, and the message of 2026 repeats it."""
    gemini.fail("quota_per_day")

    error = ask().json()["error"]

    assert error["message"] == (
        QUOTA + " To monitor your current usage, head to: https://ai.dev/rate-limit. \n"
        "* Quota exceeded for metric: generativelanguage.googleapis.com/"
        "generate_content_free_tier_requests, limit: 20, model: gemini-3.8-flash\n"
        "Please retry in 36.429760048s."
    )
    assert error["details"] == [
        HELP,
        failing("free_tier_requests", "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "20"),
        retry("36s"),
    ]


def test_the_quota_of_a_paid_tier(gemini: Gemini, ask: Ask) -> None:
    """Its quotas have names of their own."""
    gemini.fail("quota_tokens_paid")

    error = ask().json()["error"]

    assert error["details"][1]["violations"] == [
        {
            "quotaMetric": f"{SERVICE}/generate_content_paid_tier_input_token_count",
            "quotaId": "GenerateContentPaidTierInputTokensPerModelPerMinute",
            "quotaDimensions": {"location": "global", "model": "gemini-3.8-flash"},
            "quotaValue": "1000000",
        }
    ]
    assert error["message"].endswith("\nPlease retry in 37.632466616s.")
    assert error["details"][2] == retry("37s")


def test_a_quota_may_say_nothing_but_where_to_read(gemini: Gemini, ask: Ask) -> None:
    """Nothing says when to come again."""
    gemini.fail("quota_help_only")

    assert ask().json()["error"]["details"] == [HELP]


def test_a_key_for_one_site(gemini: Gemini, ask: Ask) -> None:
    """Angle brackets are escaped, as Google's front end does it."""
    gemini.fail("key_referrer_blocked")

    response = ask()
    error = response.json()["error"]

    assert error["message"] == "Requests from referer <empty> are blocked."
    assert b"referer \\u003cempty\\u003e are blocked" in response.content
    assert (response.status_code, error["status"]) == (403, "PERMISSION_DENIED")
    assert error["details"][0]["reason"] == "API_KEY_HTTP_REFERRER_BLOCKED"


def test_a_service_that_is_not_switched_on(gemini: Gemini, ask: Ask) -> None:
    """With the page on which to do so, in the text and in a link."""
    gemini.fail("service_disabled")
    page = (
        "https://console.developers.google.com/apis/api/generativelanguage.googleapis.com/"
        "overview?project=177838813423"
    )

    error = ask().json()["error"]

    assert error["message"].startswith(
        "Generative Language API has not been used in project 177838813423 before or it is "
        f"disabled. Enable it by visiting {page} then retry."
    )
    assert error["details"][0]["links"] == [
        {"description": "Google developers console API activation", "url": page}
    ]
    assert error["details"][1]["reason"] == "SERVICE_DISABLED"


def test_a_suspended_key_is_echoed_as_it_was_sent(gemini: Gemini, ask: Ask) -> None:
    """Whichever it was, in the header or in the query."""
    gemini.fail("key_suspended", times=2)

    first = ask(headers={"x-goog-api-key": "AIza-mine"}).json()["error"]
    second = ask(headers={}, params={"key": "AIza-too"}).json()["error"]

    assert first["message"] == (
        "Permission denied: Consumer 'api_key:AIza-mine' has been suspended."
    )
    assert second["details"][0]["metadata"]["containerInfo"] == "api_key:AIza-too"


@pytest.mark.parametrize("size", [20_971_521, 40_000_000])
def test_a_payload_may_be_too_large(gemini: Gemini, ask: Ask, size: int) -> None:
    """It is 400 and not 413, also where the server has read no more of it."""
    gemini.max_body = 30_000_000

    response = ask(b" " * size)

    assert response.status_code == 400
    assert response.json()["error"]["message"] == PAYLOAD


def test_who_plans_a_413_gets_one(gemini: Gemini, ask: Ask) -> None:
    """A proxy in front of the service may say so."""
    gemini.fail(413)

    assert ask().status_code == 413


@pytest.mark.parametrize(
    "name", ["quota_per_minute", "quota_per_day", "quota_tokens", "quota_exhausted"]
)
def test_no_quota_has_a_retry_after(gemini: Gemini, ask: Ask, name: str) -> None:
    """Gemini has never sent one."""
    gemini.fail(name)

    response = ask()

    assert response.status_code == 429
    assert "Retry-After" not in response.headers


def test_an_error_is_about_the_model_that_was_asked(gemini: Gemini, ask: Ask) -> None:
    """Not about any other."""
    gemini.fail("quota_per_minute", "model_retired")

    first = ask(model="gemini-2.5-pro").json()["error"]
    second = ask(model="gemini-2.5-pro", method="countTokens", version="v1").json()["error"]

    dimensions = first["details"][0]["violations"][0]["quotaDimensions"]
    assert dimensions == {"location": "global", "model": "gemini-2.5-pro"}
    assert second["message"].startswith(
        "models/gemini-2.5-pro is not found for API version v1, or is not supported for countTokens"
    )


def test_an_error_of_a_stream_of_events_is_plain_json(gemini: Gemini, ask: Ask) -> None:
    """And says all the same that it is text/event-stream."""
    gemini.fail("quota_exhausted")

    response = ask(method="streamGenerateContent", params={"alt": "sse"})

    assert response.status_code == 429
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.text == (
        '{\n  "error": {\n    "code": 429,\n'
        '    "message": "Resource has been exhausted (e.g. check quota).",\n'
        '    "status": "RESOURCE_EXHAUSTED"\n  }\n}\n'
    )


def test_an_error_of_a_plain_stream_is_an_array(gemini: Gemini, ask: Ask) -> None:
    """Of one."""
    gemini.fail("overloaded")

    named = ask(method="streamGenerateContent")
    real = ask({}, method="streamGenerateContent")

    assert named.text.startswith('[{\n  "error": {\n    "code": 503,\n')
    assert named.json()[0]["error"]["status"] == "UNAVAILABLE"
    assert real.json()[0]["error"]["code"] == 400
    assert named.headers["Content-Type"] == "application/json; charset=UTF-8"


def test_a_status_has_googles_body(gemini: Gemini, ask: Ask) -> None:
    """Whichever status is wanted."""
    gemini.fail(400, 401, 403, 404, 409, 429, 499, 500, 501, 503, 504, 418, 502, 302, 799)

    errors = [ask(allow_redirects=False).json()["error"] for _ in range(15)]

    assert [(error["code"], error["status"]) for error in errors] == [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (409, "ABORTED"),
        (429, "RESOURCE_EXHAUSTED"),
        (499, "CANCELLED"),
        (500, "INTERNAL"),
        (501, "UNIMPLEMENTED"),
        (503, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"),
        (418, "FAILED_PRECONDITION"),
        (502, "INTERNAL"),
        (302, "UNKNOWN"),
        (799, "UNKNOWN"),
    ]
    assert errors[9]["message"] == "The model is overloaded. Please try again later."
    assert errors[12]["message"] == "Bad Gateway"
    assert errors[14]["message"] == "Unknown Error."


def test_a_message_of_ones_own(gemini: Gemini) -> None:
    """error() takes it."""
    assert gemini.error(503, "No.") == (
        503,
        {"error": {"code": 503, "message": "No.", "status": "UNAVAILABLE"}},
    )


def test_an_unknown_name_lists_those_there_are(gemini: Gemini) -> None:
    """A typo is told at once."""
    with pytest.raises(
        PlanError, match=r"no fault is named 'overload'; did you mean 'overloaded'\?"
    ):
        gemini.fail("overload")


def test_presets_can_be_asked_for_by_themselves(gemini: Gemini) -> None:
    """Each is a name and the answer it gives; each has a name for a fault."""
    statuses = {name: make().status_code for name, make in gemini.presets.items()}

    assert statuses["overloaded"] == 503
    assert statuses["quota_per_day"] == 429
    assert statuses["model_retired"] == 404
    assert gemini.named_faults.keys() - statuses.keys() == {
        "no_candidates",
        "no_content",
        "no_parts",
        "no_text",
        "stream_malformed",
        "stream_error_event",
        "stream_error_tail",
    }
    assert repr(gemini.named_faults["overloaded"]) == "<preset overloaded>"


def test_a_fault_on_another_path_is_an_answer_too(gemini: Gemini) -> None:
    """A preset needs no model in the path."""
    gemini.fail("quota_per_minute", "key_blocked", "model_retired")
    url = f"{gemini.url}/v1/somewhere"

    first, second, third = (requests.get(url, timeout=10).json()["error"] for _ in range(3))

    violation = first["details"][0]["violations"][0]
    assert violation["quotaDimensions"]["model"] == "gemini-3.8-flash"
    assert second["message"].endswith("v1.ModelService.ListModels are blocked.")
    assert third["message"].startswith("models/gemini-1.5-flash is not found for API version v1,")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/"),
        ("POST", "/v2/models"),
        ("POST", "/models/gemini-3.8-flash:generateContent"),
        ("POST", "/v1beta/models/gemini-3.8-flash:generate"),
        ("POST", "/v1beta/models"),
        ("PUT", "/v1beta/models/gemini-3.8-flash:generateContent"),
        ("GET", "/v1beta/models/gemini-3.8-flash:generateContent"),
        ("GET", "/v1/models/gemini-3.8-flash:streamGenerateContent?alt=sse"),
    ],
)
def test_a_path_or_a_method_that_there_is_not_is_an_empty_404(
    gemini: Gemini, method: str, path: str
) -> None:
    """Nothing is said of it, key or no key; the trace knows that no route matched."""
    response = requests.request(method, gemini.url + path, json={}, timeout=10)

    assert (response.status_code, response.content) == (404, b"")
    assert response.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert [attempt.unmatched for attempt in gemini.trace] == [True]
