"""AppRole's login, and the lockout that answers guessing (path_login.go, request_handling.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_resilience_vault._cidr import contains, short
from pytest_resilience_vault._errors import Refused, bad_request, no_token
from pytest_resilience_vault._policy_names import internal
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._secret_ids import not_within
from pytest_resilience_vault._tokens import Token
from pytest_resilience_vault._ttl import Wish, granted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_resilience_vault._call import Call
    from pytest_resilience_vault._core import Core
    from pytest_resilience_vault._mounts import Mount
    from pytest_resilience_vault._role import Role, SecretId

BAD_LOGIN = "invalid role or secret ID"


def log_in(core: Core, roles: Iterable[Role], call: Call) -> Reply:
    """A new token for a role id and a secret id."""
    secret_id = _field(call, "secret_id")
    role_id = role_id_of(call)
    if call.mount.lockout.is_locked(role_id, call.now):
        raise no_token()
    role = next((role for role in roles if role.role_id == role_id), None)
    if role is None:
        raise bad_request(BAD_LOGIN)
    used = _found(role, secret_id, call) if role.bind_secret_id else None
    takes_back = core.flavour.is_openbao
    if used and not takes_back:
        _count(role, used, call.now)
    if used:
        _check_blocks(role, used, call)
    _check_address(call.remote, role.secret_id_bound_cidrs or [], "role")
    if used and takes_back:
        # A login is one transaction: what is refused for its address is no use (seen).
        _count(role, used, call.now)
    call.mount.lockout.clear(role_id)
    return _grant(core, role, used, call)


def role_id_of(call: Call) -> str:
    """The role id; 500 without one, because the look for a lockout meets it first.

    Seen; Vaults from before the lockout say 400.
    """
    role_id = _field(call, "role_id")
    if not role_id:
        raise Refused(500, "missing role_id")
    return role_id


def _field(call: Call, name: str) -> str:
    try:
        return call.text(name).strip()
    except Refused as refused:
        raise Refused(500, *refused.errors) from None


def _found(role: Role, secret_id: str, call: Call) -> SecretId:
    if not secret_id:
        raise bad_request("missing secret_id")
    found = role.secret(secret_id, call.now)
    if found is None:
        call.mount.lockout.failed(role.role_id, call.now)
        raise bad_request(BAD_LOGIN)
    return found


def _count(role: Role, used: SecretId, now: float) -> None:
    """One use less."""
    if used.num_uses == 1:
        del role.secret_ids[used.secret_id]
    elif used.num_uses > 1:
        used.num_uses -= 1
        used.updated = now


def _check_blocks(role: Role, used: SecretId, call: Call) -> None:
    problem = not_within(role.secret_id_bound_cidrs or [], used.cidrs)
    if problem:
        raise Refused(500, problem)
    # Two places of the real code, which do not agree in the word (path_login.go).
    how = "by" if used.num_uses else "through"
    _check_address(call.remote, used.cidrs, "secret ID", how)


def _check_address(address: str, blocks: list[str], whose: str, how: str = "by") -> None:
    if blocks and not contains(blocks, address):
        words = f'source address "{address}" unauthorized {how} CIDR restrictions on the {whose}'
        # The other text formats an error that is not there.
        raise bad_request(f"{words}: %!w(<nil>)" if how == "by" else words)


def _grant(core: Core, role: Role, used: SecretId | None, call: Call) -> Reply:
    mount = call.mount
    wish = Wish(
        ttl=role.token_ttl,
        max_ttl=role.token_max_ttl,
        period=role.token_period,
        explicit_max_ttl=role.token_explicit_max_ttl,
        default=mount.ttl,
        longest=mount.longest_ttl,
    )
    ttl, warnings = granted(wish, call.now, call.now)
    policies = {policy.lower() for policy in role.token_policies if policy}
    if not role.token_no_default_policy:
        policies.add("default")
    kind = _token_type(role, mount)
    metadata = {**(used.metadata if used else {}), "role_name": role.name}
    entity = core.entities.log_in(mount, role.role_id, metadata, call.now)
    if entity.disabled:
        raise no_token()
    _check_policies(core, {*policies, *entity.policies})
    token = Token(
        id=core.new_token_id(batch=kind == "batch"),
        type=kind,
        policies=sorted(policies),
        path=f"{mount.prefix}login",
        created=call.now,
        ttl=ttl,
        expires=call.now + ttl,
        granted=ttl,
        meta=metadata,
        display_name=_display_name(core, mount),
        num_uses=role.token_num_uses,
        explicit_max_ttl=role.token_explicit_max_ttl,
        period=role.token_period,
        renewable=kind == "service",
        entity_id=entity.id,
        cidrs=_blocks(role, used),
        space=core.path,
    )
    core.tokens.add(token)
    return Reply(auth=token.auth(ttl, entity.policies), warnings=warnings)


def _check_policies(core: Core, names: set[str]) -> None:
    """Refuse what no login gives, though a role may name it (handleLoginRequest).

    The secret id has been used by then.
    """
    for name in sorted(names):
        if name == "root":
            raise bad_request("auth methods cannot create root tokens")
        if name in internal(openbao=core.flavour.is_openbao):
            raise bad_request(f'cannot assign policy "{name}"')


def _blocks(role: Role, used: SecretId | None) -> list[str]:
    """Where the token may be used: as the secret id says, or else the role."""
    own = [short(block) for block in used.token_cidrs] if used else []
    return own or role.token_bound_cidrs or []


def _display_name(core: Core, mount: Mount) -> str:
    """The mount's name; in a namespace its whole path."""
    path = f"{core.path}{mount.prefix}" if core.parent else mount.path
    return path.removesuffix("/").replace("/", "-")


def _token_type(role: Role, mount: Mount) -> str:
    """Service or batch: the mount may insist, or leave it to the role."""
    if mount.token_type in ("batch", "service"):
        return mount.token_type
    if role.token_type != "default":  # noqa: S105
        return role.token_type
    return mount.token_type.removeprefix("default-")
