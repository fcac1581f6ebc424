"""Making and changing roles from a test."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pytest_resilience import PlanError
from pytest_resilience_vault._approle import AppRole
from pytest_resilience_vault._backend import NAME
from pytest_resilience_vault._call import UPDATE, Call
from pytest_resilience_vault._core import Core
from pytest_resilience_vault._errors import Refused
from pytest_resilience_vault._ids import new_uuid
from pytest_resilience_vault._mounts import Mount
from pytest_resilience_vault._role import Role, SecretId

FIELDS = frozenset(
    {name for name in Role("x").shown() if name != "local_secret_ids"}
    | {"policies", "period", "role_id", "secret_id"}
)
"""What may be said of a role."""


_NAME = re.compile(NAME, re.ASCII)


@dataclass(frozen=True)
class Credentials:
    """What a client logs in with."""

    role_id: str
    secret_id: str


def any_approle(core: Core) -> bool:
    """Whether an AppRole method is mounted."""
    return any(isinstance(mount.backend, AppRole) for mount in core.mounts.auth_methods())


def approle(core: Core) -> tuple[AppRole, Mount]:
    """The AppRole method, and where it is mounted; the first if there are several."""
    for mount in core.mounts.auth_methods():
        if isinstance(mount.backend, AppRole):
            return mount.backend, mount
    raise PlanError("no AppRole method is mounted any more")


def change_role(core: Core, name: str, settings: dict[str, Any]) -> Credentials:
    """Make a role, or change one.

    Raises:
        PlanError: A setting is unknown, or Vault would refuse it.
    """
    method, _ = approle(core)
    role = _written(core, method, name, settings)
    method.roles[name.lower()] = role
    return Credentials(role.role_id, _secret_id(role, settings, core.time()))


def check_role(core: Core, name: str, settings: dict[str, Any]) -> None:
    """Raise what `change_role` would."""
    method, _ = approle(core)
    _written(core, method, name, settings)


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PlanError(f"role is {name!r}; wanted is a name of letters, digits, '-', '.' and '_'")


def _written(core: Core, method: AppRole, name: str, settings: dict[str, Any]) -> Role:
    _check_name(name)
    unknown = sorted(set(settings) - FIELDS)
    if unknown:
        known = ", ".join(sorted(FIELDS))
        raise PlanError(f"a role has no setting {unknown[0]!r}; there are: {known}")
    given = {key: _listed(value) for key, value in settings.items() if key != "secret_id"}
    if name.lower() not in method.roles and "policies" not in given:
        given.setdefault("token_policies", ["app"])
    _, mount = approle(core)
    call = Call(UPDATE, f"{mount.prefix}role/{name}", given, core.time())
    call.mount, call.path = mount, f"role/{name}"
    try:
        return method.changed(name, call)
    except Refused as refused:
        raise PlanError(f"role {name!r}: {', '.join(refused.errors)}") from None


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | set | frozenset) else value


def _secret_id(role: Role, settings: dict[str, Any], now: float) -> str:
    """The role's secret id, with the uses and the time that the role now gives."""
    wanted = settings.get("secret_id")
    # Those whose time is over are none.
    known = [secret_id for secret_id in list(role.secret_ids) if role.secret(secret_id, now)]
    secret_id = str(wanted) if wanted else known[0] if known else new_uuid()
    is_new = secret_id not in known
    found = role.secret_ids.setdefault(secret_id, SecretId(secret_id, now))
    if "secret_id_num_uses" in settings or is_new:
        found.num_uses = role.secret_id_num_uses
    if "secret_id_ttl" in settings or is_new:
        found.created, found.ttl = now, role.secret_id_ttl
    return secret_id
