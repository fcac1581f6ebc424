"""What the tests share: time that passes at once, the operations, and the log."""

import logging
from collections.abc import Callable

import pytest
import requests

from gds_vault import VaultClient
from helpers import OPERATIONS, AsRoot, Lines, Operation, Waiting
from pytest_resilience_vault import Vault


@pytest.fixture
def no_real_waiting(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    """Let the client wait without waiting; says how long it would have waited."""
    waiting = Waiting()
    for module in ("retry", "logins", "conversation", "transport"):
        monkeypatch.setattr(f"gds_vault.{module}.time", waiting)
    return waiting


@pytest.fixture
def vault(fake_vault: Vault, no_real_waiting: Waiting) -> Vault:
    """A Vault with one secret, `secret/data/myapp`, for a client that does not wait for real."""
    fake_vault.put("secret/myapp", {"password": "s3cr3t"})
    return fake_vault


@pytest.fixture
def client(vault: Vault) -> VaultClient:
    """A client with everything from the environment, and little patience with a silent server."""
    return VaultClient(timeout=0.05)


@pytest.fixture(params=OPERATIONS, ids=lambda operation: operation.name)
def operation(request: pytest.FixtureRequest, vault: Vault) -> Operation:
    """Each operation in turn."""
    chosen: Operation = request.param
    return chosen


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """What the client has logged at a level and above, as "LEVEL message"."""
    caplog.set_level(logging.DEBUG)

    def logged(level: int = logging.INFO) -> list[str]:
        return [
            f"{record.levelname} {record.getMessage()}"
            for record in caplog.records
            if record.name == "gds_vault.vault" and record.levelno >= level
        ]

    return logged


@pytest.fixture
def as_root(vault: Vault) -> AsRoot:
    """Do what the client cannot: one request with the root token."""

    def send(method: str, path: str, body: object = None) -> None:
        headers = {"X-Vault-Token": vault.root_token}
        url = f"{vault.url}/v1/{path}"
        requests.request(method, url, json=body, headers=headers, timeout=5).raise_for_status()

    return send


@pytest.fixture
def kv1(as_root: AsRoot) -> Callable[[str, object], None]:
    """Write secrets to `kv1/`, an engine of KV version 1 that the role may use like `secret/`."""
    as_root("POST", "sys/mounts/kv1", {"type": "kv", "options": {"version": "1"}})
    return lambda path, data: as_root("POST", f"kv1/{path}", data)
