"""How answers become bytes: plain JSON, server-sent events, and the array of a plain stream."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from werkzeug import Response

from pytest_resilience_gemini._errors import ApiError

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

PATH = re.compile(r"/(v1|v1beta)/models/([^/:]+)(?::([A-Za-z]+))?")


@dataclass(frozen=True, slots=True)
class Call:
    """Which method of the API a request calls, and in which form it wants the answer."""

    version: str = "v1beta"
    model: str = ""
    method: str = ""
    sse: bool = False

    @classmethod
    def of(cls, path: str, query: str) -> Call:
        """The call that a request's path and query make."""
        found = PATH.fullmatch(path)
        if found is None:
            version = "v1" if path.startswith("/v1/") else "v1beta"
            return cls(version)
        version, model, method = found.groups()
        sse = method == "streamGenerateContent" and parse_qs(query).get("alt") == ["sse"]
        return cls(version, model, method or "", sse)

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
    return _escaped(json.dumps(data, indent=2, ensure_ascii=False)) + "\n"


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
    made = Response(body, status, content_type=kind)
    for name, value in HEADERS:
        made.headers.add(name, value)
    made.headers.update(headers or {})
    return made


def refusal(error: ApiError, call: Call) -> Response:
    """An error in the form that the call has asked for.

    With ``alt=sse`` it is plain JSON that says it is text/event-stream (python-genai#2044,
    gitlab-mcp#166); of the other stream it is an array of one (azure-devops-mcp#139).
    """
    if call.sse:
        return response(pretty(error.body), error.code, SSE_TYPE)
    text = b"".join(array([error.body])).decode() if call.stream else pretty(error.body)
    return response(text, error.code)


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


def array(events: Iterable[Any]) -> list[bytes]:
    """A stream without ``alt``: a JSON array, one piece an element and one for its end.

    Nothing follows the bracket: google-api-core, which reads what the service sends, takes
    even a newline there for an error.
    """
    return array_pieces(map(pretty, events))


def array_pieces(texts: Iterable[str]) -> list[bytes]:
    """The same of elements that are texts already."""
    pieces = [(",\r\n" if number else "[") + text for number, text in enumerate(texts)]
    return [piece.encode() for piece in [*pieces, "]"]]
