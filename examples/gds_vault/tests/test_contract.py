"""What the guide promises of retries and of the log, clause by clause: see pyproject.toml."""

import pytest

from gds_vault import VaultClient
from pytest_resilience_vault import Vault


@pytest.mark.retry_contract
def test_contract(vault: Vault) -> dict[str, str]:
    return VaultClient().get_secret("secret/data/myapp")
