"""KV version 2: the paths of data, deletion and configuration (vault-plugin-secrets-kv)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_resilience_vault import _fields as fields
from pytest_resilience_vault._backend import WRITE, Backend, on
from pytest_resilience_vault._call import LIST, PATCH, Call
from pytest_resilience_vault._errors import (
    Lacking,
    Refused,
    bad_request,
    one_of,
    refuse_too_large,
)
from pytest_resilience_vault._gojson import as_floats, encode
from pytest_resilience_vault._kv1 import keys_below
from pytest_resilience_vault._merge import merged, without_values
from pytest_resilience_vault._reply import NotThere, Reply
from pytest_resilience_vault._secret import Secret, Settings

if TYPE_CHECKING:
    from pytest_resilience_vault._core import Core

DATA = "data/(?P<path>.*)"
METADATA = "metadata/(?P<path>.*)"
_AFTER = "delete_version_after"
_SETTINGS = {"cas_required", "custom_metadata", _AFTER, "max_versions"}
MANDATED = (
    '"cas_required" set to false, but is mandated by backend config. This value will be ignored.'
)
_VERBS = {"read": "get", "list": "list", "delete": "delete"}


class Kv2(Backend):
    """The engine."""

    type = "kv"

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self.secrets: dict[str, Secret] = {}
        self.settings = Settings()

    def exists(self, call: Call) -> bool | None:
        """Whether there is a secret; on the paths data and metadata only."""
        folder, slash, path = call.path.partition("/")
        if slash and folder in ("data", "metadata"):
            return path in self.secrets
        return None

    def no_such_path(self, call: Call) -> Exception:
        """A warning in a 404: the client may have meant version 1 (backend.go, pathInvalid)."""
        if self.core.flavour.is_openbao and call.path.startswith("detailed-metadata/"):
            raise Lacking("this fake of OpenBao has no detailed lists")
        if call.path in ("data", "metadata", "delete", "undelete", "destroy"):
            words = "Non-listing operations on the root of a K/V v2 mount are not supported."
            return NotThere(Reply(warnings=[words]))
        verb = _VERBS.get(call.operation, "patch" if call.operation == PATCH else "put")
        return NotThere(
            Reply(
                warnings=[
                    (
                        "Invalid path for a versioned K/V secrets engine. See the API docs for the"
                        " appropriate API endpoints to use. If using the Vault CLI, use"
                        f" 'vault kv {verb}' for this operation."
                    )
                ]
            )
        )

    # data/

    @on("read", DATA, fields.KV_DATA)
    def read(self, call: Call, path: str) -> Reply | None:
        """A version; 404 with its metadata when it is deleted or destroyed."""
        asked = call.whole("version")
        secret = self.secrets.get(path)
        if secret is None:
            return None
        number = asked if asked > 0 else secret.current
        version = secret.versions.get(number)
        if version is None:
            return None
        data = {"data": version.data, "metadata": secret.shown_version(number)}
        if version.is_gone(call.now):
            raise NotThere(Reply({**data, "data": None}))
        return Reply(data)

    @on(WRITE, DATA)
    def write(self, call: Call, path: str) -> Reply:
        """A new version."""
        data, options = call.mapping("data"), call.mapping("options")
        if not call.has("data"):
            raise bad_request("no data provided")
        secret = self.secrets.get(path) or Secret(call.now, call.now)
        self._check_and_set(options, secret)
        # A null is kept as one, and read back as null.
        kept = None if call.data["data"] is None else as_floats(data)
        refuse_too_large(encode(kept), path)
        self.secrets[path] = secret
        secret.add(kept, call.now, self.settings)
        return Reply(secret.shown_version(secret.current))

    @on("patch", DATA)
    def patch(self, call: Call, path: str) -> Reply:
        """A new version, merged from the last one and the request's (RFC 7396)."""
        data, options = call.mapping("data"), call.mapping("options")
        if not call.has("data"):
            raise bad_request("no data provided")
        secret = self.secrets.get(path)
        if secret is None:
            raise NotThere(None)
        self._check_and_set(options, secret)
        last = secret.versions.get(secret.current)
        if last is None:
            raise NotThere(None)
        if last.is_gone(call.now):
            raise NotThere(Reply(secret.shown_version(secret.current)))
        if last.data is None:
            raise Refused(500, one_of("resource does not exist"))
        # A patch of null makes null of it (RFC 7396).
        whole = None if call.data["data"] is None else as_floats(merged(last.data, data))
        refuse_too_large(encode(whole), path)
        secret.add(whole, call.now, self.settings)
        return Reply(secret.shown_version(secret.current))

    def _check_and_set(self, options: dict[str, Any], secret: Secret) -> None:
        if "cas" in options:
            try:
                wanted = _weak_int(options["cas"])
            except ValueError:
                raise bad_request("error parsing check-and-set parameter") from None
            if wanted != secret.current:
                words = "check-and-set parameter did not match the current version"
                raise bad_request(words)
        elif self.settings.cas_required or secret.settings.cas_required:
            raise bad_request("check-and-set parameter required for this call")

    @on("delete", DATA)
    def delete_latest(self, call: Call, path: str) -> None:
        """Delete the current version; it can be undeleted."""
        secret = self.secrets.get(path)
        if secret is not None:
            self._delete(secret, [secret.current], call.now)

    def _delete(self, secret: Secret, numbers: list[int], now: float) -> None:
        for number in numbers:
            version = secret.versions.get(number)
            if version is not None and not version.is_gone(now):
                version.deletion = now

    @on("read", "subkeys/(?P<path>.*)", fields.KV_SUBKEYS)
    def subkeys(self, call: Call, path: str) -> Reply | None:
        """The keys of a version, without its values."""
        asked, depth = call.whole("version"), call.whole("depth")
        secret = self.secrets.get(path)
        number = asked if asked > 0 else secret.current if secret else 0
        version = secret.versions.get(number) if secret else None
        if secret is None or version is None:
            return None
        shown: dict[str, Any] = {"subkeys": None, "metadata": secret.shown_version(number)}
        if version.is_gone(call.now):
            raise NotThere(Reply(shown))
        if version.data is not None:
            # Below 0 it ends at the first level (seen).
            shown["subkeys"] = without_values(version.data, depth if depth >= 0 else 1)
        return Reply(shown)

    # delete/, undelete/, destroy/

    @on(WRITE, "delete/(?P<path>.*)", fields.KV_VERSIONS)
    def delete_versions(self, call: Call, path: str) -> None:
        """Delete the versions; they can be undeleted."""
        secret, numbers = self._chosen(call, path)
        if secret:
            self._delete(secret, numbers, call.now)

    @on(WRITE, "undelete/(?P<path>.*)", fields.KV_VERSIONS)
    def undelete(self, call: Call, path: str) -> None:
        """Take a deletion back."""
        secret, numbers = self._chosen(call, path)
        for number in numbers:
            version = secret.versions.get(number) if secret else None
            if secret and version is not None and not version.destroyed:
                # It may be deleted again, after as long as a new one.
                version.deletion = secret.deletion(call.now, self.settings)

    @on(WRITE, "destroy/(?P<path>.*)", fields.KV_VERSIONS)
    def destroy(self, call: Call, path: str) -> None:
        """Forget the data for good; only metadata stays."""
        secret, numbers = self._chosen(call, path, "no version number provided")
        for number in numbers:
            version = secret.versions.get(number) if secret else None
            if version is not None:
                version.destroyed, version.data = True, None

    def _chosen(
        self, call: Call, path: str, nothing: str = "No version number provided"
    ) -> tuple[Secret | None, list[int]]:
        numbers = call.wholes("versions")
        if not numbers:
            raise bad_request(nothing)
        return self.secrets.get(path), numbers

    # config

    @on("read", "config")
    def read_config(self, call: Call) -> Reply:
        """The engine's settings."""
        more = {"metadata_cas_required": False} if self.core.flavour.is_openbao else {}
        return Reply({**self.settings.shown(), **more})

    @on(WRITE, "config", fields.KV_CONFIG)
    def write_config(self, call: Call) -> None:
        """Change those that are named."""
        self.change(self.settings, call)

    def change(self, settings: Settings, call: Call) -> None:
        """Change the settings that the request names."""
        # An unsigned number of 32 bits in the engine: -1 becomes a very large one.
        maximum = call.whole("max_versions", settings.max_versions) & 0xFFFFFFFF
        after = call.seconds(
            "delete_version_after",
            settings.delete_version_after,
            signed=settings is self.settings,
        )
        settings.cas_required = call.flag("cas_required", default=settings.cas_required)
        settings.max_versions, settings.delete_version_after = maximum, after

    # metadata/

    @on(LIST, METADATA, fields.KV_METADATA)
    def keys(self, call: Call, path: str) -> Reply:
        """The names below a folder, of deleted secrets too."""
        return self.listed(call, keys_below(list(self.secrets), path))

    @on("read", METADATA, fields.KV_METADATA)
    def read_metadata(self, call: Call, path: str) -> Reply | None:
        """The settings, and when each version came and went."""
        secret = self.secrets.get(path)
        if secret is None:
            return None
        more: dict[str, Any] = {}
        if self.core.flavour.is_openbao:
            count = secret.metadata_version
            more = {"current_metadata_version": count, "metadata_cas_required": False}
        return Reply({**secret.shown(), **more})

    @on(WRITE, METADATA)
    def write_metadata(self, call: Call, path: str) -> Reply | None:
        """Change the settings, and replace the custom metadata."""
        if not set(call.data) & _SETTINGS:
            return None
        custom = self._custom(call)
        secret = self.secrets.get(path) or Secret(call.now, call.now)
        self.change(secret.settings, call)
        if call.has("custom_metadata"):
            secret.custom_metadata = custom
        secret.updated = call.now
        secret.metadata_version += 1
        self.secrets[path] = secret
        return self._remark(call, secret)

    def _remark(self, call: Call, secret: Secret) -> Reply | None:
        """A warning to who does not want what the engine demands."""
        unwanted = call.has("cas_required") and not secret.settings.cas_required
        return Reply(warnings=[MANDATED]) if unwanted and self.settings.cas_required else None

    @on("patch", METADATA)
    def patch_metadata(self, call: Call, path: str) -> Reply | None:
        """Change the settings, and merge the custom metadata."""
        if call.data.get(_AFTER, "") is None:
            del call.data[_AFTER]
        if not set(call.data) & _SETTINGS:
            return None
        custom = call.mapping("custom_metadata")
        checked_custom({key: value for key, value in custom.items() if value is not None})
        secret = self.secrets.get(path)
        if secret is None:
            raise NotThere(None)
        if call.whole("max_versions") < 0:
            words = (
                f"json: cannot unmarshal number {call.whole('max_versions')} into Go struct field"
            )
            raise Refused(500, one_of(f"{words} .max_versions of type uint32"))
        if call.has("custom_metadata"):
            _demand_texts(custom)
            # A null on its own removes all of it.
            empty = call.data["custom_metadata"] is None
            whole = {} if empty else merged(dict(secret.custom_metadata or {}), custom)
            secret.custom_metadata = checked_custom(whole) or None
        if not call.seconds(_AFTER):
            # No time at all is left out of the patch, and changes nothing (seen).
            call.data.pop(_AFTER, None)
        self.change(secret.settings, call)
        secret.updated = call.now
        secret.metadata_version += 1
        return self._remark(call, secret)

    @on("delete", METADATA)
    def delete_metadata(self, call: Call, path: str) -> None:
        """Forget the secret with all its versions."""
        self.secrets.pop(path, None)

    def _custom(self, call: Call) -> dict[str, str] | None:
        return checked_custom(call.mapping("custom_metadata")) or None


