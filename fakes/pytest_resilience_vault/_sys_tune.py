"""Tuning and moving mounts (vault/logical_system.go, handleTuneWriteCommon, handleRemount)."""

from __future__ import annotations

from typing import Any

from pytest_resilience_vault import _fields as fields
from pytest_resilience_vault._backend import WRITE, Backend, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._errors import bad_request
from pytest_resilience_vault._ids import new_uuid
from pytest_resilience_vault._kv1 import Kv1
from pytest_resilience_vault._kv2 import Kv2
from pytest_resilience_vault._mounts import Mount
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._stored import upgraded
from pytest_resilience_vault._times import seconds

TUNE = "/tune"
PERMANENT = ("cubbyhole/", "identity/", "sys/", "auth/token/")
_LISTS = (
    "allowed_response_headers",
    "audit_non_hmac_request_keys",
    "audit_non_hmac_response_keys",
    "passthrough_request_headers",
)
_TUNED = (*_LISTS, "default_lease_ttl", "description", "listing_visibility", "max_lease_ttl",
          "options", "plugin_version", "token_type", "user_lockout_config")  # fmt: skip
UNTUNABLE = ("cubbyhole/", "identity/", "sys/")
_ALWAYS = ("audit_non_hmac_request_keys", "audit_non_hmac_response_keys")
_TOKEN_TYPES = ("batch", "default-batch", "default-service", "service")


def slashed(path: str) -> str:
    """The path with one slash at its end."""
    return path if path.endswith("/") else f"{path}/"


def configure(mount: Mount, call: Call) -> None:
    """Set what a mount's config may say besides its times."""
    for name in _LISTS:
        if call.has(name):
            mount.config[name] = call.texts(name)
    if call.has("force_no_cache"):
        mount.config["force_no_cache"] = call.flag("force_no_cache")
    visibility = call.text("listing_visibility")
    if visibility:
        if visibility not in ("hidden", "unauth"):
            raise bad_request(f"invalid listing_visibility {visibility}")
        mount.config["listing_visibility"] = visibility
    kind = call.text("token_type")
    if kind and mount.is_auth:
        if kind not in _TOKEN_TYPES:
            raise bad_request("invalid value for 'token_type'")
        mount.config["token_type"] = kind


def _tuned(mount: Mount) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "default_lease_ttl": mount.ttl,
        "description": mount.description,
        "force_no_cache": False,
        "max_lease_ttl": mount.longest_ttl,
        **mount.config,
        **mount.token_kind,
        **mount.lockout.config,
    }
    if mount.options:
        shown["options"] = mount.options
    return shown


