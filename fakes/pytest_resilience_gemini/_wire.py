"""How answers become bytes: plain JSON, server-sent events, and the array of a plain stream."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from werkzeug import Response
from werkzeug.datastructures import Headers

from pytest_resilience_gemini import _enums
from pytest_resilience_gemini._errors import ApiError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

JSON_TYPE = "application/json; charset=UTF-8"
SSE_TYPE = "text/event-stream"

# langchain4j#1903. Date, Content-Length and Transfer-Encoding are the server's.
HEADERS = (
    ("Vary", "Origin"),
    ("Vary", "X-Origin"),
    ("Vary", "Referer"),
    ("Server", "scaffolding on HTTPServer2"),
    ("X-XSS-Protection", "0"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("X-Content-Type-Options", "nosniff"),
    ("Server-Timing", "gfet4t7; dur=299"),
    ("X-Gemini-Service-Tier", "standard"),
    ("Alt-Svc", 'h3=":443"; ma=2592000,h3-29=":443"; ma=2592000'),
)

PATH = re.compile(r"/(v1|v1beta|v1alpha)/models/([^/:]+)(?::([A-Za-z]+))?")


@dataclass(frozen=True, slots=True)
class Call:
    """Which method of the API a request calls, and in which form it wants the answer."""

    version: str = "v1beta"
    model: str = ""
    method: str = ""
    sse: bool = False
    numeric: bool = False
    """Whether enums are to be numbers: google-generativeai and its kin ask for that."""
    dense: bool = False
    """Whether blanks and line ends are to be left out."""

    @classmethod
    def of(cls, path: str, query: str) -> Call:
        """The call that a request's path and query make."""
        found = PATH.fullmatch(path)
        if found is None:
            version = "v1" if path.startswith("/v1/") else "v1beta"
            return cls(version)
        version, model, method = found.groups()
        if not query:
            return cls(version, model, method or "")
        # cloud.google.com/apis/docs/system-parameters; all of them come with a dollar, too.
        asked = {name.removeprefix("$"): value for name, value in parse_qsl(query)}
        alt, _, encoding = asked.get("alt", "").partition(";")
        return cls(
            version,
            model,
            method or "",
            sse=method == "streamGenerateContent" and alt == "sse",
            numeric=encoding == "enum-encoding=int",
            dense=asked.get("prettyPrint") == "false",
        )

    def shaped(self, data: Any) -> Any:
        """An answer's data with its enums as the call wants them."""
        return _enums.numbered(data) if self.numeric else data

    def text(self, data: Any) -> str:
        """JSON as the call wants it."""
        data = self.shaped(data)
        if self.dense:
            return _escaped(json.dumps(data, separators=(",", ":"), ensure_ascii=False))
        return pretty(data)

    @property
    def stream(self) -> bool:
        """Whether the answer is a stream, of either form."""
        return self.method == "streamGenerateContent"

    @property
    def rpc(self) -> str:
        """The method's full name, as error details give it."""
        if self.method:
            name = self.method[0].upper() + self.method[1:]
            return f"google.ai.generativelanguage.{self.version}.GenerativeService.{name}"
        name = "GetModel" if self.model else "ListModels"
        return f"google.ai.generativelanguage.{self.version}.ModelService.{name}"


def pretty(data: Any) -> str:
    """JSON as the service writes it: two blanks deep, not escaped, a newline at the end."""
    return _escaped(_indented(data, "\n")) + "\n"


def _indented(data: Any, line: str) -> str:
    """The same as ``json.dumps(data, indent=2)``, which takes three times as long."""
    inner = line + "  "
    if isinstance(data, str):
        return encode_basestring(data)
    if type(data) is int:
        return str(data)
    if isinstance(data, dict) and data:
        pairs = [f"{encode_basestring(k)}: {_indented(v, inner)}" for k, v in data.items()]
        return f"{{{inner}{f',{inner}'.join(pairs)}{line}}}"
    if isinstance(data, list | tuple) and data:
        items = [_indented(item, inner) for item in data]
        return f"[{inner}{f',{inner}'.join(items)}{line}]"
    return json.dumps(data)


def _escaped(text: str) -> str:
    """Angle brackets are escaped, for browsers' sake (laravel-google-translate#18)."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e")


def response(
    body: str | Iterable[bytes],
    status: int,
    kind: str = JSON_TYPE,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A response with the service's headers."""
    fields = Headers()
    # As they are: to be checked one by one takes longer than all the rest of a response.
    fields._list = [("Content-Type", kind), *HEADERS]  # noqa: SLF001
    fields.update(headers or {})
    # Text would be given a length; that is the server's business.
    return _Response([body.encode()] if isinstance(body, str) else body, status, fields)


class _Response(Response):
    """A response whose header fields are sent as they are."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """Not a copy with a length, which the server knows."""
        return self.headers


def refusal(error: ApiError, call: Call) -> Response:
    """An error in the form that the call has asked for.

    With ``alt=sse`` it is plain JSON that says it is text/event-stream (python-genai#2044,
    gitlab-mcp#166); of the other stream it is an array of one (azure-devops-mcp#139).
    """
    text = call.text(error.body)
    if call.sse:
        return response(text, error.code, SSE_TYPE)
    whole = b"".join(array_pieces([text])).decode() if call.stream else text
    return response(whole, error.code)


def nowhere() -> Response:
    """What comes of a path, or a method, that there is not: 404, and nothing at all.

    NemoClaw#1960, proma#1745, js-genai#930; that it is said to be HTML is inferred.
    """
    return response("", 404, "text/html; charset=UTF-8")


def compact(data: Any) -> str:
    """JSON in one line, with blanks where the service has them (vercel/ai#5217)."""
    return _escaped(json.dumps(data, separators=(",", ": "), ensure_ascii=False))


def sse(events: Iterable[Any]) -> list[bytes]:
    """A stream of ``alt=sse``: one piece an event, CRLF twice behind each, no [DONE].

    The empty piece behind them keeps it chunked when there is one event only.
    """
    return [*sse_pieces(map(compact, events)), b""]


def sse_pieces(texts: Iterable[str]) -> list[bytes]:
    """The same of events that are texts already, without the empty piece."""
    return [f"data: {text}\r\n\r\n".encode() for text in texts]


def array_pieces(texts: Iterable[str]) -> list[bytes]:
    """A stream without ``alt``: a JSON array, one piece an element and one for its end.

    Nothing follows the bracket: google-api-core, which reads what the service sends, takes
    even a newline there for an error.
    """
    pieces = [(",\r\n" if number else "[") + text for number, text in enumerate(texts)]
    return [piece.encode() for piece in [*pieces, "]"]]
