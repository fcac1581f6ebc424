"""An AppRole role and its secret ids (builtin/credential/approle/path_role.go)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pytest_resilience_vault._ids import new_uuid
from pytest_resilience_vault._times import ZERO_TIME, stamp


@dataclass(slots=True, eq=False)
class SecretId:
    """A secret id that may log in."""

    secret_id: str
    created: float
    accessor: str = field(default_factory=new_uuid)
    num_uses: int = 0
    """Uses that are left; 0 for any number."""
    ttl: int = 0
    updated: float = 0
    metadata: dict[str, str] = field(default_factory=dict)
    cidrs: list[str] = field(default_factory=list)
    token_cidrs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.updated = self.updated or self.created

    def is_over(self, now: float) -> bool:
        """Whether its time has run out."""
        return self.ttl > 0 and now >= self.created + self.ttl

    def shown(self) -> dict[str, Any]:
        """As a lookup shows it."""
        return {
            "cidr_list": self.cidrs,
            "creation_time": stamp(self.created),
            "expiration_time": stamp(self.created + self.ttl) if self.ttl else ZERO_TIME,
            "last_updated_time": stamp(self.updated),
            "metadata": self.metadata,
            "secret_id_accessor": self.accessor,
            "secret_id_num_uses": self.num_uses,
            "secret_id_ttl": self.ttl,
            "token_bound_cidrs": self.token_cidrs,
        }


@dataclass(slots=True, eq=False)
class Role:
    """A role; seconds for every time, 0 for the mount's own."""

    name: str
    role_id: str = field(default_factory=new_uuid)
    bind_secret_id: bool = True
    local_secret_ids: bool = False
    secret_id_bound_cidrs: list[str] | None = None
    secret_id_num_uses: int = 0
    secret_id_ttl: int = 0
    token_bound_cidrs: list[str] | None = None
    token_explicit_max_ttl: int = 0
    token_max_ttl: int = 0
    token_no_default_policy: bool = False
    token_num_uses: int = 0
    token_period: int = 0
    token_policies: list[str] = field(default_factory=list)
    token_ttl: int = 0
    token_type: str = "default"  # noqa: S105
    policies: list[str] | None = None
    period: float | None = None
    """As long as they were set under these names, from before the ``token_`` fields."""
    secret_ids: dict[str, SecretId] = field(default_factory=dict)

    def shown(self, *, openbao: bool = False) -> dict[str, Any]:
        """As a read shows it."""
        hidden = ("name", "role_id", "secret_ids")
        shown = {name: getattr(self, name) for name in self.__slots__ if name not in hidden}
        shown["token_bound_cidrs"] = self.token_bound_cidrs or []
        if openbao:
            shown["token_strictly_bind_ip"] = False
        for old in ("policies", "period"):
            if not shown[old]:
                del shown[old]
        return shown

    def secret(self, secret_id: str, now: float) -> SecretId | None:
        """A secret id that is still good."""
        found = self.secret_ids.get(secret_id)
        return None if found is None or found.is_over(now) else found

    def secret_of(self, accessor: str) -> SecretId | None:
        """The secret id with this accessor, good or over."""
        of_accessor = {found.accessor: found for found in self.secret_ids.values()}
        return of_accessor.get(accessor)

    def tidy(self, until: float) -> None:
        """Forget the secret ids whose time was over then."""
        for secret_id, found in list(self.secret_ids.items()):
            if found.is_over(until):
                del self.secret_ids[secret_id]
