"""Services with tokens: refused, expired, forbidden; and redirects to another origin."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pytest_resilience import faults
from pytest_resilience.checks import login
from pytest_resilience.checks.credentials import carried, is_login, logins
from pytest_resilience.errors import ServerError
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.stage import Stage
from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.records import Attempt
from pytest_resilience.server.server import FakeServer

__all__ = ["scenarios"]

OFTEN = 30
ELSEWHERE = "127.0.0.2"
VAULT = "x-vault-token"
STANDBY = "x-vault-request"
"""Sent by Vault's own clients and hvac, which have to follow a standby node's 307 to the active
node with their token."""


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """For a client that logs in, and for one that has a credential at all."""
    policy, attempts = subject.policy, subject.baseline.trace
    used = [a for a in attempts if not is_login(a, policy) and carried(a)]
    if used and logins(attempts, policy):
        yield from _tokens(policy, used[0])
    if any(carried(attempt) for attempt in attempts):
        yield Scenario(
            name="redirect-elsewhere",
            clause="does not send its credentials to another origin",
            play=lambda stage: _redirect(stage, subject),
            checks=[login.sent_elsewhere],
        )


def _tokens(policy: RetryPolicy, used: Attempt) -> Iterator[Scenario]:
    # Vault knows no 401: it answers a token that has ended with 403, "permission denied".
    refusal = 403 if VAULT in used.headers else 401

    def needs_token(attempt: Attempt) -> bool:
        return not is_login(attempt, policy)

    def expired(stage: Stage) -> dict[str, object]:
        kept = login.keeps_token(stage.call(), policy)
        stage.fail(refusal, when=needs_token)
        stage.call()
        stage.server.plan.clear()
        stage.call()
        return {"kept": kept, "refusal": refusal}

    yield Scenario(
        name="expired-token",
        clause="logs in again when its token is refused",
        play=expired,
        checks=[login.renewed],
    )
    yield Scenario(
        name="refused-tokens",
        clause="does not log in again and again",
        play=lambda stage: (stage.fail(refusal, when=needs_token, times=OFTEN), stage.call()),
        checks=[login.refused],
    )
    if refusal == 401:
        yield Scenario(
            name="forbidden",
            clause="does not log in because of a 403",
            play=lambda stage: (
                stage.call(),
                stage.fail(403, when=needs_token, times=OFTEN),
                stage.call(),
            ),
            checks=[login.forbidden],
        )


def _redirect(stage: Stage, subject: Subject) -> dict[str, object]:
    standby = any(STANDBY in attempt.headers for attempt in subject.baseline.trace)
    with _elsewhere() as other:
        for code in (307,) if standby else (302, 307):
            stage.fail(faults.redirect(f"{other.url}/elsewhere", code), times=subject.enough)
            stage.call()
            stage.server.plan.clear()
        return {"elsewhere": other.trace, "allowed": VAULT if standby else ""}


@contextlib.contextmanager
def _elsewhere() -> Iterator[FakeServer]:
    """Another host, because a cookie does not mind the port; another port where there is none."""
    server = FakeServer(host=ELSEWHERE)
    try:
        server.start()
    except ServerError:  # Not every system has all of 127.0.0.0/8.
        server = FakeServer().start()
    try:
        yield server
    finally:
        server.stop()
