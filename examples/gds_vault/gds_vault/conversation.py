"""What is said to Vault with a token, and what happens when the token is refused."""

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gds_vault.errors import VaultError
from gds_vault.failures import StatusError, Verdict
from gds_vault.forks import starts_anew
from gds_vault.logins import Login, Logins, granted, usable_seconds
from gds_vault.mounts import Mount, known_mount, likely_mount, mount_from
from gds_vault.retry import is_transient
from gds_vault.text import Secret, one_line
from gds_vault.transport import JSON, Transport

logger = logging.getLogger("gds_vault.vault")


@dataclass(frozen=True)
class Credentials:
    """An AppRole's two halves."""

    role_id: Secret
    secret_id: Secret


@dataclass(frozen=True)
class Reply:
    """The `data` of an answer, out of sight of tracebacks that print locals, and whom it told."""

    data: Mapping[str, JSON] = field(repr=False)
    login: Login


class Conversation:
    """Requests with a token, which is got by AppRole when it is needed."""

    def __init__(self, address: str, timeout: float, credentials: Credentials) -> None:
        self._address = address
        self._credentials = credentials
        self._transport = Transport(address, timeout, (credentials.role_id, credentials.secret_id))
        self.logins = Logins(self._log_in)
        starts_anew(self)

    def start_anew(self) -> None:
        """Keep the token in a forked process, but neither connections nor a login under way."""
        self._transport.start_anew()
        self.logins.start_anew()

    def close(self) -> None:
        """Forget the token and what was learnt with it, and close the connections."""
        self.logins.drop()
        self._transport.close()

    def ask(self, method: str, path: str, params: Mapping[str, str] | None = None) -> Reply:
        """Return the `data` of Vault's answer.

        A token that Vault does not know any more is replaced by a new login, once.
        """
        login = self.logins.current()
        refusal: StatusError
        try:
            return self._reply(method, path, login, params)
        except StatusError as exc:
            refusal = exc
        if self.logins.peek() is login:
            if login.is_on_probation or not self._token_is_dead(login, refusal):
                raise refusal
            logger.debug("Vault does not accept the token any more")
        elif refusal.status != 403:
            raise refusal
        login = self.logins.replace(login)
        try:
            return self._reply(method, path, login, params)
        except StatusError as exc:
            login.replaced_in_vain |= exc.verdict in {Verdict.DEAD, Verdict.BARE}
            raise

    def mount_of(self, path: str) -> Mount | None:
        """Return the engine that the path belongs to; None when Vault would not tell."""
        is_known, mount = known_mount(dict(self.logins.current().mounts), path)
        if is_known:
            return mount
        try:
            reply = self.ask("GET", f"sys/internal/ui/mounts/{path}")
        except StatusError as exc:
            if is_transient(exc):
                raise
            logger.debug("KV version of %s is unknown: %s", one_line(path), exc)
            login, mount = self.logins.current(), None
        else:
            login, mount = reply.login, mount_from(reply.data)
        if mount is not None:
            logger.debug("KV version of %s is %d", one_line(mount.path), mount.version)
        login.mounts[mount.path if mount else likely_mount(path)] = mount
        return mount

    def _reply(
        self, method: str, path: str, login: Login, params: Mapping[str, str] | None
    ) -> Reply:
        # The answer gets no name here, where the traceback would show it.
        data = _data_of(self._transport.request(method, path, token=login.token, params=params))
        if data is None:
            raise VaultError(f"the answer to {method} /v1/{one_line(path)} has no data")
        login.accepted = True
        return Reply(data, login)

    def _token_is_dead(self, login: Login, refusal: StatusError) -> bool:
        """Tell a token that ended from a token that may not do this.

        Where Vault's words leave that open, the token is asked about itself, which costs
        less than a login for nothing.
        """
        if refusal.verdict is not Verdict.BARE:
            return refusal.verdict is Verdict.DEAD
        try:
            self._transport.request("GET", "auth/token/lookup-self", token=login.token)
        except StatusError as exc:
            if is_transient(exc):
                raise
            return exc.status == 403 and exc.verdict is not Verdict.POLICY
        return False

    def _log_in(self) -> Login:
        logger.info("Authenticating with Vault at %s", self._address)
        asked_at = time.monotonic()  # before: the lease may have begun any time since
        grant = granted(
            self._transport.request(
                "POST",
                "auth/approle/login",
                body={
                    "role_id": self._credentials.role_id,
                    "secret_id": self._credentials.secret_id,
                },
            )
        )
        if grant is None:
            raise VaultError("Vault's answer to the login grants no usable token")
        token, lease_duration = grant
        logger.info("Successfully authenticated with Vault. Token valid for %ss", lease_duration)
        login = Login(token, asked_at + usable_seconds(lease_duration))
        if math.isinf(login.good_until):
            logger.debug("Token does not expire")
        else:
            expiry = datetime.now(UTC) + timedelta(seconds=login.good_until - time.monotonic())
            logger.debug("Token will be refreshed at %s", expiry.isoformat(timespec="seconds"))
        return login


def _data_of(answer: JSON) -> Mapping[str, JSON] | None:
    data = answer.get("data") if isinstance(answer, Mapping) else None
    return data if isinstance(data, Mapping) else None
