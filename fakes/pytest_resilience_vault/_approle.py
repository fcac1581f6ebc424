"""auth/approle: roles and their secret ids (builtin/credential/approle)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_resilience_vault import _fields as fields
from pytest_resilience_vault._backend import WRITE, on
from pytest_resilience_vault._call import Call
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
from pytest_resilience_vault._role_fields import (
    OLD_NAMES,
    check_period,
    set_old_names,
    set_own_fields,
    set_part,
    set_token_fields,
)
from pytest_resilience_vault._secret_ids import ROLE, SecretIdPaths
from pytest_resilience_vault._ttl import Wish

if TYPE_CHECKING:
    from pytest_resilience_vault._tokens import Token

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

    @on(WRITE, "login", fields.LOGIN)
    def login(self, call: Call) -> Reply:
        """A token for a role id and a secret id; no token is needed for it."""
        return log_in(self.core, self.roles.values(), call)

    # Roles

    @on("list", "role/?", fields.PAGES)
    def list_roles(self, call: Call) -> Reply:
        """Their names."""
        return self.listed(call, sorted(self.roles))

    @on("read", ROLE)
    def read_role(self, call: Call, name: str) -> Reply | None:
        """A role's settings."""
        role = self.roles.get(name.lower())
        return Reply(role.shown(openbao=self.core.flavour.is_openbao)) if role else None

    @on(WRITE, ROLE, fields.ROLE)
    def write_role(self, call: Call, name: str) -> Reply | None:
        """Make a role, or change the settings that are named."""
        role = self._read(name, call)
        warnings = []
        kind = call.text("token_type")
        if kind in ("default-service", "default-batch"):
            warnings.append(f"{kind} has no useful meaning; adjusting to {role.token_type}")
        if role.token_max_ttl > call.mount.longest_ttl:
            words = "token_max_ttl is greater than the backend mount's maximum TTL value; issued"
            warnings.append(f"{words} tokens' max TTL value will be truncated")
        try:
            self._check_stored(role)
        except Refused as refused:
            # A warning that is due makes another status of it (seen).
            raise Refused(400 if warnings else 500, *refused.errors) from None
        self.roles[role.name] = role
        return Reply(warnings=warnings) if warnings else None

    def changed(self, name: str, call: Call) -> Role:
        """The role as a write would leave it; nothing is kept."""
        role = self._read(name, call)
        self._check_stored(role)
        return role

    def _read(self, name: str, call: Call) -> Role:
        """The role with what is asked for, in the order in which the fields are refused."""
        old = self.roles.get(name.lower())
        role = replace(old) if old else Role(name.lower())
        set_token_fields(role, call)
        if old is None:
            role.local_secret_ids = call.flag("local_secret_ids")
        elif call.has("local_secret_ids"):
            raise bad_request("local_secret_ids can only be modified during role creation")
        if call.has("role_id"):
            role.role_id = call.text("role_id")
            if not role.role_id:
                raise bad_request("invalid role_id supplied, or failed to generate a role_id")
        set_own_fields(role, call)
        set_old_names(role, call)
        check_period(role.period or 0, role, call)
        return role

    def _check_stored(self, role: Role) -> None:
        """What is looked at last, when the role is to be kept (setRoleEntry)."""
        blocks = role.secret_id_bound_cidrs or role.token_bound_cidrs
        if not role.bind_secret_id and not blocks:
            raise Refused(500, one_of("at least one constraint should be enabled on the role"))
        for other in self.roles.values():
            if other.role_id == role.role_id and other.name != role.name:
                raise Refused(500, one_of("role_id already in use"))

    @on("delete", ROLE)
    def delete_role(self, call: Call, name: str) -> None:
        """Forget a role and its secret ids; its tokens live on."""
        self.drop_role(name, call.now)

    # One setting of a role

    @on("read", PART)
    def read_part(self, call: Call, name: str, part: str) -> Reply | None:
        """One setting."""
        role = self.roles.get(name.lower())
        field = _PARTS[part]
        if role is None:
            return None
        shown = {field: getattr(role, field)}
        old = next((old for old, new in OLD_NAMES.items() if new == field), None)
        if old and getattr(role, old):
            shown[old] = getattr(role, old)
        return Reply(shown)

    @on(WRITE, PART, fields.ROLE)
    def write_part(self, call: Call, name: str, part: str) -> None:
        """Change one setting."""
        role = self._existing(name)
        field = _PARTS[part]
        old = next((old for old, new in OLD_NAMES.items() if new == field), field)
        if not (call.has(field) or call.has(old)) and "cidrs" not in field:
            raise bad_request(f"missing {'period' if part == 'period' else field}")
        self._write_part(role, call, field)

    def _write_part(self, role: Role, call: Call, field: str) -> None:
        changed = replace(role)
        set_part(changed, call, field)
        self._check_stored(changed)
        self.roles[role.name] = changed

    @on("delete", PART)
    def delete_part(self, call: Call, name: str, part: str) -> None:
        """Back to what it is by default."""
        role = self.roles.get(name.lower())
        if role:
            field = _PARTS[part]
            changed = replace(role)
            setattr(changed, field, getattr(Role("default"), field))
            for old, new in OLD_NAMES.items():
                if new == field:
                    setattr(changed, old, None)
            self._check_stored(changed)
            self.roles[role.name] = changed

    @on("read", f"{ROLE}/bound-cidr-list")
    def read_old_list(self, call: Call, name: str) -> Reply | None:
        """The old name of secret-id-bound-cidrs, which shows nothing any more."""
        words = 'The "bound_cidr_list" field is deprecated and will be removed. Please use'
        warning = f'{words} "secret_id_bound_cidrs" instead.'
        known = name.lower() in self.roles
        return Reply({"bound_cidr_list": None}, warnings=[warning]) if known else None

    @on(WRITE, f"{ROLE}/bound-cidr-list", fields.OLD_LIST)
    def write_old_list(self, call: Call, name: str) -> None:
        """Change it."""
        self._write_part(self._existing(name), call, "bound_cidr_list")

    @on("delete", f"{ROLE}/bound-cidr-list")
    def delete_old_list(self, call: Call, name: str) -> None:
        """Nothing: what was set by this name is kept under the new one (seen)."""

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

    @on(WRITE, f"{ROLE}/role-id", fields.ROLE_ID)
    def write_role_id(self, call: Call, name: str) -> None:
        """Choose it."""
        role = self._existing(name)
        if not call.text("role_id"):
            raise bad_request("missing role_id")
        changed = replace(role, role_id=call.text("role_id"))
        self._check_stored(changed)
        self.roles[role.name] = changed

    @on(WRITE, "tidy/secret-id")
    def tidy(self, call: Call) -> Reply:
        """Forget what is over, before that happens by itself."""
        self.tidy_secret_ids(call.now)
        words = "Tidy operation successfully started. Any information from the operation will be"
        return Reply(warnings=[f"{words} printed to Vault's server logs."], status=202)

    def _existing(self, name: str) -> Role:
        role = self.roles.get(name.lower())
        if role is None:
            raise unsupported_path()
        return role
