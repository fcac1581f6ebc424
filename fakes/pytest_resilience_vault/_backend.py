"""What a mount runs: paths below it, each with its operations (sdk/framework)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pytest_resilience_vault import _errors
from pytest_resilience_vault._call import CREATE, LIST, READ, UPDATE, Call
from pytest_resilience_vault._fields import Fields
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._ttl import Wish

if TYPE_CHECKING:
    from pytest_resilience_vault._core import Core
    from pytest_resilience_vault._tokens import Token

Handler = TypeVar("Handler", bound=Callable[..., Any])
PLACES = "_vault_places"
_IGNORED = "Endpoint ignored these unrecognized parameters"
_REPLACED = (
    "Endpoint replaced the value of these parameters with the values captured from the endpoint's"
    " path"
)
WRITE = f"{CREATE} {UPDATE}"
"""For a path that is created and updated by the same handler."""


def on(operations: str, pattern: str, fields: Fields | None = None) -> Callable[[Handler], Handler]:
    """Let a method of a backend answer these operations on paths that match the pattern.

    Args:
        operations: Separated by spaces.
        pattern: A regular expression for the whole path below the mount.
        fields: That the path takes; None for any, which are then converted by the method alone.
    """

    def mark(handler: Handler) -> Handler:
        place = (operations, pattern, fields)
        places: list[tuple[str, str, Fields | None]] = [*getattr(handler, PLACES, ()), place]
        setattr(handler, PLACES, places)
        return handler

    return mark


@dataclass(slots=True)
class Place:
    """Paths of one form."""

    pattern: re.Pattern[str]
    names: dict[str, str] = field(default_factory=dict)
    """The methods by operation."""
    fields: Fields | None = None


class Backend:
    """A secrets engine or an auth method."""

    type: ClassVar[str]
    open_paths: ClassVar[tuple[str, ...]] = ()
    """Paths that need no token; a ``*`` at the end stands for anything."""
    sudo_paths: ClassVar[tuple[str, ...]] = ()
    """Paths that need the sudo capability, written likewise."""
    captures: ClassVar[dict[str, str]] = {}
    """What the real one calls parts of a path, where that is another name than here."""
    _table: ClassVar[list[Place]] = []

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        places: dict[str, Place] = {}
        for base in reversed(cls.__mro__):
            for name, member in vars(base).items():
                for operations, pattern, fields in getattr(member, PLACES, ()):
                    place = places.setdefault(pattern, Place(re.compile(pattern, re.ASCII)))
                    place.names.update(dict.fromkeys(operations.split(), name))
                    place.fields = place.fields or fields
        cls._table = list(places.values())

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
        place, arguments = self._find(call.path)
        if place is None:
            raise self.no_such_path(call)
        name = place.names.get(call.operation)
        if name is None:
            raise _errors.unsupported_operation()
        remarks = self._remarks(call, place, arguments) if call.data else []
        reply: Reply | None = getattr(self, name)(call, **arguments)
        if reply is not None and remarks:
            if reply.data == {"keys": []}:
                # A warning makes an empty list something to be said (seen).
                reply.data = {}
            reply.warnings += remarks
        return reply

    def _remarks(self, call: Call, place: Place, arguments: dict[str, str]) -> list[str]:
        """Warnings about parameters that nobody reads; refuses what cannot be converted."""
        found = []
        captured = {self.captures.get(name, name) for name in arguments}
        if place.fields is not None or call.operation in (READ, LIST):
            known = place.fields or {}
            call.convert({name: kind for name, kind in known.items() if name not in captured})
            ignored = sorted(set(call.data) - set(known) - captured)
            if ignored:
                found.append(f"{_IGNORED}: [{' '.join(ignored)}]")
        replaced = sorted(name for name in captured if call.data.get(name) is not None)
        if replaced:
            found.append(f"{_REPLACED}: [{' '.join(replaced)}]")
        return found

    def listed(self, call: Call, names: list[str]) -> Reply:
        """Of names as many as an OpenBao is asked for: so many, and behind which one."""
        if self.core.flavour.is_openbao:
            after, limit = call.text("after"), call.whole("limit")
            names = [name for name in names if name > after]
            names = names[:limit] if limit > 0 else names
        return Reply({"keys": names})

    def convert(self, call: Call) -> None:
        """Refuse fields that cannot be converted, before the policies are asked."""
        place, _ = self._find(call.path)
        if place is not None and place.fields is not None:
            call.convert(place.fields)

    def no_such_path(self, call: Call) -> Exception:
        """What to raise for a path that the backend does not have."""
        return _errors.unsupported_path()

    def knows(self, path: str) -> bool:
        """Whether any operation is there on this path."""
        return self._find(path)[0] is not None

    @classmethod
    def places(cls) -> list[str]:
        """The paths below the mount, with names in angle brackets."""
        return [_readable(place.pattern.pattern) for place in cls._table]

    def _find(self, path: str) -> tuple[Place | None, dict[str, str]]:
        for place in self._table:
            match = place.pattern.fullmatch(path)
            if match:
                return place, match.groupdict()
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
