"""What the tests share: a Vault in virtual time, the operations, and the log."""

import logging
from collections.abc import Callable

import pytest

from gds_vault import VaultClient
from helpers import OPERATIONS, Lines, Operation
from pytest_resilience import VirtualClock
from pytest_resilience_vault import Vault


@pytest.fixture
def vault(virtual_clock: VirtualClock, fake_vault: Vault) -> Vault:
    """A Vault with one secret, `secret/data/myapp`, in virtual time.

    Its tokens live for an hour, as in the document.
    """
    fake_vault.role(token_ttl=3600)
    fake_vault.put("secret/myapp", {"password": "s3cr3t"})
    return fake_vault


@pytest.fixture
def client(vault: Vault) -> VaultClient:
    """A client with everything from the environment."""
    return VaultClient()


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
def proxied(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Set the proxy of the environment."""

    def through(proxy: str) -> None:
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, proxy)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)

    return through


@pytest.fixture
def kv1(vault: Vault) -> Vault:
    """The same Vault with an engine of KV version 1 at `kv1/`, which the role may use as well."""
    vault.mount("kv1", version=1)
    both = "".join(
        f'path "{mount}/*" {{ capabilities = ["read", "list"] }}\n' for mount in ("secret", "kv1")
    )
    vault.policy("app", both)
    return vault
