"""sys/mounts and sys/auth: what is mounted, and mounting (vault/logical_system.go)."""

from __future__ import annotations

from typing import Any

from pytest_resilience_vault import _fields as fields
from pytest_resilience_vault._approle import AppRole
from pytest_resilience_vault._backend import WRITE, Backend, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._errors import Lacking, bad_request, unsupported_operation
from pytest_resilience_vault._mounts import Mount
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._sys_tune import TUNE, TunePaths, configure, slashed
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
_OWN = ("cubbyhole", "identity", "system", "token")
ONLY_ONCE = frozenset((*_OWN, *(f"ns_{kind}" for kind in _OWN)))
"""Types of the mounts that are there from the beginning."""
PROTECTED = ("audit/", "auth/", "cubbyhole/", "identity/", "sys/")
PERMANENT = ("cubbyhole/", "identity/", "sys/", "auth/token/")


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


def _check_kind(kind: str, version: str | None) -> None:
    """Refuse an engine that there is not, or not once more."""
    if kind == "kv" and version not in (None, "", "1", "2"):
        raise bad_request('nil backend of type "kv" returned from factory')
    if kind in ONLY_ONCE:
        raise bad_request(f'mount type of "{kind}" is not mountable')
    if kind != "kv" and kind not in ENGINES:
        raise bad_request(f"plugin not found in the catalog: {kind}")


class Hollow(Backend):
    """An engine or a method that can be mounted, and has none of its paths in this fake."""

    type = "hollow"

    def no_such_path(self, call: Call) -> Exception:
        """The real one would do something."""
        return Lacking(f"this fake of Vault has no {call.mount.type}")


class MountPaths(TunePaths):
    """Secrets engines."""

    type = "system"

    def _entries(self) -> dict[str, Any]:
        core = self.core
        return {mount.path: mount.entry(core.flavour) for mount in core.mounts.secret_engines()}

    @on("read", "mounts")
    def list_mounts(self, call: Call) -> Reply:
        """All secrets engines."""
        return Reply(self._entries(), top=True)

    @on("read", "mounts/(?P<path>.+?)")
    def read_mount(self, call: Call, path: str) -> Reply:
        """One secrets engine, or how it is tuned."""
        if path.endswith(TUNE):
            return self._read_tune(path.removesuffix(TUNE), "")
        mount = self.core.mounts.get(slashed(path))
        if mount is None or mount.is_auth:
            raise bad_request(f"No secret engine mount at {slashed(path)}")
        return Reply(mount.entry(self.core.flavour), top=True)

    @on(WRITE, "mounts/(?P<path>.+?)")
    def enable(self, call: Call, path: str) -> Reply | None:
        """Mount an engine."""
        if path.endswith(TUNE):
            return self._tune(path.removesuffix(TUNE), "", call)
        call.convert(fields.MOUNT)
        kind = call.text("type")
        _check_ttls(call)
        if not kind:
            raise bad_request("backend type must be specified as a string")
        options = _options(call)
        version = (options or {}).get("version")
        if kind in ("kv-v1", "kv-v2", "generic"):
            kind, version = "kv", {"kv-v2": "2", "kv-v1": "1"}.get(kind, version)
        if version and kind != "kv":
            raise bad_request(f'secrets engine "{kind}" does not allow setting a version')
        prefix = slashed(path)
        if prefix.startswith(PROTECTED):
            raise bad_request(f'cannot mount "{prefix}"')
        conflict = self.core.mounts.conflict(prefix)
        if conflict is not None:
            raise bad_request(f"path is already in use at {conflict.prefix}")
        _check_kind(kind, version)
        if kind in ENGINES:
            mount = Mount(prefix, kind, Hollow(self.core), options=options)
        else:
            mount = self.core.new_kv(prefix, int(version) if version else None)
            mount.options = {**(options or {}), "version": version} if version else options
        # What this refuses has not been mounted.
        _describe(mount, call)
        self.core.mounts.add(mount)
        return None

    @on("delete", "mounts/(?P<path>.+?)")
    def disable(self, call: Call, path: str) -> None:
        """Unmount an engine; what was in it is gone, wrapped or not. Nothing there is fine."""
        _check_not_tune(path)
        prefix = slashed(path)
        if prefix in PERMANENT:
            raise bad_request(f'cannot unmount "{prefix}"')
        mount = self.core.mounts.get(prefix)
        if mount is not None and not mount.is_auth:
            self.core.mounts.remove(mount)
            self.core.tokens.revoke_below(prefix, self.core.path)


