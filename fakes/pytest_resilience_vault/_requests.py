"""What a request asks for, as far as its line and its header fields say it (http/handler.go)."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from pytest_resilience_vault._approle import AppRole
from pytest_resilience_vault._call import LIST, Call
from pytest_resilience_vault._errors import Lacking, bad_request
from pytest_resilience_vault._gojson import decode_object
from pytest_resilience_vault._parsing import parsed
from pytest_resilience_vault._times import seconds

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from pytest_resilience_vault._core import Core
    from pytest_resilience_vault._mounts import Mount


def call_of(path: str, request: Request, core: Core, wrap_asked: float | None) -> Call:
    operation, data = parsed(request, openbao=core.flavour.is_openbao)
    if operation == LIST and not path.endswith("/"):
        path += "/"
    return Call(
        operation,
        path,
        data,
        core.time(),
        token_id=token_of(request),
        remote=request.environ.get("REMOTE_ADDR", ""),
        wrap_asked=wrap_asked,
        wrap_format=request.environ.get("HTTP_X_VAULT_WRAP_FORMAT", ""),
    )


def wrapping_of(request: Request) -> float | None:
    """Seconds that the answer is to be wrapped for; None when the request does not say."""
    ttl = request.environ.get("HTTP_X_VAULT_WRAP_TTL")
    asks = request.environ["QUERY_STRING"] and request.args.get("help")
    if asks and request.method == "GET":
        raise Lacking("this fake of Vault has no help texts")
    if not ttl:
        return None
    words = "error parsing X-Vault-Wrap-TTL header"
    try:
        wanted = seconds(ttl)
    except ValueError as error:
        raise bad_request(f"{words}: {error}") from None
    if wanted < 0:
        raise bad_request(f"{words}: requested wrap ttl cannot be negative")
    return wanted


def role_of(mount: Mount | None, path: str, request: Request) -> str:
    """The role that a login is for, which a quota may name (ResolveRole)."""
    if mount is None or not isinstance(mount.backend, AppRole) or not path.endswith("/login"):
        return ""
    try:
        role_id = decode_object(request.get_data()).get("role_id")
    except ValueError:
        return ""
    roles = mount.backend.roles.values()
    return next((role.name for role in roles if role.role_id == role_id), "")


def token_of(request: Request) -> str:
    """The token of a request: X-Vault-Token, or else a bearer token (http/handler.go)."""
    token: str | None = request.environ.get("HTTP_X_VAULT_TOKEN")
    if token:
        return token.strip()
    authorization: str = request.environ.get("HTTP_AUTHORIZATION", "")
    # Case-sensitive in Vault.
    return authorization[7:].strip() if authorization.startswith("Bearer ") else ""


def sent_path(request: Request) -> str:
    """The path as it was sent, with what is escaped in it."""
    target: str = request.environ["RAW_URI"]
    return target.partition("?")[0]


_BAD_ESCAPE = re.compile("%(?![0-9a-fA-F]{2})")


def has_bad_escape(path: str) -> bool:
    """Whether a percent sign is not followed by two digits, which Go's net/url refuses."""
    return _BAD_ESCAPE.search(path) is not None


def is_doubled(path: str) -> bool:
    """Whether it begins ``//v1/``, as an address with a slash at its end makes it.

    That is none of Vault's paths, and nobody cleans it (http/handler.go, wrapGenericHandler).
    """
    return path.startswith("//")


def is_relative(path: str) -> bool:
    """Whether it has dots for a folder, which were escaped when it was sent."""
    return "/." in path and not {".", ".."}.isdisjoint(path.split("/"))


def cleaned(path: str) -> str:
    """The path without doubled slashes and dots, as Go's ServeMux wants it."""
    if "//" not in path and "/." not in path:
        return path
    clean = posixpath.normpath("/" + path.lstrip("/"))
    return f"{clean}/" if path.endswith("/") and clean != "/" else clean


def with_query(path: str, request: Request) -> str:
    query = request.query_string.decode("latin-1")
    return f"{path}?{query}" if query else path
