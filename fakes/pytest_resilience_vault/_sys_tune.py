"""Tuning and moving mounts (vault/logical_system.go, handleTuneWriteCommon, handleRemount)."""

from __future__ import annotations

from typing import Any

from pytest_resilience_vault import _fields as fields
from pytest_resilience_vault._backend import WRITE, Backend, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._errors import Refused, bad_request
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
_TURNS = (
    _ALWAYS,
    ("listing_visibility",),
    ("token_type",),
    ("passthrough_request_headers",),
    ("allowed_response_headers",),
)
"""In which they are set, and the first that is refused ends it (handleTuneWriteCommon)."""
_KEPT = ("default_ttl", "max_ttl", "description")
_TOKEN_TYPES = ("batch", "default-batch", "default-service", "service")


def slashed(path: str) -> str:
    """The path with one slash at its end."""
    return path if path.endswith("/") else f"{path}/"


def configure(mount: Mount, call: Call) -> None:
    """Set what a mount's config may say besides its times."""
    for name in _LISTS:
        if call.has(name):
            _set_or_forget(mount, name, call.texts(name))
    if call.has("force_no_cache"):
        mount.config["force_no_cache"] = call.flag("force_no_cache")
    if call.has("listing_visibility"):
        visibility = call.text("listing_visibility")
        if visibility not in ("", "hidden", "unauth"):
            raise bad_request(f"invalid listing_visibility {visibility}")
        _set_or_forget(mount, "listing_visibility", visibility)
    if call.has("token_type") and mount.is_auth:
        kind = call.text("token_type")
        if kind not in ("", *_TOKEN_TYPES):
            raise bad_request("invalid value for 'token_type'")
        _set_or_forget(mount, "token_type", kind)


def _set_or_forget(mount: Mount, name: str, value: list[str] | str) -> None:
    mount.config.pop(name, None)
    if value:
        mount.config[name] = value


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


def _check_tunable(mount: Mount, call: Call) -> None:
    if mount.prefix in UNTUNABLE:
        for name in call.data:
            if name in _TUNED and name not in _ALWAYS:
                raise bad_request(f"cannot tune parameter {name} of {mount.prefix}")


def _check_token_type(mount: Mount, call: Call) -> None:
    if call.has("token_type") and not mount.is_auth:
        raise bad_request("'token_type' can only be modified on auth mounts")
    if call.has("token_type") and mount.type == "token":
        raise bad_request("'token_type' cannot be set for 'token' or 'ns_token' auth mounts")


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
        before = {name: getattr(mount, name) for name in _KEPT}
        lockout, config = mount.lockout.config, dict(mount.config)
        try:
            return self._tune_in_turn(mount, call)
        except Refused:
            # Vault keeps what was set before the refused one; OpenBao takes all of it back.
            if self.core.flavour.is_openbao:
                for name, value in before.items():
                    setattr(mount, name, value)
                mount.lockout.config, mount.config = lockout, config
            raise

    def _tune_in_turn(self, mount: Mount, call: Call) -> Reply | None:
        _check_tunable(mount, call)
        self._tune_times(mount, call)
        lockout = call.mapping("user_lockout_config")
        if lockout:
            if mount.type != "approle":
                words = "tuning of user lockout configuration for auth type"
                raise bad_request(f'{words} "{mount.type}" not allowed')
            mount.lockout.tune(lockout)
        if call.has("description"):
            mount.description = call.text("description")
        self._check_version(mount, call)
        for names in _TURNS:
            if "token_type" in names:
                _check_token_type(mount, call)
            configure(mount, Call.of({name: call.data[name] for name in names if call.has(name)}))
        return self._upgrade(mount, call)

    def _check_version(self, mount: Mount, call: Call) -> None:
        wanted = call.text("plugin_version")
        if wanted:
            version = f"v{wanted.removeprefix('v')}"
            version += ".0" * (2 - version.count("."))
            words = f"plugin not found in the catalog: {mount.type}, version={version}"
            raise bad_request(words)

    def _tune_times(self, mount: Mount, call: Call) -> None:
        times = {"default_lease_ttl": mount.default_ttl, "max_lease_ttl": mount.max_ttl}
        for name in times:
            text = call.text(name)
            if text:
                try:
                    times[name] = 0 if text == "system" else int(seconds(text))
                except ValueError as error:
                    raise bad_request(str(error)) from None
        default, longest = times["default_lease_ttl"], times["max_lease_ttl"]
        if longest and default and longest < default:
            words = f"backend max lease TTL of {longest} would be less than backend default"
            raise bad_request(f"{words} lease TTL of {default}")
        mount.default_ttl, mount.max_ttl = default, longest

    def _upgrade(self, mount: Mount, call: Call) -> Reply | None:
        """Version 1 of KV can become version 2, and not back."""
        given = call.pairs("options")
        wanted = given.get("version")
        others = {name: value for name, value in given.items() if name != "version"}
        if others:
            known = {**(mount.options or {}), **others}
            # A value of nothing takes an option away.
            mount.options = {name: value for name, value in known.items() if value}
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
        if source.startswith("auth/") and not target.startswith("auth/"):
            raise bad_request(f'cannot remount auth mount to non-auth mount "{target}"')
        if source.startswith((*PERMANENT, "audit/")):
            raise bad_request(f'cannot remount "{source}"')
        mount = mounts.get(source)
        from_auth = source.startswith("auth/")
        if target.startswith((*PERMANENT, "audit/", *(() if from_auth else ("auth/",)))):
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