class AuthPaths(MountPaths):
    """Auth methods."""

    @on("read", "auth")
    def list_auth(self, call: Call) -> Reply:
        """All auth methods."""
        core = self.core
        entries = {mount.path: mount.entry(core.flavour) for mount in core.mounts.auth_methods()}
        return Reply(entries, top=True)

    @on("read", "auth/(?P<path>.+?)")
    def read_auth(self, call: Call, path: str) -> Reply:
        """One auth method, or how it is tuned."""
        if path.endswith(TUNE):
            return self._read_tune(path.removesuffix(TUNE), "auth/")
        mount = self.core.mounts.get(f"auth/{slashed(path)}")
        if mount is None:
            raise bad_request(f"No auth engine at {slashed(path)}")
        return Reply(mount.entry(self.core.flavour), top=True)

    @on(WRITE, "auth/(?P<path>.+?)")
    def enable_auth(self, call: Call, path: str) -> Reply | None:
        """Mount an auth method."""
        if path.endswith(TUNE):
            return self._tune(path.removesuffix(TUNE), "auth/", call)
        call.convert(fields.MOUNT)
        kind = call.text("type")
        _check_ttls(call)
        if not kind:
            raise bad_request("backend type must be specified as a string")
        options = _options(call)
        if (options or {}).get("version"):
            raise bad_request(f'auth method "{kind}" does not allow setting a version')
        conflict = self.core.mounts.conflict(f"auth/{slashed(path)}")
        if conflict is not None:
            raise bad_request(f"path is already in use at {conflict.path}")
        if kind in ("token", "ns_token"):
            raise bad_request("token credential backend cannot be instantiated")
        if kind not in METHODS and kind != "approle":
            raise bad_request(f"plugin not found in the catalog: {kind}")
        mount = Mount(slashed(path), kind, self._method(kind), is_auth=True, options=options)
        _describe(mount, call)
        self.core.mounts.add(mount)
        return None

    def _method(self, kind: str) -> Backend:
        return AppRole(self.core) if kind == "approle" else Hollow(self.core)

    @on("delete", "auth/(?P<path>.+?)")
    def disable_auth(self, call: Call, path: str) -> None:
        """Unmount an auth method and revoke its tokens. Nothing mounted there is fine."""
        _check_not_tune(path)
        prefix = f"auth/{slashed(path)}"
        if prefix in PERMANENT:
            raise bad_request("token credential backend cannot be disabled")
        mount = self.core.mounts.get(prefix)
        if mount is not None:
            self.core.mounts.remove(mount)
            self.core.tokens.revoke_below(prefix, self.core.path)


def _options(call: Call) -> dict[str, str] | None:
    """Those that are given; null, which the command line sends for none, is shown as null."""
    return None if call.data.get("options", "") is None else call.pairs("options")


def _check_not_tune(path: str) -> None:
    """How a mount is tuned is a path of its own, and cannot be deleted."""
    if path.endswith(TUNE):
        raise unsupported_operation()


def _describe(mount: Mount, call: Call) -> None:
    mount.description = call.text("description")
    mount.local, mount.seal_wrap = call.flag("local"), call.flag("seal_wrap")
    mount.external_entropy_access = call.flag("external_entropy_access")
    mount.default_ttl = _config_seconds(call, "default_lease_ttl")
    mount.max_ttl = _config_seconds(call, "max_lease_ttl")
    configure(mount, Call.of(call.mapping("config")))
