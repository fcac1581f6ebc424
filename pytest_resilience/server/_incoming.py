"""What the bytes of a connection mean: the one module that knows of h11."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import h11

from pytest_resilience.server import _plain

LINE_END = b"\r\n"
SHOWN = 40
"""Bytes of a malformed request that its note shows."""


class Head(NamedTuple):
    """The head of a request."""

    method: str
    target: str
    version: str
    fields: list[tuple[bytes, bytes]]
    """Names and values as sent."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """What came is no request."""

    status: int
    why: str


class Sign(Enum):
    """What else there is to know."""

    COMPLETE = "the request has come in full"
    WAITS = "the client waits for 100 Continue"
    LEFT = "the client has closed, between requests"
    LEFT_EARLY = "the client has closed, in the middle of one"


Event = Head | bytes | Malformed | Sign


class Incoming:
    """Reads the requests of one connection, one after another.

    Args:
        max_head: Bytes of an unfinished head that are kept.
    """

    __slots__ = ("_answered_one", "_max_head", "_parser")

    def __init__(self, max_head: int) -> None:
        self._max_head = max_head
        self._parser: h11.Connection | None = None  # Made when a request needs one.
        self._answered_one = False

    def feed(self, data: bytes) -> Iterator[Event]:
        """What these bytes say, ``b""`` being the client's FIN; stop reading when it is enough."""
        if self._parser is None:
            if not data:
                yield Sign.LEFT
                return
            # Some clients send a line end after a body (RFC 9112 section 2.2).
            if data == LINE_END and self._answered_one:
                return
            data = data.removeprefix(LINE_END) or data
            plain = _plain.read(data)
            if plain is not None:
                yield Head(plain.method, plain.target, "1.1", plain.fields)
                if plain.body:
                    yield plain.body
                yield Sign.COMPLETE
                return
            self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=self._max_head)
        try:
            self._parser.receive_data(data)
            yield from self._events(self._parser)
        except h11.RemoteProtocolError as error:
            if data:
                yield Malformed(error.error_status_hint, _why(error, data))
            else:
                yield Sign.LEFT_EARLY

    @staticmethod
    def _events(parser: h11.Connection) -> Iterator[Event]:
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                if parser.they_are_waiting_for_100_continue:
                    parser.send(h11.InformationalResponse(status_code=100, headers=[]))
                    yield Sign.WAITS
                return
            if isinstance(event, h11.Request):
                version = event.http_version.decode("ascii")
                fields = event.headers.raw_items()
                target = event.target.decode("latin-1")
                yield Head(event.method.decode("ascii"), target, version, fields)
            elif isinstance(event, h11.Data):
                yield bytes(event.data)
            else:
                assert isinstance(event, h11.EndOfMessage)  # A FIN in between is an error.
                yield Sign.COMPLETE
                return

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection may carry another request after this one."""
        return self._parser is None or self._parser.their_state is h11.DONE

    @property
    def came(self) -> bytes:
        """The first bytes of what has not been made sense of yet."""
        return b"" if self._parser is None else self._parser.trailing_data[0][:SHOWN]

    def renew(self) -> bytes:
        """Go on to the next request; returns the bytes of it that have come already."""
        parser, self._parser = self._parser, None
        self._answered_one = True
        return b"" if parser is None else parser.trailing_data[0]


def _why(error: h11.RemoteProtocolError, data: bytes) -> str:
    hint = "; this looks like TLS: use http://" if data[:2] == b"\x16\x03" else ""
    return f"malformed request: {error}{hint}: {data[:SHOWN]!r}"


def refusal(head: Head, max_head: int, max_body: int) -> tuple[int, str] | None:
    """Status and reason when a request that can be read is not to be served."""
    if head.version > "1.1":
        return 505, f"HTTP/{head.version} is not spoken here"
    size = len(head.method) + len(head.target)
    length = None
    chunked = False
    for name, value in head.fields:
        size += len(name) + len(value) + 4
        low = name.lower()
        if low == b"content-length":
            length = int(value)
        elif low == b"transfer-encoding":
            chunked = True
    if size > max_head:  # h11 counts only what comes in pieces.
        return 431, f"the head is over the limit of {max_head} bytes"
    if length is None:
        return None
    if chunked:  # RFC 9112 section 6.3: to be handled as an error.
        return 400, "malformed request: both Content-Length and Transfer-Encoding"
    if length > max_body:
        return 413, f"a body of {length} bytes is over the limit of {max_body} bytes"
    return None
