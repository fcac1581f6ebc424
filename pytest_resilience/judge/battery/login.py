"""Services with tokens: refused, expired, forbidden; and redirects to another origin."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_resilience import faults
from pytest_resilience.checks import login
from pytest_resilience.checks.credentials import carried, is_login, logins, pairs, told
from pytest_resilience.errors import ServerError
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.spy import Spy
from pytest_resilience.judge.stage import Stage
from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.records import Attempt
from pytest_resilience.server.server import FakeServer

__all__ = ["scenarios"]

OFTEN = 30
AT_ONCE = 4
SLOW = 0.2
"""Seconds that a login takes, so that several of them can be under way at once."""
OLD = 30 * 86_400.0
"""Seconds after which a client that looks at the age of its token takes a new one."""
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
        # Vault knows no 401: it answers a token that has ended with 403, "permission denied".
        tokens = _Tokens(policy, 403 if VAULT in used[0].headers else 401)
        yield from tokens.of_one()
        # Only who says that he logs in by himself is asked to do so for several callers at once.
        # Each call of a foreign runner has a loop, and a thread, of its own.
        if policy.login is not None and not subject.is_foreign:
            yield from tokens.of_several()
            yield tokens.of_two_calls()
    if any(pairs(attempt) or attempt.body for attempt in attempts):
        yield Scenario(
            name="redirect-elsewhere",
            clause="does not send its credentials to another origin",
            play=lambda stage: _redirect(stage, subject),
            checks=[login.sent_elsewhere],
        )


@dataclass(frozen=True, slots=True)
class _Tokens:
    policy: RetryPolicy
    refusal: int

    def of_one(self) -> Iterator[Scenario]:
        """One caller and his token."""
        yield Scenario(
            name="expired-token",
            clause="logs in again when its token is refused",
            play=self._expired,
            checks=[login.renewed, login.used],
        )
        yield Scenario(
            name="refused-tokens",
            clause="does not log in again and again",
            play=lambda stage: (self._refuse(stage, self.refusal, OFTEN), stage.call()),
            checks=[login.refused],
        )
        if self.refusal == 401:
            yield Scenario(
                name="forbidden",
                clause="does not log in because of a 403",
                play=lambda stage: (
                    stage.call(),
                    self._refuse(stage, 403, OFTEN),
                    stage.call(),
                ),
                checks=[login.forbidden],
            )

    def of_several(self) -> Iterator[Scenario]:
        """Several callers who share one token; it takes one login to have another."""
        yield Scenario(
            name="refused-token-of-several",
            clause="logs in once when several callers find their token refused",
            play=self._several(self._refused_for),
            checks=[login.once],
        )
        yield Scenario(
            name="old-token-of-several",
            clause="logs in once when several callers find their token too old",
            play=self._several(lambda stage, _: stage.advance(OLD)),
            checks=[login.once],
        )

    def of_two_calls(self) -> Scenario:
        """Two calls in a row, while the token of the first is good."""
        return Scenario(
            name="token-of-two-calls",
            clause="does not log in while its token is good",
            play=self._twice,
            checks=[login.each_time],
        )

    def _twice(self, stage: Stage) -> dict[str, object]:
        spy = Spy()
        stage.fail(spy, when=self._is_login, times=OFTEN)
        for _ in range(2):
            stage.call()
        return {"answers": [_all_of(answer) for answer in spy.seen]}

    def _needs_token(self, attempt: Attempt) -> bool:
        return not is_login(attempt, self.policy)

    def _is_login(self, attempt: Attempt) -> bool:
        return is_login(attempt, self.policy)

    def _refuse(self, stage: Stage, status: int, times: int) -> object:
        return stage.fail(status, when=self._needs_token, times=times)

    def _expired(self, stage: Stage) -> dict[str, object]:
        kept = login.keeps_token(stage.call(), self.policy)
        answers = []
        for _ in range(2):
            spy = Spy()
            stage.fail(spy, when=self._is_login, times=OFTEN)
            self._refuse(stage, self.refusal, 1)
            stage.call()
            stage.server.plan.clear()
            answers.append(b"".join(_all_of(answer) for answer in spy.seen))
        stage.call()
        return {"kept": kept, "refusal": self.refusal, "answers": answers}

    def _refused_for(self, stage: Stage, callers: int) -> None:
        fault = faults.together(faults.latency(SLOW), faults.status(self.refusal))
        stage.fail(fault, when=self._needs_token, times=callers)

    def _several(
        self, spoil: Callable[[Stage, int], object]
    ) -> Callable[[Stage], dict[str, object]]:
        def play(stage: Stage) -> dict[str, object]:
            stage.together(AT_ONCE)
            shared = not logins(stage.server.trace, self.policy)
            spoil(stage, 1)
            alone = stage.call()
            stage.server.plan.clear()
            spoil(stage, AT_ONCE)
            stage.fail(faults.latency(SLOW), when=self._is_login, times=OFTEN)
            stage.together(AT_ONCE)
            return {"shared": shared, "alone": len(logins(alone.trace, self.policy))}

        return play


def _all_of(answer: object) -> bytes:
    """Head and body of what a server answers, to look for a token in it."""
    return repr(getattr(answer, "headers", "")).encode() + getattr(answer, "whole", b"")


def _redirect(stage: Stage, subject: Subject) -> dict[str, object]:
    standby = any(STANDBY in attempt.headers for attempt in subject.baseline.trace)
    # What is in a body is a secret where somebody has said so.
    named = [secret for secret in stage.server.secrets if secret.named]
    # Not the login that comes before, whose answer has to be the true one.
    ways: list[tuple[int, Callable[[Attempt], bool]]] = [
        (307, lambda sent: bool(pairs(sent))),
        (302, lambda sent: bool(pairs(sent))),
        (307, lambda sent: bool(told(sent, named))),
    ]
    with _elsewhere() as other:
        for code, when in ways[:1] if standby else ways:
            stage.fail(
                faults.redirect(f"{other.url}/elsewhere", code), when=when, times=subject.enough
            )
            if any(map(when, subject.baseline.trace)):
                stage.call()
            stage.server.plan.clear()
        return {"elsewhere": other.trace, "allowed": VAULT if standby else "", "named": named}


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
