"""What the guide promises of retries and of the log, clause by clause."""

import pytest

from gds_vault import VaultClient, VaultError
from pytest_resilience import LogContract, RetryPolicy
from pytest_resilience_vault import Vault

LOG = LogContract(
    logger="gds_vault",
    retry=r"^\w+ attempt (?P<attempt>\d+) failed: .*\. Retrying in (?P<delay>[\d.]+)s\.\.\.$",
    failure=r"^\w+ failed( after \d+ attempts)?: ",
    longest=1200,
)
GUIDE = RetryPolicy(
    attempts=4,
    backoff=[1, 2, 4],
    statuses=[429, "5xx"],
    failures=["connect", "refused", "read-timeout", "reset", "truncated", "bad-json", "stale"],
    timeout=10,
    raises=VaultError,
    validates=True,
    logs=LOG,
)


@pytest.mark.retry_contract(GUIDE)
def test_contract(vault: Vault) -> dict[str, str]:
    return VaultClient().get_secret("secret/data/myapp")
