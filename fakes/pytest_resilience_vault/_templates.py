"""Paths of policies that name who asks: ``secret/data/{{identity.entity.id}}/*``.

sdk/helper/identitytpl/templating.go. Who logs in with AppRole is an entity with one alias, the
role id; there are no groups and no metadata of entities, and a path that names them grants
nothing, as in Vault.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_resilience_vault._errors import Forbidden
from pytest_resilience_vault._ids import new_uuid


@dataclass(frozen=True, slots=True)
class Entity:
    """Who has logged in (vault/identity_store.go)."""

    id: str
    accessor: str
    """Of the auth method."""
    alias: str
    """What the method knows it by."""
    metadata: dict[str, str]
    """Of the alias, from its last login."""
    name: str
    alias_id: str = field(default_factory=new_uuid)

    def value(self, name: str) -> str | None:
        """Of ``identity.entity.<name>``; None where there is none."""
        own = {"id": self.id, "name": self.name}
        if name in own:
            return own[name]
        begin = f"aliases.{self.accessor}."
        if not name.startswith(begin):
            return None
        rest = name.removeprefix(begin)
        found = {"id": self.alias_id, "name": self.alias}
        found.update((f"metadata.{key}", value) for key, value in self.metadata.items())
        return found.get(rest) or None


def is_template(path: str) -> bool:
    """Whether something is to be put into the path.

    Raises:
        ValueError: Its braces do not match.
    """
    first, *others = path.split("{{")
    if "}}" in first or any(other.count("}}") != 1 for other in others):
        words = "unbalanced templating characters"
        raise ValueError(f"failed to validate policy templating: {words}")
    return bool(others)


def filled(path: str, entity: Entity | None, blocked: str, *, openbao: bool = False) -> str | None:
    """The path of a template for an entity; None if it lacks something that is named there.

    What is blocked may not be in a value: it would make a pattern of the path, or another path
    (BlockedSubstitutions). To an OpenBao a token with such a policy is worth nothing (seen).
    """
    first, *others = path.split("{{")
    for other in others:
        name, _, rest = other.partition("}}")
        prefix, kind, asked = name.strip().partition("identity.entity.")
        value = entity.value(asked) if entity and kind and not prefix else None
        found = next((one for one in blocked if value and one in value), "")
        if found and openbao:
            words = f'template substitution contains forbidden value: "{found}"'
            raise Forbidden(f'path "{path}": {words}')
        if value is None or found:
            return None
        first += value + rest
    return first
