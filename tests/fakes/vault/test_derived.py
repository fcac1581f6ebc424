"""A class that derives from Vault has its own routes, as with every fake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import requests

from pytest_resilience import route
from pytest_resilience_vault import Vault

TOKEN = "X-Vault-Token"


class WithTransit(Vault):
    """One with an engine that the fake lacks, and a health of its own."""

    @route("POST", "/v1/transit/encrypt/<key>")
    def encrypt(self, request: Any, key: str) -> Any:
        """No secret at all."""
        return {"data": {"ciphertext": f"vault:v1:{key}"}}

    @route("GET", "/v1/sys/health")
    def health(self, request: Any) -> Any:
        """Worse than ever."""
        return 299, {"mood": "so so"}

    @property
    def presets(self) -> Mapping[str, Any]:
        """One more."""
        return {**super().presets, "tired": lambda: self.error(503, "tired")}


def test_its_routes_are_served_and_come_first() -> None:
    """With a token or without: who is let in is the handler's business."""
    with WithTransit() as vault:
        made = requests.post(f"{vault.url}/v1/transit/encrypt/mine", timeout=10)
        health = requests.get(f"{vault.url}/v1/sys/health", timeout=10)

        assert made.json() == {"data": {"ciphertext": "vault:v1:mine"}}
        assert (health.status_code, health.json()) == (299, {"mood": "so so"})
        assert not any(attempt.unmatched for attempt in vault.trace)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/secret/data/app", 200), ("GET", "/v1/transit/encrypt/mine", 404)],
)
def test_all_else_is_vaults(method: str, path: str, status: int) -> None:
    """Other methods on the paths of its routes as well."""
    with WithTransit() as vault:
        vault.put("secret/app", {"k": "v"})
        answer = requests.request(
            method, vault.url + path, headers={TOKEN: vault.root_token}, timeout=10
        )

        assert answer.status_code == status


def test_its_presets_are_faults() -> None:
    """In Vault's form."""
    with WithTransit() as vault:
        vault.fail("tired")
        answer = requests.get(f"{vault.url}/v1/sys/seal-status", timeout=10)

    assert (answer.status_code, answer.json()) == (503, {"errors": ["tired"]})
