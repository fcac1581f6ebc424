"""identity/: who there is, and what else is known of them (vault/identity_store_entities.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_resilience_vault import _fields as fields
from pytest_resilience_vault._backend import WRITE, on
from pytest_resilience_vault._errors import Lacking, bad_request
from pytest_resilience_vault._identity_aliases import ID, AliasPaths
from pytest_resilience_vault._reply import Reply

if TYPE_CHECKING:
    from pytest_resilience_vault._call import Call
    from pytest_resilience_vault._entities import Entity

NAME = "(?P<name>.+)"
"""Of an entity: anything, ``ann@example.com`` too."""
_QUERIES = ("id", "name", "alias_id", "alias_name")


class Identity(AliasPaths):
    """Entities; the groups, MFA and OIDC of the real one are missing."""

    type = "identity"

    # Entities

    @on(WRITE, "entity", fields.ENTITY)
    def write_entity(self, call: Call) -> Reply | None:
        """Make an entity, or change the one with this id or name."""
        return self._write(call, call.text("id"), call.text("name"))

    @on(WRITE, f"entity/id/{ID}", fields.ENTITY)
    def write_entity_by_id(self, call: Call, id: str) -> Reply | None:  # noqa: A002
        """Change an entity."""
        return self._write(call, id, call.text("name"))

    @on(WRITE, f"entity/name/{NAME}", fields.ENTITY)
    def write_entity_by_name(self, call: Call, name: str) -> Reply | None:
        """Make an entity, or change it."""
        return self._write(call, call.text("id"), name)

    def _write(self, call: Call, wanted: str, name: str) -> Reply | None:
        entities = self.core.entities
        entity = entities.by_id.get(wanted)
        if wanted and entity is None:
            raise bad_request("entity not found from id")
        namesake = entities.named(name) if name else None
        if entity is not None and namesake not in (None, entity):
            raise bad_request("entity name is already in use")
        policies = sorted({policy.lower() for policy in call.texts("policies") if policy})
        if "root" in policies:
            raise bad_request("policies cannot contain root")
        known = entity or namesake
        entity = known or entities.add(name, call.now)
        entity.name, entity.updated = name or entity.name, call.now
        if call.has("policies"):
            entity.policies = policies
        if call.has("metadata"):
            entity.metadata = call.pairs("metadata")
        entity.disabled = call.flag("disabled", default=entity.disabled)
        entities.changed()
        if known is not None:
            return None
        return Reply({"aliases": None, "id": entity.id, "name": entity.name})

    @on("read", f"entity/id/{ID}")
    def read_entity(self, call: Call, id: str) -> Reply | None:  # noqa: A002
        """An entity."""
        return self._shown(self.core.entities.by_id.get(id))

    @on("read", f"entity/name/{NAME}")
    def read_entity_by_name(self, call: Call, name: str) -> Reply | None:
        """The same by its name."""
        return self._shown(self.core.entities.named(name))

    def _shown(self, entity: Entity | None) -> Reply | None:
        return None if entity is None else Reply(entity.shown(self.core.id))

    @on("delete", f"entity/id/{ID}")
    def delete_entity(self, call: Call, id: str) -> None:  # noqa: A002
        """Forget an entity."""
        self._forget(self.core.entities.by_id.get(id))

    @on("delete", f"entity/name/{NAME}")
    def delete_entity_by_name(self, call: Call, name: str) -> None:
        """The same by its name."""
        self._forget(self.core.entities.named(name))

    @on(WRITE, "entity/batch-delete", {"entity_ids": "texts"})
    def delete_entities(self, call: Call) -> None:
        """Forget several."""
        wanted = call.texts("entity_ids")
        if not wanted:
            raise bad_request("missing entity ids to delete")
        for one in wanted:
            self._forget(self.core.entities.by_id.get(one))

    def _forget(self, entity: Entity | None) -> None:
        if entity is not None:
            self.core.entities.remove(entity)

    @on("list", "entity/id/?")
    def list_entities(self, call: Call) -> Reply:
        """Their ids."""
        known = self.core.entities.by_id
        info = {one: entity.listed() for one, entity in known.items()}
        return Reply({"keys": sorted(known), **({"key_info": info} if info else {})})

    @on("list", "entity/name/?")
    def list_names(self, call: Call) -> Reply:
        """Their names."""
        return Reply({"keys": sorted(one.name for one in self.core.entities.by_id.values())})

    @on(WRITE, "entity/merge")
    def merge(self, call: Call) -> None:
        """Make one of several."""
        raise Lacking("this fake of Vault does not merge entities")

    @on(WRITE, "lookup/entity", fields.ENTITY_LOOKUP)
    def look_up(self, call: Call) -> Reply | None:
        """Who has an id, a name or an alias; nobody is no error."""
        asked = [name for name in _QUERIES if call.text(name)]
        accessor = call.text("alias_mount_accessor")
        if len(asked) > 1:
            words = "query parameter conflict; please supply distinct set of query parameters"
            raise bad_request(words)
        if not asked and not accessor:
            raise bad_request("query parameter not supplied")
        if bool(accessor) != (asked == ["alias_name"]):
            raise bad_request("both 'alias_name' and 'alias_mount_accessor' needs to be set")
        return self._shown(self._found(asked[0], call.text(asked[0]), accessor))

    def _found(self, by: str, wanted: str, accessor: str) -> Entity | None:
        entities = self.core.entities
        if by == "id":
            return entities.by_id.get(wanted)
        if by == "name":
            return entities.named(wanted)
        aliased = entities.aliases().get(wanted)
        found = aliased if by == "alias_id" else entities.known_as(accessor, wanted)
        return found[0] if found else None
