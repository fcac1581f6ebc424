"""sys/mounts and sys/auth: what is mounted, and mounting (vault/logical_system.go)."""

from __future__ import annotations

from typing import Any

from pytest_resilience_vault._approle import AppRole
from pytest_resilience_vault._backend import WRITE, Backend, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._errors import Lacking, bad_request
from pytest_resilience_vault._mounts import Mount
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._times import seconds
from pytest_resilience_vault._ttl import DEFAULT_TTL

# What the real catalog has besides kv and approle (helper/builtinplugins/registry.go).
_SECRETS = """
    ad alicloud aws azure consul database gcp gcpkms kubernetes ldap mongodbatlas nomad openldap
    pki rabbitmq ssh terraform totp transit
"""
_LOGINS = """
    alicloud aws azure cert cf gcp github jwt kerberos kubernetes ldap oci oidc okta pcf radius
    userpass
"""
ENGINES, METHODS = frozenset(_SECRETS.split()), frozenset(_LOGINS.split())
TUNE = "/tune"
PROTECTED = ("audit/", "auth/", "cubbyhole/", "identity/", "sys/")
PERMANENT = ("cubbyhole/", "identity/", "sys/", "auth/token/")


def _slashed(path: str) -> str:
    return path if path.endswith("/") else f"{path}/"


def _config_seconds(call: Call, name: str) -> int:
    value = call.mapping("config").get(name, 0)
    try:
        return int(seconds(value)) if value not in (None, "", "system") else 0
    except ValueError as error:
        kind = name.partition("_")[0]
        raise bad_request(f"unable to parse {kind} TTL of {value}: {error}") from None


def _check_ttls(call: Call) -> None:
    """Refuse times that a mount cannot have, before it is there."""
    default, longest = (
        _config_seconds(call, "default_lease_ttl"),
        _config_seconds(call, "max_lease_ttl"),
    )
    if longest and default > longest:
        raise bad_request("given default lease TTL greater than given max lease TTL")
    if not longest and default > DEFAULT_TTL:
        words = "given default lease TTL greater than system max lease TTL of"
        raise bad_request(f"{words} {DEFAULT_TTL}")


def _tuned(mount: Mount) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "default_lease_ttl": mount.ttl,
        "description": mount.description,
        "force_no_cache": False,
        "max_lease_ttl": mount.longest_ttl,
    }
    if mount.is_auth:
        shown["token_type"] = "default-service"  # noqa: S105
    if mount.options:
        shown["options"] = mount.options
    return shown


class MountPaths(Backend):
    """Secrets engines."""

    type = "system"

    def _entries(self) -> dict[str, Any]:
        core = self.core
        return {mount.path: mount.entry(core.version) for mount in core.mounts.secret_engines()}

    @on("read", "mounts")
    def list_mounts(self, call: Call) -> Reply:
        """All secrets engines."""
        return Reply(self._entries(), top=True)

    @on("read", "mounts/(?P<path>.+?)")
    def read_mount(self, call: Call, path: str) -> Reply:
        """One secrets engine, or how it is tuned."""
        if path.endswith(TUNE):
            return self._read_tune(path.removesuffix(TUNE), "")
        mount = self.core.mounts.get(_slashed(path))
        if mount is None or mount.is_auth:
            raise bad_request(f"No secret engine mount at {_slashed(path)}")
        return Reply(mount.entry(self.core.version), top=True)

    @on(WRITE, "mounts/(?P<path>.+?)")
    def enable(self, call: Call, path: str) -> None:
        """Mount an engine."""
        if path.endswith(TUNE):
            self._tune(path.removesuffix(TUNE), "", call)
            return
        kind = call.text("type")
        if not kind:
            raise bad_request("backend type must be specified as a string")
        options = {key: str(value) for key, value in call.mapping("options").items()}
        version = options.get("version")
        if kind in ("kv-v1", "kv-v2", "generic"):
            kind, version = "kv", {"kv-v2": "2", "kv-v1": "1"}.get(kind, version)
        prefix = _slashed(path)
        if prefix.startswith(PROTECTED):
            raise bad_request(f'cannot mount "{prefix}"')
        _check_ttls(call)
        conflict = self.core.mounts.conflict(prefix)
        if conflict is not None:
            raise bad_request(f"path is already in use at {conflict.prefix}")
        if kind == "kv" and version not in (None, "", "1", "2"):
            raise bad_request('nil backend of type "kv" returned from factory')
        if kind in ENGINES:
            raise Lacking(f"this fake of Vault has no secrets engine {kind}")
        if kind != "kv":
            raise bad_request(f"plugin not found in the catalog: {kind}")
        mount = self.core.mount_kv(_slashed(path), int(version) if version else None)
        mount.options = options if not version else {**options, "version": version}
        _describe(mount, call)

    @on("delete", "mounts/(?P<path>.+?)")
    def disable(self, call: Call, path: str) -> None:
        """Unmount an engine; what was in it is gone. Nothing mounted there is fine."""
        prefix = _slashed(path)
        if prefix in PERMANENT:
            raise bad_request(f'cannot unmount "{prefix}"')
        mount = self.core.mounts.get(prefix)
        if mount is not None and not mount.is_auth:
            self.core.mounts.remove(mount)

    def _read_tune(self, path: str, below: str) -> Reply:
        mount = self.core.mounts.get(f"{below}{_slashed(path)}")
        if mount is None:
            raise bad_request(f'cannot fetch sysview for path "{below}{_slashed(path)}"')
        return Reply(_tuned(mount), top=True)

    def _tune(self, path: str, below: str, call: Call) -> None:
        mount = self.core.mounts.get(f"{below}{_slashed(path)}")
        if mount is None:
            words = f'tune of path "{below}{_slashed(path)}" failed: no mount entry found'
            raise bad_request(words)
        default, longest = mount.default_ttl, mount.max_ttl
        for name, field in (("default_lease_ttl", "default_ttl"), ("max_lease_ttl", "max_ttl")):
            if call.has(name):
                text = call.text(name)
                try:
                    setattr(mount, field, 0 if text == "system" else int(seconds(text)))
                except ValueError as error:
                    raise bad_request(str(error)) from None
        if 0 < mount.max_ttl < mount.default_ttl:
            words = f"backend max lease TTL of {mount.max_ttl} would be less than backend default"
            words = f"{words} lease TTL of {mount.default_ttl}"
            mount.default_ttl, mount.max_ttl = default, longest
            raise bad_request(words)
        if call.has("description"):
            mount.description = call.text("description")


