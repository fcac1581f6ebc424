"""Paths of policies that name who asks: ``secret/data/{{identity.entity.id}}/*``.

sdk/helper/identitytpl/templating.go. Who logs in with AppRole is an entity with one alias, the
role id; there are no groups, and a path that names them grants nothing, as in Vault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_resilience_vault._errors import Forbidden

if TYPE_CHECKING:
    from pytest_resilience_vault._entities import Entity


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
