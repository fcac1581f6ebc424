"""Response wrapping: an answer that waits in the cubbyhole of a token that is good for one use.

vault/wrapping.go and vault/logical_system.go (handleWrapping*). What was wrapped is kept
beside its token, so it is gone when the token is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_resilience_vault._backend import WRITE, Backend, on
from pytest_resilience_vault._errors import Refused, bad_request, one_of
from pytest_resilience_vault._gojson import Struct
from pytest_resilience_vault._ids import new_uuid
from pytest_resilience_vault._jwt import is_jwt, signed, why_not
from pytest_resilience_vault._policy_names import RESPONSE_WRAPPING
from pytest_resilience_vault._reply import NotThere, Reply, envelope
from pytest_resilience_vault._times import stamp
from pytest_resilience_vault._tokens import Token

if TYPE_CHECKING:
    from pytest_resilience_vault._call import Call
    from pytest_resilience_vault._core import Core

WRAPPING_POLICY = """
path "cubbyhole/response" {
    capabilities = ["create", "read"]
}

path "sys/wrapping/unwrap" {
    capabilities = ["update"]
}
"""
REVOKE_SELF = """
path "auth/token/revoke-self" {
    capabilities = ["update"]
}
"""
"""What an OpenBao's has besides (seen)."""
INVALID = "wrapping token is not valid or does not exist"
UNVALIDATED = "error validating wrapping token"
PATHS = ("sys/wrapping/lookup", "sys/wrapping/rewrap", "sys/wrapping/unwrap")
"""Where the wrapping token is looked at before the caller's (vault/core.go)."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A reply that waits."""

    token: Token
    reply: Reply
    status: int
    """200, or the 404 of a deleted version."""
    path: str
    mount_type: str
    ttl: float

    def text(self, mount_type: str | None) -> str:
        """As it lies in the cubbyhole."""
        return envelope(self.reply, new_uuid(), mount_type)


class Wraps:
    """All replies that wait."""

    def __init__(self) -> None:
        self._by_token: dict[str, Wrapped] = {}
        self._by_jwt: dict[str, str] = {}
        """The ids of tokens that were given out in this form."""

    def wrap(self, core: Core, call: Call, reply: Reply, ttl: float, kept: Wrapped | None) -> Reply:
        """Put a reply aside; the answer in its place names the token that fetches it.

        Args:
            core: Of the namespace.
            call: What the reply answers.
            reply: To be wrapped.
            ttl: Seconds that it waits.
            kept: What it is wrapped as, when it had been wrapped before.
        """
        as_jwt = call.wrap_format == "jwt"
        # A JWT is always one of the root namespace (vault/wrapping.go).
        home = core.root if as_jwt else core
        path = kept.path if kept else call.full_path
        token = Token(
            id=home.new_token_id(),
            policies=[RESPONSE_WRAPPING],
            path=call.full_path,
            created=call.now,
            ttl=int(ttl),
            expires=call.now + ttl,
            explicit_max_ttl=int(ttl),
            num_uses=1,
            display_name=call.token.display_name if call.token else "",
            space=home.path,
        )
        core.tokens.add(token)
        kind = kept.mount_type if kept else call.mount.type
        status = kept.status if kept else reply.status
        self._by_token[token.id] = Wrapped(
            token, replace(reply, top=False), status, path, kind, ttl
        )
        info = Struct(
            token=token.id,
            accessor=token.accessor,
            ttl=int(ttl),
            creation_time=stamp(call.now),
            creation_path=path,
        )
        accessor = "" if kept else _accessor_in(core, reply, kind)
        if accessor:
            info["wrapped_accessor"] = accessor
        if as_jwt:
            of_token = accessor if reply.auth else ""
            info["token"] = signed(token, core.root.address(), of_token)
            self._by_jwt[info["token"]] = token.id
        return Reply(wrap_info=info)

    def id_of(self, text: str) -> str:
        """The id of a wrapping token that may come as a JWT.

        Raises:
            Refused: It is one, and not from here.
        """
        if not is_jwt(text):
            return text
        known = self._by_jwt.get(text)
        if known is None:
            raise Refused(403, f"{UNVALIDATED}: {why_not(text)}")
        return known

    def of(self, token: Token | None) -> Wrapped | None:
        """What waits for a token."""
        return self._by_token.get(token.id) if token else None

    def take(self, token: Token) -> Wrapped | None:
        """The same; then it waits no more."""
        return self._by_token.pop(token.id, None)


