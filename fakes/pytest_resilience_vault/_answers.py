"""What is sent: bodies with Vault's header fields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from pytest_resilience_vault._gojson import Struct, encode
from pytest_resilience_vault._reply import JSON_TYPE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

BASE_HEADERS = [
    ("Cache-Control", "no-store"),
    ("Content-Type", JSON_TYPE),
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
]
"""On every answer, those without a body too (http/handler.go, wrapGenericHandler)."""


class Answer(Response):
    """A response that has nothing left to be found out, which saves werkzeug the trouble."""

    automatically_set_content_length = False
    autocorrect_location_header = False

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Send it."""
        start_response(self.status, self.headers.to_wsgi_list())
        return () if environ["REQUEST_METHOD"] == "HEAD" else self.response  # type: ignore[return-value]  # made of bytes


def respond(status: int, body: str | None) -> Answer:
    """An answer with Vault's headers; None is no body at all."""
    if body is None:
        fields = BASE_HEADERS if status == 204 else [*BASE_HEADERS, ("Content-Length", "0")]
        return Answer([], status, fields)
    content = body.encode()
    return Answer([content], status, [*BASE_HEADERS, ("Content-Length", str(len(content)))])


def error_response(status: int, errors: list[str]) -> Answer:
    """An error in Vault's form."""
    return respond(status, encode(Struct(errors=errors)) + "\n")


def no_page() -> Answer:
    """Go's http.NotFound."""
    response = respond(404, "404 page not found\n")
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def bad_line() -> Answer:
    """What Go says of a request line that it cannot read, before anybody else hears of it."""
    text = b"400 Bad Request"
    fields = [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")]
    return Answer([text], 400, [*fields, ("Content-Length", str(len(text)))])


def redirect(location: str, method: str) -> Answer:
    """Go's http.Redirect, which has a body for reads only."""
    reads = method in ("GET", "HEAD")
    response = respond(307, f'<a href="{location}">Temporary Redirect</a>.\n\n' if reads else None)
    del response.headers["Content-Type"]
    if reads:
        response.headers["Content-Type"] = "text/html; charset=utf-8"
    response.headers["Location"] = location
    return response
