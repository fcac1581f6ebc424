"""A request for each route of a fake, with something in place of its variables."""

from __future__ import annotations

import uuid
from typing import Any

from pytest_resilience.server.fake import Fake
from pytest_resilience.server.server import FakeServer

__all__ = ["requests_of"]

VALUES: dict[str, Any] = {
    "FloatConverter": 1.5,
    "IntegerConverter": 1,
    "UUIDConverter": uuid.UUID(int=1),
}


def requests_of(server: FakeServer) -> list[tuple[str, str]]:
    """Method and path of a request for each route; none for a server without routes."""
    found = []
    for rule in type(server)._url_map.iter_rules() if isinstance(server, Fake) else ():  # noqa: SLF001 -- of our own class
        converters = rule._converters  # noqa: SLF001 -- werkzeug shows them nowhere else
        built = rule.build({name: _value(one) for name, one in converters.items()})
        assert built is not None, "each variable has a value"
        methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        found += [(method, built[1]) for method in methods]
    return sorted(found)


def _value(converter: Any) -> Any:  # noqa: ANN401 -- any converter, and what it takes
    if hasattr(converter, "items"):
        return min(converter.items)
    return VALUES.get(type(converter).__name__, "x1")
