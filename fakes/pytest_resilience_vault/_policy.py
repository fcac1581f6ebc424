"""Policies: what they say (vault/policy.go)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_resilience_vault._constraints import Constraints, read_constraints
from pytest_resilience_vault._errors import Forbidden, one_of
from pytest_resilience_vault._hcl import Block, parse
from pytest_resilience_vault._templates import filled, is_template
from pytest_resilience_vault._times import moment

if TYPE_CHECKING:
    from pytest_resilience_vault._entities import Entity

DENY = "deny"
CAPABILITIES = frozenset({"create", "delete", "list", "patch", "read", "sudo", "update", DENY})
"""Those of both servers."""
VAULTS = frozenset({"recover", "subscribe"})
OPENBAOS = frozenset({"scan"})
_OLD = {
    "deny": ("deny",),
    "read": ("read", "list"),
    "write": ("create", "read", "update", "delete", "list"),
    "sudo": ("create", "read", "update", "delete", "list", "sudo"),
}
_FILTER = "list_scan_response_keys_filter_path"
# Those of control groups, MFA and events are read and ignored: what would need them is not in
# this fake.
_KEYS = frozenset(
    {
        "allowed_parameters",
        "capabilities",
        "comment",
        "control_group",
        "denied_parameters",
        "max_wrapping_ttl",
        "mfa_methods",
        "min_wrapping_ttl",
        "policy",
        "required_parameters",
    }
)
_VAULTS_KEYS = frozenset({"subscribe_event_types"})
_OPENBAOS_KEYS = frozenset({"expiration", "pagination_limit", _FILTER})


@dataclass(frozen=True, slots=True)
class Rule:
    """What a policy grants on a path."""

    path: str
    """Without the star of a prefix; a path with ``+`` keeps it."""
    capabilities: frozenset[str]
    is_prefix: bool
    has_plus: bool
    constraints: Constraints | None = None
    template: str = ""
    """As it was written, where something is to be put into it."""
    expires: float | None = None
    """When an OpenBao forgets it."""

    def of(self, entity: Entity | None, blocked: str, *, openbao: bool) -> Rule | None:
        """The rule for who asks; None if it is for nobody like that."""
        if not self.template:
            return self
        path = filled(self.template, entity, blocked, openbao=openbao)
        if path is None:
            return None
        path, is_prefix, has_plus = _placed(path)
        return replace(self, path=path, is_prefix=is_prefix, has_plus=has_plus)


@dataclass(frozen=True, slots=True)
class Terms:
    """On which an OpenBao keeps a policy, and lets it be changed."""

    expires: float | None = None
    cas_required: bool = False
    wildcards: bool = False
    slashes: bool = True
    """Whether what a template puts into a path may have these."""

    @property
    def blocked(self) -> str:
        """What it may not have."""
        return ("" if self.wildcards else "*+") + ("" if self.slashes else "/")


VAULTS_TERMS, OPENBAOS_TERMS = Terms(), Terms(slashes=False)
"""If nobody asks for others."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A named policy."""

    name: str
    text: str
    rules: tuple[Rule, ...]
    number: int = 1
    """How often it has been written, which OpenBao shows."""
    written: float = 0.0
    terms: Terms = VAULTS_TERMS

    def rules_for(self, entity: Entity | None, *, openbao: bool) -> list[Rule]:
        """Those that are about who asks.

        Raises:
            Forbidden: It cannot be said which these are.
        """
        blocked = self.terms.blocked
        try:
            rules = [rule.of(entity, blocked, openbao=openbao) for rule in self.rules]
        except Forbidden as error:
            words = f'error parsing templated policy "{self.name}": failed to parse policy'
            raise Forbidden(f"{words}: {error.why}") from None
        return [rule for rule in rules if rule]

    @property
    def until(self) -> float:
        """When it, or a path in it, is over."""
        moments = [self.terms.expires, *(rule.expires for rule in self.rules)]
        return min((one for one in moments if one is not None), default=float("inf"))

    def at(self, now: float) -> Policy | None:
        """What is left of it; None when it is over."""
        if self.terms.expires is not None and self.terms.expires <= now:
            return None
        alive = (rule for rule in self.rules if rule.expires is None or rule.expires > now)
        return replace(self, rules=tuple(alive))


