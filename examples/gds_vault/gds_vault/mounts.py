"""Which secrets engine a path belongs to, and whether it keeps versions.

The body of a secret cannot tell: a KV v1 secret may have keys named "data" and
"metadata" and then looks like KV v2. Vault itself knows, and tells every token that may
reach something below the mount: GET sys/internal/ui/mounts/<path>, which is what Vault's
own command line asks (command/kv_helpers.go).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Mount:
    """A secrets engine: where it is, with a slash at the end, and its KV version."""

    path: str
    version: int


def mount_from(data: object) -> Mount | None:
    """Read Vault's answer. An engine without options, or that is not KV, counts as version 1."""
    if not isinstance(data, Mapping) or not isinstance(data.get("path"), str):
        return None
    options = data.get("options")
    version = options.get("version") if isinstance(options, Mapping) else None
    return Mount(f"{data['path'].strip('/')}/", 2 if str(version) == "2" else 1)


def known_mount(mounts: Mapping[str, Mount | None], path: str) -> tuple[bool, Mount | None]:
    """Return whether it was asked for already, and the answer (None: Vault would not tell)."""
    prefixes = [prefix for prefix in mounts if f"{path}/".startswith(prefix)]
    if not prefixes:
        return False, None
    return True, mounts[max(prefixes, key=len)]


def likely_mount(path: str) -> str:
    """Under which prefix to remember that Vault would not tell.

    The part before the first "data" or "metadata", as KV v2 has them; otherwise the folder.
    """
    segments = path.split("/")
    for at, segment in enumerate(segments):
        if at and segment in {"data", "metadata"}:
            return "/".join(segments[:at]) + "/"
    return "/".join(segments[:-1] or segments) + "/"
