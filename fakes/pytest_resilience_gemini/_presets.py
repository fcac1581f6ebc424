"""The service's errors by name, for ``fail("overloaded")``."""

from __future__ import annotations

from collections.abc import Callable

from pytest_resilience_gemini import _keys, _models
from pytest_resilience_gemini._errors import (
    DEADLINE,
    EXHAUSTED,
    INTERNAL,
    OVERLOADED,
    PAYLOAD,
    SERVICE,
    ApiError,
    error_info,
    help_links,
    localized_message,
    quota_failure,
    retry_info,
)
from pytest_resilience_gemini._quota import HELP, QUOTA, exceeded, violation
from pytest_resilience_gemini._wire import Call

Make = Callable[[Call, str], ApiError]
"""Makes the error of the call that meets it, and of the fake's key."""

PROJECT = "projects/177838813423"
CONSOLE = f"https://console.developers.google.com/apis/api/{SERVICE}/overview?project=177838813423"


def _quota(metric: str, quota_id: str, value: int, delay: str, *, lengthy: bool = False) -> Make:
    """A 429 in full. It carries no Retry-After, whatever its details say.

    Args:
        metric: What is counted.
        quota_id: Which quota is used up.
        value: How much it allows.
        delay: When to come again: a protobuf Duration.
        lengthy: The message of 2026, which repeats the details, and not that of 2025
            (Roo-Code#3883).
    """

    def make(call: Call) -> ApiError:
        broken = violation(metric, quota_id, call.model or "gemini-3.8-flash", value)
        if lengthy:
            return exceeded([broken], delay)
        return ApiError(429, QUOTA, details=[quota_failure(broken), HELP, retry_info(delay)])

    return _of_call(make)


def _of_call(make: Callable[[Call], ApiError]) -> Make:
    return lambda call, _: make(call)


def _plain(code: int, message: str, status: str | None = None) -> Make:
    return lambda _call, _key: ApiError(code, message, status=status)


def _key_error(message: str) -> Make:
    return lambda _call, _key: _keys.key_error(message)


def _suspended(_: Call, key: str) -> ApiError:
    """The body echoes the key, twice more in its details (continue#10902)."""
    message = f"Permission denied: Consumer 'api_key:{key}' has been suspended."
    info = error_info(
        "CONSUMER_SUSPENDED", consumer="projects/895908428397", containerInfo=f"api_key:{key}"
    )
    return ApiError(403, message, details=[info, localized_message(message)])


def _blocked(call: Call) -> ApiError:
    """The key is restricted to other APIs (continue#12781)."""
    message = f"Requests to this API {SERVICE} method {call.rpc} are blocked."
    info = error_info(
        "API_KEY_SERVICE_BLOCKED",
        consumer="projects/177838813423",
        apiName=SERVICE,
        methodName=call.rpc,
    )
    return ApiError(403, message, details=[info, localized_message(message)])


def _referrer(_: Call, __: str) -> ApiError:
    """The key is for the pages of one site (GeminiApp#10, youcount.github.io#14)."""
    info = error_info("API_KEY_HTTP_REFERRER_BLOCKED", consumer=PROJECT)
    return ApiError(403, "Requests from referer <empty> are blocked.", details=[info])


def _disabled(_: Call, __: str) -> ApiError:
    """The key's project has not switched the API on (deprecated-generative-ai-python#10)."""
    message = (
        "Generative Language API has not been used in project 177838813423 before or it is "
        f"disabled. Enable it by visiting {CONSOLE} then retry. If you enabled this API "
        "recently, wait a few minutes for the action to propagate to our systems and retry."
    )
    links = help_links(("Google developers console API activation", CONSOLE))
    return ApiError(403, message, details=[links, error_info("SERVICE_DISABLED", consumer=PROJECT)])


def _retired(call: Call) -> ApiError:
    method = call.method or "generateContent"
    return _models.not_found(call.model or "gemini-1.5-flash", call.version, method)


def _closed(call: Call) -> ApiError:
    """Still served, but not to whoever comes now; as a dozen projects met it in 2026."""
    return ApiError(
        404,
        f"This model models/{call.model or 'gemini-2.5-flash'} is no longer available to new "
        "users. Please update your code to use models/gemini-3.8-flash for the latest features "
        "and improvements. We recommend you to use the Interactions API "
        "(https://ai.google.dev/gemini-api/docs/get-started).",
    )


# dyad#3626, and three public transcripts in full; the blank at the end is the service's.
NO_CREDITS = (
    "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects "
    "to manage your project and billing. Learn more at "
    "https://ai.google.dev/gemini-api/docs/billing#prepay. "
)

PRESETS: dict[str, Make] = {
    "overloaded": _plain(503, OVERLOADED),
    # The wording of 2026.
    "high_demand": _plain(
        503,
        "This model is currently experiencing high demand. Spikes in demand are usually "
        "temporary. Please try again later.",
    ),
    "deadline": _plain(504, DEADLINE),
    # The same words came with a 503 as well.
    "unavailable_deadline": _plain(503, DEADLINE),
    "internal": _plain(500, INTERNAL),
    "internal_short": _plain(500, "Internal error encountered."),
    "quota_per_minute": _quota(
        "generate_content_free_tier_requests",
        "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
        10,
        "47.318205613s",  # up to nine decimals
    ),
    # The short delay is real, and obeying it is in vain (inspect_ai#5526).
    "quota_per_day": _quota(
        "generate_content_free_tier_requests",
        "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
        20,
        "36.429760048s",
        lengthy=True,
    ),
    "quota_tokens": _quota(
        "generate_content_free_tier_input_token_count",
        "GenerateContentInputTokensPerModelPerMinute-FreeTier",
        250_000,
        "26s",
    ),
    "quota_tokens_paid": _quota(
        "generate_content_paid_tier_input_token_count",
        "GenerateContentPaidTierInputTokensPerModelPerMinute",
        1_000_000,
        "37.632466616s",
        lengthy=True,
    ),
    # Nothing says when to come again.
    "quota_help_only": lambda _call, _key: ApiError(429, QUOTA, details=[HELP]),
    "quota_exhausted": _plain(429, EXHAUSTED),
    # No waiting helps, and only the words say so.
    "credits_depleted": _plain(429, NO_CREDITS),
    "key_invalid": _key_error(_keys.NOT_VALID),
    "key_expired": _key_error("API key expired. Please renew the API key."),  # continue#11336
    "key_not_found": _key_error(
        "API Key not found. Please pass a valid API key."  # gemini-cli#25198
    ),
    # continue#11541
    "key_leaked": _plain(403, "Your API key was reported as leaked. Please use another API key."),
    "key_suspended": _suspended,
    "key_missing": _plain(403, _keys.NO_KEY),
    "key_blocked": _of_call(_blocked),
    "key_referrer_blocked": _referrer,
    "service_disabled": _disabled,
    "wrong_scheme": _of_call(lambda call: _keys.wrong_scheme(call.rpc)),
    "location": _plain(
        400, "User location is not supported for the API use.", "FAILED_PRECONDITION"
    ),
    "model_retired": _of_call(_retired),
    "model_closed": _of_call(_closed),
    "payload_too_large": _plain(400, PAYLOAD),
    "prompt_too_long": _plain(
        400,
        "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
    ),
    "invalid_argument": _plain(400, "Request contains an invalid argument."),
}
