"""identity/entity-alias: the names of entities (vault/identity_store_aliases.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_resilience_vault import _fields as fields
from pytest_resilience_vault._backend import NAME, WRITE, Backend, on
from pytest_resilience_vault._entities import Alias, Entity
from pytest_resilience_vault._errors import bad_request
from pytest_resilience_vault._reply import Reply

if TYPE_CHECKING:
    from pytest_resilience_vault._call import Call
    from pytest_resilience_vault._mounts import Mount

ID = NAME.replace("name", "id")
PLACE = "(?:entity-alias|alias)"
"""With its older name."""


class AliasPaths(Backend):
    """Make, change, show and forget aliases."""

    type = "identity"

    @on(WRITE, PLACE, fields.ALIAS)
    def write_alias(self, call: Call) -> Reply | None:
        """Make an alias, or change it."""
        return self._write_alias(call, call.text("id"))

    @on(WRITE, f"{PLACE}/id/{ID}", fields.ALIAS)
    def write_alias_by_id(self, call: Call, id: str) -> Reply | None:  # noqa: A002
        """Change an alias."""
        return self._write_alias(call, id)

    def _write_alias(self, call: Call, wanted: str) -> Reply | None:
        name, accessor = call.text("name"), call.text("mount_accessor")
        if not wanted and not (name and accessor):
            raise bad_request("'id' or 'mount_accessor' and 'name' must be provided")
        known = self.core.entities.aliases().get(wanted)
        if wanted and known is None:
            raise bad_request("invalid alias ID provided")
        if known is None:
            mount = self._mount(accessor)
            known = self.core.entities.known_as(accessor, name)
            if known is None:
                return self._make_alias(call, name, mount)
        return self._change_alias(call, *known, by_id=bool(wanted))

    def _mount(self, accessor: str) -> Mount:
        for mount in self.core.mounts.auth_methods():
            if mount.accessor == accessor:
                return mount
        raise bad_request(f'invalid mount accessor "{accessor}"')

    def _make_alias(self, call: Call, name: str, mount: Mount) -> Reply:
        entities, canonical = self.core.entities, _canonical(call)
        owner = entities.by_id.get(canonical)
        if canonical and owner is None:
            raise bad_request("invalid canonical ID")
        if owner and _has(owner, mount):
            raise bad_request("Alias already exists for requested entity and mount accessor")
        owner = owner or entities.add("", call.now)
        alias = Alias(name, mount, call.now, custom_metadata=call.pairs("custom_metadata"))
        owner.aliases.append(alias)
        entities.changed()
        return _told(owner, alias)

    def _change_alias(
        self, call: Call, owner: Entity, alias: Alias, *, by_id: bool
    ) -> Reply | None:
        """Change what is named; nothing is said if nothing changes (handleAliasUpdate)."""
        name, accessor = call.text("name") or alias.name, call.text("mount_accessor")
        keeps = by_id and not call.has("custom_metadata")
        custom = (alias.custom_metadata if keeps else call.pairs("custom_metadata")) or None
        moves = _canonical(call) not in ("", owner.id)
        as_before = (alias.name, alias.mount.accessor, alias.custom_metadata or None)
        same = (name, accessor or alias.mount.accessor, custom) == as_before
        if same and not moves:
            return None
        mount = self._mount(accessor) if accessor else alias.mount
        if mount is not alias.mount and not moves and _has(owner, mount):
            words = "the entity already has an alias for the given 'mount_accessor' "
            raise bad_request(f"Alias cannot be updated as {words}")
        other = self.core.entities.known_as(mount.accessor, name)
        if other is not None and other[1] is not alias:
            words = "alias with combination of mount accessor and name already exists"
            raise bad_request(words)
        target = self._target(call, mount) if moves else owner
        alias.name, alias.mount, alias.custom_metadata = name, mount, custom
        alias.updated = call.now
        owner.aliases.remove(alias)
        target.aliases.append(alias)
        self.core.entities.changed()
        return _told(target, alias)

    def _target(self, call: Call, mount: Mount) -> Entity:
        """To whom an alias moves."""
        target = self.core.entities.by_id.get(_canonical(call))
        if target is None:
            raise bad_request("given 'canonical_id' is not associated with an entity")
        if _has(target, mount):
            words = "the given entity already has an alias for this mount "
            raise bad_request(f"Alias cannot be updated as {words}")
        return target

    @on("read", f"{PLACE}/id/{ID}")
    def read_alias(self, call: Call, id: str) -> Reply | None:  # noqa: A002
        """An alias."""
        found = self.core.entities.aliases().get(id)
        if found is None:
            return None
        owner, alias = found
        return Reply({**alias.shown(owner), "namespace_id": self.core.id})

    @on("delete", f"{PLACE}/id/{ID}")
    def delete_alias(self, call: Call, id: str) -> None:  # noqa: A002
        """Forget an alias; its entity stays."""
        found = self.core.entities.aliases().get(id)
        if found is not None:
            owner, alias = found
            owner.aliases.remove(alias)
            self.core.entities.changed()

    @on("list", f"{PLACE}/id/?")
    def list_aliases(self, call: Call) -> Reply:
        """Their ids."""
        known = self.core.entities.aliases()
        info: dict[str, Any] = {one: alias.listed(owner) for one, (owner, alias) in known.items()}
        return Reply({"keys": sorted(known), **({"key_info": info} if info else {})})


def _canonical(call: Call) -> str:
    """The entity that is named, with its older name."""
    return call.text("canonical_id") or call.text("entity_id")


def _has(owner: Entity, mount: Mount) -> bool:
    """Whether an auth method knows an entity already."""
    return any(alias.mount is mount for alias in owner.aliases)


def _told(owner: Entity, alias: Alias) -> Reply:
    return Reply({"canonical_id": owner.id, "id": alias.id})
