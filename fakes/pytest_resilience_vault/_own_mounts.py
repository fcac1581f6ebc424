"""The mounts that every Vault, and every namespace, has from the beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_resilience_vault._cubbyhole import Cubbyhole
from pytest_resilience_vault._identity import Identity
from pytest_resilience_vault._mounts import Mount
from pytest_resilience_vault._sys import Sys
from pytest_resilience_vault._token_api import TokenApi

if TYPE_CHECKING:
    from pytest_resilience_vault._core import Core

SYS_WORDS = "system endpoints used for control, policy and debugging"


def add_own_mounts(core: Core) -> None:
    """sys/, auth/token/, cubbyhole/ and identity/."""
    system = Mount("sys/", "system", Sys(core), description=SYS_WORDS, seal_wrap=True)
    token = Mount("token/", "token", TokenApi(core), is_auth=True)
    token.description = "token based credentials"
    hole = Mount("cubbyhole/", "cubbyhole", Cubbyhole(core), local=True)
    hole.description = "per-token private secret storage"
    identity = Mount("identity/", "identity", Identity(core), description="identity store")
    for mount in (system, token, hole, identity):
        mount.in_namespace = core.parent is not None
        core.mounts.add(mount)
    configure_own_mounts(core)


def configure_own_mounts(core: Core) -> None:
    """As they are from the beginning, and again after each unsealing (runMountUpdates; seen)."""
    passed = {"sys/": ["Accept"], "identity/": ["Authorization"], "cubbyhole/": None}
    for mount in core.mounts.secret_engines():
        if mount.prefix in passed:
            names = passed[mount.prefix]
            mount.default_ttl = mount.max_ttl = 0
            mount.config = {"passthrough_request_headers": names} if names else {}
