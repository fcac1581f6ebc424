"""What a new Vault has in it: KV, AppRole, a policy, a role, and tokens of its own."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_resilience_vault._approle import AppRole
from pytest_resilience_vault._call import UPDATE, Call
from pytest_resilience_vault._core import Core
from pytest_resilience_vault._ids import new_uuid
from pytest_resilience_vault._lockout import Lockout
from pytest_resilience_vault._login import log_in
from pytest_resilience_vault._mounts import Mount
from pytest_resilience_vault._role import Role, SecretId

APP = "app"
APP_POLICY = """\
# Everything below secret/.
path "secret/*" {
    capabilities = ["create", "read", "update", "patch", "delete", "list"]
}
"""


@dataclass
class Setup:
    """What a new Vault was given."""

    role: Role
    secret_id: str
    method: AppRole
    mount: Mount

    @property
    def role_id(self) -> str:
        """Of the role as it is now; when it was deleted, as it was."""
        return (self.method.roles.get(APP) or self.role).role_id

    def choose_secret_id(self) -> None:
        """One that the role has, after a state was set that took the first one away."""
        known = self.method.roles[APP].secret_ids if APP in self.method.roles else {}
        if known and self.secret_id not in known:
            self.secret_id = next(iter(known))

    def new_token(self, core: Core) -> str:
        """A token of the role, made as a login makes it, without using a secret id up."""
        now = core.time()
        role = self.method.roles.get(APP) or Role(APP, token_policies=[APP])
        secret = SecretId(new_uuid(), now)
        data = {"role_id": role.role_id, "secret_id": secret.secret_id}
        call = Call(UPDATE, f"{self.mount.prefix}login", data, now, remote="127.0.0.1")
        call.mount, call.path = self.mount, "login"
        held, lockout = role.secret_ids, self.mount.lockout
        role.secret_ids, self.mount.lockout = {secret.secret_id: secret}, Lockout()
        try:
            reply = log_in(core, [role], call)
        finally:
            role.secret_ids, self.mount.lockout = held, lockout
        assert reply.auth is not None
        return str(reply.auth["client_token"])


def set_up(core: Core) -> Setup:
    """Fill a new server."""
    now = core.time()
    core.mount_kv("secret/", 2, "key/value secret storage")
    method = AppRole(core)
    mount = core.mounts.add(Mount("approle/", "approle", method, is_auth=True, options={}))
    core.policies.write(APP, APP_POLICY)
    role = Role(APP, token_policies=[APP])
    secret = SecretId(new_uuid(), now)
    role.secret_ids[secret.secret_id] = secret
    method.roles[APP] = role
    core.root_token = core.new_root_token().id
    return Setup(role, secret.secret_id, method, mount)
