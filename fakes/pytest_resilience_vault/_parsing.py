"""A request's operation and data (http/logical.go, buildLogicalRequestNoAuth)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from pytest_resilience_vault._call import DELETE, LIST, PATCH, READ, UPDATE, Texts, parse_bool
from pytest_resilience_vault._errors import Lacking, Refused, bad_request
from pytest_resilience_vault._gojson import TooComplex, decode_object

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

METHODS = {"GET": READ, "POST": UPDATE, "PUT": UPDATE, "DELETE": DELETE, "PATCH": PATCH}
NO_SCAN = "this fake of OpenBao has no scans"
_MERGE_PATCH = "application/merge-patch+json"
_FORM = "application/x-www-form-urlencoded"
_NO_FORM = re.compile(rb";|%(?![0-9a-fA-F]{2})")
"""What Go's url.ParseQuery refuses: a bare semicolon, and an escape that is none."""
_MEDIA_TYPE = re.compile(r"[!#$%&'*+.^_`|~\w-]+(/[!#$%&'*+.^_`|~\w-]+)?\s*(;.*)?", re.ASCII)


def parsed(request: Request, *, openbao: bool = False) -> tuple[str, dict[str, Any]]:
    """The operation and its data (http/logical.go, buildLogicalRequestNoAuth)."""
    method = request.method
    if method == "LIST":
        return LIST, _query(request)
    operation = METHODS.get(method)
    if operation is None:
        if method == "SCAN" and openbao:
            raise Lacking(NO_SCAN)
        if method == "HEAD":
            return "header", _query(request)
        if method == "OPTIONS":
            raise bad_request("cannot handle internal-only request operation")
        raise Refused(405)
    if operation == READ:
        return _read_or_list(request, openbao=openbao)
    if operation == DELETE:
        return DELETE, _query(request)
    return operation, _body(request, operation, openbao=openbao)


def _read_or_list(request: Request, *, openbao: bool) -> tuple[str, dict[str, Any]]:
    data = _query(request)
    if openbao and data.get("scan"):
        raise Lacking(NO_SCAN)
    asked = data.get("list", "")
    if not asked:
        return READ, data
    wants_list = parse_bool(asked if isinstance(asked, str) else asked[0])
    if wants_list is None:
        raise Refused(400)
    if not wants_list:
        return READ, data
    del data["list"]
    return LIST, data


def _query(request: Request) -> dict[str, Any]:
    text = request.query_string.decode("latin-1")
    if not text:
        return {}
    values = parse_qs(text, keep_blank_values=True)
    return {
        name: found[0] if len(found) == 1 else Texts(found)
        for name, found in values.items()
        if name != "help"
    }


def _body(request: Request, operation: str, *, openbao: bool) -> dict[str, Any]:
    body = request.get_data()
    kind = request.headers.get("Content-Type", "")
    if operation == PATCH:
        _check_patch(kind)
    elif _is_form(kind, body):
        if _NO_FORM.search(body):
            raise bad_request("error parsing form data")
        found = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: ",".join(values) for name, values in found.items()}
    return object_of(body, openbao=openbao)


def object_of(body: bytes, *, openbao: bool) -> dict[str, Any]:
    """The object that a body is, or a refusal in the server's words."""
    try:
        return decode_object(body, openbao=openbao)
    except TooComplex as error:
        raise bad_request(f"refused JSON input due to high complexity: {error}") from None
    except ValueError as error:
        raise bad_request(f"failed to parse JSON input: {error}") from None


def _check_patch(kind: str) -> None:
    if not kind.strip():
        raise bad_request("mime: no media type")
    if not _MEDIA_TYPE.fullmatch(kind.strip()):
        raise bad_request("mime: expected slash after first token")
    media_type = kind.partition(";")[0].strip().lower()
    if media_type != _MERGE_PATCH:
        words = f"PATCH requires Content-Type of {_MERGE_PATCH}, provided {media_type}"
        raise Refused(415, words)


def _is_form(kind: str, body: bytes) -> bool:
    """Whether it is a form and not JSON that curl -d has sent as one (http/handler.go, isForm)."""
    if kind.partition(";")[0].strip().lower() != _FORM:
        return False
    start = body[:512].lstrip()
    return not start.startswith((b"{", b"[")) and bool(start)
