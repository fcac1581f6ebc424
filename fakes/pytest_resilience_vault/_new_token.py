"""Creating a token for somebody else (vault/token_store.go, handleCreateCommon)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_resilience_vault._errors import Lacking, bad_request
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._times import seconds
from pytest_resilience_vault._tokens import Token, new_token_id
from pytest_resilience_vault._ttl import Wish, granted

if TYPE_CHECKING:
    from pytest_resilience_vault._call import Call
    from pytest_resilience_vault._core import Core

WEAK = (
    "Supplying a custom ID for the token uses the weaker SHA1 hashing instead of the more secure"
    " SHA2-256 HMAC for token obfuscation. SHA1 hashed tokens on the wire leads to less secure"
    " lookups."
)


@dataclass(slots=True)
class Request:
    """What the caller asks for."""

    id: str
    policies: list[str]
    meta: dict[str, str] | None
    no_parent: bool
    no_default: bool
    renewable: bool
    display_name: str
    num_uses: int
    ttl: float
    explicit_max_ttl: float
    period: float

    @staticmethod
    def of(call: Call) -> Request:
        """Of the request's body."""
        if call.text("type") == "batch":
            raise Lacking("this fake of Vault has no batch tokens")
        if call.text("type") not in ("", "service"):
            raise bad_request("invalid 'token_type' value")
        if call.whole("num_uses") < 0:
            raise bad_request("number of uses cannot be negative")
        return Request(
            id=call.text("id"),
            policies=[name.lower() for name in call.strings("policies")],
            meta=_meta(call),
            no_parent=call.flag("no_parent"),
            no_default=call.flag("no_default_policy"),
            renewable=call.flag("renewable", default=True),
            display_name=call.text("display_name"),
            num_uses=call.whole("num_uses"),
            ttl=_positive(call, "ttl") or _positive(call, "lease"),
            explicit_max_ttl=_positive(call, "explicit_max_ttl"),
            period=_positive(call, "period"),
        )


def _meta(call: Call) -> dict[str, str] | None:
    if not call.has("meta"):
        return None
    return call.pairs("meta")


def _positive(call: Call, name: str) -> float:
    """Seconds of a field that is a string to the framework and a duration to the handler."""
    text = call.text(name)
    try:
        value = seconds(text)
    except ValueError as error:
        raise bad_request(str(error)) from None
    if value < 0:
        raise bad_request(f"{name} must be positive")
    return int(value)


def create(core: Core, call: Call, wanted: Request, *, orphan: bool = False) -> Reply:
    """The new token, or a refusal."""
    parent = call.token
    assert parent is not None
    if parent.num_uses:
        raise bad_request("restricted use token cannot generate child tokens")
    sudo = core.acl(parent).allows("update", call.full_path, sudo=True) or core.acl(parent).allows(
        "create", call.full_path, sudo=True
    )
    if wanted.id and not sudo:
        raise bad_request("root or sudo privileges required to specify token id")
    policies = _policies(wanted, parent, sudo=sudo)
    if wanted.no_parent and not sudo:
        raise bad_request("root or sudo privileges required to create orphan token")
    if wanted.period and not sudo:
        raise bad_request("root or sudo privileges required to create periodic token")
    is_orphan = orphan or wanted.no_parent
    token = Token(
        policies=policies,
        path=call.full_path,
        created=call.now,
        id=_new_id(core, wanted.id),
        meta=wanted.meta,
        num_uses=wanted.num_uses,
        explicit_max_ttl=int(wanted.explicit_max_ttl),
        period=int(wanted.period),
        parent=None if is_orphan else parent.id,
        entity_id="" if is_orphan else parent.entity_id,
    )
    if wanted.display_name:
        token.display_name = _display_name(wanted.display_name)
    warnings = _set_ttl(token, wanted, parent)
    core.tokens.add(token)
    if wanted.id:
        warnings.append(WEAK)
    warnings += core.unknown_policies(token.policies)
    return Reply(auth=token.auth(token.ttl), warnings=warnings)


def _display_name(given: str) -> str:
    return re.sub(r"[^a-zA-Z0-9-]", "-", f"token-{given}").removesuffix("-")


def _new_id(core: Core, wanted: str) -> str:
    if not wanted:
        return new_token_id()
    if wanted.startswith("hvs."):
        raise bad_request("custom token ID cannot have the 'hvs.' prefix")
    if wanted.startswith("s."):
        raise bad_request("custom token ID cannot have the 's.' prefix")
    if "." in wanted:
        raise bad_request("custom token ID cannot have a '.' in the value")
    if core.tokens.find(wanted, core.time()) is not None:
        raise bad_request("cannot create a token with a duplicate ID")
    return wanted


def _policies(wanted: Request, parent: Token, *, sudo: bool) -> list[str]:
    asked = [name for name in wanted.policies or parent.policies if name]
    if not sudo:
        held = {*parent.policies, "default"}
        if not set(asked) <= held:
            raise bad_request("child policies must be subset of parent")
    if "root" in asked:
        if not parent.is_root:
            words = "root tokens may not be created without parent token being root"
            raise bad_request(words)
        return ["root"]
    for name in ("response-wrapping", "control-group"):
        if name in asked:
            raise bad_request(f'cannot assign policy "{name}"')
    if wanted.no_default:
        return sorted(set(asked) - {"default"})
    return sorted({*asked, "default"})


def _set_ttl(token: Token, wanted: Request, parent: Token) -> list[str]:
    """How long it lives; a root token that was given no time lives for ever."""
    warnings: list[str] = []
    ttl = 0
    if wanted.period or wanted.ttl or not token.is_root:
        wish = Wish(ttl=wanted.ttl, period=wanted.period, explicit_max_ttl=wanted.explicit_max_ttl)
        ttl, warnings = granted(wish, token.created, token.created)
    elif wanted.explicit_max_ttl:
        ttl = int(wanted.explicit_max_ttl)
    if ttl == 0 and parent.ttl:
        raise bad_request("expiring root tokens cannot create non-expiring root tokens")
    token.ttl = token.granted = ttl
    token.renewable = wanted.renewable and ttl > 0
    token.expires = token.created + ttl if ttl else None
    return warnings
