"""Quotas that count: requests and tokens, a minute and a day, for each model by itself.

Minutes and days are windows of the server's clock (discuss.ai.google.dev/t/6851: "every
minute at second 00"; ai.google.dev/gemini-api/docs/rate-limits: days begin "at midnight
Pacific time"). Here minutes are counted from the moment the quota was set, so that a test
finds the same waits whenever it runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from pytest_resilience import PlanError
from pytest_resilience_gemini._errors import (
    SERVICE,
    ApiError,
    help_links,
    quota_failure,
    retry_info,
)

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE

QUOTA = (
    "You exceeded your current quota, please check your plan and billing details. For more "
    "information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."
)
USAGE = " To monitor your current usage, head to: https://ai.dev/rate-limit. "
HELP = help_links(
    ("Learn more about Gemini API quotas", "https://ai.google.dev/gemini-api/docs/rate-limits")
)

# What is counted and which quota it is, as reports have them: Roo-Code#3883, OmniRoute#9504,
# gemini-cli-action#36, gemini-cli#22486; a day's tokens, a paid tier and embeddings as public
# code that reads these bodies has them.
GENERATE_NAMES = {
    "requests_per_minute": (
        "generate_content_free_tier_requests",
        "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
    ),
    "tokens_per_minute": (
        "generate_content_free_tier_input_token_count",
        "GenerateContentInputTokensPerModelPerMinute-FreeTier",
    ),
    "requests_per_day": (
        "generate_content_free_tier_requests",
        "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
    ),
    "tokens_per_day": (
        "generate_content_free_tier_input_token_count",
        "GenerateContentInputTokensPerModelPerDay-FreeTier",
    ),
}
PAID_NAMES = {
    "requests_per_minute": (
        "generate_requests_per_model",
        "GenerateRequestsPerMinutePerProjectPerModel",
    ),
    "tokens_per_minute": (
        "generate_content_paid_tier_input_token_count",
        "GenerateContentPaidTierInputTokensPerModelPerMinute",
    ),
    "requests_per_day": (
        "generate_requests_per_model_per_day",
        "GenerateRequestsPerDayPerProjectPerModel",
    ),
}
# An embedding is a request for each text, in a batch as well.
EMBED_NAMES = {
    "requests_per_minute": (
        "embed_content_free_tier_requests",
        "EmbedContentRequestsPerMinutePerUserPerProjectPerModel-FreeTier",
    ),
    "requests_per_day": (
        "embed_content_free_tier_requests",
        "EmbedContentRequestsPerDayPerUserPerProjectPerModel-FreeTier",
    ),
}


@dataclass(frozen=True, slots=True)
class Quota:
    """How much there is; None is no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    requests_per_day: int | None = None
    tokens_per_day: int | None = None
    day_ends_in: float = 86_400.0
    paid: bool = False

    def __post_init__(self) -> None:
        for field in LIMITS:
            value = getattr(self, field)
            if value is not None and (type(value) is not int or value < 0):
                raise PlanError(f"quota({field}={value!r}): want a number, 0 or more, or None")
        ends: object = self.day_ends_in
        if isinstance(ends, bool) or not isinstance(ends, int | float) or not 0 < ends <= 86_400:
            raise PlanError(f"quota(day_ends_in={ends!r}): want seconds, up to a day's 86400")
        if type(self.paid) is not bool:
            raise PlanError(f"quota(paid={self.paid!r}): want True or False")
        if self.paid and self.tokens_per_day is not None:
            raise PlanError("quota(tokens_per_day=...): a paid tier knows of no such quota")

    @classmethod
    def from_json(cls, data: Any) -> Quota:
        """A quota of an object with some of this class's fields."""
        names = [field.name for field in fields(cls)]
        if not isinstance(data, Mapping):
            raise PlanError(f"state: quota wants an object, not {data!r}")
        unknown = sorted(str(name) for name in data if name not in names)
        if unknown:
            raise PlanError(f"state: quota has no {unknown[0]!r}; there are: {', '.join(names)}")
        return cls(**data)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` makes this quota of."""
        return asdict(self)


LIMITS = ("requests_per_minute", "tokens_per_minute", "requests_per_day", "tokens_per_day")


class Meter:
    """Counts what each model is asked for, and refuses what is too much.

    A request that is refused does not count: inferred, since a client that went on asking
    would never get through.
    """

    def __init__(self, quota: Quota, now: int) -> None:
        self.quota = quota
        self._limited = any(getattr(quota, limit) is not None for limit in LIMITS)
        self._began = now
        self._counts: dict[tuple[str, str, int], int] = {}

    def generate(self, model: str, tokens: int, now: int) -> None:
        """Count one request to generate content, of so many tokens; or raise the 429."""
        names = PAID_NAMES if self.quota.paid else GENERATE_NAMES
        self._count(model, {"requests": 1, "tokens": tokens}, names, now)

    def embed(self, model: str, texts: int, now: int) -> None:
        """Count a request to embed so many texts; or raise the 429."""
        self._count(model, {"requests": texts}, EMBED_NAMES, now)

    def _count(
        self, model: str, amounts: Mapping[str, int], names: Mapping[str, tuple[str, str]], now: int
    ) -> None:
        if not self._limited:
            return
        wanted = {
            (model, limit, self._window(limit, now)): amounts[limit.partition("_")[0]]
            for limit in LIMITS
            if limit.partition("_")[0] in amounts and getattr(self.quota, limit) is not None
        }
        over = [
            key[1]
            for key, amount in wanted.items()
            if self._counts.get(key, 0) + amount > getattr(self.quota, key[1])
        ]
        if over:
            raise self._refusal(model, over, names, now)
        for key, amount in wanted.items():
            self._counts[key] = self._counts.get(key, 0) + amount

    def _window(self, limit: str, now: int) -> int:
        passed = now - self._began
        if limit.endswith("_minute"):
            return passed // MINUTE
        return (passed + DAY - round(self.quota.day_ends_in * SECOND)) // DAY

    def _refusal(
        self, model: str, over: list[str], names: Mapping[str, tuple[str, str]], now: int
    ) -> ApiError:
        """The 429. A day's says no more than a minute's when to come (inspect_ai#5526)."""
        violations = [violation(*names[limit], model, getattr(self.quota, limit)) for limit in over]
        left = MINUTE - (now - self._began) % MINUTE
        return exceeded(violations, duration(left))


def violation(metric: str, quota_id: str, model: str, value: int) -> dict[str, Any]:
    """One quota that is used up."""
    return {
        "quotaMetric": f"{SERVICE}/{metric}",
        "quotaId": quota_id,
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": str(value),
    }


def exceeded(violations: list[dict[str, Any]], delay: str) -> ApiError:
    """The 429 of 2026, whose message repeats its details (OmniRoute#9504, continue#10921).

    It carries no Retry-After, and its RetryInfo leaves out the fraction of a second that its
    message has.
    """
    lines = "".join(
        f"\n* Quota exceeded for metric: {one['quotaMetric']}, limit: {one['quotaValue']}, "
        f"model: {one['quotaDimensions']['model']}"
        for one in violations
    )
    text = f"{QUOTA}{USAGE}{lines}\nPlease retry in {_spoken(delay)}."
    whole = delay.rstrip("s").partition(".")[0] + "s"
    return ApiError(429, text, details=[HELP, quota_failure(*violations), retry_info(whole)])


def _spoken(delay: str) -> str:
    """What is less than a second is said in milliseconds (gemini-cli reads "900ms" there)."""
    if not delay.startswith("0."):
        return delay
    thousandth, rest = divmod(int(f"{delay[2:-1]:0<9}"), SECOND // 1000)
    return f"{thousandth}.{rest:06}".rstrip("0").rstrip(".") + "ms"


def duration(nanoseconds: int) -> str:
    """A protobuf Duration in JSON: 0, 3, 6 or 9 digits behind the point."""
    seconds, rest = divmod(nanoseconds, SECOND)
    digits = f"{rest:09}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{seconds}.{digits}s" if digits else f"{seconds}s"
