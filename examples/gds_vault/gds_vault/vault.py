"""A client that reads secrets, keeps its token, and rides out short outages."""

import json
import logging
from types import TracebackType
from typing import Any, Self

from gds_vault import kv
from gds_vault.conversation import Conversation, Credentials
from gds_vault.errors import VaultError, raises_vault_error
from gds_vault.retry import retry_with_backoff
from gds_vault.settings import checked_address, checked_timeout, settings
from gds_vault.text import one_line

__all__ = ["VaultClient", "VaultError", "get_secret_from_vault", "retry_with_backoff"]

logger = logging.getLogger(__name__)


class VaultClient:
    """Reads secrets with a token that it gets by AppRole when it needs one.

        with VaultClient() as client:
            password = client.get_secret("secret/data/myapp")["password"]

    Several threads may share one client. Every operation makes up to 4 attempts, with
    waits of 1, 2 and 4 seconds between them, and raises `VaultError` in the end.

    Args:
        vault_addr: `https://vault.example.com:8200`; by default VAULT_ADDR.
        role_id: By default VAULT_ROLE_ID.
        secret_id: By default VAULT_SECRET_ID.
        timeout: Seconds to wait for a connection, and for each next piece of an answer.

    Raises:
        VaultError: When something is neither given nor in the environment, or is not valid.
    """

    def __init__(
        self,
        vault_addr: str | None = None,
        role_id: str | None = None,
        secret_id: str | None = None,
        timeout: float = 10,
    ) -> None:
        given = settings(VAULT_ADDR=vault_addr, VAULT_ROLE_ID=role_id, VAULT_SECRET_ID=secret_id)
        self.vault_addr = checked_address(given["VAULT_ADDR"].reveal())
        self.timeout = checked_timeout(timeout)
        credentials = Credentials(given["VAULT_ROLE_ID"], given["VAULT_SECRET_ID"])
        self._talk = Conversation(self.vault_addr, self.timeout, credentials)
        self._clearings = 0

    def __repr__(self) -> str:
        return f"VaultClient({self.vault_addr!r}, timeout={self.timeout})"

    def __enter__(self) -> Self:
        logger.debug("Entering VaultClient context manager")
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        logger.debug("Exiting VaultClient context manager")
        self._talk.close()

    @raises_vault_error
    @retry_with_backoff()
    def authenticate(self) -> str:
        """Log in anew, also when the present token is still good, and return the new token.

        The other methods log in by themselves; nobody needs to call this first.
        """
        return self._talk.logins.renew().token.reveal()

    @raises_vault_error
    @retry_with_backoff()
    def get_secret(
        self,
        secret_path: str,
        version: int | None = None,
        use_cache: bool = True,  # noqa: FBT001, FBT002 - a published signature
    ) -> dict[str, Any]:
        """Return the keys and values of a secret.

        Args:
            secret_path: The API path, so "secret/data/myapp" for KV v2.
            version: Which version of a KV v2 secret; by default the newest.
            use_cache: False asks Vault, and neither keeps the answer nor what was kept before.
        """
        path = kv.clean_path(secret_path)
        kv.check_version(version)
        login, key, clearings = self._talk.logins.current(), (path, version), self._clearings
        if not use_cache:
            login.secrets.pop(key, None)
        elif (cached := login.secrets.get(key)) is not None:
            logger.debug("Cache hit for secret: %s", one_line(secret_path))
            return dict(json.loads(cached))
        logger.info("Fetching secret from Vault: %s", one_line(secret_path))
        secret, login = kv.read(self._talk, path, version)
        # What was asked for before the cache was cleared is as old as what was cleared.
        if use_cache and clearings == self._clearings:
            login.secrets[key] = json.dumps(secret)
        return secret

    @raises_vault_error
    @retry_with_backoff()
    def list_secrets(self, path: str) -> list[str]:
        """Return the names below a path; those that end with a slash are folders.

        For KV v2 the path is "secret/metadata/team"; the one that secrets are read at,
        "secret/data/team", means the same. Vault cannot tell an empty folder from none:
        both are a VaultError with status 404.
        """
        cleaned = kv.clean_path(path)
        logger.info("Listing secrets at path: %s", one_line(path))
        keys = kv.list_keys(self._talk, cleaned)
        logger.info("Found %d secrets at %s", len(keys), one_line(path))
        return keys

    def clear_cache(self) -> None:
        """Forget all secrets, and which KV version each mount has; the token stays."""
        self._clearings += 1
        login = self._talk.logins.peek()
        cached_count = 0 if login is None else len(login.secrets)
        if login is not None:
            login.secrets.clear()
            login.mounts.clear()
        logger.info("Cleared cache (removed %d secrets)", cached_count)


@raises_vault_error
def get_secret_from_vault(
    secret_path: str,
    *,
    version: int | None = None,
    vault_addr: str | None = None,
    role_id: str | None = None,
    secret_id: str | None = None,
    timeout: float = 10,
) -> dict[str, Any]:
    """Log in, return one secret, and keep nothing. The arguments are those of `VaultClient`."""
    client = VaultClient(vault_addr, role_id, secret_id, timeout)
    talk = client._talk  # noqa: SLF001 - the same module
    path = kv.clean_path(secret_path)
    kv.check_version(version)

    # Named as the operation, because the name is in the log. The client lives outside of
    # it, so that an attempt does not log in again and use up a secret_id.
    @retry_with_backoff()
    def get_secret_from_vault() -> dict[str, Any]:
        logger.info("Fetching secret using functional API: %s", one_line(secret_path))
        if talk.logins.peek() is None:
            talk.logins.current()
            logger.debug("Successfully authenticated with Vault")
        return kv.read(talk, path, version)[0]

    try:
        return get_secret_from_vault()
    finally:
        talk.close()
