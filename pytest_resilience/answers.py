"""An HTTP answer as a value, and its bytes."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from http import HTTPStatus

__all__ = ["CHUNKED_END", "REASONS", "Answer", "chunk", "head_bytes", "http_date_text"]

REASONS = {status.value: status.phrase for status in HTTPStatus}
CHUNKED_END = b"0\r\n\r\n"
NO_BODY = frozenset({204, 304})
RETRY_AFTER = (429, 503)
"""Those that RFC 6585 (section 4) and RFC 9110 (section 10.2.3) send Retry-After with."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, header fields and body, before anything goes wrong with them.

    The fields hold what the application set; framing (Content-Length or chunked) and
    ``Connection`` are added when the answer is put on the wire.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: tuple[bytes, ...] = ()
    """The body's pieces; each is written to the socket by itself."""
    reason: str | None = None

    @property
    def whole(self) -> bytes:
        """The body in one piece."""
        return self.body[0] if len(self.body) == 1 else b"".join(self.body)

    def header(self, name: str) -> str | None:
        """The first value under this name, compared without case."""
        low = name.lower()
        for key, value in self.headers:  # Not a generator: several times a request.
            if key.lower() == low:
                return value
        return None

    def with_header(self, name: str, value: str) -> Answer:
        """The same answer with this field in place of every one of that name."""
        return self._with((*self._without(name), (name, value)))

    def with_new(self, name: str, value: str) -> Answer:
        """The same answer with a field that it is known not to have."""
        return self._with((*self.headers, (name, value)))

    def without(self, name: str) -> Answer:
        """The same answer without any field of that name."""
        return self._with(tuple(self._without(name)))

    def _without(self, name: str) -> list[tuple[str, str]]:
        low = name.lower()
        return [field for field in self.headers if field[0].lower() != low]

    def _with(self, headers: tuple[tuple[str, str], ...]) -> Answer:
        # By hand: dataclasses.replace takes four times as long, several times a request.
        return Answer(self.status, headers, self.body, self.reason)

    @property
    def bodiless(self) -> bool:
        """Whether HTTP forbids this status a body (RFC 9110 section 6.4.1)."""
        return self.status in NO_BODY or 100 <= self.status < 200


def head_bytes(answer: Answer) -> bytes:
    """Status line and header fields, with the blank line that ends them."""
    reason = REASONS.get(answer.status, "") if answer.reason is None else answer.reason
    lines = [f"HTTP/1.1 {answer.status} {reason}\r\n"]
    lines += [f"{name}: {value}\r\n" for name, value in answer.headers]
    lines.append("\r\n")
    return "".join(lines).encode("latin-1")


def chunk(data: bytes) -> bytes:
    """One piece of a chunked body; an empty piece has no bytes, since it would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@functools.lru_cache(maxsize=64)  # Each answer has one, and many have the same.
def http_date_text(epoch: int) -> str:
    """Whole seconds since the epoch as an IMF-fixdate (RFC 9110 section 5.6.7)."""
    moment = time.gmtime(epoch)
    day, month = DAYS[moment.tm_wday], MONTHS[moment.tm_mon - 1]
    clock = f"{moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02}"
    return f"{day}, {moment.tm_mday:02} {month} {moment.tm_year:04} {clock} GMT"
