"""A scenario: what is done to a client, and which check judges what was seen of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.checks.requests import may_be_repeated
from pytest_resilience.policy.policy import RetryPolicy

if TYPE_CHECKING:
    from pytest_resilience.judge.stage import Stage
    from pytest_resilience.plan import FaultLike

__all__ = ["Check", "Scenario", "Subject"]

Check: TypeAlias = Callable[[Observation, RetryPolicy], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of a client before the battery is put together."""

    policy: RetryPolicy
    baseline: Call
    """An undisturbed call."""
    is_async: bool
    standard: FaultLike | None
    """A fault after which it should try again, or was seen to; None when it never does."""
    is_foreign: bool = False
    """Whether its calls are run by something else than asyncio."""
    knows_secrets: bool = False
    """Whether its service has any that it could show."""

    @property
    def outage(self) -> FaultLike:
        """What an outage consists of: the standard fault, or a 503 for who never retries."""
        return 503 if self.standard is None else self.standard

    def retries_status(self, status: int) -> bool:
        """Whether it claims to retry this status, for the request that will meet it."""
        return bool(self.policy.retries_status(status)) and self._repeats

    def retries_failure(self, failure: str) -> bool:
        """Whether it claims to retry this failure, for the request that will meet it."""
        return bool(self.policy.retries_failure(failure)) and self._repeats

    @property
    def _repeats(self) -> bool:
        return may_be_repeated(self.baseline, self.policy)

    @property
    def enough(self) -> int:
        """How many faults in a row any client of this policy takes for an outage."""
        limit = self.policy.limit
        # A retry within a retry makes the square of it.
        return 12 if limit is None else max(limit + 3, min(limit * limit + 1, 50))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing that is tried.

    ::

        Scenario(
            name="status-503-then-ok",
            clause="retries 503",
            play=lambda stage: (stage.fail(503), stage.call()),
            checks=[statuses.retried(503)],
        )
    """

    name: str
    """Kebab-case and unique; ``verify(only=name)`` plays it alone."""
    clause: str
    """The promise that it puts to the test, in a few words: ``retries 503``."""
    play: Callable[[Stage], Mapping[str, object] | object]
    """Plans the faults and makes the calls. A mapping that it returns is the ``facts``."""
    checks: Iterable[Check]