def check_wrapping_token(core: Core, call: Call) -> None:
    """Refuse what is no wrapping token, before the caller's token is looked at.

    It is the one in the body, or else the caller's own (vault/wrapping.go,
    validateWrappingToken).
    """
    named = call.data.get("token")
    if named is None:
        text = call.token_id = core.wraps.id_of(call.token_id)
        if not text:
            raise Refused(403, f"{UNVALIDATED}: token is empty")
    else:
        if not isinstance(named, str):
            raise Refused(403, f"{UNVALIDATED}: could not decode token in request body")
        if not named:
            raise Refused(403, f"{UNVALIDATED}: empty token in request body")
        text = call.data["token"] = core.wraps.id_of(named)
    token = core.tokens.find(text, call.now)
    if core.wraps.of(token) is None:
        raise bad_request(INVALID)


def _accessor_in(core: Core, reply: Reply, mount_type: str) -> str:
    """Of the token that a reply has, and in OpenBao of the secret id (wrapping.go of 2.7)."""
    if reply.auth:
        return str(reply.auth["accessor"])
    if core.flavour.is_openbao and mount_type == "approle":
        return str((reply.data or {}).get("secret_id_accessor", ""))
    return ""


class WrappingPaths(Backend):
    """sys/wrapping."""

    type = "system"

    @on(WRITE, "wrapping/wrap")
    def wrap(self, call: Call) -> Reply:
        """The request's own data, wrapped."""
        if not call.wrap_ttl:
            raise bad_request("endpoint requires response wrapping to be used")
        return Reply(dict(call.data))

    @on("read", "wrapping/lookup")
    @on(WRITE, "wrapping/lookup")
    def lookup(self, call: Call) -> Reply:
        """Where and when it was wrapped; needs no token, and uses none."""
        wrapped = self._waiting(call)
        data: dict[str, Any] = {
            "creation_path": wrapped.path,
            "creation_time": stamp(wrapped.token.created),
            "creation_ttl": int(wrapped.ttl) if wrapped.ttl == int(wrapped.ttl) else wrapped.ttl,
        }
        return Reply(data)

    @on(WRITE, "wrapping/unwrap")
    def unwrap(self, call: Call) -> Reply:
        """What was wrapped, as it would have been answered."""
        if call.text("token") == call.token_id:
            # Named as somebody else's, it would be used twice (seen).
            words = "error decrementing wrapping token's use-count: invalid token entry provided"
            raise Refused(500, one_of(f"{words} for use count decrementing"))
        wrapped = self._taken(call)
        if wrapped.status != 200:
            raise NotThere(wrapped.reply)
        return replace(wrapped.reply)

    @on(WRITE, "wrapping/rewrap")
    def rewrap(self, call: Call) -> Reply:
        """The same, in a new token with the time of the old one."""
        wrapped = self._taken(call)
        wraps = self.core.wraps
        return wraps.wrap(self.core, call, wrapped.reply, wrapped.ttl, wrapped)

    def _waiting(self, call: Call) -> Wrapped:
        found = self.core.wraps.of(self._named(call))
        assert found is not None  # check_wrapping_token has looked
        return found

    def _named(self, call: Call) -> Token | None:
        named = call.text("token") or call.token_id
        return self.core.tokens.find(named, call.now)

    def _taken(self, call: Call) -> Wrapped:
        wrapped = self._waiting(call)
        self.core.wraps.take(wrapped.token)
        self.core.tokens.revoke(wrapped.token)
        return wrapped
