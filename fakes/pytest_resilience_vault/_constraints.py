"""What a policy demands of a request's parameters and of its wrapping (vault/acl.go).

A value is compared as a whole: a list does not match one of its elements, and "a,b" is one
string, as in Vault until 1.20 and in OpenBao; Vault 1.21 looks at each element
(docs/updates/important-changes). Seen on OpenBao 2.7.2: a number never matches, because a
request's numbers are kept as they were written and a policy's are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_resilience_vault._call import CREATE, PATCH, READ, UPDATE
from pytest_resilience_vault._hcl import Block
from pytest_resilience_vault._times import seconds

Values = dict[str, list[Any]]
"""Names in lower case, and what they may be; an empty list is anything."""

CHECKED = (READ, UPDATE, CREATE, PATCH)
"""Operations whose parameters are looked at."""


@dataclass(frozen=True, slots=True)
class Constraints:
    """Those of a rule, or of all rules of a token on one path."""

    allowed: Values | None = None
    denied: Values | None = None
    required: tuple[str, ...] = ()
    min_wrapping: float = 0
    max_wrapping: float = 0
    """Seconds; 0 where there is no limit."""
    page: int = 0
    """How many names an OpenBao lists at once; 0 for any number."""

    def joined(self, other: Constraints) -> Constraints:
        """Both: of the times the lesser ones, of the lists all."""
        new = [name for name in other.required if name not in self.required]
        return Constraints(
            _joined(self.allowed, other.allowed),
            _joined(self.denied, other.denied),
            (*self.required, *new),
            _lesser(self.min_wrapping, other.min_wrapping),
            _lesser(self.max_wrapping, other.max_wrapping),
            int(_lesser(self.page, other.page)),
        )

    def shown(self) -> dict[str, Any]:
        """Those that there are, as sys/internal/ui/resultant-acl shows them."""
        every = {
            "allowed_parameters": self.allowed,
            "denied_parameters": self.denied,
            "max_wrapping_ttl": int(self.max_wrapping),
            "min_wrapping_ttl": int(self.min_wrapping),
            "required_parameters": list(self.required),
        }
        return {name: value for name, value in every.items() if value}

    def allow(self, operation: str, data: Mapping[str, Any], wrapping: float | None) -> bool:
        """Whether a request that has the capability may go on.

        Args:
            operation: Its operation.
            data: Its parameters, by the names they were sent with.
            wrapping: Seconds that it asks its answer to be wrapped for, or None.
        """
        return self._allow_wrapping(wrapping) and (
            operation not in CHECKED or self._allow_parameters(data)
        )

    def _allow_wrapping(self, wrapping: float | None) -> bool:
        least, most = self.min_wrapping, self.max_wrapping
        if not least and not most:
            return True
        if wrapping is None or (most and wrapping > most) or wrapping < least:
            return False
        # Limits of two policies may leave nothing between them.
        return not (least and most) or most >= least

    def _allow_parameters(self, data: Mapping[str, Any]) -> bool:
        if any(name.lower() not in data for name in self.required):
            return False
        if not data:
            return True
        denied, allowed = self.denied or {}, self.allowed or {}
        if "*" in denied or any(_is_in(denied.get(name.lower()), data[name]) for name in data):
            return False
        if not allowed or set(allowed) == {"*"}:
            return True
        others = "*" in allowed
        return all(
            _is_in(allowed[name.lower()], value) if name.lower() in allowed else others
            for name, value in data.items()
        )


def _joined(one: Values | None, other: Values | None) -> Values | None:
    if not one or not other:
        return one or other
    found = dict(one)
    for name, values in other.items():
        either_any = not values or found.get(name) == []
        found[name] = [] if either_any else [*values, *found.get(name, ())]
    return found


def _lesser(one: float, other: float) -> float:
    return min(filter(None, (one, other)), default=0)


def _is_in(values: list[Any] | None, given: object) -> bool:
    """Whether a value is among those of a policy (valueInParameterList)."""
    if values is None:
        return False
    return not values or any(_fits(wanted, given) for wanted in values)


def _fits(wanted: object, given: object) -> bool:
    if isinstance(wanted, str) and isinstance(given, str):
        return _globbed(wanted, given)
    return _equal(wanted, given)


def _equal(wanted: object, given: object) -> bool:
    """Go's reflect.DeepEqual of a policy's value and a request's."""
    if isinstance(wanted, list) and type(given) is list:
        pairs = zip(wanted, given, strict=False)
        return len(wanted) == len(given) and all(_equal(one, two) for one, two in pairs)
    return type(wanted) is type(given) and isinstance(given, str | bool) and wanted == given


def _globbed(wanted: str, given: str) -> bool:
    """A star at either end stands for anything (strutil.GlobbedStringsMatch)."""
    if len(wanted) < 2:
        return wanted == given
    bare = wanted.removeprefix("*").removesuffix("*")
    if wanted.startswith("*"):
        return bare in given if wanted.endswith("*") else given.endswith(bare)
    return given.startswith(bare) if wanted.endswith("*") else wanted == given


def read_constraints(block: Block) -> Constraints | None:
    """Those of a stanza; None when it has none.

    Raises:
        ValueError: One of them cannot be read, in Vault's words.
    """
    found = Constraints(
        _values(block, "allowed_parameters"),
        _values(block, "denied_parameters"),
        tuple(_names(block)),
        _time(block, "min_wrapping_ttl"),
        _time(block, "max_wrapping_ttl"),
        max(0, _page(block)),
    )
    if 0 < found.max_wrapping < found.min_wrapping:
        raise ValueError("max_wrapping_ttl cannot be less than min_wrapping_ttl")
    return None if found == Constraints() else found


def _values(block: Block, key: str) -> Values | None:
    given = block.body.get(key)
    if given is None:
        return None
    if not isinstance(given, dict):
        words = f"root.{key}: not an object type for map ({_kind(given)})"
        raise _unfit(block, key, words)
    for name, value in given.items():
        if not isinstance(value, list):
            raise _unfit(block, f"{key}.{name}", f"unknown slice type: {_kind(value)}")
    return {name.lower(): list(value) for name, value in given.items()}


def _names(block: Block) -> list[str]:
    given = block.body.get("required_parameters", [])
    if not isinstance(given, list):
        raise _unfit(block, "required_parameters", f"unknown slice type: {_kind(given)}")
    return [str(name) for name in given]


def _page(block: Block) -> int:
    given = block.body.get("pagination_limit", 0)
    try:
        return int(given)
    except ValueError:
        words = f'strconv.ParseInt: parsing "{given}": invalid syntax'
        raise ValueError(f'path "{block.label}": {words}') from None


def _time(block: Block, key: str) -> float:
    given = block.body.get(key)
    if given is None:
        return 0
    try:
        return int(seconds(given)) if isinstance(given, float) else seconds(given)
    except ValueError as error:
        raise ValueError(f"error parsing {key}: {error}") from None


def _unfit(block: Block, key: str, words: str) -> ValueError:
    return ValueError(f'path "{block.label}": At {block.places.get(key, "1:1")}: {words}')


def _kind(value: object) -> str:
    kind = "Object" if isinstance(value, dict) else "List" if isinstance(value, list) else "Literal"
    return f"*ast.{kind}Type"
