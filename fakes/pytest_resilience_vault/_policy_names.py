"""Names of policies as Vault keeps them (sdk/helper/policyutil), and its globs."""

from __future__ import annotations

import re
from collections.abc import Iterable

RESPONSE_WRAPPING = "response-wrapping"
INTERNAL = (RESPONSE_WRAPPING, "control-group")
"""That only Vault itself gives to tokens (nonAssignablePolicies); an OpenBao has only the first."""


def internal(*, openbao: bool) -> tuple[str, ...]:
    """The names of the policies that nobody can give, write or delete."""
    return INTERNAL[:1] if openbao else INTERNAL


def sanitized(names: Iterable[str], *, default: bool = False) -> list[str]:
    """In lower case, each once, sorted; ``root`` stands alone (SanitizePolicies)."""
    found = {name.strip().lower() for name in names} - {""}
    if "root" in found:
        return ["root"]
    return sorted(found | {"default"} if default else found)


def is_among(name: str, globs: Iterable[str]) -> bool:
    """Whether one of the globs, in which only ``*`` has a meaning, fits (StrListContainsGlob)."""
    patterns = (".*".join(re.escape(part) for part in glob.split("*")) for glob in globs)
    return any(re.fullmatch(pattern, name, re.DOTALL) for pattern in patterns)
