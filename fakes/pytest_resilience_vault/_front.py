"""HTTP in front of the server: from a request to a call, from a reply to a response.

http/handler.go and http/logical.go of Vault, in the order in which they look at a request.
"""

from __future__ import annotations

import posixpath
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from pytest_resilience_vault._call import LIST, Call
from pytest_resilience_vault._errors import Lacking, Refused, bad_request, no_leader, sealed
from pytest_resilience_vault._gojson import Struct, encode
from pytest_resilience_vault._kv2 import NotThere
from pytest_resilience_vault._nodes import NODE_PATHS, Node
from pytest_resilience_vault._parsing import METHODS, parsed
from pytest_resilience_vault._reply import JSON_TYPE, envelope
from pytest_resilience_vault._role import new_uuid
from pytest_resilience_vault._times import seconds

if TYPE_CHECKING:
    from pytest_resilience_vault._core import Core

BASE_HEADERS = [
    ("Cache-Control", "no-store"),
    ("Content-Type", JSON_TYPE),
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
]
"""On every answer, those without a body too (http/handler.go, wrapGenericHandler)."""


def respond(status: int, body: str | None) -> Response:
    """An answer with Vault's headers; None is no body at all."""
    response = Response(body, status)
    for name, value in BASE_HEADERS:
        response.headers[name] = value
    return response


def error_response(status: int, errors: list[str]) -> Response:
    """An error in Vault's form."""
    return respond(status, encode(Struct(errors=errors)) + "\n")


class Front:
    """Answers requests on behalf of a server."""

    def __init__(self, core: Core, address: Any) -> None:
        self._core = core
        self._node = Node(core, address)

    def answer(self, request: Request) -> Response:
        """The response to a request."""
        try:
            response = self._answer(request)
        except Refused as refused:
            response = error_response(refused.status, refused.errors)
        except Elsewhere as elsewhere:
            # The whole address with path and query, and no body (http/handler.go, respondStandby).
            response = respond(307, None)
            target = _with_query(request.path, request)
            response.headers["Location"] = f"{elsewhere.leader.rstrip('/')}{target}"
            response.autocorrect_location_header = False
        except NotThere as missing:
            # Written by itself, without the line's end that other answers have.
            body = "" if missing.reply is None else envelope(missing.reply, new_uuid(), self._type)
            response = respond(404, body)
        namespace = request.headers.get("X-Vault-Namespace")
        if namespace:
            response.headers["X-Vault-Namespace"] = namespace
        return response

    def lacks(self, request: Request) -> bool:
        """Whether the fake is at a loss, where the real Vault may have an answer.

        A mount that is not there is no loss: Vault itself would say so.
        """
        if not request.path.startswith("/v1/") or "//" in request.path:
            return not request.path.startswith("/v1/")
        path = request.path[4:]
        if path in NODE_PATHS or request.method not in (*METHODS, "LIST"):
            return False
        mount = self._core.mounts.of(path)
        if mount is None or mount.type == "kv":
            return False
        return not mount.backend.knows(path[len(mount.prefix) :])

    def nearest(self, request: Request) -> list[str]:
        """Up to three paths that resemble the one asked for."""
        mounts = [*self._core.mounts.secret_engines(), *self._core.mounts.auth_methods()]
        places = [f"/v1/{path}" for path in NODE_PATHS]
        for mount in mounts:
            places += [f"/v1/{mount.prefix}{place}" for place in mount.backend.places()]
        return get_close_matches(request.path, places, n=3, cutoff=0.3) or places[:3]

    def standby_health(self) -> Response:
        """What sys/health says on a standby: 429, and no error at all."""
        data = self._node.health_body(standby=True)
        return respond(429, encode(data) + "\n")

    def _answer(self, request: Request) -> Response:
        self._type = ""
        clean = _cleaned(request.path)
        if clean != request.path:
            return _redirect(_with_query(clean, request), request.method)
        if not request.path.startswith("/v1/"):
            raise Refused(404)
        path = request.path[4:]
        self._check_headers(request)
        if path in NODE_PATHS:
            return self._answer_for_node(path, request)
        if path == "sys":
            return _redirect(_with_query("/v1/sys/", request), request.method)
        call = self._call(path, request)
        if self._core.seal.sealed:
            raise sealed()
        self._stand_by(request)
        return self._answer_logical(call)

    def _check_headers(self, request: Request) -> None:
        """An Authorization that is no bearer token is ignored, a bad wrap TTL is not."""
        ttl = request.headers.get("X-Vault-Wrap-TTL")
        if ttl:
            words = "error parsing X-Vault-Wrap-TTL header"
            try:
                wanted = seconds(ttl)
            except ValueError as error:
                raise bad_request(f"{words}: {error}") from None
            if wanted < 0:
                raise bad_request(f"{words}: requested wrap ttl cannot be negative")
            if wanted:
                raise Lacking("this fake of Vault has no response wrapping")
        if request.method == "GET" and request.args.get("help"):
            raise Lacking("this fake of Vault has no help texts")

    def _answer_for_node(self, path: str, request: Request) -> Response:
        status, data = self._node.answer(path, request, token_of(request))
        if data is None:
            return respond(status, None)
        return respond(status, encode(data) + "\n")

    def _stand_by(self, request: Request) -> None:
        """Send clients to the leader, unless this standby forwards (handleRequestForwarding)."""
        seal = self._core.seal
        if not seal.standby:
            return
        if not seal.leader:
            raise no_leader()
        if seal.forwards and "X-Vault-No-Request-Forwarding" not in request.headers:
            return
        raise Elsewhere(seal.leader)

    def _answer_logical(self, call: Call) -> Response:
        mount = self._core.mounts.of(call.full_path)
        self._type = mount.type if mount else ""
        reply, mount_type = self._core.handle(call)
        if reply is None:
            return respond(204, None)
        return respond(reply.status, envelope(reply, new_uuid(), mount_type) + "\n")

    def _call(self, path: str, request: Request) -> Call:
        operation, data = parsed(request)
        if operation == LIST and not path.endswith("/"):
            path += "/"
        return Call(
            operation,
            path,
            data,
            self._core.time(),
            token_id=token_of(request),
            remote=request.remote_addr or "",
        )


class Elsewhere(Exception):
    """A 307 to another node."""

    def __init__(self, leader: str) -> None:
        super().__init__(leader)
        self.leader = leader


def token_of(request: Request) -> str:
    """The token of a request: X-Vault-Token, or else a bearer token (http/handler.go)."""
    token = request.headers.get("X-Vault-Token")
    if token:
        return token.strip()
    authorization = request.headers.get("Authorization", "")
    # Case-sensitive in Vault.
    return authorization[7:].strip() if authorization.startswith("Bearer ") else ""


def _cleaned(path: str) -> str:
    """The path without doubled slashes and dots, as Go's ServeMux wants it."""
    if "//" not in path and "/." not in path:
        return path
    clean = posixpath.normpath("/" + path.lstrip("/"))
    return f"{clean}/" if path.endswith("/") and clean != "/" else clean


def _with_query(path: str, request: Request) -> str:
    query = request.query_string.decode("latin-1")
    return f"{path}?{query}" if query else path


def _redirect(location: str, method: str) -> Response:
    """Go's http.Redirect, which has a body for reads only."""
    reads = method in ("GET", "HEAD")
    response = respond(307, f'<a href="{location}">Temporary Redirect</a>.\n\n' if reads else None)
    del response.headers["Content-Type"]
    if reads:
        response.headers["Content-Type"] = "text/html; charset=utf-8"
    response.headers["Location"] = location
    response.autocorrect_location_header = False
    return response
