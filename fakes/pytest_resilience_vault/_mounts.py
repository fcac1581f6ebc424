"""The mount tables: which engine or method answers below which path."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from pytest_resilience_vault._backend import Backend
from pytest_resilience_vault._flavour import Flavour
from pytest_resilience_vault._ids import new_uuid
from pytest_resilience_vault._lockout import Lockout
from pytest_resilience_vault._ttl import DEFAULT_TTL

OWN_TYPES = ("cubbyhole", "identity", "system", "token")
"""Of mounts that every Vault has; they are nobody's plugins."""


@dataclass(slots=True, eq=False)
class Mount:
    """A mounted secrets engine, or auth method."""

    path: str
    """With a slash at the end; an auth method's without ``auth/``."""
    type: str
    backend: Backend
    is_auth: bool = False
    description: str = ""
    options: dict[str, str] | None = None
    local: bool = False
    seal_wrap: bool = False
    external_entropy_access: bool = False
    default_ttl: int = 0
    max_ttl: int = 0
    config: dict[str, Any] = field(default_factory=dict)
    accessor: str = ""
    in_namespace: bool = False
    """Whether it is one of the mounts that every namespace has of its own."""
    lockout: Lockout = field(default_factory=Lockout)
    uuid: str = field(default_factory=new_uuid)

    def __post_init__(self) -> None:
        prefix = "auth_" if self.is_auth else ""
        self.accessor = f"{prefix}{self.type}_{secrets.token_hex(4)}"

    @property
    def prefix(self) -> str:
        """The path in a request: ``secret/``, ``auth/approle/``."""
        return f"auth/{self.path}" if self.is_auth else self.path

    @property
    def ttl(self) -> int:
        """Seconds that a lease lives if nobody says otherwise."""
        return self.default_ttl or DEFAULT_TTL

    @property
    def longest_ttl(self) -> int:
        """Seconds that a lease lives at most."""
        return self.max_ttl or DEFAULT_TTL

    @property
    def token_kind(self) -> dict[str, str]:
        """Which type of tokens an auth method gives; that of a namespace's own differs (seen)."""
        if not self.is_auth:
            return {}
        return {"token_type": "default" if self.in_namespace else self.token_type}

    @property
    def token_type(self) -> str:
        """``default-service`` unless tune says otherwise."""
        return str(self.config.get("token_type", "default-service"))

    def entry(self, flavour: Flavour) -> dict[str, Any]:
        """How lists of mounts show it (vault/logical_system.go, mountInfo)."""
        shown: dict[str, Any] = {
            "accessor": self.accessor,
            "config": {
                "default_lease_ttl": self.default_ttl,
                "force_no_cache": False,
                "max_lease_ttl": self.max_ttl,
                **self.token_kind,
                **self.config,
                **({"user_lockout_config": self.lockout.config} if self.lockout.config else {}),
            },
            "description": self.description,
            "external_entropy_access": self.external_entropy_access,
            "local": self.local,
            "options": self.options,
            "plugin_version": "",
            "running_plugin_version": _plugin_version(self.type, flavour),
            "running_sha256": "",
            "seal_wrap": self.seal_wrap,
            "type": f"ns_{self.type}" if self.in_namespace else self.type,
            "uuid": self.uuid,
        }
        if self.type not in OWN_TYPES:
            shown["deprecation_status"] = "supported"
        return shown


def _plugin_version(kind: str, flavour: Flavour) -> str:
    if flavour.is_openbao:
        return f"v{flavour.version}+builtin.bao"
    # The kv engine is a module of its own, with versions of its own, in Vault.
    return "v0.24.0+builtin" if kind == "kv" else f"v{flavour.version}+builtin.vault"


class Mounts:
    """All mounts of a server; finds the one that a path belongs to."""

    def __init__(self) -> None:
        self._by_prefix: dict[str, Mount] = {}

    def add(self, mount: Mount) -> Mount:
        """Mount it."""
        self._by_prefix[mount.prefix] = mount
        return mount

    def remove(self, mount: Mount) -> None:
        """Unmount it; everything in it is gone."""
        del self._by_prefix[mount.prefix]

    def move(self, mount: Mount, prefix: str) -> None:
        """Mount it elsewhere, with all that is in it."""
        self.remove(mount)
        mount.path = prefix.removeprefix("auth/")
        self.add(mount)

    def of(self, path: str) -> Mount | None:
        """The mount that answers a path: the longest whose prefix begins it."""
        # secret and secret/ are the same mount.
        asked = path if path.endswith("/") else f"{path}/"
        end = len(asked)
        while (end := asked.rfind("/", 0, end)) > 0:
            mount = self._by_prefix.get(asked[: end + 1])
            if mount is not None:
                return mount
        return None

    def get(self, prefix: str) -> Mount | None:
        """The mount with exactly this prefix."""
        return self._by_prefix.get(prefix)

    def secret_engines(self) -> list[Mount]:
        """Those that are no auth methods, by path."""
        return [mount for _, mount in sorted(self._by_prefix.items()) if not mount.is_auth]

    def auth_methods(self) -> list[Mount]:
        """The auth methods, by path."""
        return [mount for _, mount in sorted(self._by_prefix.items()) if mount.is_auth]

    def conflict(self, prefix: str) -> Mount | None:
        """A mount above, at or below the prefix, which could then not be mounted."""
        for other, mount in self._by_prefix.items():
            if prefix.startswith(other) or other.startswith(prefix):
                return mount
        return None
