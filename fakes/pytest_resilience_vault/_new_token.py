"""Creating a token for somebody else (vault/token_store.go, handleCreateCommon)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_resilience_vault._errors import bad_request
from pytest_resilience_vault._policy_names import internal, is_among, sanitized
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._times import seconds
from pytest_resilience_vault._tokens import LAST_USE, Token
from pytest_resilience_vault._ttl import Wish, granted

if TYPE_CHECKING:
    from pytest_resilience_vault._call import Call
    from pytest_resilience_vault._core import Core
    from pytest_resilience_vault._mounts import Mount
    from pytest_resilience_vault._token_roles import TokenRole

WEAK = (
    "Supplying a custom ID for the token uses the weaker SHA1 hashing instead of the more secure"
    " SHA2-256 HMAC for token obfuscation. SHA1 hashed tokens on the wire leads to less secure"
    " lookups."
)


@dataclass(slots=True)
class Request:
    """What the caller asks for."""

    id: str
    type: str
    policies: list[str]
    meta: dict[str, str] | None
    no_parent: bool
    no_default: bool
    renewable: bool
    display_name: str
    num_uses: int
    role: TokenRole | None = None
    ttl: float = 0
    explicit_max_ttl: float = 0
    period: float = 0

    @staticmethod
    def of(call: Call, role: TokenRole | None = None) -> Request:
        """Of the request's body, and of the role that the path names."""
        kind = _type(call, role)
        wanted = Request(
            id=call.text("id"),
            type=kind,
            policies=call.strings("policies"),
            meta=_meta(call),
            no_parent=call.flag("no_parent"),
            no_default=call.flag("no_default_policy"),
            renewable=call.flag("renewable", default=True),
            display_name=call.text("display_name"),
            num_uses=call.whole("num_uses"),
            role=role,
        )
        wanted.apply_role()
        if kind == "batch":
            wanted.check_batch(call)
        if wanted.num_uses < 0:
            raise bad_request("number of uses cannot be negative")
        _check_alias(call.text("entity_alias"), role)
        return wanted

    def set_times(self, call: Call, *, sudo: bool) -> None:
        """The last that is looked at (parseAndMergeTTLPeriod)."""
        self.explicit_max_ttl = _positive(call, "explicit_max_ttl")
        self.period = _positive(call, "period")
        if self.period and not sudo:
            raise bad_request("root or sudo privileges required to create periodic token")
        self.ttl = _positive(call, "ttl" if call.text("ttl") else "lease")

    def apply_role(self) -> None:
        """What the role says goes over what was asked for (handleCreateCommon)."""
        role = self.role
        if role is None:
            return
        self.no_parent = False
        self.renewable = self.renewable and role.renewable
        if role.token_num_uses:
            self.num_uses = min(self.num_uses or role.token_num_uses, role.token_num_uses)

    def limits(self, warnings: list[str]) -> tuple[float, float]:
        """The period and the longest time that hold: the lesser of one's own and the role's."""
        role = self.role
        if role is None or self.type == "batch":
            return self.period, self.explicit_max_ttl
        longest = _lesser(
            "Explicit max TTL", self.explicit_max_ttl, role.token_explicit_max_ttl, warnings
        )
        return _lesser("Period", self.period, role.token_period, warnings), longest

    def check_batch(self, call: Call) -> None:
        """Refuse what a batch token cannot have."""
        reason = ""
        if call.text("explicit_max_ttl"):
            reason = "explicit_max_ttl" if _parsed(call, "explicit_max_ttl") else ""
        elif call.whole("num_uses"):
            reason = "num_uses"
        elif call.text("period"):
            reason = "period" if _parsed(call, "period") else ""
        if reason:
            raise bad_request(f'batch tokens cannot have "{reason}" set')


def _parsed(call: Call, name: str) -> float:
    try:
        return seconds(call.text(name))
    except ValueError:
        raise bad_request(f"'{name}' value could not be parsed") from None


def _check_alias(alias: str, role: TokenRole | None) -> None:
    if alias and role is None:
        raise bad_request("'entity_alias' is only allowed in combination with token role")
    if alias and role and not is_among(alias.lower(), role.allowed_entity_aliases or ()):
        raise bad_request("invalid 'entity_alias' value")


def _lesser(what: str, own: float, of_role: float, warnings: list[str]) -> float:
    """The smaller of two times of which 0 is none."""
    lesser = min(own or of_role, of_role or own)
    if own and of_role:
        words = f"{what} specified both during creation call and in role; using the lesser value of"
        warnings.append(f"{words} {int(lesser)} seconds")
    return lesser


def _type(call: Call, role: TokenRole | None) -> str:
    """Service or batch: the role may say, or leave it to the request."""
    asked = call.text("type")
    default = role.token_type if role else "default-service"
    if default in ("batch", "service"):
        return default  # Whatever is asked for, and if it is nothing that there is.
    if asked not in ("", "service", "batch"):
        raise bad_request("invalid 'token_type' value")
    return asked or default.removeprefix("default-")


def _meta(call: Call) -> dict[str, str] | None:
    if call.data.get("meta") in (None, [None]):
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
    return value


