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

from pytest_resilience import Attempt
from pytest_resilience_gemini import _enums, _masks
from pytest_resilience_gemini._errors import ApiError
from pytest_resilience_gemini._responses import ANSWERS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

JSON_TYPE = "application/json; charset=UTF-8"
SSE_TYPE = "text/event-stream"
SCRIPT_TYPE = "text/javascript; charset=UTF-8"

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
    ("Alt-Svc", 'h3=":443"; ma=2592000,h3-29=":443"; ma=2592000'),
)

PATH = re.compile(r"/(v1|v1beta|v1alpha)/models/([^/:]+)(?::([A-Za-z]+))?")
CALLBACK = re.compile(r"[A-Za-z0-9_$.\[\]]*")


@dataclass(frozen=True, slots=True)
class Call:
    """Which method of the API a request calls, and in which form it wants the answer.

    The parameters are those of all Google's APIs (cloud.google.com/apis/docs/system-parameters);
    how they are read was measured of others with the same front end (backlot, errors/google.py).
    """

    version: str = "v1beta"
    model: str = ""
    method: str = ""
    sse: bool = False
    numeric: bool = False
    """Whether enums are to be numbers: google-generativeai and its kin ask for that."""
    dense: bool = False
    """Whether blanks and line ends are to be left out."""
    alt: str = ""
    """The form that was asked for, as it was written."""
    mask: str = ""
    """The fields that are wanted; all of them when empty."""
    callback: str = ""
    """The function that the answer is to be a call of, in a script."""

    @classmethod
    def of(cls, path: str, query: str, mask: str | None = None) -> Call:
        """The call that a request's path and query make.

        Args:
            path: Of the request.
            query: The same.
            mask: The header field X-Goog-FieldMask; what the query says goes before it.
        """
        found = PATH.fullmatch(path)
        version, model, method = found.groups("") if found else (_version(path), "", "")
        if not query:
            return cls(version, model, method, mask=mask or "")
        # All of them may come with a dollar; of several the first counts.
        asked: dict[str, str] = {}
        for name, value in parse_qsl(query):
            asked.setdefault(name.removeprefix("$"), value)
        alt, _, encoding = asked.get("alt", "").partition(";")
        return cls(
            version,
            model,
            method,
            sse=method == "streamGenerateContent" and alt.lower() == "sse",
            numeric=encoding == "enum-encoding=int",
            dense=asked.get("prettyPrint", "").lower() == "false",
            alt=asked.get("alt", ""),
            mask=asked.get("fields", mask or ""),
            # A script is fetched with GET, and knows of no other form.
            callback="" if method or alt.lower() not in ("", "json") else asked.get("callback", ""),
        )

    @classmethod
    def of_attempt(cls, attempt: Attempt) -> Call:
        """The same of an attempt."""
        path, _, query = attempt.target.partition("?")
        return cls.of(path, query, attempt.headers.get("X-Goog-FieldMask"))

    def check(self) -> None:
        """Refuse a form that there is not; before anything else is looked at.

        A report of Gemini has the words for a value that is unknown; those for ``media``, and
        that ``proto`` is unknown, are other APIs'.
        """
        alt = self.alt.partition(";")[0].lower()
        if alt == "media":
            raise ApiError(400, f'Unsupported alt type "{alt}" for non byte stream request.')
        if alt not in ("", "json", "sse"):
            raise ApiError(400, f"Invalid value \"{self.alt}\" for query parameter 'alt'")
        if not CALLBACK.fullmatch(self.callback):
            raise ApiError(
                400,
                f"Invalid JSONP callback name: '{self.callback}'; only alphabet, number, '_', "
                "'$', '.', '[' and ']' are allowed.",
            )

    @property
    def chosen(self) -> _masks.Tree:
        """What the mask chooses; raises the error for one that there cannot be."""
        return _masks.read(self.mask, ANSWERS[self.name]) if self.mask else {}

    @property
    def name(self) -> str:
        """The method's name; that of the methods of models has no place in their paths."""
        return self.method or ("GetModel" if self.model else "ListModels")

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
        service = "GenerativeService" if self.method else "ModelService"
        name = self.name[0].upper() + self.name[1:]
        return f"google.ai.generativelanguage.{self.version}.{service}.{name}"


def _version(path: str) -> str:
    return "v1" if path.startswith("/v1/") else "v1beta"


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


# Angle brackets (laravel-google-translate#18), and what cannot be seen: measured of another API
# with this front end, each character by itself (backlot, errors/google.py).
HIDDEN = re.compile(
    "[<>\x7f-\x9f\xad\u0600-\u0603\u06dd\u070f\u17b4\u17b5\u200b-\u200f\u2028-\u202e\u2060-\u2064"
    "\u206a-\u206f\ufeff\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)


def _escaped(text: str) -> str:
    """JSON as browsers may have it."""
    return HIDDEN.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1] if found[0] > "\x7f" else f"\\u{ord(found[0]):04x}"


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


def answer(text: str, status: int, call: Call) -> Response:
    """Text as the call wants it: JSON, or a script that says nothing of its status."""
    if not call.callback:
        return response(text, status)
    name = _escaped(encode_basestring(call.callback)[1:-1])
    return response(f"// API callback\n{name}({text});", 200, SCRIPT_TYPE)


def refusal(error: ApiError, call: Call) -> Response:
    """An error in the form that the call has asked for; it is never dense.

    With ``alt=sse`` it is plain JSON that says it is text/event-stream (python-genai#2044,
    gitlab-mcp#166); of the other stream it is an array of one (azure-devops-mcp#139).
    """
    text = pretty(call.shaped(error.body))
    if call.sse:
        return response(text, error.code, SSE_TYPE)
    if call.stream:
        return response(b"".join(array_pieces([text])).decode(), error.code)
    return answer(text, error.code, call)


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
