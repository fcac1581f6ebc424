"""Lockout after logins with a bad secret id (vault/request_handling.go, user_lockout)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pytest_resilience_vault._backend import WRITE, Backend, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._errors import bad_request
from pytest_resilience_vault._gojson import encode
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._times import seconds

SWEEPS = 15 * 60
"""Seconds between two looks for who is not locked any more (updateLockedUserEntries)."""
AFTER = 5
SECONDS = 15 * 60
"""Defaults: as many failures within this time lock a role id for this time."""


@dataclass(slots=True, eq=False)
class Lockout:
    """Of one auth mount."""

    config: dict[str, Any] = field(default_factory=dict)
    """As tune shows it; empty for the defaults."""
    _failures: dict[str, tuple[int, float]] = field(default_factory=dict)
    _stored: dict[str, float] = field(default_factory=dict)
    """Who was locked, and when last; nobody is taken from it before the next sweep."""

    def tune(self, given: dict[str, Any]) -> None:
        """Change the configuration.

        Raises:
            Refused: A value cannot be read.
        """
        call = Call.of(given)
        old = self.config
        try:
            duration = int(seconds(given.get("lockout_duration") or 0))
            reset = int(seconds(given.get("lockout_counter_reset_duration") or 0))
        except ValueError as error:
            raise bad_request(str(error)) from None
        self.config = {
            "user_lockout_counter_reset_duration": reset
            or old.get("user_lockout_counter_reset_duration", 0),
            "user_lockout_disable": call.flag("lockout_disable"),
            "user_lockout_duration": duration or old.get("user_lockout_duration", 0),
            "user_lockout_threshold": _threshold(given.get("lockout_threshold"))
            or old.get("user_lockout_threshold", 0),
        }

    def _setting(self, name: str, default: int) -> int:
        return int(self.config.get(f"user_lockout_{name}") or default)

    def is_locked(self, alias: str, now: float) -> bool:
        """Whether a login with this role id is refused, whatever its secret id."""
        if self.config.get("user_lockout_disable"):
            return False
        count, last = self._failures.get(alias, (0, 0.0))
        enough = count >= self._setting("threshold", AFTER)
        return enough and now - last < self._setting("duration", SECONDS)

    def failed(self, alias: str, now: float) -> None:
        """Count a failure."""
        count, last = self._failures.get(alias, (0, 0.0))
        if now - last >= self._setting("counter_reset_duration", SECONDS):
            count = 0
        self._failures[alias] = (count + 1, now)
        if self.is_locked(alias, now):
            self._stored[alias] = now

    def clear(self, alias: str) -> None:
        """A good login."""
        self._failures.pop(alias, None)

    def unlock(self, alias: str) -> None:
        """As if it had never failed."""
        self.clear(alias)
        self._stored.pop(alias, None)

    def stored(self, swept: float) -> list[str]:
        """The role ids that were locked when it was swept last, and since then."""
        duration = self._setting("duration", SECONDS)
        self._stored = {
            alias: last for alias, last in self._stored.items() if last + duration >= swept
        }
        return sorted(self._stored)


def _threshold(given: Any) -> int:
    if isinstance(given, bool | list | dict):
        raise bad_request("unable to convert given user lockout config information")
    text = str(getattr(given, "text", given or ""))
    if text and not text.isdecimal():
        words = f"strconv.ParseUint: parsing {encode(text)}: invalid syntax"
        raise bad_request(f"unable to parse user lockout threshold: {words}")
    return int(text or 0)


class LockedUserPaths(Backend):
    """sys/locked-users."""

    type = "system"

    @on("read", "locked-users", {"mount_accessor": "text"})
    def locked_users(self, call: Call) -> Reply:
        """The role ids that are locked, by mount."""
        wanted = call.text("mount_accessor")
        found = self._mounts(wanted, call.now)
        total = sum(entry["counts"] for entry in found)
        space = {
            "namespace_id": self.core.id,
            "namespace_path": self.core.path,
            "counts": total,
            "mount_accessors": found,
        }
        return Reply({"by_namespace": [space], "total": total})

    def _mounts(self, wanted: str, now: float) -> list[dict[str, Any]]:
        found = []
        for mount in self.core.mounts.auth_methods():
            locked = mount.lockout.stored(self.core.seal.last_tick(now, SWEEPS))
            if locked and wanted in ("", mount.accessor):
                found.append(_entry(mount.accessor, locked))
        return found or ([_entry(wanted, None)] if wanted else [])

    @on(WRITE, "locked-users/(?P<accessor>[^/]+)/unlock/(?P<alias>.+)")
    def unlock(self, call: Call, accessor: str, alias: str) -> None:
        """Let a role id log in again; one that is not locked is fine."""
        for mount in self.core.mounts.auth_methods():
            if mount.accessor == accessor:
                mount.lockout.unlock(alias)


def _entry(accessor: str, locked: list[str] | None) -> dict[str, Any]:
    counts = len(locked or ())
    return {"mount_accessor": accessor, "counts": counts, "alias_identifiers": locked}
