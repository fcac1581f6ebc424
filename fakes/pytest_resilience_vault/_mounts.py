"""The mount tables: which engine or method answers below which path."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from typing import Any

from pytest_resilience_vault._backend import Backend
from pytest_resilience_vault._ttl import DEFAULT_TTL


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
    default_ttl: int = 0
    max_ttl: int = 0
    config: dict[str, Any] = field(default_factory=dict)
    accessor: str = ""
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))

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

    def entry(self, version: str) -> dict[str, Any]:
        """How lists of mounts show it (vault/logical_system.go, mountInfo)."""
        shown: dict[str, Any] = {
            "accessor": self.accessor,
            "config": {
                "default_lease_ttl": self.default_ttl,
                "force_no_cache": False,
                "max_lease_ttl": self.max_ttl,
                **({"token_type": "default-service"} if self.is_auth else {}),
                **self.config,
            },
            "description": self.description,
            "external_entropy_access": False,
            "local": self.local,
            "options": self.options,
            "plugin_version": "",
            "running_plugin_version": _plugin_version(self.type, version),
            "running_sha256": "",
            "seal_wrap": self.seal_wrap,
            "type": self.type,
            "uuid": self.uuid,
        }
        if self.type in ("kv", "approle"):
            shown["deprecation_status"] = "supported"
        return shown


def _plugin_version(kind: str, version: str) -> str:
    # The kv engine is a module of its own, with versions of its own, in Vault.
    return "v0.24.0+builtin" if kind == "kv" else f"v{version}+builtin.vault"


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
