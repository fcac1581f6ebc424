"""A Vault to test clients against: the real HTTP API on loopback, in memory."""

from __future__ import annotations

from pytest_resilience_vault._vault import OpenBao, Vault

__all__ = ["OpenBao", "Vault"]