def read_policy(name: str, text: str, *, openbao: bool = False, now: float = 0) -> Policy:
    """A policy of its text.

    Args:
        name: Its name.
        text: HCL or JSON.
        openbao: Whether it is one of OpenBao, which has other capabilities and keys.
        now: Paths that are over then are not read any further.

    Raises:
        ValueError: In Vault's words, from "failed to parse policy" on.
    """
    try:
        blocks = [block for block in parse(text) if block.kind != "name"]
        rules = [_read(block, now, openbao=openbao) for block in blocks]
    except ValueError as error:
        raise ValueError(f"failed to parse policy: {error}") from None
    return Policy(name, text, tuple(rule for rule in rules if rule))


def _read(block: Block, now: float, *, openbao: bool) -> Rule | None:
    if block.kind != "path":
        raise ValueError(one_of(f'invalid key "{block.kind}" on line 0'))
    template = block.label if is_template(block.label) else ""
    keys = _KEYS | (_OPENBAOS_KEYS if openbao else _VAULTS_KEYS)
    for key in block.body:
        if key not in keys:
            words = one_of(f'invalid key "{key}" on line {block.line}')
            raise ValueError(f'path "{block.label}": {words}')
    try:
        expires = _expires(block)
        over = expires is not None and expires < now
        return None if over else _rule(block, template, expires, openbao=openbao)
    except ValueError as error:
        # An OpenBao says it of everything that it finds in a path, whatever that says (seen).
        raise ValueError(f'path "{block.label}": {error}' if openbao else str(error)) from None


def _expires(block: Block) -> float | None:
    if "expiration" not in block.body:
        return None
    given = block.body["expiration"]
    if not isinstance(given, str | int):
        place = block.places.get("expiration", "1:1")
        kind = "*ast.LiteralType"
        words = f"At {place}: root.expiration: unknown type for string {kind}"
        raise ValueError(f'path "{block.label}": {words}')  # noqa: TRY004
    try:
        return moment(str(given))
    except ValueError as error:
        raise ValueError(f'path "{block.label}": invalid expiration time: {error}') from None


def _rule(block: Block, template: str, expires: float | None, *, openbao: bool) -> Rule:
    if _FILTER in block.body:
        raise ValueError(f"this fake of OpenBao has no {_FILTER}")
    capabilities = _capabilities(block, openbao=openbao)
    path, is_prefix, has_plus = _placed(block.label)
    denies = DENY in capabilities
    granted = frozenset({DENY} if denies else capabilities)
    # What denies has nothing else to say, and Vault does not look (policy.go, PathFinished).
    constraints = None if denies else read_constraints(block)
    return Rule(path, granted, is_prefix, has_plus, constraints, template, expires)


def _placed(label: str) -> tuple[str, bool, bool]:
    """A rule's path, whether it is a prefix, and whether it has a plus."""
    path = label.removeprefix("/")
    if "+*" in path:
        raise ValueError(f"path \"{path}\": invalid use of wildcards ('+*' is forbidden)")
    has_plus = path == "+" or "/+" in path or path.startswith("+/")
    is_prefix = path.endswith("*") and not has_plus
    return path[:-1] if is_prefix else path, is_prefix, has_plus


def _capabilities(block: Block, *, openbao: bool) -> list[str]:
    given = block.body.get("capabilities", [])
    if not isinstance(given, list):
        words = (
            f"At {block.places.get('capabilities', '1:1')}: unknown slice type: *ast.LiteralType"
        )
        raise ValueError(f'path "{block.label}": {words}')  # noqa: TRY004
    capabilities = [str(name) for name in given]
    if "policy" in block.body:
        old = str(block.body["policy"])
        if old not in _OLD:
            raise ValueError(f'path "{block.label}": invalid policy "{old}"')
        capabilities += _OLD[old]
    known = CAPABILITIES | (OPENBAOS if openbao else VAULTS)
    for name in capabilities:
        if name == DENY:
            break
        if name not in known:
            raise ValueError(f'path "{block.label}": invalid capability "{name}"')
    return capabilities
