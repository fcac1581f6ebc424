"""Faults that only a Vault has: something happens to it at an attempt, and stays.

A preset such as ``sealed`` answers one attempt with Vault's words. An event changes the
Vault itself: the attempt that meets it is refused as the changed Vault would refuse it, and
so is everything after it, until the test, or time, or a new login mends it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_resilience import faults
from pytest_resilience_vault._errors import (
    Refused,
    invalid_token,
    no_leader,
    no_token,
    not_allowed,
    sealed,
)
from pytest_resilience_vault._nodes import NODE_PATHS
from pytest_resilience_vault._presets import QUOTA
from pytest_resilience_vault._seal import STEP_DOWN_SECONDS

if TYPE_CHECKING:
    from pytest_resilience import Attempt
    from pytest_resilience_vault._vault import Vault

QUOTA_SECONDS = 60
SLOW_SECONDS = 5.0
"""Longer than some clients wait, and shorter than the 30 and 60 s of hvac and of the Go client."""

Event = Callable[["Vault", "Attempt"], Refused]
"""Changes a Vault, and returns how it then refuses the attempt."""


def _seal(vault: Vault, _attempt: Attempt) -> Refused:
    vault.seal()
    return sealed()


def _step_down(vault: Vault, _attempt: Attempt) -> Refused:
    vault.step_down(seconds=STEP_DOWN_SECONDS)
    return no_leader()


def _revoke(vault: Vault, attempt: Attempt) -> Refused:
    token = _token_of(attempt)
    if not token:
        return no_token()
    vault.revoke(token)
    return invalid_token()


def _lose_permission(vault: Vault, attempt: Attempt) -> Refused:
    vault.deny(attempt.path.removeprefix("/v1/"))
    return not_allowed()


def _quota(vault: Vault, attempt: Attempt) -> Refused:
    vault.use_up_quota(QUOTA_SECONDS)
    return Refused(429, QUOTA.format(path=attempt.path.removeprefix("/v1/")))


EVENTS: dict[str, Event] = {
    "lose_permission": _lose_permission,
    "quota": _quota,
    "revoke_token": _revoke,
    "seal": _seal,
    "step_down": _step_down,
}


def _token_of(attempt: Attempt) -> str:
    bearer = attempt.headers.get("Authorization", "")
    named = attempt.headers.get("X-Vault-Token")
    return named or (bearer[7:] if bearer.startswith("Bearer ") else "")


def _is_of_node(attempt: Attempt) -> bool:
    return attempt.path.removeprefix("/v1/") in NODE_PATHS


class Happening:
    """An event as a fault; the application does not see the attempt."""

    processed = False
    replaces_answer = True

    def __init__(self, name: str, vault: Vault, answer: Callable[[int, list[str]], Any]) -> None:
        self.label = name
        self._vault = vault
        self._answer = answer

    def wants(self, attempt: Attempt) -> bool:
        """Health checks and their like are left alone."""
        return not _is_of_node(attempt)

    def apply(self, script: Any, context: Any) -> Any:
        """Change the Vault, and put its refusal in place of the answer."""
        refused = EVENTS[self.label](self._vault, context.attempt)
        response = self._answer(refused.status, refused.errors)
        answer = replace(
            script.answer,
            status=refused.status,
            headers=tuple(response.headers.to_wsgi_list()),
            body=tuple(response.iter_encoded()),
            reason=None,
        )
        return replace(script, answer=answer)

    def __repr__(self) -> str:
        return f"<event {self.label}>"


class SlowStorage:
    """The storage behind the Vault takes its time; health does not ask it, and is quick."""

    label = "slow_storage"

    def __init__(self) -> None:
        self._latency = faults.latency(SLOW_SECONDS)

    def wants(self, attempt: Attempt) -> bool:
        """Only what is stored."""
        return not _is_of_node(attempt)

    def apply(self, script: Any, context: Any) -> Any:
        """Be late."""
        return self._latency.apply(script, context)

    def __repr__(self) -> str:
        return "<event slow_storage>"


def events(vault: Vault, answer: Callable[[int, list[str]], Any]) -> dict[str, Any]:
    """All of them by name."""
    named: dict[str, Any] = {name: Happening(name, vault, answer) for name in EVENTS}
    return {**named, "slow_storage": SlowStorage()}
