"""Policies: what they say, and what a set of them allows (vault/policy.go, vault/acl.go)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pytest_resilience_vault._call import LIST
from pytest_resilience_vault._errors import one_of
from pytest_resilience_vault._hcl import Block, parse

DENY = "deny"
SUDO = "sudo"
CAPABILITIES = frozenset(
    {"create", "delete", "list", "patch", "read", "recover", "subscribe", "sudo", "update", DENY}
)
_OLD = {
    "deny": ("deny",),
    "read": ("read", "list"),
    "write": ("create", "read", "update", "delete", "list"),
    "sudo": ("create", "read", "update", "delete", "list", "sudo"),
}
# Read and ignored: what would need them is not in this fake.
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
        "subscribe_event_types",
    }
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a policy grants on a path."""

    path: str
    """Without the star of a prefix; a path with ``+`` keeps it."""
    capabilities: frozenset[str]
    is_prefix: bool
    has_plus: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """A named policy."""

    name: str
    text: str
    rules: tuple[Rule, ...]
    number: int = 1
    """How often it has been written, which OpenBao shows."""
    written: float = 0.0


def read_policy(name: str, text: str) -> Policy:
    """A policy of its text.

    Raises:
        ValueError: In Vault's words, from "failed to parse policy" on.
    """
    try:
        rules = tuple(_rule(block) for block in parse(text) if block.kind != "name")
    except ValueError as error:
        raise ValueError(f"failed to parse policy: {error}") from None
    return Policy(name, text, rules)


def _rule(block: Block) -> Rule:
    if block.kind != "path":
        raise ValueError(one_of(f'invalid key "{block.kind}" on line 0'))
    for key in block.body:
        if key not in _KEYS:
            words = one_of(f'invalid key "{key}" on line {block.line}')
            raise ValueError(f'path "{block.label}": {words}')
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
    for name in capabilities:
        if name not in CAPABILITIES:
            raise ValueError(f'path "{block.label}": invalid capability "{name}"')
    path = block.label.removeprefix("/")
    if "+*" in path:
        raise ValueError(f"path \"{path}\": invalid use of wildcards ('+*' is forbidden)")
    has_plus = path == "+" or "/+" in path or path.startswith("+/")
    is_prefix = path.endswith("*") and not has_plus
    granted = {DENY} if DENY in capabilities else set(capabilities)
    return Rule(path[:-1] if is_prefix else path, frozenset(granted), is_prefix, has_plus)


class Acl:
    """What a set of policies allows together."""

    def __init__(self, policies: Iterable[Policy], *, root: bool = False) -> None:
        self.root = root
        self._exact: dict[str, set[str]] = {}
        self._prefixes: dict[str, set[str]] = {}
        self._plus: dict[str, set[str]] = {}
        for policy in policies:
            for rule in policy.rules:
                self._merge(rule)

    def _merge(self, rule: Rule) -> None:
        rules = self._plus if rule.has_plus else self._prefixes if rule.is_prefix else self._exact
        held = rules.setdefault(rule.path, set())
        held |= rule.capabilities
        if DENY in held:
            held.intersection_update({DENY})

    def allows(self, operation: str, path: str, *, sudo: bool = False) -> bool:
        """Whether an operation on a path is granted."""
        if self.root:
            return True
        held = self._held(operation, path)
        return operation in held and (not sudo or SUDO in held)

    def capabilities(self, path: str) -> list[str]:
        """As sys/capabilities-self lists them."""
        if self.root:
            return ["root"]
        # A list operation: the widest search (acl.go, Capabilities).
        held = self._held(LIST, path)
        return sorted(held) or [DENY]

    def reaches(self, prefix: str) -> bool:
        """Whether anything at or below a mount is granted (logical_system.go, hasMountAccess)."""
        if self.capabilities(prefix) != [DENY]:
            return True
        below = [*self._exact.items(), *self._prefixes.items()]
        if any(path.startswith(prefix) and held - {DENY} for path, held in below):
            return True
        return any(_goes_below(path, prefix) and held - {DENY} for path, held in self._plus.items())

    def _held(self, operation: str, path: str) -> set[str]:
        if path in self._exact:
            return self._exact[path]
        bare = path.removesuffix("/")
        if operation == LIST and bare in self._exact:
            return self._exact[bare]
        if operation == LIST and bare != path:
            found = self._widest(bare)
            if found is not None:
                return found
        return self._widest(path) or set()

    def _longest_prefix(self, path: str) -> str | None:
        fitting = (prefix for prefix in self._prefixes if path.startswith(prefix))
        return max(fitting, key=len, default=None)

    def _widest(self, path: str) -> set[str] | None:
        """The rule with a ``*`` or ``+`` that decides; acl.go's order of priority."""
        found: list[tuple[tuple[int, bool, int, int, str], set[str]]] = []
        prefix = self._longest_prefix(path)
        if prefix is not None:
            key = (len(prefix), False, 0, len(prefix), prefix)
            found.append((key, self._prefixes[prefix]))
        for pattern, held in self._plus.items():
            if _fits(pattern, path):
                bare = pattern.removesuffix("*")
                pluses = bare.split("/").count("+")
                key = (pattern.index("+"), not pattern.endswith("*"), -pluses, len(bare), bare)
                found.append((key, held))
        return max(found, key=lambda pair: pair[0])[1] if found else None


def _fits(pattern: str, path: str) -> bool:
    """Whether a pattern with ``+`` segments, and perhaps a star at the end, covers a path."""
    bare = pattern.removesuffix("*")
    parts, asked = bare.split("/"), path.split("/")
    starred = bare != pattern
    if len(asked) < len(parts) or (not starred and len(asked) != len(parts)):
        return False
    last = len(parts) - 1
    return all(
        part in ("+", asked[index]) or (starred and index == last and asked[index].startswith(part))
        for index, part in enumerate(parts)
    )


def _goes_below(pattern: str, prefix: str) -> bool:
    """Whether a pattern with ``+`` begins as a mount's prefix does, and goes on."""
    parts, asked = pattern.split("/"), prefix.removesuffix("/").split("/")
    begins = all(part in ("+", segment) for part, segment in zip(parts, asked, strict=False))
    return begins and len(parts) > len(asked)
