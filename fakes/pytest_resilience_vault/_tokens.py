"""Tokens: what they are, and the store that finds, uses and ends them (vault/token_store.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pytest_resilience_vault._cidr import contains
from pytest_resilience_vault._gojson import Struct
from pytest_resilience_vault._ids import mint
from pytest_resilience_vault._times import is_past, stamp

ROOT_PATH = "auth/token/root"
"""Where init and generate-root make theirs, which have no lease."""

LAST_USE = -1
"""`num_uses` while the last use is handled (tokenRevocationPending)."""


def round_half_up(moment: float) -> int:
    """Whole seconds as Go's Time.Round makes them."""
    return int(moment + 0.5)


@dataclass(slots=True, eq=False)
class Token:
    """A service token, or a batch token, which has no accessor and cannot be revoked."""

    id: str
    policies: list[str]
    path: str
    """Where it was created: ``auth/approle/login``."""
    created: float
    ttl: float = 0
    """Seconds granted when it was created; 0 for ever. What clients see is whole seconds."""
    expires: float | None = None
    granted: float = 0
    """Seconds granted last, at the creation or a renewal."""
    type: str = "service"
    accessor: str = field(default_factory=lambda: mint(24))
    meta: dict[str, str] | None = None
    display_name: str = "token"
    num_uses: int = 0
    granted_uses: int = 0
    """As many as it was made with, which is what a renewal shows."""
    explicit_max_ttl: float = 0
    period: float = 0
    renewable: bool = False
    parent: str | None = None
    """None for an orphan."""
    entity_id: str = ""
    last_renewal: float | None = None
    role: str = ""
    """The token role that it was created with."""
    cidrs: list[str] = field(default_factory=list)
    """Where it may be used; nowhere named is everywhere."""
    space: str = ""
    """The path of its namespace, "team/"; the root namespace has none."""

    def __post_init__(self) -> None:
        self.granted_uses = self.num_uses
        if self.is_batch:
            self.accessor = ""
            # Shown when it is made, as its role says, and counted nowhere (seen).
            self.num_uses = 0

    def is_over(self, now: float) -> bool:
        """Whether its time has run out."""
        return self.expires is not None and is_past(self.expires, now)

    @property
    def is_batch(self) -> bool:
        """Whether it is a batch token."""
        return self.type == "batch"

    def may_come_from(self, address: str) -> bool:
        """Whether it may be used from an address."""
        return not self.cidrs or contains(self.cidrs, address)

    @property
    def is_root(self) -> bool:
        """Whether it may do everything."""
        return "root" in self.policies

    def left(self, now: float) -> int:
        """Seconds until it expires; 0 for one that never does."""
        if self.expires is None:
            return 0
        return int(self.expires - round_half_up(now))

    def shown(self, now: float, *, with_id: bool = True) -> dict[str, Any]:
        """As a lookup shows it."""
        data: dict[str, Any] = {
            "accessor": self.accessor,
            "creation_time": int(self.created),
            "creation_ttl": int(self.ttl),
            "display_name": self.display_name,
            "entity_id": self.entity_id,
            "expire_time": None if self.expires is None else stamp(self.expires),
            "explicit_max_ttl": int(self.explicit_max_ttl),
            "id": self.id if with_id else "",
            # A batch token carries its own in a form that has no empty maps (seen).
            "meta": (self.meta or None) if self.is_batch else self.meta,
            "num_uses": self.num_uses,
            "orphan": self.parent is None,
            "path": self.path,
            "policies": self.policies,
            "ttl": self.left(now),
            "type": self.type,
        }
        data.update(self._shown_if_set())
        return data

    def _shown_if_set(self) -> dict[str, Any]:
        data: dict[str, Any] = {}
        if self.path != ROOT_PATH:
            data["issue_time"] = stamp(self.created)
            data["renewable"] = self.renewable
        if self.last_renewal is not None:
            data["last_renewal"] = stamp(self.last_renewal)
            data["last_renewal_time"] = int(self.last_renewal)
        if self.period:
            data["period"] = int(self.period)
        if self.role:
            data["role"] = self.role
        if self.cidrs:
            data["bound_cidrs"] = self.cidrs
        if self.space:
            data["namespace_path"] = self.space
        return data

    def auth(self, ttl: float, of_entity: list[str]) -> Struct:
        """The ``auth`` of a login, a creation or a renewal (sdk/logical/translate_response.go).

        Args:
            ttl: Seconds granted now, shown as a whole number, however late it is within a second.
            of_entity: Policies that it has because of whose it is.
        """
        # Left out when they are empty (logical.HTTPAuth, omitempty).
        own = {"token_policies": self.policies} if self.policies else {}
        if of_entity:
            own["identity_policies"] = of_entity
        return Struct(
            client_token=self.id,
            accessor=self.accessor,
            policies=sorted({*self.policies, *of_entity}) if of_entity else self.policies,
            **own,
            metadata=self.meta,
            lease_duration=int(ttl),
            renewable=self.renewable,
            entity_id=self.entity_id,
            token_type=self.type,
            orphan=self.parent is None,
            mfa_requirement=None,
            num_uses=self.granted_uses,
        )


class Tokens:
    """All tokens that live."""

    def __init__(self) -> None:
        self._by_id: dict[str, Token] = {}
        self._by_accessor: dict[str, Token] = {}

    def __iter__(self) -> Iterator[Token]:
        return iter(list(self._by_id.values()))

    def add(self, token: Token) -> Token:
        """Keep a new token."""
        self._by_id[token.id] = token
        if token.accessor:
            self._by_accessor[token.accessor] = token
        return token

    def find(self, token_id: str, now: float) -> Token | None:
        """The token, unless it is unknown, revoked or expired; it may be on its last use."""
        token = self._by_id.get(token_id)
        return self._alive(token, now)

    def find_accessor(self, accessor: str, now: float) -> Token | None:
        """The token with this accessor."""
        return self._alive(self._by_accessor.get(accessor), now)

    def accessors(self, now: float) -> list[str]:
        """The accessors of all tokens that live."""
        alive = (token for token in self if self._alive(token, now))
        return sorted(token.accessor for token in alive if not token.is_batch)

    def _alive(self, token: Token | None, now: float) -> Token | None:
        if token is not None and token.is_over(now):
            self.revoke(token)
            return None
        return token

    def use(self, token: Token) -> None:
        """Count a use; the last one shows as `LAST_USE` until `finish`."""
        if token.num_uses > 0:
            token.num_uses = LAST_USE if token.num_uses == 1 else token.num_uses - 1

    def finish(self, token: Token) -> None:
        """Revoke a token that was on its last use."""
        if token.num_uses == LAST_USE:
            self.revoke(token)

    def revoke(self, token: Token, *, children: bool = True) -> None:
        """End a token, and all that it created; without `children` they become orphans."""
        self._by_id.pop(token.id, None)
        self._by_accessor.pop(token.accessor, None)
        for child in [other for other in self._by_id.values() if other.parent == token.id]:
            if children:
                self.revoke(child)
            else:
                child.parent = None

    def revoke_below(self, path: str, space: str) -> None:
        """End every token that was created below a path of a namespace: its mount is gone."""
        for token in self:
            if token.space == space and token.path.startswith(path):
                self.revoke(token)
