"""auth/token: create, look up, renew and revoke tokens (vault/token_store.go)."""

from __future__ import annotations

from pytest_resilience_vault import _fields as fields
from pytest_resilience_vault._backend import NAME, WRITE, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._errors import Refused, bad_request, one_of
from pytest_resilience_vault._gojson import Struct
from pytest_resilience_vault._new_token import create
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._token_roles import TokenRolePaths
from pytest_resilience_vault._tokens import LAST_USE, ROOT_PATH, Token
from pytest_resilience_vault._ttl import Wish, granted

TIDY = (
    "Tidy operation successfully started. Any information from the operation will be printed to"
    " Vault's server logs."
)


class TokenApi(TokenRolePaths):
    """The auth method that is always there."""

    type = "token"
    # vault/token_store.go, PathsSpecial
    sudo_paths = ("revoke-orphan/*", "accessors*", "revoke-orphan", "create-orphan")

    def renewal(self, token: Token) -> Wish:
        """On its own terms, or those of its role as they are now (authRenew)."""
        if not token.role:
            return super().renewal(token)
        role = self.roles.get(token.role)
        if role is None:
            words = f'original token role "{token.role}" could not be found, not renewing'
            raise Refused(500, one_of(f"failed to renew entry: {words}"))
        return Wish(
            ttl=token.granted,
            period=role.token_period,
            explicit_max_ttl=role.token_explicit_max_ttl,
        )

    @on(WRITE, "create", fields.CREATE)
    def create(self, call: Call) -> Reply:
        """A token for somebody else, a child of the caller's."""
        return create(self.core, call)

    @on(WRITE, "create-orphan", fields.CREATE)
    def create_orphan(self, call: Call) -> Reply:
        """A token that outlives the caller's."""
        return create(self.core, call, orphan=True)

    @on(WRITE, f"create/{NAME}", fields.CREATE)
    def create_with_role(self, call: Call, name: str) -> Reply:
        """A token as a role wants it."""
        role = self.roles.get(name)
        if role is None:
            raise bad_request(f"unknown role {name}")
        return create(self.core, call, role)

    @on(WRITE, "tidy")
    def tidy(self, call: Call) -> Reply:
        """Nothing to do here: what has expired is gone when it is looked for."""
        return Reply(warnings=[TIDY], status=202)

    # Look up

    @on("read", "lookup-self")
    @on(WRITE, "lookup-self", fields.TOKEN)
    def lookup_self(self, call: Call) -> Reply:
        """What the caller's token is."""
        return self._shown(self._own(call), call)

    @on("read", "lookup")
    @on(WRITE, "lookup", fields.TOKEN)
    def lookup(self, call: Call) -> Reply:
        """What a token is; the caller's when none is named."""
        named = call.text("token") or self._own(call).id
        token = self._token(named, call)
        if token is None:
            raise Refused(403, "bad token")
        return self._shown(token, call)

    @on(WRITE, "lookup-accessor", fields.ACCESSOR)
    def lookup_accessor(self, call: Call) -> Reply:
        """What the token with this accessor is, without its id."""
        token = self._by_accessor(call)
        return self._shown(token, call, with_id=False)

    def _shown(self, token: Token, call: Call, *, with_id: bool = True) -> Reply:
        data = token.shown(call.now, with_id=with_id)
        of_entity = self.core.identity_policies(token)
        if of_entity:
            data.update(identity_policies=of_entity, external_namespace_policies={})
        return Reply(data)

    @on("list", "accessors/?")
    def accessors(self, call: Call) -> Reply:
        """The accessors of all tokens."""
        return Reply({"keys": self.core.tokens.accessors(call.now)})

    # Renew

    @on(WRITE, "renew-self", fields.RENEW)
    def renew_self(self, call: Call) -> Reply:
        """Let the caller's token live longer."""
        return self._renew(self._renewable(self._own(call)), call)

    @on(WRITE, "renew", fields.RENEW)
    def renew(self, call: Call) -> Reply:
        """Let a token live longer."""
        named = call.text("token")
        if not named:
            raise bad_request("missing token ID")
        return self._renew(self._renewable(self._token(named, call)), call)

    @on(WRITE, "renew-accessor", fields.RENEW_ACCESSOR)
    def renew_accessor(self, call: Call) -> Reply:
        """Let the token with this accessor live longer; the answer does not name it."""
        token = self._by_accessor(call)
        if not token.renewable:
            raise bad_request(one_of("invalid request"))
        reply = self._renew(token, call)
        hidden = Struct({**(reply.auth or {}), "client_token": ""})
        return Reply(auth=hidden, warnings=reply.warnings)

    def _renewable(self, token: Token | None) -> Token:
        # One on its last use is not found any more (lookupInternal).
        if token is None or token.num_uses == LAST_USE:
            raise bad_request("token not found")
        return token

    def _renew(self, token: Token, call: Call) -> Reply:
        if token.is_batch:
            raise bad_request("batch tokens cannot be renewed")
        if token.path == ROOT_PATH:
            # Made by init or generate-root it has no lease (expiration.go, RenewToken; seen).
            raise bad_request("invalid lease ID")
        if not token.renewable:
            raise bad_request("lease is not renewable")
        wish = self.core.renewal(token, call.seconds("increment"))
        ttl, warnings = granted(wish, token.created, call.now)
        token.expires = call.now + ttl
        token.last_renewal = call.now
        token.granted = ttl
        auth = token.auth(ttl, self.core.identity_policies(token))
        return Reply(auth=auth, warnings=warnings)

    # Revoke

    @on(WRITE, "revoke-self")
    def revoke_self(self, call: Call) -> None:
        """End the caller's token and its children."""
        self._revoke(self._own(call))

    @on(WRITE, "revoke", fields.TOKEN)
    def revoke(self, call: Call) -> None:
        """End a token and its children; one that is unknown is as good as revoked."""
        named = call.text("token")
        if not named:
            raise bad_request("missing token ID")
        token = self._token(named, call)
        if token is not None:
            self._revoke(token)

    @on(WRITE, "revoke-accessor", fields.ACCESSOR)
    def revoke_accessor(self, call: Call) -> Reply | None:
        """End the token with this accessor."""
        accessor = call.text("accessor")
        if not accessor:
            raise bad_request(one_of("missing accessor"))
        token = self.core.tokens.find_accessor(accessor, call.now)
        if token is None:
            return Reply(warnings=["No token found with this accessor"])
        self.core.tokens.revoke(token)
        return None

    @on(WRITE, "revoke-orphan", fields.TOKEN)
    def revoke_orphan(self, call: Call) -> None:
        """End a token; its children live on without a parent."""
        named = call.text("token")
        if not named:
            raise bad_request("missing token ID")
        token = self._token(named, call)
        if token is None:
            raise bad_request("token to revoke not found")
        self._revoke(token, children=False)

    def _revoke(self, token: Token, *, children: bool = True) -> None:
        if token.is_batch:
            raise bad_request("batch tokens cannot be revoked")
        self.core.tokens.revoke(token, children=children)

    # Finding

    def _own(self, call: Call) -> Token:
        assert call.token is not None
        return call.token

    def _token(self, token_id: str, call: Call) -> Token | None:
        return self.core.tokens.find(token_id, call.now)

    def _by_accessor(self, call: Call) -> Token:
        accessor = call.text("accessor")
        if not accessor:
            raise bad_request(one_of("missing accessor"))
        token = self.core.tokens.find_accessor(accessor, call.now)
        if token is None:
            raise bad_request(one_of("invalid accessor"))
        return token
