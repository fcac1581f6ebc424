"""One request as a backend sees it, with its fields converted as sdk/framework does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_resilience_vault._errors import bad_request
from pytest_resilience_vault._times import seconds

if TYPE_CHECKING:
    from pytest_resilience_vault._mounts import Mount
    from pytest_resilience_vault._tokens import Token

READ, LIST, CREATE, UPDATE, DELETE, PATCH = "read", "list", "create", "update", "delete", "patch"
WRITES = (CREATE, UPDATE)


@dataclass(slots=True)
class Call:
    """A request below a mount."""

    operation: str
    full_path: str
    """Without ``/v1/``."""
    data: dict[str, Any]
    """The body's fields, or the query's for operations without a body."""
    now: float
    token_id: str = ""
    """As sent; what it is worth has not been looked at."""
    remote: str = ""
    """The client's address."""
    mount: Mount = field(init=False)
    path: str = field(init=False)
    """Below the mount."""
    token: Token | None = None
    checks_existence: bool = False

    def has(self, name: str) -> bool:
        """Whether the field is there; ``null`` is."""
        return name in self.data

    def text(self, name: str, default: str = "") -> str:
        """A string; numbers and booleans become one (mapstructure's weak decoding)."""
        value = self.data.get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return "1" if value else "0"
        if isinstance(value, str | int | float):
            return str(getattr(value, "text", value))
        raise self._unfit(name, f"'' expected type 'string', got unconvertible type {_go(value)}")

    def whole(self, name: str, default: int = 0) -> int:
        """A whole number, or a string of one."""
        value = self.data.get(name)
        if value is None:
            return default
        if isinstance(value, str):
            if value == "":
                return 0
            try:
                return int(value, 0)
            except ValueError:
                text = f"cannot parse '' as int: strconv.ParseInt: parsing \"{value}\": "
                raise self._unfit(name, f"{text}invalid syntax") from None
        if isinstance(value, int):
            return int(value)
        raise self._unfit(name, f"'' expected type 'int', got unconvertible type {_go(value)}")

    def flag(self, name: str, default: bool = False) -> bool:  # noqa: FBT001, FBT002
        """A boolean, or a string of one as Go's strconv.ParseBool reads it."""
        value = self.data.get(name)
        if value is None:
            return default
        if isinstance(value, str):
            parsed = parse_bool(value) if value else False
            if parsed is None:
                text = f"cannot parse '' as bool: strconv.ParseBool: parsing \"{value}\": "
                raise self._unfit(name, f"{text}invalid syntax")
            return parsed
        if isinstance(value, int | float):
            return bool(value)
        raise self._unfit(name, f"'' expected type 'bool', got unconvertible type {_go(value)}")

    def seconds(self, name: str, default: float = 0) -> float:
        """A duration: seconds, ``"90s"``, ``"1h"``; whole seconds only."""
        value = self.data.get(name)
        if value is None:
            return default
        try:
            return int(seconds(value))
        except ValueError as error:
            raise self._unfit(name, str(error)) from None

    def texts(self, name: str) -> list[str]:
        """A list of strings, or one string with commas."""
        value = self.data.get(name)
        if value is None:
            return []
        if isinstance(value, list):
            return [str(getattr(item, "text", item)).strip() for item in value]
        return [part.strip() for part in self.text(name).split(",")] if value != "" else []

    def wholes(self, name: str) -> list[int]:
        """A list of whole numbers, or one string with commas."""
        try:
            return [int(text, 0) for text in self.texts(name) if text]
        except ValueError as error:
            wrong = str(error).partition(": ")[2].strip("'")
            text = f"cannot parse '[0]' as int: strconv.ParseInt: parsing \"{wrong}\": "
            raise self._unfit(name, f"{text}invalid syntax") from None

    def mapping(self, name: str) -> dict[str, Any]:
        """An object; ``null`` is an empty one."""
        value = self.data.get(name)
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        kind = "slice" if isinstance(value, list) else "bool" if value in (True, False) else ""
        raise self._unfit(name, f"'' expected a map, got '{kind or 'string'}'")

    def _unfit(self, name: str, why: str) -> Exception:
        # The existence check runs before the validation, and has no prefix.
        bare = self.checks_existence and self.operation in WRITES
        prefix = "" if bare else "Field validation failed: "
        return bad_request(f'{prefix}error converting input for field "{name}": {why}')


def parse_bool(text: str) -> bool | None:
    """A boolean as Go's strconv.ParseBool reads it; None when it is none."""
    if text in ("1", "t", "T", "TRUE", "true", "True"):
        return True
    if text in ("0", "f", "F", "FALSE", "false", "False"):
        return False
    return None


def _go(value: object) -> str:
    if isinstance(value, dict):
        return "'map[string]interface {}'"
    if isinstance(value, list):
        return "'[]interface {}'"
    return "'json.Number'"
