"""Mounts that are listed, as every Vault lists them, and have no paths in this fake."""

from __future__ import annotations

from pytest_resilience_vault._backend import Backend


class Closed(Backend):
    """An engine that this fake has in name only; every path is unsupported."""

    type = "closed"
