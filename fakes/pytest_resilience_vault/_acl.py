"""What a set of policies allows together (vault/acl.go)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_resilience_vault._call import LIST, Call
from pytest_resilience_vault._constraints import Constraints
from pytest_resilience_vault._pages import allow_page
from pytest_resilience_vault._policy import DENY, Policy, Rule

if TYPE_CHECKING:
    from pytest_resilience_vault._entities import Entity

SUDO = "sudo"
_SHOWN = ("create", "delete", "list", "read", "sudo", "update", "patch", "scan")


@dataclass(frozen=True, slots=True)
class Grant:
    """What several policies together grant on a path."""

    capabilities: frozenset[str]
    constraints: Constraints | None = None

    def shown(self) -> dict[str, Any]:
        """As sys/internal/ui/resultant-acl shows it."""
        granted = [name for name in _SHOWN if name in self.capabilities]
        constraints = self.constraints.shown() if self.constraints else {}
        return {"capabilities": granted or [DENY], **constraints}

    def joined(self, rule: Rule) -> Grant:
        """With one more rule for the same path; deny leaves nothing of the others."""
        if DENY in self.capabilities:
            return self
        if DENY in rule.capabilities:
            return Grant(rule.capabilities)
        both = self.constraints or rule.constraints
        if self.constraints and rule.constraints:
            both = self.constraints.joined(rule.constraints)
        return Grant(self.capabilities | rule.capabilities, both)


NOTHING = Grant(frozenset())
MOST = 1024
"""Paths whose grants are remembered."""


class Acl:
    """What a set of policies allows together."""

    def __init__(
        self,
        policies: Iterable[Policy],
        *,
        root: bool = False,
        openbao: bool = False,
        entity: Entity | None = None,
    ) -> None:
        self.root = root
        self._openbao = openbao
        self._exact: dict[str, Grant] = {}
        self._prefixes: dict[str, Grant] = {}
        self._plus: dict[str, Grant] = {}
        self._found: dict[tuple[bool, str], Grant] = {}
        for policy in policies:
            for rule in policy.rules_for(entity, openbao=openbao):
                self._merge(rule)

    def _merge(self, rule: Rule) -> None:
        rules = self._plus if rule.has_plus else self._prefixes if rule.is_prefix else self._exact
        held = rules.get(rule.path)
        rules[rule.path] = held.joined(rule) if held else Grant(rule.capabilities, rule.constraints)

    def allows(
        self, operation: str, path: str, *, sudo: bool = False, call: Call | None = None
    ) -> bool:
        """Whether an operation on a path is granted.

        Args:
            operation: The operation.
            path: The whole path.
            sudo: Whether the path needs that capability, too.
            call: The request whose parameters are looked at, if it is about one.
        """
        if self.root:
            return True
        held = self._held(operation, path)
        if operation not in held.capabilities or (sudo and SUDO not in held.capabilities):
            return False
        constraints = held.constraints
        if call is None:
            return True
        if self._openbao and operation == LIST and not allow_page(call.data, constraints):
            return False
        if constraints is None:
            return True
        return constraints.allow(operation, call.data, call.wrap_asked)

    def capabilities(self, path: str) -> list[str]:
        """As sys/capabilities-self lists them."""
        if self.root:
            return ["root"]
        # A list operation: the widest search (acl.go, Capabilities).
        return sorted(self._held(LIST, path).capabilities) or [DENY]

    def shown(self) -> dict[str, Any]:
        """As sys/internal/ui/resultant-acl shows it, which leaves out paths with ``+``."""
        exact = {path: grant.shown() for path, grant in self._exact.items()}
        return {
            "exact_paths": exact,
            "glob_paths": {path: grant.shown() for path, grant in self._prefixes.items()},
        }

    def reaches(self, prefix: str) -> bool:
        """Whether anything at or below a mount is granted (logical_system.go, hasMountAccess)."""
        if self.capabilities(prefix) != [DENY]:
            return True
        below = [*self._exact.items(), *self._prefixes.items()]
        if any(path.startswith(prefix) and _grants(held) for path, held in below):
            return True
        return any(_goes_below(path, prefix) and _grants(held) for path, held in self._plus.items())

    def _held(self, operation: str, path: str) -> Grant:
        key = (operation == LIST, path)
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= MOST:
                self._found.clear()
            found = self._found[key] = self._looked_up(*key)
        return found

    def _looked_up(self, listing: bool, path: str) -> Grant:  # noqa: FBT001 -- a key's parts
        found = self._exact.get(path)
        bare = path.removesuffix("/")
        if not listing or bare == path:
            return found or self._widest(path) or NOTHING
        found = found or self._exact.get(bare)
        # The slash at a list's end is left on first by OpenBao (acl.go of 2.7), off by Vault.
        first, last = (path, bare) if self._openbao else (bare, path)
        return found or self._widest(first) or self._widest(last) or NOTHING

    def _longest_prefix(self, path: str) -> str | None:
        fitting = (prefix for prefix in self._prefixes if path.startswith(prefix))
        return max(fitting, key=len, default=None)

    def _widest(self, path: str) -> Grant | None:
        """The rule with a ``*`` or ``+`` that decides; acl.go's order of priority."""
        found: list[tuple[tuple[int, bool, int, int, str], Grant]] = []
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


def _grants(held: Grant) -> bool:
    return bool(held.capabilities - {DENY})


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
