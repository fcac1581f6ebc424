"""auth/token: create, look up, renew and revoke tokens (vault/token_store.go)."""

from __future__ import annotations


from pytest_resilience_vault._backend import WRITE, Backend, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._errors import Refused, bad_request, one_of
from pytest_resilience_vault._new_token import Request, create
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._tokens import Token
from pytest_resilience_vault._ttl import Wish, granted


class TokenApi(Backend):
    """The auth method that is always there."""

    type = "token"
    # vault/token_store.go, PathsSpecial
    sudo_paths = ("revoke-orphan/*", "accessors*", "revoke-orphan", "create-orphan")

    @on(WRITE, "create")
    def create(self, call: Call) -> Reply:
        """A token for somebody else, a child of the caller's."""
        return create(self.core, call, Request.of(call))

    @on(WRITE, "create-orphan")
    def create_orphan(self, call: Call) -> Reply:
        """A token that outlives the caller's."""
        return create(self.core, call, Request.of(call), orphan=True)

    # Look up

    @on("read", "lookup-self")
    @on(WRITE, "lookup-self")
    def lookup_self(self, call: Call) -> Reply:
        """What the caller's token is."""
        return Reply(self._own(call).shown(call.now))

    @on("read", "lookup")
    @on(WRITE, "lookup")
    def lookup(self, call: Call) -> Reply:
        """What a token is; the caller's when none is named in a read."""
        named = call.text("token")
        if not named:
            named = self._own(call).id if call.operation == "read" else ""
        if not named:
            raise bad_request("missing token ID")
        token = self._token(named, call)
        if token is None:
            raise Refused(403, "bad token")
        return Reply(token.shown(call.now))

    @on(WRITE, "lookup-accessor(?:/(?P<accessor>.+))?")
    def lookup_accessor(self, call: Call, accessor: str | None) -> Reply:
        """What the token with this accessor is, without its id."""
        token = self._by_accessor(call, accessor)
        return Reply(token.shown(call.now, with_id=False))

    @on("list", "accessors/?")
    def accessors(self, call: Call) -> Reply:
        """The accessors of all tokens."""
        return Reply({"keys": self.core.tokens.accessors(call.now)})

    # Renew

    @on(WRITE, "renew-self")
    def renew_self(self, call: Call) -> Reply:
        """Let the caller's token live longer."""
        return self._renew(self._own(call), call)

    @on(WRITE, "renew(?:/(?P<urltoken>.+))?")
    def renew(self, call: Call, urltoken: str | None) -> Reply:
        """Let a token live longer."""
        named = call.text("token") or urltoken or ""
        if not named:
            raise bad_request("missing token ID")
        token = self._token(named, call)
        if token is None:
            raise bad_request("token not found")
        return self._renew(token, call)

    @on(WRITE, "renew-accessor")
    def renew_accessor(self, call: Call) -> Reply:
        """Let the token with this accessor live longer; the answer does not name it."""
        reply = self._renew(self._by_accessor(call, None), call)
        if reply.auth is not None:
            reply.auth["client_token"] = ""
        return reply

    def _renew(self, token: Token, call: Call) -> Reply:
        if not token.renewable:
            raise bad_request("lease is not renewable")
        mount = self.core.mounts.of(token.path)
        wish = Wish(
            increment=call.seconds("increment"),
            ttl=token.ttl,
            max_ttl=token.max_ttl,
            period=token.period,
            explicit_max_ttl=token.explicit_max_ttl,
        )
        if mount is not None and mount.max_ttl:
            wish = Wish(**{**_fields(wish), "longest": mount.longest_ttl})
        ttl, warnings = granted(wish, token.created, call.now)
        token.expires = call.now + ttl
        token.last_renewal = call.now
        return Reply(auth=token.auth(call.now), warnings=warnings)

    # Revoke

    @on(WRITE, "revoke-self")
    def revoke_self(self, call: Call) -> None:
        """End the caller's token and its children."""
        self.core.tokens.revoke(self._own(call))

    @on(WRITE, "revoke(?:/(?P<urltoken>.+))?")
    def revoke(self, call: Call, urltoken: str | None) -> None:
        """End a token and its children; one that is unknown is as good as revoked."""
        named = call.text("token") or urltoken or ""
        if not named:
            raise bad_request("missing token ID")
        token = self._token(named, call)
        if token is not None:
            self.core.tokens.revoke(token)

    @on(WRITE, "revoke-accessor(?:/(?P<accessor>.+))?")
    def revoke_accessor(self, call: Call, accessor: str | None) -> None:
        """End the token with this accessor."""
        self.core.tokens.revoke(self._by_accessor(call, accessor))

    @on(WRITE, "revoke-orphan(?:/(?P<urltoken>.+))?")
    def revoke_orphan(self, call: Call, urltoken: str | None) -> None:
        """End a token; its children live on without a parent."""
        named = call.text("token") or urltoken or ""
        if not named:
            raise bad_request("missing token ID")
        token = self._token(named, call)
        if token is None:
            raise bad_request("token to revoke not found")
        self.core.tokens.revoke(token, children=False)

    # Finding

    def _own(self, call: Call) -> Token:
        assert call.token is not None  # noqa: S101 -- none of these paths is open
        return call.token

    def _token(self, token_id: str, call: Call) -> Token | None:
        return self.core.tokens.find(token_id, call.now)

    def _by_accessor(self, call: Call, in_path: str | None) -> Token:
        accessor = call.text("accessor") or in_path or ""
        if not accessor:
            raise bad_request("missing accessor")
        token = self.core.tokens.find_accessor(accessor, call.now)
        if token is None:
            raise bad_request(one_of("invalid accessor"))
        return token


def _fields(wish: Wish) -> dict[str, float]:
    return {name: getattr(wish, name) for name in wish.__slots__}