class TunePaths(Backend):
    """Changing mounts that are there."""

    type = "system"

    def _tunable(self, path: str, below: str) -> Mount | None:
        return self.core.mounts.get(f"{below}{slashed(path)}")

    def _read_tune(self, path: str, below: str) -> Reply:
        mount = self._tunable(path, below)
        if mount is None:
            raise bad_request(f'cannot fetch sysview for path "{below}{slashed(path)}"')
        return Reply(_tuned(mount), top=True)

    def _tune(self, path: str, below: str, call: Call) -> Reply | None:
        call.convert(fields.TUNE)
        mount = self._tunable(path, below)
        if mount is None:
            words = f'tune of path "{below}{slashed(path)}" failed: no mount entry found'
            raise bad_request(words)
        self._check_tune(mount, call)
        self._tune_times(mount, call)
        if call.has("description"):
            mount.description = call.text("description")
        lockout = call.mapping("user_lockout_config")
        if lockout:
            mount.lockout.tune(lockout)
        configure(mount, call)
        return self._upgrade(mount, call)

    def _check_tune(self, mount: Mount, call: Call) -> None:
        if mount.prefix in UNTUNABLE:
            for name in call.data:
                if name in _TUNED and name not in _ALWAYS:
                    words = f"cannot tune parameter {name} of"
                    raise bad_request(f"{words} {mount.prefix}")
        if call.text("token_type"):
            if not mount.is_auth:
                raise bad_request("'token_type' can only be modified on auth mounts")
            if mount.type == "token":
                words = "'token_type' cannot be set for 'token' or 'ns_token' auth mounts"
                raise bad_request(words)
        if call.mapping("user_lockout_config") and mount.type != "approle":
            words = "tuning of user lockout configuration for auth type"
            raise bad_request(f'{words} "{mount.type}" not allowed')
        wanted = call.text("plugin_version")
        if wanted:
            version = f"v{wanted.removeprefix('v')}"
            version += ".0" * (2 - version.count("."))
            words = f"plugin not found in the catalog: {mount.type}, version={version}"
            raise bad_request(words)

    def _tune_times(self, mount: Mount, call: Call) -> None:
        times = {"default_lease_ttl": mount.default_ttl, "max_lease_ttl": mount.max_ttl}
        for name in times:
            if call.has(name):
                text = call.text(name)
                try:
                    times[name] = 0 if text == "system" else int(seconds(text))
                except ValueError as error:
                    raise bad_request(str(error)) from None
        default, longest = times["default_lease_ttl"], times["max_lease_ttl"]
        if 0 < longest < default:
            words = f"backend max lease TTL of {longest} would be less than backend default"
            raise bad_request(f"{words} lease TTL of {default}")
        mount.default_ttl, mount.max_ttl = default, longest

    def _upgrade(self, mount: Mount, call: Call) -> Reply | None:
        """Version 1 of KV can become version 2, and not back."""
        wanted = call.mapping("options").get("version")
        if wanted is None or mount.type != "kv":
            return None
        if str(wanted) == "1" and isinstance(mount.backend, Kv2):
            raise bad_request("cannot downgrade mount from version 2")
        if str(wanted) != "2" or not isinstance(mount.backend, Kv1):
            return None
        old = (mount.options or {}).get("version", "0")
        mount.backend = upgraded(mount.backend, call.now)
        mount.options = {**(mount.options or {}), "version": "2"}
        # Both servers print the version that it has not reached yet as 0 (seen on OpenBao).
        words = f"Upgrading mount from version {old} to version 0. This mount will be"
        tail = "unavailable for a brief period and will resume service shortly."
        return Reply(warnings=[f"{words} {tail}"])

    # sys/remount

    @on(WRITE, "remount", fields.REMOUNT)
    def remount(self, call: Call) -> Reply:
        """Move a mount; here at once, in the real one in the background."""
        source, target = call.text("from"), call.text("to")
        if not source or not target:
            raise bad_request("both 'from' and 'to' path must be specified as a string")
        source, target = slashed(source.strip("/")), slashed(target.strip("/"))
        mounts = self.core.mounts
        if source in PERMANENT:
            raise bad_request(f'cannot remount "{source}"')
        mount = mounts.get(source)
        if source.startswith("auth/") != target.startswith("auth/"):
            raise bad_request(f"cannot remount to destination {target}")
        if mount is None:
            raise bad_request(f'no matching mount at "{source}"')
        if mounts.conflict(target) is not None:
            raise bad_request(f'path already in use at "{target}"')
        mounts.move(mount, target)
        migration = new_uuid()
        self._migrations[migration] = (source, target)
        words = "Mount move has been queued. Progress will be reported in Vault's server log,"
        warning = f"{words} tagged with the returned migration_id"
        return Reply({"migration_id": migration}, warnings=[warning], top=True)

    @property
    def _migrations(self) -> dict[str, tuple[str, str]]:
        found: dict[str, tuple[str, str]] = self.__dict__.setdefault("_moved", {})
        return found

    @on("read", "remount/status/(?P<migration>.+)")
    def remount_status(self, call: Call, migration: str) -> Reply | None:
        """How far a move is."""
        moved = self._migrations.get(migration)
        if moved is None:
            return None
        info = {"source_mount": moved[0], "target_mount": moved[1], "status": "success"}
        return Reply({"migration_id": migration, "migration_info": info})
