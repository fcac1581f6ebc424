"""auth/approle: roles and their secret ids (builtin/credential/approle)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_resilience_vault import _fields as fields
from pytest_resilience_vault._backend import WRITE, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._cidr import unparsable
from pytest_resilience_vault._errors import (
    Refused,
    bad_request,
    one_of,
    unsupported_operation,
    unsupported_path,
)
from pytest_resilience_vault._login import log_in, role_id_of
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._role import Role
from pytest_resilience_vault._secret_ids import (
    ROLE,
    WRONG_BLOCKS,
    SecretIdPaths,
    check_blocks,
    refuse_blocks,
)
from pytest_resilience_vault._ttl import Wish

if TYPE_CHECKING:
    from pytest_resilience_vault._tokens import Token

_TTLS = ("secret_id_ttl", "token_ttl", "token_max_ttl", "token_period", "token_explicit_max_ttl")
_COUNTS = ("secret_id_num_uses", "token_num_uses")
_FLAGS = ("bind_secret_id", "token_no_default_policy")
# Names from before the token_ fields, which still work (sdk/helper/tokenutil, UpgradeValue).
_OLD_NAMES = {"policies": "token_policies", "period": "token_period"}
_PARTS = {
    "bind-secret-id": "bind_secret_id",
    "period": "token_period",
    "policies": "token_policies",
    "secret-id-bound-cidrs": "secret_id_bound_cidrs",
    "secret-id-num-uses": "secret_id_num_uses",
    "secret-id-ttl": "secret_id_ttl",
    "token-bound-cidrs": "token_bound_cidrs",
    "token-max-ttl": "token_max_ttl",
    "token-num-uses": "token_num_uses",
    "token-ttl": "token_ttl",
}
PART = f"{ROLE}/(?P<part>{'|'.join(_PARTS)})"


class AppRole(SecretIdPaths):
    """The auth method for machines."""

    type = "approle"
    open_paths = ("login",)

    def exists(self, call: Call) -> bool | None:
        """Whether there is such a role; on the role's own path only."""
        folder, _, name = call.path.partition("/")
        if folder == "role" and name and "/" not in name:
            return name.lower() in self.roles
        return None

    def renewal(self, token: Token) -> Wish:
        """On the role's terms as they are now (path_login.go, pathLoginRenew)."""
        name = (token.meta or {}).get("role_name", "")
        role = self.roles.get(name)
        if role is None:
            raise Refused(
                500, one_of(f'failed to renew entry: role "{name}" does not exist during renewal')
            )
        return Wish(
            ttl=role.token_ttl,
            max_ttl=role.token_max_ttl,
            period=role.token_period,
            explicit_max_ttl=token.explicit_max_ttl,
        )

    @on("read delete patch", "login")
    def no_login(self, call: Call) -> None:
        """Nothing; but the look for a lockout comes before the look at the operation."""
        role_id_of(call)
        raise unsupported_operation()

    @on(WRITE, "login")
    def login(self, call: Call) -> Reply:
        """A token for a role id and a secret id; no token is needed for it."""
        return log_in(self.core, self.roles.values(), call)

    # Roles

    @on("list", "role/?")
    def list_roles(self, call: Call) -> Reply:
        """Their names."""
        return Reply({"keys": sorted(self.roles)})

    @on("read", ROLE)
    def read_role(self, call: Call, name: str) -> Reply | None:
        """A role's settings."""
        role = self.roles.get(name.lower())
        return Reply(role.shown(openbao=self.core.flavour.is_openbao)) if role else None

    @on(WRITE, ROLE, fields.ROLE)
    def write_role(self, call: Call, name: str) -> Reply | None:
        """Make a role, or change the settings that are named."""
        try:
            role = self.changed(name, call)
        except Refused as refused:
            if refused.status == 500 and call.text("token_type").startswith("default-"):
                # The warning that is due makes another status of it (seen).
                raise Refused(400, *refused.errors) from None
            raise
        self.roles[role.name] = role
        warnings = []
        kind = call.text("token_type")
        if kind in ("default-service", "default-batch"):
            warnings.append(f"{kind} has no useful meaning; adjusting to {role.token_type}")
        if role.token_max_ttl > call.mount.longest_ttl:
            words = "token_max_ttl is greater than the backend mount's maximum TTL value; issued"
            warnings.append(f"{words} tokens' max TTL value will be truncated")
        return Reply(warnings=warnings) if warnings else None

    def changed(self, name: str, call: Call) -> Role:
        """The role as a write would leave it; nothing is kept."""
        old = self.roles.get(name.lower())
        role = replace(old) if old else Role(name.lower())
        if old is None:
            role.local_secret_ids = call.flag("local_secret_ids")
        self._change(role, call)
        if old is not None and call.has("local_secret_ids"):
            words = "local_secret_ids can only be modified during role creation"
            raise bad_request(words)
        if call.has("role_id"):
            self._set_role_id(role, call)
        _check_role(role)
        return role

    @on("delete", ROLE)
    def delete_role(self, call: Call, name: str) -> None:
        """Forget a role and its secret ids; its tokens live on."""
        self.roles.pop(name.lower(), None)

    def _change(self, role: Role, call: Call) -> None:
        for old, new in _OLD_NAMES.items():
            if call.has(new):
                both = call.has(old)
                value = call.texts(new) if new == "token_policies" else call.seconds(new)
                setattr(role, old, value if both else None)
            elif call.has(old):
                call.data[new] = call.data[old]
                setattr(role, old, call.texts(old) if old == "policies" else call.seconds(old))
        for name in _TTLS:
            value = int(call.seconds(name, getattr(role, name)))
            setattr(role, name, value)
        for name in _COUNTS:
            value = call.whole(name, getattr(role, name))
            if value < 0:
                quoted = f"'{name}'" if name.startswith("token_") else name
                raise bad_request(f"{quoted} cannot be negative")
            setattr(role, name, value)
        for name in _FLAGS:
            setattr(role, name, call.flag(name, default=getattr(role, name)))
        self._change_lists(role, call)

    def _change_lists(self, role: Role, call: Call) -> None:
        if call.has("token_policies"):
            role.token_policies = [name for name in call.texts("token_policies") if name]
        if call.has("token_bound_cidrs"):
            role.token_bound_cidrs = blocks = call.texts("token_bound_cidrs")
            problem = unparsable(blocks)
            if problem:
                raise bad_request(problem)
        for name in ("bound_cidr_list", "secret_id_bound_cidrs"):
            if call.has(name):
                blocks = call.texts(name)
                refuse_blocks(blocks, WRONG_BLOCKS)
                role.secret_id_bound_cidrs = blocks
        kind = call.text("token_type", role.token_type).removeprefix("default-") or "default"
        if kind not in ("default", "service", "batch"):
            raise bad_request(f"invalid 'token_type' value \"{kind}\"")
        role.token_type = kind

    def _set_role_id(self, role: Role, call: Call) -> None:
        role_id = call.text("role_id")
        if not role_id:
            raise bad_request("invalid role_id supplied, or failed to generate a role_id")
        for other in self.roles.values():
            if other.role_id == role_id and other.name != role.name:
                raise Refused(500, one_of("role_id already in use"))
        role.role_id = role_id

    # One setting of a role

    @on("read", PART)
    def read_part(self, call: Call, name: str, part: str) -> Reply | None:
        """One setting."""
        role = self.roles.get(name.lower())
        field = _PARTS[part]
        if role is None:
            return None
        if field == "token_period" and role.period:
            return Reply({"period": role.period, field: role.token_period})
        # No list is null here, and [] in the whole role.
        return Reply(
            {field: getattr(role, field) or None if "cidrs" in field else getattr(role, field)}
        )

    @on(WRITE, PART, fields.ROLE)
    def write_part(self, call: Call, name: str, part: str) -> None:
        """Change one setting."""
        role = self._existing(name)
        field = _PARTS[part]
        old = next((old for old, new in _OLD_NAMES.items() if new == field), field)
        if not (call.has(field) or call.has(old)) and "cidrs" not in field:
            raise bad_request(f"missing {'period' if part == 'period' else field}")
        self._write_part(role, call, field)

    def _write_part(self, role: Role, call: Call, field: str) -> None:
        problem = unparsable(call.texts(field)) if field == "token_bound_cidrs" else ""
        if problem:
            raise bad_request(f"failed to parse token_bound_cidrs: {problem}")
        if field in ("secret_id_bound_cidrs", "bound_cidr_list") and call.has(field):
            if not call.texts(field):
                raise bad_request("missing bound_cidr_list")
            try:
                check_blocks(call.texts(field), WRONG_BLOCKS)
            except ValueError as error:
                raise bad_request(str(error)) from None
        if field == "token_max_ttl" and 0 < call.seconds(field) < role.token_ttl:
            raise bad_request("token_max_ttl should be greater than or equal to token_ttl")
        changed = replace(role)
        self._change(changed, call)
        _check_role(changed)
        if field == "token_policies":
            # As policyutil.ParsePolicies leaves them, which the whole role's path does not use.
            changed.token_policies = [name.lower() for name in changed.token_policies]
        self.roles[role.name] = changed
        for old, new in _OLD_NAMES.items():
            if field == new and call.has(old) and call.has(new):
                setattr(changed, old, getattr(changed, new))

    @on("delete", PART)
    def delete_part(self, call: Call, name: str, part: str) -> None:
        """Back to what it is by default."""
        role = self.roles.get(name.lower())
        if role:
            field = _PARTS[part]
            setattr(role, field, getattr(Role("default"), field))
            for old, new in _OLD_NAMES.items():
                if new == field:
                    setattr(role, old, None)

    @on("read", f"{ROLE}/bound-cidr-list")
    def read_old_list(self, call: Call, name: str) -> Reply | None:
        """The old name of secret-id-bound-cidrs, which shows nothing any more."""
        words = 'The "bound_cidr_list" field is deprecated and will be removed. Please use'
        warning = f'{words} "secret_id_bound_cidrs" instead.'
        known = name.lower() in self.roles
        return Reply({"bound_cidr_list": None}, warnings=[warning]) if known else None

    @on(WRITE, f"{ROLE}/bound-cidr-list")
    def write_old_list(self, call: Call, name: str) -> None:
        """Change it."""
        self._write_part(self._existing(name), call, "bound_cidr_list")

    @on("delete", f"{ROLE}/bound-cidr-list")
    def delete_old_list(self, call: Call, name: str) -> None:
        """Forget it, under its new name."""
        role = self.roles.get(name.lower())
        if role:
            role.secret_id_bound_cidrs = None

    @on("read", f"{ROLE}/local-secret-ids")
    def read_local(self, call: Call, name: str) -> Reply | None:
        """Whether its secret ids stay on one cluster."""
        role = self.roles.get(name.lower())
        return Reply({"local_secret_ids": role.local_secret_ids}) if role else None

    @on("read", f"{ROLE}/role-id")
    def read_role_id(self, call: Call, name: str) -> Reply | None:
        """The half of the credentials that is no secret."""
        role = self.roles.get(name.lower())
        return Reply({"role_id": role.role_id}) if role else None

    @on(WRITE, f"{ROLE}/role-id")
    def write_role_id(self, call: Call, name: str) -> None:
        """Choose it."""
        role = self._existing(name)
        if not call.text("role_id"):
            raise bad_request("missing role_id")
        self._set_role_id(role, call)

    @on(WRITE, "tidy/secret-id/?")
    def tidy(self, call: Call) -> Reply:
        """Nothing to do here: what has expired is gone when it is looked for."""
        words = "Tidy operation successfully started. Any information from the operation will be"
        return Reply(warnings=[f"{words} printed to Vault's server logs."], status=202)

    def _existing(self, name: str) -> Role:
        role = self.roles.get(name.lower())
        if role is None:
            raise unsupported_path()
        return role


def _check_role(role: Role) -> None:
    if role.token_type == "batch":  # noqa: S105
        words = "'token_type' cannot be 'batch' or 'default_batch' when set to generate"
        # Under its old name it comes too late to be looked at (seen).
        if role.token_period and not role.period:
            raise bad_request(f"{words} periodic tokens")
        if role.token_num_uses:
            raise bad_request(f"{words} tokens with limited use count")
    if 0 < role.token_max_ttl < role.token_ttl:
        raise bad_request("'token_ttl' cannot be greater than 'token_max_ttl'")
    if not role.bind_secret_id and not role.secret_id_bound_cidrs and not role.token_bound_cidrs:
        raise Refused(500, one_of("at least one constraint should be enabled on the role"))
