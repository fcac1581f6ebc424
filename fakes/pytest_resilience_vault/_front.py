"""HTTP in front of the server: from a request to a call, from a reply to a response.

http/handler.go and http/logical.go of Vault, in the order in which they look at a request.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pytest_resilience_vault import _index, _json_limits
from pytest_resilience_vault._answers import (
    Answer,
    bad_line,
    error_response,
    no_page,
    redirect,
    respond,
)
from pytest_resilience_vault._call import LIST, READ
from pytest_resilience_vault._errors import Refused, bad_request, no_leader, no_token, sealed
from pytest_resilience_vault._gojson import encode
from pytest_resilience_vault._ids import new_uuid
from pytest_resilience_vault._nodes import ANYWHERE, NODE_PATHS, Node
from pytest_resilience_vault._own_paths import is_of_root_only
from pytest_resilience_vault._parsing import METHODS
from pytest_resilience_vault._quotas import Place
from pytest_resilience_vault._reply import NotThere, Reply, envelope
from pytest_resilience_vault._requests import (
    call_of,
    cleaned,
    has_bad_escape,
    is_doubled,
    is_relative,
    role_of,
    sent_path,
    token_of,
    with_query,
    wrapping_of,
)
from pytest_resilience_vault._seal import DR_SECONDARY, PERFORMANCE_STANDBY

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from pytest_resilience_vault._call import Call
    from pytest_resilience_vault._core import Core
    from pytest_resilience_vault._mounts import Mount


PAGES = ("/", "/robots.txt")
"""With /ui: where a browser is shown the user interface, which is off here."""
READING_POSTS = frozenset(
    {
        "auth/token/lookup",
        "auth/token/lookup-accessor",
        "sys/capabilities",
        "sys/capabilities-accessor",
        "sys/capabilities-self",
    }
)
"""Posts that write nothing."""


class Front:
    """Answers requests on behalf of a server."""

    def __init__(self, core: Core, address: Any) -> None:
        self._core = core
        self._node = Node(core, address)
        core.address = address

    def answer(self, request: Request) -> Answer:
        """The response to a request."""
        if not request.path.isprintable():
            # Before all else, and without a word or a field (go-cleanhttp,
            # PrintablePathCheckHandler).
            nothing = Answer([], 400, [("Content-Length", "0")])
            del nothing.headers["Content-Type"]
            return nothing
        if "%" in sent_path(request) and has_bad_escape(sent_path(request)):
            return bad_line()
        fields: dict[str, str] = {}
        try:
            response = self._answer(request, fields)
        except Refused as refused:
            response = self.refusal(refused.status, refused.errors)
        except Elsewhere as elsewhere:
            # The whole address with path and query, and no body (http/handler.go, respondStandby).
            response = respond(307, None)
            target = with_query(request.path, request)
            response.headers["Location"] = f"{elsewhere.leader.rstrip('/')}{target}"
        namespace = request.environ.get("HTTP_X_VAULT_NAMESPACE")
        if namespace:
            response.headers["X-Vault-Namespace"] = namespace
        for name, value in fields.items():
            response.headers[name] = value
        if request.method == "HEAD" and response.status_code == 400:
            # Of sys/health, which has nothing to say then (http/sys_health.go).
            del response.headers["Content-Type"]
        return response

    def refusal(self, status: int, errors: list[str]) -> Answer:
        """An error in this server's words."""
        said = self._core.flavour.said
        return error_response(status, [said(text) for text in errors])

    def lacks(self, request: Request) -> bool:
        """Whether the fake is at a loss, where the real Vault may have an answer.

        A mount that is not there is no loss: Vault itself would say so.
        """
        path = request.path[4:]
        if is_doubled(sent_path(request)):
            return True
        if not request.path.startswith("/v1/") or "//" in path:
            return not request.path.startswith("/v1/")
        if path in NODE_PATHS or request.method not in (*METHODS, "LIST"):
            return False
        try:
            core, path = self._spaced(path, request)
        except Refused:
            return False
        mount = core.mounts.of(path)
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

    def standby_health(self) -> Answer:
        """What sys/health says on a standby: 429, and no error at all."""
        data = self._node.health_body(standby=True)
        return respond(429, encode(data) + "\n")

    def _answer(self, request: Request, fields: dict[str, str]) -> Answer:
        path = request.path
        if self._core.quotas.count and path.startswith("/v1/"):
            self._count(path[4:], request, fields)
        self._check_request(request, fields)
        sent = sent_path(request)
        is_page = path in PAGES or path.startswith("/ui")
        if is_doubled(sent) or not (is_page or path.startswith("/v1/")):
            return error_response(404, [])
        clean = cleaned(sent)
        if clean != sent:
            return redirect(with_query(clean, request), request.method)
        if is_page:
            return no_page()
        if path[4:] in NODE_PATHS:
            return self._answer_for_node(path[4:], request)
        core, path = self._spaced(path[4:], request)
        wrapping = wrapping_of(request)
        if path in NODE_PATHS or (core.parent and is_of_root_only(path)):
            raise bad_request("operation only available in root namespace")
        if path == "sys":
            return redirect(with_query("/v1/sys/", request), request.method)
        call = call_of(path, request, core, wrapping)
        if core.seal.sealed:
            raise sealed()
        self._stand_by(request, call)
        if is_relative(path):
            raise bad_request("relative paths not supported")
        return self._answer_logical(core, call, request, fields)

    def _check_request(self, request: Request, fields: dict[str, str]) -> None:
        """What is refused before anybody asks whether it is sealed, or there is such a path."""
        environ = request.environ
        if not self._core.flavour.is_openbao:
            if int(environ.get("CONTENT_LENGTH") or 0) > _json_limits.SMALLEST:
                _json_limits.check(request.get_data())
            return
        asked = environ.get("HTTP_X_VAULT_INDEX"), environ.get("HTTP_X_VAULT_INCONSISTENT")
        if asked != (None, None):
            try:
                _index.check(*asked, self._core.seal)
            except _index.Missing:
                fields["Retry-After"] = "1"
                raise

    def _spaced(self, path: str, request: Request) -> tuple[Core, str]:
        """The namespace that is asked, by header or by path, and the path in it."""
        core = self._core
        if not core.has_namespaces or core.seal.sealed:
            # The community edition repeats the header and otherwise ignores it (http/util.go).
            return core, path
        named = request.environ.get("HTTP_X_VAULT_NAMESPACE", "").strip("/")
        found = core if named in ("", "root") else core.space(named)
        if found is None:
            if core.flavour.is_openbao:
                raise Refused(404, "namespace not found")
            # What clients of Vault Enterprise report of a wrong one.
            raise no_token()
        return found.below_of(path)

    def _count(self, path: str, request: Request, fields: dict[str, str]) -> None:
        """Let a quota count the request (http/util.go, rateLimitQuotaWrapping)."""
        core, quotas = self._core, self._core.quotas
        if not path.endswith("/") and (request.method == "LIST" or request.args.get("list")):
            path += "/"
        place, mount = self._place_of(path, request)
        role = role_of(mount, path, request)
        client = request.environ.get("REMOTE_ADDR", "")
        allowed, said = quotas.take(place, path, role, client, core.time())
        if quotas.headers:
            fields.update(said)
        if not allowed:
            raise Refused(429, f'request path "{path}": rate limit quota exceeded')

    def _place_of(self, path: str, request: Request) -> tuple[Place, Mount | None]:
        """What a quota knows of a path; of a namespace that there is not, its name."""
        core = self._core
        if core.has_namespaces:
            named = request.environ.get("HTTP_X_VAULT_NAMESPACE", "").strip("/")
            found = core if named in ("", "root") else core.space(named)
            if found is None:
                return Place(f"{named}/", "", path), None
            core, path = found.below_of(path)
        mount = core.mounts.of(path)
        prefix = mount.prefix if mount else ""
        return Place(core.path, prefix, path[len(prefix) :]), mount

    def _answer_for_node(self, path: str, request: Request) -> Answer:
        named = request.environ.get("HTTP_X_VAULT_NAMESPACE")
        if named and self._core.has_namespaces and path not in ANYWHERE:
            raise bad_request("operation unavailable in namespaces")
        if path.startswith("sys/generate-root/") and not self._core.seal.sealed:
            self._stand_by(request)
        status, data = self._node.answer(path, request, token_of(request))
        if data is None:
            return respond(status, None)
        return respond(status, encode(data) + "\n")

    def _stand_by(self, request: Request, call: Call | None = None) -> None:
        """Send clients to the leader, unless this standby forwards (handleRequestForwarding)."""
        seal = self._core.seal
        if not seal.standby:
            return
        if seal.kind == DR_SECONDARY:
            raise bad_request("path disabled in replication DR secondary mode")
        if seal.kind == PERFORMANCE_STANDBY:
            self._catch_up(request)
            return
        if not seal.leader:
            raise no_leader()
        if seal.forwards and "X-Vault-No-Request-Forwarding" not in request.headers:
            return
        if seal.forwards and self._core.flavour.is_openbao and call and self._can_answer(call):
            return
        raise Elsewhere(seal.leader)

    def _can_answer(self, call: Call) -> bool:
        """Whether a standby of OpenBao's need not forward a request: it reads (seen on 2.7.2).

        And the token is good: what it does not know, the active node may.
        """
        known = self._core.tokens.find(call.token_id, call.now) is not None
        return known and (call.operation in (READ, LIST) or call.full_path in READING_POSTS)

    def _catch_up(self, request: Request) -> None:
        """Refuse a request for a state that is not here yet (docs/enterprise/consistency).

        The client names the state in X-Vault-Index, and may ask to be forwarded instead.
        """
        asked = request.headers.get("X-Vault-Index")
        forwarded = request.headers.get("X-Vault-Inconsistent") == _index.FORWARD
        if not asked or forwarded or self._core.flavour.is_openbao:
            return
        if _index.is_missing_in_vault(asked, self._core.seal):
            raise Refused(412, "required index state not present")

    @staticmethod
    def _is_named(request: Request) -> bool:
        """Whether the namespace is named by header, and not by the path."""
        return "HTTP_X_VAULT_NAMESPACE" in request.environ

    def _answer_logical(
        self, core: Core, call: Call, request: Request, fields: dict[str, str]
    ) -> Answer:
        try:
            reply, kind = core.handle(call)
        except NotThere as missing:
            # Written by itself, without the line's end that other answers have.
            there = missing.reply
            self._tell_index(call, there, fields)
            return respond(404, "" if there is None else self._envelope(there, call.mount.type))
        self._tell_index(call, reply, fields)
        if reply is not None and core.parent and not self._is_named(request):
            # The path is not one of those whose data is repeated (injectDataIntoTopRoutes).
            reply.top = False
        if reply is None:
            return respond(204, None)
        return respond(reply.status, self._envelope(reply, kind) + "\n")

    def _tell_index(self, call: Call, reply: Reply | None, fields: dict[str, str]) -> None:
        """Count what was written, and name the state after it."""
        seal, openbao = self._core.seal, self._core.flavour.is_openbao
        made = reply is not None and (reply.wrap_info or reply.auth)
        wrote = bool(made) or call.operation not in (READ, LIST, "header")
        seal.index += wrote
        if openbao or (wrote and seal.standby and seal.kind == PERFORMANCE_STANDBY):
            fields["X-Vault-Index"] = _index.shown(seal, openbao=openbao)

    def _envelope(self, reply: Reply, kind: str) -> str:
        flavour = self._core.flavour
        if flavour.is_openbao:
            reply.warnings = [flavour.said(text) for text in reply.warnings]
            return envelope(reply, "" if reply.wrap_info else new_uuid(), None)
        return envelope(reply, "" if reply.wrap_info else new_uuid(), kind)


class Elsewhere(Exception):
    """A 307 to another node."""

    def __init__(self, leader: str) -> None:
        super().__init__(leader)
        self.leader = leader
