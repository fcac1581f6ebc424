"""Reading and listing secrets of KV version 1 and 2 by their API paths."""

import logging
from collections.abc import Mapping
from typing import Any

from gds_vault.conversation import Conversation, Reply
from gds_vault.errors import VaultError
from gds_vault.logins import Login
from gds_vault.mounts import Mount, likely_mount
from gds_vault.text import is_text, one_line

logger = logging.getLogger("gds_vault.vault")

SecretData = dict[str, Any]


def clean_path(path: str) -> str:
    """Check an API path such as "secret/data/myapp" and strip the slashes around it.

    Raises:
        VaultError: When it is blank, would leave its place ("..", "//"), or is no Unicode text.
    """
    cleaned = path.strip("/") if isinstance(path, str) and is_text(path) else ""
    if not cleaned.strip() or any(segment in {"", ".", ".."} for segment in cleaned.split("/")):
        raise VaultError(f"{one_line(repr(path))} is not a path such as 'secret/data/myapp'")
    return cleaned


def check_version(version: int | None) -> None:
    """Refuse what cannot be the number of a version; 0 is Vault's word for the newest one.

    Raises:
        VaultError: When it is not a whole number from 0.
    """
    if version is None:
        return
    if not isinstance(version, int) or isinstance(version, bool) or version < 0:
        raise VaultError(f"version must be a whole number from 0, not {one_line(repr(version))}")


def read(talk: Conversation, path: str, version: int | None) -> tuple[SecretData, Login]:
    """Return the keys and values of a secret, and the login it was read with."""
    params = None if version is None else {"version": str(version)}
    reply = talk.ask("GET", path, params)
    if _is_versioned(talk, path, reply):
        logger.debug("Successfully fetched KV v2 secret: %s", one_line(path))
        return dict(reply.data["data"]), reply.login
    if version is not None:
        raise VaultError(f"{one_line(path)} is not a KV v2 secret: it has no version {version}")
    logger.debug("Successfully fetched KV v1 secret: %s", one_line(path))
    return dict(reply.data), reply.login


def list_keys(talk: Conversation, path: str) -> list[str]:
    """Return the names below a path; those that end with a slash are folders."""
    reply = talk.ask("LIST", _list_path(talk, path))
    if not isinstance(reply.data.get("keys"), list):
        raise VaultError(f"the answer to LIST {one_line(path)} has no keys")
    return [str(key) for key in reply.data["keys"]]


def _is_versioned(talk: Conversation, path: str, reply: Reply) -> bool:
    """Tell KV v2 from a KV v1 secret that looks like it, asking Vault only when in doubt."""
    if not _looks_versioned(reply.data):
        return False
    mount = talk.mount_of(path)
    if mount is None:
        # Vault would not tell. Then path and metadata have to look like KV v2 as well.
        is_likely = reply.data["metadata"].keys() >= {"created_time", "version"}
        return is_likely and "data" in path.split("/")[1:-1]
    return mount.version == 2 and _below(mount, path).startswith("data/")


def _looks_versioned(data: Mapping[str, Any]) -> bool:
    return all(isinstance(data.get(key), Mapping) for key in ("data", "metadata"))


def _list_path(talk: Conversation, path: str) -> str:
    """Where KV v2 lists: below "metadata/", also when given the path that secrets are read at.

    In KV v1 "data" is a folder like any other, so Vault is asked which one it is. A path that
    comes to "metadata" first is sent as it is in either version.
    """
    if f"{path}/".startswith(f"{likely_mount(path)}metadata/"):
        return path
    mount = talk.mount_of(path)
    if mount is None or mount.version != 2:
        return path
    first, _, folder = _below(mount, path).partition("/")
    return f"{mount.path}metadata/{folder}".rstrip("/") if first in {"", "data"} else path


def _below(mount: Mount, path: str) -> str:
    return f"{path}/".removeprefix(mount.path).rstrip("/")
