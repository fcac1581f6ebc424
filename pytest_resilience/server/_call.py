"""A request to the control application, read and checked; and its refusal."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias
from urllib.parse import parse_qs

from pytest_resilience.errors import PlanError, shown
from pytest_resilience.faults import _check

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

JSON: TypeAlias = Any
MOST_BODY = 1024 * 1024


class Refused(Exception):
    """The request is answered with this status."""

    def __init__(self, status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers


class Call:
    """One request to the control application."""

    def __init__(self, environ: WSGIEnvironment, parameters: tuple[str, ...] = ()) -> None:
        self._body: bytes = environ["wsgi.input"].read()
        self._query = parse_qs(environ["QUERY_STRING"], keep_blank_values=True)
        kind = environ.get("CONTENT_TYPE", "")
        json_said = kind.partition(";")[0].strip().lower() == "application/json"
        # A form without a field has a kind and no body: a page could send that, too.
        if not json_said and (self._body or kind):
            raise Refused(415, f"Content-Type: {kind or 'none'}; wanted application/json")
        if len(self._body) > MOST_BODY:
            size = len(self._body)
            raise Refused(413, f"the body has {size} bytes; wanted at most {MOST_BODY}")
        for name, values in self._query.items():
            if name not in parameters:
                hint = _check.nearest(name, parameters)
                takes = ", ".join(parameters) or "none"
                text = f"there is no parameter {shown(name)} here{hint}; it takes {takes}"
                raise PlanError(text)
            if len(values) > 1:
                raise PlanError(f"the query has the parameter {shown(name)} more than once")

    def json(self) -> JSON:
        """The body as data."""
        if not self._body:
            raise Refused(400, "the body is empty; wanted JSON")
        try:
            return json.loads(
                self._body, parse_constant=_no_constant, object_pairs_hook=_without_doubles
            )
        except (ValueError, RecursionError) as error:
            raise Refused(400, f"the body is no JSON: {error}") from error

    def fields(self, *allowed: str) -> dict[str, Any]:
        """The body as an object with no other members than these; it may be left out."""
        data = self.json() if self._body else {}
        if not isinstance(data, dict):
            _check.refuse("the body", data, "an object, or no body")
        for name in data:
            if name not in allowed:
                takes = ", ".join(allowed) or "no fields"
                hint = _check.nearest(name, allowed)
                raise PlanError(f"there is no field {shown(name)} here{hint}; it takes {takes}")
        return data

    def number(self, name: str, default: int, *, least: int = 0, most: int = _check.LARGEST) -> int:
        """A whole number of the query."""
        text = self._query.get(name, [str(default)])[0]
        plain = text.isascii() and text.isdecimal() and len(text) < 20
        number = int(text) if plain else text
        return _check.whole(name, number, least, most)

    def word(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """One of these words of the query."""
        text: str = self._query.get(name, [default])[0]
        if text not in allowed:
            _check.refuse(name, text, " or ".join(allowed))
        return text


def _without_doubles(members: list[tuple[str, JSON]]) -> dict[str, JSON]:
    data = dict(members)
    if len(data) < len(members):
        ((twice, _),) = Counter(name for name, _ in members).most_common(1)
        raise Refused(400, f"one object has the field {shown(twice)} more than once")
    return data


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
