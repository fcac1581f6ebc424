"""Names of policies as Vault keeps them (sdk/helper/policyutil), and its globs."""

from __future__ import annotations

import re
from collections.abc import Iterable


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
