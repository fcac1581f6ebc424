"""Who uses a server: entities, and the names by which auth methods know them.

vault/identity_store*.go. Who logs in for the first time becomes an entity with one alias; its
policies are added to those of its tokens. There are no groups.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_resilience_vault._ids import new_uuid
from pytest_resilience_vault._times import stamp

if TYPE_CHECKING:
    from pytest_resilience_vault._mounts import Mount

Metadata = dict[str, str] | None


@dataclass(slots=True, eq=False)
class Alias:
    """What an auth method calls an entity: of AppRole, the role id."""

    name: str
    mount: Mount
    created: float
    metadata: Metadata = None
    """From the last login."""
    custom_metadata: Metadata = None
    updated: float = 0
    id: str = field(default_factory=new_uuid)

    def __post_init__(self) -> None:
        self.updated = self.created

    def named(self) -> dict[str, Any]:
        """What a list of entities says of it."""
        return {"id": self.id, **self._where(), "name": self.name}

    def listed(self, owner: Entity) -> dict[str, Any]:
        """What a list of aliases says of it."""
        return {
            "canonical_id": owner.id,
            "custom_metadata": self.custom_metadata,
            "local": False,
            "metadata": self.metadata,
            **self._where(),
            "name": self.name,
        }

    def shown(self, owner: Entity) -> dict[str, Any]:
        """All of it."""
        return {
            **self.listed(owner),
            "creation_time": stamp(self.created),
            "id": self.id,
            "last_update_time": stamp(self.updated),
            "merged_from_canonical_ids": None,
        }

    def _where(self) -> dict[str, str]:
        mount = self.mount
        return {
            "mount_accessor": mount.accessor,
            "mount_path": mount.prefix,
            "mount_type": mount.type,
        }


@dataclass(slots=True, eq=False)
class Entity:
    """Somebody."""

    id: str
    name: str
    created: float
    metadata: Metadata = None
    policies: list[str] = field(default_factory=list)
    disabled: bool = False
    aliases: list[Alias] = field(default_factory=list)
    updated: float = 0

    def __post_init__(self) -> None:
        self.updated = self.created

    def shown(self, space: str) -> dict[str, Any]:
        """All of it."""
        return {
            "aliases": [alias.shown(self) for alias in self.aliases],
            "creation_time": stamp(self.created),
            "direct_group_ids": [],
            "disabled": self.disabled,
            "group_ids": [],
            "id": self.id,
            "inherited_group_ids": [],
            "last_update_time": stamp(self.updated),
            "merged_entity_ids": None,
            "metadata": self.metadata,
            "name": self.name,
            "namespace_id": space,
            "policies": self.policies,
        }

    def listed(self) -> dict[str, Any]:
        """What a list says of it."""
        aliases = [alias.named() for alias in self.aliases]
        return {"name": self.name, **({"aliases": aliases} if aliases else {})}

    def value(self, name: str) -> str | None:
        """Of ``identity.entity.<name>`` in a policy; None where there is none."""
        found = {"id": self.id, "name": self.name, **_keyed(self.metadata)}
        for alias in self.aliases:
            begin = f"aliases.{alias.mount.accessor}"
            own = {"id": alias.id, "name": alias.name, **_keyed(alias.metadata)}
            found.update((f"{begin}.{key}", value) for key, value in own.items())
        return found.get(name) or None


def _keyed(metadata: Metadata) -> dict[str, str]:
    return {f"metadata.{key}": value for key, value in (metadata or {}).items()}


class Entities:
    """All of a namespace."""

    def __init__(self, space: Callable[[], str], suffix: Callable[[], str]) -> None:
        self.by_id: dict[str, Entity] = {}
        self._space, self._suffix = space, suffix
        self.changed: Callable[[], None] = lambda: None
        """Called when what somebody may do may have changed."""

    def add(self, name: str, now: float) -> Entity:
        """Somebody new; without a name one is made."""
        bare = new_uuid()
        entity = Entity(f"{bare}{self._space()}", name or f"entity_{bare[:8]}{self._suffix()}", now)
        self.by_id[entity.id] = entity
        return entity

    def remove(self, entity: Entity) -> None:
        """Forget somebody; the tokens of an entity that is not there are worth nothing."""
        del self.by_id[entity.id]
        self.changed()

    def named(self, name: str) -> Entity | None:
        """Whoever has this name, in whatever case."""
        wanted = name.lower()
        return next((one for one in self.by_id.values() if one.name.lower() == wanted), None)

    def aliases(self) -> dict[str, tuple[Entity, Alias]]:
        """All names, by their ids."""
        found = self.by_id.values()
        return {alias.id: (owner, alias) for owner in found for alias in owner.aliases}

    def known_as(self, accessor: str, name: str) -> tuple[Entity, Alias] | None:
        """Who is called so by an auth method."""
        for owner, alias in self.aliases().values():
            if alias.mount.accessor == accessor and alias.name.lower() == name.lower():
                return owner, alias
        return None

    def log_in(self, mount: Mount, name: str, metadata: Metadata, now: float) -> Entity:
        """Who is called so, and is known from now on."""
        known = self.known_as(mount.accessor, name)
        if known is None:
            owner = self.add("", now)
            owner.aliases.append(Alias(name, mount, now, metadata))
            return owner
        owner, alias = known
        if alias.metadata != metadata:
            alias.metadata, alias.updated = metadata, now
            self.changed()
        return owner
