"""Secrets by mount and path, whichever the version of the engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pytest_resilience import PlanError
from pytest_resilience_vault._core import Core
from pytest_resilience_vault._kv1 import Kv1
from pytest_resilience_vault._kv2 import Kv2
from pytest_resilience_vault._mounts import Mount
from pytest_resilience_vault._secret import Secret

_BELOW = ("data", "metadata", "delete", "undelete", "destroy", "subkeys")


@dataclass(frozen=True)
class Place:
    """A path as a policy has to name it."""

    paths: tuple[str, ...]


def mount_of(core: Core, path: str) -> Place:
    """The API's paths that a secret's path stands for; an API path stands for itself."""
    path = checked_path(path)
    mount = core.mounts.of(path)
    if mount is None or not isinstance(mount.backend, Kv2):
        return Place((path,))
    below = path[len(mount.prefix) :]
    if not below or below.partition("/")[0] in (*_BELOW, "*", "+", "config"):
        return Place((path,))
    return Place(tuple(f"{mount.prefix}{folder}/{below}" for folder in _BELOW))


def checked_path(path: object) -> str:
    """A path without slashes at its ends.

    Raises:
        PlanError: It is none.
    """
    text = path.strip("/") if isinstance(path, str) else ""
    if not text:
        raise PlanError(f"path is {path!r}; wanted is a text such as 'secret/myapp'")
    return text


def _kv(core: Core, path: str) -> tuple[Kv1 | Kv2, str]:
    path = checked_path(path)
    mount = core.mounts.of(path)
    backend = mount.backend if mount else None
    if mount is None or not isinstance(backend, Kv1 | Kv2):
        kept = ", ".join(repr(one.path) for one in kv_mounts(core))
        raise PlanError(f"path is {path!r}, and no KV engine is there; there are: {kept}")
    below = path[len(mount.prefix) :]
    if not below:
        raise PlanError(f"path is {path!r}, a mount; wanted is a mount and a path below it")
    return backend, below


def kv_mounts(core: Core) -> list[Mount]:
    """The KV engines."""
    engines = core.mounts.secret_engines()
    return [mount for mount in engines if isinstance(mount.backend, Kv1 | Kv2)]


def put_secret(core: Core, path: str, data: object) -> None:
    """Store a secret; a copy, so that it stays what it is now.

    Raises:
        PlanError: No engine is there, or the data is no JSON.
    """
    backend, below = _kv(core, path)
    if not isinstance(data, Mapping):
        raise PlanError(f"the data of {path!r} is {type(data).__name__}; wanted is a mapping")
    try:
        kept: dict[str, Any] = json.loads(json.dumps(dict(data), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise PlanError(f"the data of {path!r} is no JSON: {error}") from None
    if isinstance(backend, Kv1):
        backend.secrets[below] = kept
        return
    now = core.time()
    secret = backend.secrets.setdefault(below, Secret(now, now))
    secret.add(kept, now, backend.settings)


def upgraded(engine: Kv1, now: float) -> Kv2:
    """An engine of version 2 with the secrets of one of version 1 as their first versions."""
    new = Kv2(engine.core)
    for path, data in engine.secrets.items():
        new.secrets[path] = secret = Secret(now, now)
        secret.add(data, now, new.settings)
    return new


def get_secret(core: Core, path: str, version: int | None = None) -> dict[str, Any] | None:
    """The data of a secret, if it can be read."""
    backend, below = _kv(core, path)
    if isinstance(backend, Kv1):
        return deepcopy(backend.secrets.get(below))
    secret = backend.secrets.get(below)
    found = secret.versions.get(version or secret.current) if secret else None
    if found is None or found.is_gone(core.time()):
        return None
    return deepcopy(found.data)


def forget_secret(core: Core, path: str) -> None:
    """Remove a secret with all its versions."""
    backend, below = _kv(core, path)
    backend.secrets.pop(below, None)
