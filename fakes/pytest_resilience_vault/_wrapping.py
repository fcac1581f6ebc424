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
from pytest_resilience_vault._reply import NotThere, Reply, envelope
from pytest_resilience_vault._times import stamp
from pytest_resilience_vault._tokens import Token

if TYPE_CHECKING:
    from pytest_resilience_vault._call import Call
    from pytest_resilience_vault._core import Core

RESPONSE_WRAPPING = "response-wrapping"
WRAPPING_POLICY = """
path "cubbyhole/response" {
    capabilities = ["create", "read"]
}

path "sys/wrapping/unwrap" {
    capabilities = ["update"]
}
"""
INVALID = "wrapping token is not valid or does not exist"
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

    def text(self, mount_type: str | None) -> str:
        """As it lies in the cubbyhole."""
        return envelope(self.reply, new_uuid(), mount_type)


class Wraps:
    """All replies that wait."""

    def __init__(self) -> None:
        self._by_token: dict[str, Wrapped] = {}

    def wrap(self, core: Core, call: Call, reply: Reply, ttl: int, kept: Wrapped | None) -> Reply:
        """Put a reply aside; the answer in its place names the token that fetches it.

        Args:
            core: Of the namespace.
            call: What the reply answers.
            reply: To be wrapped.
            ttl: Seconds that it waits.
            kept: What it is wrapped as, when it had been wrapped before.
        """
        path = kept.path if kept else call.full_path
        token = Token(
            id=core.new_token_id(),
            policies=[RESPONSE_WRAPPING],
            path=path,
            created=call.now,
            ttl=ttl,
            expires=call.now + ttl,
            explicit_max_ttl=ttl,
            num_uses=1,
            display_name=call.token.display_name if call.token else "",
            space=core.path,
        )
        core.tokens.add(token)
        kind = kept.mount_type if kept else call.mount.type
        status = kept.status if kept else reply.status
        self._by_token[token.id] = Wrapped(token, replace(reply, top=False), status, path, kind)
        info = Struct(
            token=token.id,
            accessor=token.accessor,
            ttl=ttl,
            creation_time=stamp(call.now),
            creation_path=path,
        )
        if reply.auth and reply.auth["accessor"] and kept is None:
            info["wrapped_accessor"] = reply.auth["accessor"]
        return Reply(wrap_info=info)

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
    if named == "":
        raise Refused(403, "error validating wrapping token: empty token in request body")
    text = named if isinstance(named, str) else call.token_id
    if not text:
        raise Refused(403, "error validating wrapping token: token is empty")
    token = core.tokens.find(text, call.now)
    if core.wraps.of(token) is None:
        raise bad_request(INVALID)


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
            "creation_ttl": wrapped.token.ttl,
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
        return wraps.wrap(self.core, call, wrapped.reply, wrapped.token.ttl, wrapped)

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
