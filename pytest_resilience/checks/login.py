"""Tokens: kept when they are refused, asked for too often, or sent to somebody else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast
from urllib.parse import parse_qsl

from pytest_resilience.checks.credentials import FIELD, carried, logins
from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.records import Attempt, Trace

__all__ = ["forbidden", "keeps_token", "refused", "renewed", "sent_elsewhere"]

ENOUGH = 2
"""A login, and one more because of a refused token."""


def keeps_token(call: Call, policy: RetryPolicy) -> bool:
    """Whether a call used a token of an earlier call."""
    return bool(call.trace) and not logins(call.trace, policy)


def renewed(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A call with a token that was refused, and the call after it; one of them logs in."""
    if not seen.facts["kept"] or not seen.calls[-2].trace:
        return
    after = [attempt for call in seen.calls[-2:] for attempt in call.trace]
    if not logins(after, policy):
        refused = {a.number: "token refused" for a in after if a.status in (401, 403)}
        sentence = f"its token was refused with {seen.facts['refusal']}, and it did not log in"
        yield Finding("stale-token-kept", sentence, seen.evidence(marks=refused))


def refused(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Every token is refused: one more login may help, ten do not."""
    made = logins(seen.call.trace, policy)
    good = [attempt for attempt in made if not attempt.failed]
    allowed = ENOUGH if good else policy.limit or ENOUGH
    if len(made) > allowed:
        sentence = f"it logged in {len(made)} times in one call while its tokens were refused"
        marks = {attempt.number: f"login {place + 1}" for place, attempt in enumerate(made)}
        yield Finding("login-storm", sentence, seen.evidence(marks=marks))


def forbidden(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A 403 says that this user may not do this, and a new token is the same user's."""
    usual = len(logins(seen.calls[0].trace, policy))
    made = logins(seen.call.trace, policy)
    if len(made) > usual:
        sentence = "it logged in again after a 403"
        marks = {attempt.number: "login" for attempt in made}
        yield Finding("login-on-403", sentence, seen.evidence(marks=marks))


def sent_elsewhere(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Nothing that was secret at the origin arrives at the server it redirected to."""
    elsewhere = cast("Trace", seen.facts["elsewhere"])
    names = [name for name in _leaked(seen.trace, elsewhere) if name != seen.facts["allowed"]]
    if names:
        what = ", ".join(names)
        sentence = f"a redirect to another origin was followed with {what}"
        table = elsewhere.table().splitlines()
        yield Finding(
            "credentials-sent-elsewhere", sentence, (*seen.evidence(), "the other origin:", *table)
        )


def _leaked(here: Sequence[Attempt], there: Sequence[Attempt]) -> list[str]:
    """The names of what both servers were told."""
    told = {pair for attempt in here for pair in _credentials(attempt)}
    also = {pair for attempt in there for pair in _credentials(attempt)}
    return sorted({name for name, _ in told & also})


def _credentials(attempt: Attempt) -> set[tuple[str, str]]:
    fields = {(name, value) for name, value in carried(attempt).items()}
    query = parse_qsl(attempt.query)
    return fields | {
        (f"?{name}", value) for name, value in query if name == "key" or FIELD.search(name.lower())
    }
