"""What a mount runs: paths below it, each with its operations (sdk/framework)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pytest_resilience_vault import _errors
from pytest_resilience_vault._call import CREATE, UPDATE, Call
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._ttl import Wish

if TYPE_CHECKING:
    from pytest_resilience_vault._core import Core
    from pytest_resilience_vault._tokens import Token

Handler = TypeVar("Handler", bound=Callable[..., Any])
PLACES = "_vault_places"
WRITE = f"{CREATE} {UPDATE}"
"""For a path that is created and updated by the same handler."""


def on(operations: str, pattern: str) -> Callable[[Handler], Handler]:
    """Let a method of a backend answer these operations on paths that match the pattern."""

    def mark(handler: Handler) -> Handler:
        places: list[tuple[str, str]] = [*getattr(handler, PLACES, ()), (operations, pattern)]
        setattr(handler, PLACES, places)
        return handler

    return mark


class Backend:
    """A secrets engine or an auth method."""

    type: ClassVar[str]
    open_paths: ClassVar[tuple[str, ...]] = ()
    """Paths that need no token; a ``*`` at the end stands for anything."""
    sudo_paths: ClassVar[tuple[str, ...]] = ()
    """Paths that need the sudo capability, written likewise."""
    _table: ClassVar[list[tuple[re.Pattern[str], dict[str, str]]]] = []

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        patterns: dict[str, dict[str, str]] = {}
        for base in reversed(cls.__mro__):
            for name, member in vars(base).items():
                for operations, pattern in getattr(member, PLACES, ()):
                    for operation in operations.split():
                        patterns.setdefault(pattern, {})[operation] = name
        cls._table = [(re.compile(pattern), names) for pattern, names in patterns.items()]

    def __init__(self, core: Core) -> None:
        self.core = core

    def exists(self, call: Call) -> bool | None:
        """Whether a write would change what is there; None where Vault does not look.

        It decides between the capabilities create and update.
        """
        return None

    def renewal(self, token: Token) -> Wish:
        """On which terms a token of this auth method is renewed."""
        return Wish(ttl=token.granted, period=token.period, explicit_max_ttl=token.explicit_max_ttl)

    def handle(self, call: Call) -> Reply | None:
        """Answer a call. None is "no content", and "not found" for reads and lists."""
        names, arguments = self._find(call.path)
        if names is None:
            raise self.no_such_path(call)
        name = names.get(call.operation)
        if name is None:
            raise _errors.unsupported_operation()
        reply: Reply | None = getattr(self, name)(call, **arguments)
        return reply

    def no_such_path(self, call: Call) -> Exception:
        """What to raise for a path that the backend does not have."""
        return _errors.unsupported_path()

    def knows(self, path: str) -> bool:
        """Whether any operation is there on this path."""
        return self._find(path)[0] is not None

    @classmethod
    def places(cls) -> list[str]:
        """The paths below the mount, with names in angle brackets."""
        return [_readable(pattern.pattern) for pattern, _ in cls._table]

    def _find(self, path: str) -> tuple[dict[str, str] | None, dict[str, str]]:
        for pattern, names in self._table:
            match = pattern.fullmatch(path)
            if match:
                return names, match.groupdict()
        return None, {}


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether one of the patterns, exact or with ``*`` at the end, covers the path."""
    return any(
        path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern
        for pattern in patterns
    )


def _readable(pattern: str) -> str:
    return re.sub(r"\(\?P<(\w+)>.*?\)", r"<\1>", pattern).replace("/?", "").replace("\\", "")


NAME = r"(?P<name>\w(?:[\w.-]*\w)?)"
"""A role's name (framework.GenericNameRegex)."""
