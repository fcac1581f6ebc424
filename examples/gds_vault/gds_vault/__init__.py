"""Secrets from HashiCorp Vault by AppRole, with logging and retries.

    with VaultClient() as client:
        password = client.get_secret("secret/data/myapp")["password"]

The address and the credentials come from VAULT_ADDR, VAULT_ROLE_ID and
VAULT_SECRET_ID unless they are given.
"""

import logging

from gds_vault.errors import VaultError
from gds_vault.retry import retry_with_backoff
from gds_vault.vault import VaultClient, get_secret_from_vault

__all__ = ["VaultClient", "VaultError", "get_secret_from_vault", "retry_with_backoff"]

# Logging is opt-in: without a handler of ours, logging's last resort would print
# warnings to stderr in programs that never asked for them.
logging.getLogger("gds_vault").addHandler(logging.NullHandler())
