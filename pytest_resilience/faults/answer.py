"""Faults of the application: an error status, a redirect, a body that is not what it says."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from pytest_resilience.answers import NO_BODY, REASONS, Answer, http_date_text
from pytest_resilience.clock import Clock
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's
from pytest_resilience.faults import _check
from pytest_resilience.faults._script import Context, OfTheBody, Script, bodied

FRAMING = ("content-length", "transfer-encoding")
YEAR_1000 = -30_610_224_000
YEAR_9999 = 253_402_300_799
FARTHEST = 7_000 * 365 * 86_400

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


@dataclass(frozen=True, slots=True)
class HttpDate:
    """A Retry-After as a date, this many seconds from the moment of the answer.

    Dates of HTTP know whole seconds (RFC 9110 section 5.6.7); the date is rounded up,
    so that a client that waits for it never comes early. Negative seconds lie in the past.
    """

    seconds: float

    def __post_init__(self) -> None:
        if not _check.is_number(self.seconds) or abs(self.seconds) > FARTHEST:
            wanted = f"a number of seconds from now, -{FARTHEST} to {FARTHEST}"
            _check.refuse("http_date(seconds)", self.seconds, wanted)

    def text(self, clock: Clock) -> str:
        """The date as an IMF-fixdate, by this clock; within the years that have four digits."""
        moment = math.ceil(clock.time_ns() / 1e9 + self.seconds)
        return http_date_text(min(max(moment, YEAR_1000), YEAR_9999))


@dataclass(frozen=True, slots=True)
class Status:
    """Answer with this status in place of the real answer.

    Without a body, the service's own error body for that status is sent.

    Args:
        code: 200 to 999. A 1xx is no final answer, so it is refused.
        retry_after: Seconds, `http_date`, or any text as it is (``"soon"``, ``"-1"``).
        body: JSON data, text, or bytes as they are.
        headers: Fields to add; they replace fields of the same name.
    """

    code: int
    retry_after: float | HttpDate | str | None = None
    body: JSON | bytes = field(default=None, hash=False)
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _check.whole("status(code)", self.code, 200, 999)
        _check_retry_after(self.retry_after)
        object.__setattr__(self, "headers", _checked_headers(self.headers))
        if self.body is not None:
            empty = isinstance(self.body, str | bytes) and not self.body
            if self.code in NO_BODY and not empty:
                _check.refuse("body", self.body, f"no body: a {self.code} has none")
            self._own_answer()

    processed: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return f"status {self.code}"

    def apply(self, script: Script, context: Context) -> Script:
        """Put the error answer in place of the real one."""
        answer = context.error(self.code) if self.body is None else self._own_answer()
        for name, value in self.headers.items():
            answer = answer.with_header(name, value)
        if self.retry_after is not None:
            text = retry_after_text(self.retry_after, context.clock)
            answer = answer.with_header("Retry-After", text)
        return script.saying(answer)

    def _own_answer(self) -> Answer:
        if isinstance(self.body, bytes):
            kind, data = "application/octet-stream", self.body
        elif isinstance(self.body, str):
            kind, data = "text/plain; charset=utf-8", _text_bytes(self.body)
        else:
            kind, data = "application/json", _json_bytes(self.body)
        return Answer(self.code, (("Content-Type", kind),), (data,))


def retry_after_text(value: float | HttpDate | str, clock: Clock) -> str:
    """A Retry-After field as it is sent."""
    if isinstance(value, str):
        return value
    if isinstance(value, HttpDate):
        return value.text(clock)
    return str(int(value)) if float(value).is_integer() else repr(value)


def _check_retry_after(value: object) -> None:
    if value is None or isinstance(value, HttpDate):
        return
    if isinstance(value, str):
        _check.field_text("retry_after", value)
    elif not _check.is_number(value):
        _check.refuse("retry_after", value, "seconds, http_date(seconds), or text sent as it is")


def _checked_headers(headers: object) -> dict[str, str]:
    if not isinstance(headers, Mapping):
        _check.refuse("headers", headers, "a mapping of header names to text")
    for name, value in headers.items():
        if not isinstance(name, str) or not _check.TOKEN.fullmatch(name):
            _check.refuse("headers: a name", name, "a header name without spaces or separators")
        _check.field_text(f"headers[{name!r}]", value)
        if name.lower() in FRAMING:
            wanted = "other fields: the server frames the body, and wrong_length does it wrongly"
            _check.refuse(f"headers[{name!r}]", value, wanted)
    return dict(headers)


def _json_bytes(data: object) -> bytes:
    try:
        return json.dumps(data, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        _check.refuse("body", data, f"JSON data, text or bytes ({error})")


def _text_bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        _check.refuse("body", text, f"text that can be sent as UTF-8 ({error})")


@dataclass(frozen=True, slots=True)
class Redirect:
    """Answer with a redirect to this place.

    Args:
        location: The Location field: an absolute URL or a path.
        code: 301, 302, 303, 307 or 308.
    """

    location: str
    code: int = 307

    def __post_init__(self) -> None:
        _check.field_text("redirect(location)", self.location)
        if isinstance(self.code, bool | float) or self.code not in (301, 302, 303, 307, 308):
            _check.refuse("redirect(code)", self.code, "301, 302, 303, 307 or 308")

    processed: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return f"redirect {self.code}"

    def apply(self, script: Script, context: Context) -> Script:
        """Put the redirect in place of the real answer."""
        return replace(script, answer=Answer(self.code, (("Location", self.location),), (b"",)))


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """A proxy's HTML error page where JSON is expected.

    Args:
        status: 200 to 999; 200 is the nastiest.
    """

    status: int = 502

    def __post_init__(self) -> None:
        _check.whole("html_page(status)", self.status, 200, 999)
        if self.status in NO_BODY:
            _check.refuse("html_page(status)", self.status, "a status whose answer has a body")

    processed: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return f"html_page {self.status}"

    def apply(self, script: Script, context: Context) -> Script:
        """Put the page in place of the real answer."""
        title = f"{self.status} {REASONS.get(self.status, 'Error')}"
        page = (
            f"<html>\r\n<head><title>{title}</title></head>\r\n"
            f"<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
        )
        headers = (("Content-Type", "text/html"),)
        return replace(script, answer=Answer(self.status, headers, (page.encode(),)))


@dataclass(frozen=True, slots=True)
class MalformedJson(OfTheBody):
    """The real answer's status and headers with a JSON body that breaks off.

    HTTP is in order: Content-Length fits the broken body.
    """

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return "malformed_json"

    def apply(self, script: Script, context: Context) -> Script:
        """Cut the JSON text in its middle."""
        text = script.answer.whole.rstrip()
        body = text[: max(1, len(text) // 2)] if text[:1] in (b"{", b"[") else b'{"data": '
        answer = bodied(script.answer).without("Content-Length").without("Content-Encoding")
        if answer.header("Content-Type") is None:
            answer = answer.with_header("Content-Type", "application/json")
        return replace(script, answer=replace(answer, body=(body,)))
