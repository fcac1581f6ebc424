"""What the bytes of a connection mean: the one module that knows of h11."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import h11

from pytest_resilience.server import _plain
from pytest_resilience.server._head import Head

LINE_END = b"\r\n"
BLANK_LINE = b"\r\n\r\n"
MOST_KNOWN = 64
LONGEST_KNOWN = 4096
SHOWN = 40
"""Bytes of a malformed request that its note shows."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """What came is no request."""

    status: int
    why: str


class Sign(Enum):
    """What else there is to know."""

    COMPLETE = "the request has come in full"
    WAITS = "the client waits for 100 Continue"
    LEFT = "the client has closed, in the middle of a request"


Event = Head | bytes | Malformed | Sign


class Incoming:
    """Reads the requests of one connection, one after another.

    Args:
        max_head: Bytes of an unfinished head that are kept.
        known: Heads that have come already, on whatever connection; more are put in.
    """

    __slots__ = ("_answered_one", "_begun", "_known", "_max_head", "_parser")

    def __init__(self, max_head: int, known: dict[bytes, Head] | None = None) -> None:
        self._known = {} if known is None else known
        self._max_head = max_head
        self._parser: h11.Connection | None = None  # Made when a request needs one.
        self._answered_one = False
        self._begun: bytes | None = None
        """The first bytes of a request of which only a part of the head has come."""

    def feed(self, data: bytes) -> Iterator[Event]:
        """What these bytes say; stop reading when it is enough.

        ``b""`` is the client's FIN; between requests it says nothing that is to be read.
        """
        if self._parser is None:
            # Some clients send a line end after a body (RFC 9112 section 2.2).
            if data == LINE_END and self._answered_one:
                return
            data = data.removeprefix(LINE_END) or data
            end = data.find(BLANK_LINE) + len(BLANK_LINE)
            head = self._head(data, end)
            if head is not None:
                yield head
                if len(data) > end:
                    yield data[end:]
                yield Sign.COMPLETE
                return
            self._parser = h11.Connection(h11.SERVER, max_incomplete_event_size=self._max_head)
            self._begun = b""
        yield from self._parse(self._parser, data)

    def _parse(self, parser: h11.Connection, data: bytes) -> Iterator[Event]:
        if self._begun is not None:
            self._begun = (self._begun + data)[:SHOWN]
        try:
            parser.receive_data(data)
            for event in self._events(parser):
                if isinstance(event, Head):
                    self._begun = None
                yield event
        except h11.RemoteProtocolError as error:
            if data:
                yield Malformed(error.error_status_hint, _why(error, self._begun or data))
            else:
                yield Sign.LEFT

    def _head(self, data: bytes, end: int) -> Head | None:
        """The head that ends here, if it is one that needs no thought and its body is here."""
        known = self._known
        text = data[:end]
        head = known.get(text)
        if head is not None:
            return head if len(data) - end == (head.length or 0) else None
        plain = _plain.read(data)
        if plain is None:
            return None
        head = Head(plain.method, plain.target, "1.1", plain.fields)
        if end <= LONGEST_KNOWN:
            if len(known) >= MOST_KNOWN:
                known.clear()
            known[text] = head
        return head

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
                if parser.their_state not in {h11.DONE, h11.MUST_CLOSE}:
                    # What an upgrade asks for is not spoken here, so HTTP goes on. curl and Java
                    # offer h2c with their first request (RFC 9110 section 7.8).
                    parser.send(h11.Response(status_code=200, headers=[]))
                yield Sign.COMPLETE
                return

    @property
    def begun(self) -> bool:
        """Whether a part of a request has come."""
        return self._parser is not None

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
