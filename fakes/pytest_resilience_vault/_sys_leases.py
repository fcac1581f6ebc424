"""sys/leases: tokens have leases, too, by which they are found and revoked (vault/expiration.go).

No engine of this fake gives secrets with a lease; so what cannot be done with a token's lease
is refused in all cases.
"""

from __future__ import annotations

import hmac
from typing import Any

from pytest_resilience_vault import _fields as fields
from pytest_resilience_vault._backend import WRITE, Backend, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._errors import bad_request
from pytest_resilience_vault._ids import mint
from pytest_resilience_vault._kv1 import keys_below
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._times import stamp
from pytest_resilience_vault._tokens import ROOT_PATH, Token

TIDY = (
    "Tidy operation successfully started. Any information from the operation will be printed to"
    " Vault's server logs."
)


class LeasePaths(Backend):
    """Leases, each at the path where its token was made."""

    type = "system"

    def __init__(self, core: Any) -> None:
        super().__init__(core)
        self._salt = mint(24).encode()

    def _leases(self, call: Call) -> dict[str, Token]:
        """By their ids; neither a batch token nor a root token of init's has one."""
        alive = (token for token in self.core.tokens if token.space == self.core.path)
        return {
            self._id(token): token
            for token in alive
            if not token.is_batch and token.path != ROOT_PATH and not token.is_over(call.now)
        }

    def _id(self, token: Token) -> str:
        salted = hmac.digest(self._salt, token.id.encode(), "sha256").hex()
        space = f".{self.core.id}" if self.core.parent else ""
        return f"{token.path}/h{salted}{space}"

    @on("read", "leases", fields.LEASES)
    @on("read", "leases/count", fields.LEASES)
    def count(self, call: Call) -> Reply | None:
        """Those that cannot be revoked: none; nothing else can be asked for."""
        kind = call.text("type").lower()
        if kind != "irrevocable":
            return None
        found: dict[str, Any] = {"lease_count": 0}
        return Reply({**found, "leases": []} if call.path == "leases" else {**found, "counts": {}})

    @on("list", "leases/lookup/(?P<prefix>.*)")
    def list_leases(self, call: Call, prefix: str) -> Reply:
        """Their ids below a path."""
        folder = f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
        return Reply({"keys": keys_below(list(self._leases(call)), folder)})

    @on(WRITE, "leases/lookup")
    def look_up(self, call: Call) -> Reply:
        """What is known of one."""
        lease = _named(call)
        token = self._leases(call).get(lease)
        if token is None:
            raise bad_request("invalid lease")
        last = token.last_renewal
        shown = {
            "expire_time": None if token.expires is None else stamp(token.expires),
            "id": lease,
            "issue_time": stamp(token.created),
            "last_renewal": None if last is None else stamp(last),
            "path": token.path,
            "renewable": token.renewable,
            "ttl": token.left(call.now),
        }
        space = {"namespace_path": self.core.path} if self.core.parent else {}
        return Reply({**shown, **space})

    @on(WRITE, "(?:leases/)?renew(?:/(?P<url_lease_id>.+))?")
    def renew(self, call: Call, url_lease_id: str | None) -> None:
        """A token is renewed as such."""
        self._refuse_old(call)
        token = self._leases(call).get(_named(call, url_lease_id))
        if token is None:
            raise bad_request("lease not found")
        if not token.renewable:
            raise bad_request("lease is not renewable")
        raise bad_request("tokens cannot be renewed through this endpoint")

    @on(WRITE, "(?:leases/)?revoke(?:/(?P<url_lease_id>.+))?")
    def revoke(self, call: Call, url_lease_id: str | None) -> None:
        """End the token; a lease that is unknown is as good as revoked."""
        self._refuse_old(call)
        token = self._leases(call).get(_named(call, url_lease_id))
        if token is not None:
            self.core.tokens.revoke(token)

    @on(WRITE, "(?:leases/)?revoke-(?:prefix|force)/(?P<prefix>.+)")
    def revoke_below(self, call: Call, prefix: str) -> None:
        """End all tokens that were made below a path."""
        self._refuse_old(call)
        folder = f"{prefix.rstrip('/')}/"
        for lease, token in self._leases(call).items():
            if lease.startswith(folder):
                self.core.tokens.revoke(token)

    def _refuse_old(self, call: Call) -> None:
        """An OpenBao has no paths from before sys/leases any more (seen)."""
        if self.core.flavour.is_openbao and not call.path.startswith("leases/"):
            raise self.no_such_path(call)

    @on(WRITE, "leases/tidy")
    def tidy(self, call: Call) -> Reply:
        """Nothing to do here: what is over is gone when it is looked for."""
        return Reply(warnings=[TIDY], status=202)


def _named(call: Call, url: str | None = None) -> str:
    lease = call.text("lease_id") or url
    if not lease:
        raise bad_request("lease_id must be specified")
    return lease
