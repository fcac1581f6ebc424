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

NO_OWNER = "given 'canonical_id' is not associated with an entity"
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
        mount = self._mount(accessor) if accessor else None
        known = known or self.core.entities.known_as(accessor, name)
        owner = self._owner(call, "invalid canonical ID" if known else NO_OWNER)
        if known is not None:
            return self._change_alias(call, known, owner or known[0])
        assert mount is not None
        owner, alias = self._make_alias(call, owner, name, mount)
        return Reply({"canonical_id": owner.id, "id": alias.id})

    def _mount(self, accessor: str) -> Mount:
        for mount in self.core.mounts.auth_methods():
            if mount.accessor == accessor:
                return mount
        raise bad_request(f'invalid mount accessor "{accessor}"')

    def _owner(self, call: Call, otherwise: str) -> Entity | None:
        wanted = call.text("canonical_id") or call.text("entity_id")
        owner = self.core.entities.by_id.get(wanted)
        if wanted and owner is None:
            raise bad_request(otherwise)
        return owner

    def _make_alias(
        self, call: Call, owner: Entity | None, name: str, mount: Mount
    ) -> tuple[Entity, Alias]:
        if owner and any(alias.mount is mount for alias in owner.aliases):
            raise bad_request("Alias already exists for requested entity and mount accessor")
        owner = owner or self.core.entities.add("", call.now)
        custom = call.pairs("custom_metadata") if call.has("custom_metadata") else {}
        alias = Alias(name, mount, call.now, custom_metadata=custom)
        owner.aliases.append(alias)
        self.core.entities.changed()
        return owner, alias

    def _change_alias(self, call: Call, known: tuple[Entity, Alias], owner: Entity) -> Reply | None:
        """What is not named again is gone; nothing is said if nothing changes (seen)."""
        old, alias = known
        name = call.text("name") or alias.name
        custom = call.pairs("custom_metadata") if call.has("custom_metadata") else None
        same = name == alias.name and (custom or {}) == (alias.custom_metadata or {})
        if same and owner is old:
            return None
        alias.name, alias.custom_metadata, alias.updated = name, custom, call.now
        old.aliases.remove(alias)
        owner.aliases.append(alias)
        self.core.entities.changed()
        return Reply({"canonical_id": owner.id, "id": alias.id})

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
