"""The zoo's short claims as policies."""

from __future__ import annotations

from typing import Any

from pytest_resilience.policy.breaker import Breaker
from pytest_resilience.policy.policy import RetryPolicy
from tests.verify.zoo.kit import STATUSES

ALL = ("connect", "refused", "read-timeout", "reset", "truncated", "bad-json", "stale")


def failures(claim: dict[str, Any]) -> tuple[str, ...]:
    """Which failures are retried: all, unless something else is said."""
    given: tuple[str, ...] | None = claim.pop("failures", None)
    malformed = claim.pop("malformed", True)
    body = claim.pop("body_failures", True)
    if given is not None:
        return given
    left_out = set() if malformed else {"bad-json"}
    left_out |= set() if body else {"truncated", "bad-json"}
    return tuple(failure for failure in ALL if failure not in left_out)


def policy(**claim: Any) -> RetryPolicy:
    """The policy of a client that claims this; the rest is as most of the zoo has it."""
    claim.pop("environment", None)
    retry = claim.pop("urllib3", None)
    if retry is not None:
        claim.pop("body_failures", None)
        return RetryPolicy.from_urllib3(retry, timeout=claim.get("timeout"))
    if not claim:
        return RetryPolicy()
    retries = claim.get("attempts", 1) != 1
    retried = failures(claim)
    if retries:
        claim.setdefault("statuses", STATUSES)
        claim["failures"] = retried
    if "waits" in claim:
        claim["backoff"] = claim.pop("waits")
    if "retry_after_cap" in claim:
        claim["retry_after"] = True
    if "breaker" in claim:
        claim["breaker"] = Breaker(*claim["breaker"])
    return RetryPolicy(**claim)