class AuthPaths(MountPaths):
    """Auth methods."""

    @on("read", "auth")
    def list_auth(self, call: Call) -> Reply:
        """All auth methods."""
        core = self.core
        entries = {mount.path: mount.entry(core.version) for mount in core.mounts.auth_methods()}
        return Reply(entries, top=True)

    @on("read", "auth/(?P<path>.+?)")
    def read_auth(self, call: Call, path: str) -> Reply:
        """One auth method, or how it is tuned."""
        if path.endswith(TUNE):
            return self._read_tune(path.removesuffix(TUNE), "auth/")
        mount = self.core.mounts.get(f"auth/{_slashed(path)}")
        if mount is None:
            raise bad_request(f"No auth engine at {_slashed(path)}")
        return Reply(mount.entry(self.core.version), top=True)

    @on(WRITE, "auth/(?P<path>.+?)")
    def enable_auth(self, call: Call, path: str) -> None:
        """Mount an auth method."""
        if path.endswith(TUNE):
            self._tune(path.removesuffix(TUNE), "auth/", call)
            return
        kind = call.text("type")
        if not kind:
            raise bad_request("backend type must be specified as a string")
        conflict = self.core.mounts.conflict(f"auth/{_slashed(path)}")
        if conflict is not None:
            raise bad_request(f"path is already in use at {conflict.path}")
        if kind in METHODS:
            raise Lacking(f"this fake of Vault has no auth method {kind}")
        if kind != "approle":
            raise bad_request(f"plugin not found in the catalog: {kind}")
        mount = Mount(_slashed(path), kind, AppRole(self.core), is_auth=True, options={})
        _describe(self.core.mounts.add(mount), call)

    @on("delete", "auth/(?P<path>.+?)")
    def disable_auth(self, call: Call, path: str) -> None:
        """Unmount an auth method and revoke its tokens. Nothing mounted there is fine."""
        prefix = f"auth/{_slashed(path)}"
        if prefix in PERMANENT:
            raise bad_request("token credential backend cannot be disabled")
        mount = self.core.mounts.get(prefix)
        if mount is not None:
            self.core.mounts.remove(mount)
            self.core.tokens.revoke_below(prefix)


def _describe(mount: Mount, call: Call) -> None:
    mount.description = call.text("description")
    mount.local, mount.seal_wrap = call.flag("local"), call.flag("seal_wrap")
    mount.default_ttl = _config_seconds(call, "default_lease_ttl")
    mount.max_ttl = _config_seconds(call, "max_lease_ttl")
