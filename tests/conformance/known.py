"""Where the fake differs from a real OpenBao on purpose, and why. Keep it short."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.conformance.sides import GONE, Ask, Said


@dataclass(frozen=True, slots=True)
class Known:
    """A difference, the reason for it, and how it is told."""

    reason: str
    fits: Callable[[Ask, Said, Said], bool]
    """Of the request, the fake's answer and the real one's."""


def _errors(said: Said) -> str:
    errors = said.body.get("errors") if isinstance(said.body, dict) else None
    return "\n".join(errors or ())


_RENEWED = ("policies", "metadata", "renewable", "token_type", "orphan", "num_uses")


def _a_second_later(ask: Ask, fake: Said, real: Said) -> bool:
    """Whether they renewed alike, but for one second: the time left, and the warning about it."""
    if not (ask.path.startswith("auth/token/renew") and fake.status == real.status == 200):
        return False
    ours, theirs = fake.body["auth"], real.body["auth"]
    alike = all(ours[name] == theirs[name] for name in _RENEWED)
    return alike and abs(ours["lease_duration"] - theirs["lease_duration"]) == 1


def _names_no_type(ask: Ask) -> bool:
    """Whether it gives a role ``"token_type": null``, which makes OpenBao panic."""
    return isinstance(ask.body, dict) and ask.body.get("token_type", "") is None


KNOWN = [
    Known(
        "a second has begun between the two answers, and a renewal counts from its beginning",
        _a_second_later,
    ),
    Known(
        "OpenBao 2.7.2 panics and closes the connection",
        lambda ask, fake, real: (
            real.status == GONE and (fake.status in (400, 500) or _names_no_type(ask))
        ),
    ),
    Known(
        "role/<name>/bind-secret-id is never found: a defect of OpenBao 2.7.2",
        lambda ask, fake, real: "/bind-secret-id" in ask.path and real.status == 404,
    ),
    Known(
        "the fake's text of the default policy has no comments",
        lambda ask, fake, real: (
            ask.method == "GET" and ask.path.endswith("/default") and fake.status == real.status
        ),
    ),
    Known(
        "OpenBao reads JSON to its end; Vault, and the fake, stop behind the first value",
        lambda ask, fake, real: ask.raw == b"{}}" and "decode JSON" in _errors(real),
    ),
]


def explained(ask: Ask, fake: Said, real: Said) -> Known | None:
    """The known difference that this is."""
    return next((known for known in KNOWN if known.fits(ask, fake, real)), None)