def create(
    core: Core,
    call: Call,
    role: TokenRole | None = None,
    *,
    orphan: bool = False,
) -> Reply:
    """The new token, or a refusal."""
    parent = call.token
    assert parent is not None
    if parent.num_uses == LAST_USE:
        raise bad_request("parent token lookup failed: no parent found")
    if parent.is_batch:
        raise bad_request("batch tokens cannot create more tokens")
    if parent.num_uses:
        raise bad_request("restricted use token cannot generate child tokens")
    wanted = Request.of(call, role)
    path = call.full_path
    sudo = any(core.allows(parent, name, path, sudo=True) for name in ("update", "create"))
    if wanted.id and not sudo:
        raise bad_request("root or sudo privileges required to specify token id")
    policies = (
        role.policies(wanted.policies, parent.policies, no_default=wanted.no_default)
        if role and role.limits_policies
        else _policies(wanted, parent, core.path, sudo=sudo)
    )
    policies = [name for name in policies if not (wanted.no_default and name == "default")]
    _check_policies(policies, wanted, parent, core)
    if wanted.no_parent and not sudo:
        raise bad_request("root or sudo privileges required to create orphan token")
    wanted.set_times(call, sudo=sudo)
    is_orphan = role.orphan if role else orphan or wanted.no_parent
    alias = call.text("entity_alias")
    entity = "" if is_orphan else parent.entity_id
    if alias:
        # What a role lets a caller ask for is made when it is not there.
        entity = core.entities.log_in(call.mount, alias, None, call.now).id
    token = Token(
        id=_new_id(core, wanted),
        type=wanted.type,
        policies=policies,
        path=f"{path}/{role.path_suffix}" if role and role.path_suffix else path,
        created=call.now,
        meta=wanted.meta,
        num_uses=wanted.num_uses,
        explicit_max_ttl=wanted.explicit_max_ttl,
        period=wanted.period,
        parent=None if is_orphan else parent.id,
        entity_id=entity,
        role=role.name if role else "",
        cidrs=role.token_bound_cidrs if role else [] if is_orphan else parent.cidrs,
        space=core.path,
    )
    if wanted.display_name:
        token.display_name = _display_name(wanted.display_name)
    warnings = _set_ttl(token, wanted, parent, call.mount)
    core.tokens.add(token)
    if wanted.id:
        warnings.append(WEAK)
    warnings += core.policies.unknown(token.policies)
    auth = token.auth(token.ttl, core.identity_policies(token))
    return Reply(auth=auth, warnings=warnings)


def _display_name(given: str) -> str:
    return re.sub(r"[^a-zA-Z0-9-]", "-", f"token-{given}").removesuffix("-")


def _new_id(core: Core, request: Request) -> str:
    wanted = request.id
    if not wanted or request.type == "batch":
        return core.new_token_id(batch=request.type == "batch")
    if wanted.startswith("hvs."):
        raise bad_request("custom token ID cannot have the 'hvs.' prefix")
    if wanted.startswith("s."):
        raise bad_request("custom token ID cannot have the 's.' prefix")
    if "." in wanted:
        raise bad_request("custom token ID cannot have a '.' in the value")
    if core.tokens.find(wanted, core.time()) is not None:
        raise bad_request("cannot create a token with a duplicate ID")
    return wanted


def _policies(wanted: Request, parent: Token, space: str, *, sudo: bool) -> list[str]:
    """Those of a token without a role that says anything about them (resolveTokenPolicies)."""
    if not wanted.policies and parent.space != space:
        # What the parent has means nothing in another namespace (seen).
        return ["default"]
    if not wanted.policies:
        # Only what the parent has, of "default", too.
        return sanitized(parent.policies)
    asked = sanitized(wanted.policies)
    if not sudo and not set(asked) <= set(parent.policies):
        raise bad_request("child policies must be subset of parent")
    return sanitized(asked, default=sudo or "default" in parent.policies)


def _check_policies(policies: list[str], wanted: Request, parent: Token, core: Core) -> None:
    for name in internal(openbao=core.flavour.is_openbao):
        if name in policies:
            raise bad_request(f'cannot assign policy "{name}"')
    if "root" in policies:
        if not parent.is_root:
            words = "root tokens may not be created without parent token being root"
            raise bad_request(words)
        if parent.space != core.path:
            raise bad_request("root tokens may not be created from a parent namespace")
        if wanted.type == "batch":
            raise bad_request("batch tokens cannot be root tokens")


def _set_ttl(token: Token, wanted: Request, parent: Token, mount: Mount) -> list[str]:
    """How long it lives; a root token that was given no time lives for ever."""
    warnings: list[str] = []
    ttl = 0.0
    period, longest = wanted.limits(warnings)
    if period or wanted.ttl or not token.is_root:
        wish = Wish(
            ttl=wanted.ttl,
            period=period,
            explicit_max_ttl=longest,
            default=mount.ttl,
            longest=mount.longest_ttl,
        )
        ttl, cut = granted(wish, token.created, token.created)
        warnings += cut
    elif longest:
        ttl = longest
    if ttl == 0 and parent.ttl:
        raise bad_request("expiring root tokens cannot create non-expiring root tokens")
    if ttl == 0:
        token.cidrs = []
    token.ttl = token.granted = ttl
    token.renewable = wanted.renewable and ttl > 0 and not token.is_batch
    token.expires = token.created + ttl if ttl else None
    return warnings
