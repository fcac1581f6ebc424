"""A secret of KV version 2: its versions and its metadata (vault-plugin-secrets-kv)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pytest_resilience_vault._times import in_go, stamp

KEPT = 10
"""Versions kept when neither the secret nor the engine says (path_data.go)."""


@dataclass(slots=True)
class Settings:
    """Of the engine, or of one secret."""

    max_versions: int = 0
    cas_required: bool = False
    delete_version_after: float = 0

    def shown(self) -> dict[str, Any]:
        """As a read shows them."""
        return {
            "cas_required": self.cas_required,
            "delete_version_after": in_go(self.delete_version_after),
            "max_versions": self.max_versions,
        }


@dataclass(slots=True)
class Version:
    """One version of a secret."""

    data: dict[str, Any] | None
    created: float
    deletion: float | None = None
    """When it was, or will be, deleted."""
    destroyed: bool = False

    def is_gone(self, now: float) -> bool:
        """Whether it cannot be read: deleted or destroyed."""
        return self.destroyed or (self.deletion is not None and self.deletion <= now)

    def shown(self) -> dict[str, Any]:
        """As the secret's metadata shows it."""
        return {
            "created_time": stamp(self.created),
            "deletion_time": "" if self.deletion is None else stamp(self.deletion),
            "destroyed": self.destroyed,
        }


@dataclass(slots=True)
class Secret:
    """All versions of a secret."""

    created: float
    updated: float
    settings: Settings = field(default_factory=Settings)
    custom_metadata: dict[str, str] | None = None
    versions: dict[int, Version] = field(default_factory=dict)
    current: int = 0
    metadata_version: int = 0
    """How often the metadata was written, which OpenBao counts."""
    oldest: int = 0

    def add(self, data: dict[str, Any] | None, now: float, engine: Settings) -> Version:
        """A new version; the oldest may have to go."""
        version = Version(data, now, self.deletion(now, engine))
        self.current += 1
        self.versions[self.current] = version
        self.updated = now
        self._prune(max(self.settings.max_versions, engine.max_versions) or KEPT)
        return version

    def _prune(self, kept: int) -> None:
        """Forget what is too old (path_data.go, AddVersion)."""
        if self.current - self.oldest < kept:
            return
        gone = self.current - kept
        for number in range(self.oldest, gone + 1):
            self.versions.pop(number, None)
        self.oldest = gone + 1

    def deletion(self, now: float, engine: Settings) -> float | None:
        """The shorter of what engine and secret say; a negative one of the engine is never."""
        own, general = self.settings.delete_version_after, engine.delete_version_after
        if general < 0 or own < 0:
            return None
        after = min((seconds for seconds in (own, general) if seconds), default=0)
        return now + after if after else None

    def shown_version(self, number: int) -> dict[str, Any]:
        """A version's metadata, as reads and writes of data show it."""
        return {
            **self.versions[number].shown(),
            "custom_metadata": self.custom_metadata,
            "version": number,
        }

    def shown(self) -> dict[str, Any]:
        """The metadata, as a read of it shows it."""
        return {
            **self.settings.shown(),
            "created_time": stamp(self.created),
            "current_version": self.current,
            "custom_metadata": self.custom_metadata,
            "oldest_version": self.oldest,
            "updated_time": stamp(self.updated),
            "versions": {str(number): version.shown() for number, version in self.versions.items()},
        }
