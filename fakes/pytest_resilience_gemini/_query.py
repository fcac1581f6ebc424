"""The query of a call: parameters of its own, and parameters that there are not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from pytest_resilience_gemini._proto import camel, invalid, invalid_value
from pytest_resilience_gemini._scalars import READERS

if TYPE_CHECKING:
    from werkzeug import Request

# What every API of Google's takes (cloud.google.com/apis/docs/system-parameters); each may
# have a dollar in front. Not uploadType, which is refused where nothing is uploaded (measured of
# another API: backlot, routers/google.py).
SYSTEM = frozenset(
    {
        "access_token",
        "alt",
        "apiVersion",
        "callback",
        "ct",
        "fields",
        "key",
        "oauth_token",
        "prettyPrint",
        "quotaUser",
        "upload_protocol",
        ".xgafv",
        "userProject",
    }
)


def read(request: Request, fields: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The fields of a request's message that its query gives, in snake_case.

    Args:
        request: The request.
        fields: Which fields the query may give, and of which type; none when left out,
            as where the whole message is the body.

    Raises:
        ApiError: A 400 that names the parameters that there are not (numAi#1), and the values
            that do not fit.
    """
    if not request.query_string:
        return {}
    return _bound(request.args.items(), fields or {})


def refuse_form(body: bytes) -> None:
    """Refuse a body that says it is a form, as curl and urllib have it when told nothing.

    To the front end it is a query of the method (php-docs-samples#460, of another API); that
    Gemini refuses it, too: gemini-api-php#27.

    Raises:
        ApiError: A 400 that names what is in it.
    """
    _bound(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True), {})


def _bound(pairs: Iterable[tuple[str, str]], fields: Mapping[str, str]) -> dict[str, Any]:
    known = {spelled: name for name in fields for spelled in (name, camel(name))}
    found: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for given, text in pairs:
        if given in known:
            field = known[given]
            reader, kind = READERS[fields[field]]
            try:
                found[field] = reader(text)
            except ValueError:
                problems.append(
                    (field, invalid_value(field, kind, json.dumps(text, ensure_ascii=False)))
                )
        elif given.removeprefix("$") not in SYSTEM:
            problems.append(("", _unknown(given)))
    if problems:
        raise invalid(problems)
    return found


def _unknown(name: str) -> str:
    return (
        f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter. '
        f"Field '{name}' could not be found in request message."
    )
