"""The policy named default, which every token has unless it was told otherwise.

It grants what Vault's own grants (vault/policy_store.go, defaultPolicy).
"""

from __future__ import annotations

_GRANTS = {
    "auth/token/lookup-self": "read",
    "auth/token/renew-self": "update",
    "auth/token/revoke-self": "update",
    "sys/capabilities-self": "update",
    "identity/entity/id/{{identity.entity.id}}": "read",
    "identity/entity/name/{{identity.entity.name}}": "read",
    "sys/internal/ui/resultant-acl": "read",
    "sys/renew": "update",
    "sys/leases/renew": "update",
    "sys/leases/lookup": "update",
    "cubbyhole/*": "create read update delete list",
    "sys/wrapping/wrap": "update",
    "sys/wrapping/lookup": "update",
    "sys/wrapping/unwrap": "update",
    "sys/tools/hash": "update",
    "sys/tools/hash/*": "update",
    "sys/control-group/request": "update",
    "identity/oidc/provider/+/authorize": "read update",
}


def _stanza(path: str, capabilities: str) -> str:
    listed = ", ".join(f'"{name}"' for name in capabilities.split())
    return f'path "{path}" {{\n    capabilities = [{listed}]\n}}\n'


_VAULTS = ("sys/renew", "sys/control-group/request")
"""Paths that an OpenBao's default policy does not name (seen in its resultant ACL)."""


def default_policy(*, openbao: bool) -> str:
    """Its text."""
    left = [grant for grant in _GRANTS.items() if not (openbao and grant[0] in _VAULTS)]
    return "\n" + "\n".join(_stanza(*grant) for grant in left)