def _demand_texts(custom: dict[str, Any]) -> None:
    """Refuse what a merge patch cannot put among texts; a write converts it."""
    for key, value in custom.items():
        if value is not None and not isinstance(value, str):
            words = f"json: cannot unmarshal {_kind(value)} into Go struct field"
            raise Refused(500, one_of(f"{words} .custom_metadata.{key} of type string"))


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "number"


def _weak_int(value: Any) -> int:
    """A whole number as mapstructure's weak decoding makes one."""
    if value is None or value == "":
        return 0
    if isinstance(value, str | int):
        return int(value)
    raise ValueError(value)


def checked_custom(given: dict[str, Any]) -> dict[str, str]:
    """Custom metadata, when it keeps the limits (path_metadata.go, validateCustomMetadata)."""
    given = {key: _weak_text(value) for key, value in given.items()}
    problems = _problems(given)
    if problems:
        listed = "".join(f"\t* custom_metadata validation failed: {text}\n" for text in problems)
        count = "1 error" if len(problems) == 1 else f"{len(problems)} errors"
        raise bad_request(f"{count} occurred:\n{listed}\n")
    return given


def _weak_text(value: Any) -> str:
    """A string as mapstructure's weak decoding makes one."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str | int | float):
        return str(getattr(value, "text", value))
    if value is None:
        return ""
    kind = "[]interface {}" if isinstance(value, list) else "map[string]interface {}"
    words = f"'' expected type 'string', got unconvertible type '{kind}'"
    raise bad_request(f"custom_metadata validation failed: {words}")


def _problems(given: dict[str, str]) -> list[str]:
    if len(given) > 64:
        return [f"payload must contain at most 64 keys, provided {len(given)}"]
    problems = []
    for key, value in given.items():
        if not 0 < len(key) <= 128:
            problems.append(f'length of key "{key}" is {len(key)} but must be 0 < len(key) <= 128')
        if not 0 < len(value) <= 512:
            words = f'length of value for key "{key}" is {len(value)} but must be'
            problems.append(f"{words} 0 < len(value) <= 512")
        if not key.isprintable():
            shown = encode(key)
            problems.append(f"key {shown} ({key}) contains unprintable characters")
        if not value.isprintable():
            problems.append(f'value for key "{key}" contains unprintable characters')
    return problems
