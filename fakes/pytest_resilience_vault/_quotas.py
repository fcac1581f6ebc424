"""Rate-limit quotas, which count requests by path and client (vault/quotas)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pytest_resilience_vault._times import LONGEST, is_past

EXEMPT = (
    "sys/generate-recovery-token/attempt",
    "sys/generate-recovery-token/update",
    "sys/generate-root/attempt",
    "sys/generate-root/update",
    "sys/health",
    "sys/seal-status",
    "sys/unseal",
)
"""Paths that no quota counts, unless sys/quotas/config names others (quotas.go, seen)."""


class Place(NamedTuple):
    """What a path is, to a quota: a namespace, a mount in it, and the path below that."""

    space: str
    mount: str
    below: str


@dataclass(slots=True, eq=False)
class RateLimit:
    """So many requests in so many seconds, for each client's address (quotas_rate_limit.go)."""

    name: str
    rate: float
    interval: int = 1
    block_interval: int = 0
    space: str = ""
    """The namespace's path."""
    mount: str = ""
    """The mount's path in it; empty for a quota over all of the namespace."""
    path: str = ""
    """Below the mount; a star at the end stands for anything."""
    role: str = ""
    inheritable: bool = False
    """Whether it is over the namespaces below, too."""
    _windows: dict[str, tuple[float, int, int]] = field(default_factory=dict)
    """For each client: when its first window began, the number of its window, what is left."""
    _blocked: dict[str, float] = field(default_factory=dict)

    @property
    def limit(self) -> int:
        """Whole requests in a window (math.Round)."""
        return int(self.rate + 0.5)

    def shown(self) -> dict[str, Any]:
        """As a read shows it."""
        whole = int(self.rate)
        return {
            "block_interval": self.block_interval,
            "inheritable": self.inheritable,
            "interval": self.interval,
            "name": self.name,
            "path": f"{self.space}{self.mount}{self.path}",
            "rate": whole if whole == self.rate else self.rate,
            "role": self.role,
            "type": "rate-limit",
        }

    def take(self, client: str, now: float) -> tuple[bool, dict[str, str]]:
        """Whether one more request is allowed, and the header fields that say so."""
        blocked = self._blocked.get(client)
        if blocked is not None:
            left = blocked + self.block_interval - now
            if left > 0:
                return False, {"Retry-After": str(int(left))}
            del self._blocked[client]
        began, number, left_over = self._windows.get(client, (now, 0, self.limit))
        # Windows follow one another from the first request on (go-limiter, memorystore).
        current = int((now - began) // self.interval)
        if current != number:
            number, left_over = current, self.limit
        allowed = left_over > 0
        left_over -= allowed
        self._windows[client] = (began, number, left_over)
        reset = str(int(began + (number + 1) * self.interval - now))
        fields = {
            "X-Ratelimit-Limit": str(self.limit),
            "X-Ratelimit-Remaining": str(left_over),
            "X-Ratelimit-Reset": reset,
        }
        if not allowed:
            if self.block_interval:
                self._blocked[client] = now
                reset = str(self.block_interval)
            fields["Retry-After"] = reset
        return allowed, fields


class Quotas:
    """All quotas of a server."""

    def __init__(self) -> None:
        self.by_name: dict[str, RateLimit] = {}
        self.headers = False
        """Whether answers carry the fields of a quota; they do not by default."""
        self.audit = False
        self.exempt: list[str] = list(EXEMPT)
        self.closed_until = 0.0
        """A moment before which nobody has anything left."""

    @property
    def count(self) -> bool:
        """Whether there is anything to count."""
        return bool(self.by_name) or self.closed_until > 0

    def take(
        self, place: Place, path: str, role: str, client: str, now: float
    ) -> tuple[bool, dict[str, str]]:
        """Whether one more request is allowed, and the header fields that say so.

        Args:
            place: Of the path.
            path: As it was sent.
            role: Of a login, or "".
            client: The client's address.
            now: The moment.
        """
        if self.is_exempt(path):
            return True, {}
        if not is_past(self.closed_until, now):
            left = str(int(min(self.closed_until - now, LONGEST)))
            fields = {"X-Ratelimit-Limit": "1", "X-Ratelimit-Remaining": "0"}
            return False, {**fields, "X-Ratelimit-Reset": left, "Retry-After": left}
        quota = self.find(place, role)
        return (True, {}) if quota is None else quota.take(client, now)

    def find(self, place: Place, role: str) -> RateLimit | None:
        """The quota that decides: the most exact one (quotas.go, queryQuota).

        Args:
            place: Which is asked.
            role: Of a login, or "".
        """
        found = [quota for quota in self.by_name.values() if _covers(quota, place, role)]
        return max(found, key=_exactness, default=None)

    def is_exempt(self, path: str) -> bool:
        """Whether no quota counts requests on this path."""
        return any(
            path.startswith(known[:-1]) if known.endswith("*") else path == known
            for known in self.exempt
        )


def _covers(quota: RateLimit, place: Place, role: str) -> bool:
    if not quota.mount:
        inherited = quota.inheritable and place.space.startswith(quota.space)
        return not quota.role and (inherited or quota.space == place.space)
    if (quota.space, quota.mount) != (place.space, place.mount):
        return False
    if quota.role:
        return quota.role == role
    below = place.below.removesuffix("/")  # So folder/* covers no list of folder/ (quotas.go).
    if quota.path.endswith("*"):
        return below.startswith(quota.path[:-1])
    return not quota.path or quota.path == below


def _exactness(quota: RateLimit) -> tuple[bool, bool, bool, int, int]:
    exact = bool(quota.path) and not quota.path.endswith("*")
    return bool(quota.role), exact, bool(quota.mount), len(quota.path), len(quota.space)
