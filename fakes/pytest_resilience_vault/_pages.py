"""How much of a list a policy lets an OpenBao show at once (vault/policy/acl.go, pagination)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_resilience_vault._constraints import Constraints

_LIMIT, _MOST = "limit", "max"


def allow_page(data: dict[str, Any], constraints: Constraints | None) -> bool:
    """Whether a list may have the length that is asked for; nothing asked becomes the longest."""
    asked = data.get(_LIMIT)
    longest = constraints.page if constraints else 0
    if not longest:
        if asked == _MOST:
            data[_LIMIT] = "0"
        return True
    if asked is None and constraints and _LIMIT in map(str.lower, constraints.required):
        # Who does not know of pages is to notice.
        return False
    try:
        wanted = 0 if asked in (None, "", _MOST) else int(asked)
    except ValueError:
        return False
    data[_LIMIT] = str(wanted or longest)
    return 0 <= wanted <= longest
