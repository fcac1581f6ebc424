"""Whether a server speaks TLS, and with what while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssl import SSLContext

    from pytest_resilience.server._tls import Identity


class Security:
    """Of one server.

    Args:
        tls: What the user said: no, yes with a certificate made for it, or with this context.
    """

    def __init__(self, tls: bool | SSLContext) -> None:  # noqa: FBT001 -- the user's own word
        self._tls = tls
        self._identity: Identity | None = None

    def begin(self, host: str) -> None:
        """Make a certificate, if one is wanted.

        Raises:
            ResilienceError: The package that makes certificates is missing.
        """
        if self._tls is True:
            from pytest_resilience.server._tls import Identity

            self._identity = Identity(host)

    def end(self) -> None:
        """Take its file away."""
        identity, self._identity = self._identity, None
        if identity is not None:
            identity.remove()

    @property
    def context(self) -> SSLContext | None:
        """What connections are made with; None without TLS."""
        if isinstance(self._tls, bool):
            return None if self._identity is None else self._identity.context
        return self._tls

    @property
    def ca_file(self) -> str | None:
        """Where the certificate is that makes clients trust it."""
        return None if self._identity is None else self._identity.ca_file
