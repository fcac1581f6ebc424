"""Two ways of reading a request: ours for the plain ones, and h11 for the rest."""

from __future__ import annotations

import h11
import pytest
from hypothesis import example, given, settings, strategies as st

from pytest_resilience.server import _plain
from pytest_resilience.server._head import Head
from pytest_resilience.server._incoming import Incoming, Malformed, Sign

HOST = b"Host: x\r\n"
BY_REQUESTS = (
    b"POST /v1/auth/approle/login?a=%20b HTTP/1.1\r\nHost: 127.0.0.1:8200\r\n"
    b"User-Agent: python-requests/2.34.2\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\n"
    b"Connection: keep-alive\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"
)


def by_h11(data: bytes) -> tuple[str, str, list[tuple[bytes, bytes]], bytes]:
    """What h11 makes of the one request that the bytes are."""
    parser = h11.Connection(h11.SERVER)
    parser.receive_data(data)
    head, body = parser.next_event(), b""
    assert isinstance(head, h11.Request)
    while isinstance(event := parser.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert parser.their_state is h11.DONE
    assert parser.trailing_data == (b"", False)
    assert head.http_version == b"1.1"
    assert not parser.they_are_waiting_for_100_continue
    fields = head.headers.raw_items()
    return head.method.decode(), head.target.decode(), fields, body


def test_a_usual_request_is_plain() -> None:
    """What client libraries send is read without h11."""
    read = _plain.read(BY_REQUESTS)

    assert read is not None
    assert read[:2] == ("POST", "/v1/auth/approle/login?a=%20b")
    assert read.fields[0] == (b"Host", b"127.0.0.1:8200")
    assert read.body == b"{}"
    assert tuple(read) == by_h11(BY_REQUESTS)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nAccept: x\r\n\r\n",
        b"GET / HTTP/1.0\r\nHost: x\r\n\r\n",
        b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nA: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0000000000000002\r\n\r\n{}",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA:  b \r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: \xe9\r\n\r\n",
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"GET /\xe9 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_needs_thought_is_not_plain(data: bytes) -> None:
    """Incomplete, repeated, unusual or wrong: h11 says what it is."""
    assert _plain.read(data) is None


LINES = [
    b"GET / HTTP/1.1\r\n",
    b"POST /a?b HTTP/1.1\r\n",
    b"HEAD * HTTP/1.1\r\n",
    b"A / HTTP/1.1\n",
]
FIELDS = [
    HOST,
    HOST,
    b"Content-Length: 2\r\n",
    b"content-length: 0\r\n",
    b"Connection: Keep-Alive\r\n",
    b"Connection: close, te\r\n",
    b"Accept:*/*\r\n",
    b"Accept: */*, a;q=0.1\r\n",
    b"A: b\tc\r\n",
    b"X: \x7f\r\n",
    b" folded\r\n",
    b"Trailer: x\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"\n",
]
REQUESTS = st.tuples(
    st.sampled_from(LINES),
    st.lists(st.sampled_from(FIELDS), max_size=5).map(b"".join),
    st.sampled_from([b"\r\n", b"\r\n", b"\n", b""]),
    st.sampled_from([b"", b"", b"{}", b"{}\r\n", b"GET / HTTP/1.1\r\n"]),
).map(b"".join)


@settings(max_examples=1500, deadline=None)
@given(REQUESTS)
@example(BY_REQUESTS)
def test_h11_agrees(data: bytes) -> None:
    """A request that is read as plain is, for h11, the very same request."""
    read = _plain.read(data)

    assert read is None or tuple(read) == by_h11(data)


@settings(max_examples=500, deadline=None)
@given(place=st.integers(0, len(BY_REQUESTS) - 1), byte=st.integers(0, 255))
def test_h11_agrees_on_a_request_with_one_other_byte(place: int, byte: int) -> None:
    """So is a usual request in which any one byte is another."""
    data = BY_REQUESTS[:place] + bytes([byte]) + BY_REQUESTS[place + 1 :]
    read = _plain.read(data)

    assert read is None or tuple(read) == by_h11(data)


def test_both_say_the_same() -> None:
    """In one piece or byte by byte, a request gives the same events."""
    whole = list(Incoming(1000).feed(BY_REQUESTS))
    slow = Incoming(1000)
    pieces = [event for byte in BY_REQUESTS for event in slow.feed(bytes([byte]))]
    head, *rest = pieces

    assert isinstance(head, Head)
    assert isinstance(whole[0], Head)
    assert whole[1:] == [b"{}", Sign.COMPLETE]
    assert (whole[0].fields, whole[0].text) == (head.fields, head.text)
    assert b"".join(piece for piece in rest if isinstance(piece, bytes)) == b"{}"
    assert rest[-1] is Sign.COMPLETE


def test_a_head_that_has_come_before() -> None:
    """It is made once for all connections, and read with the body that has come this time."""
    known: dict[bytes, Head] = {}
    first = list(Incoming(1000, known).feed(BY_REQUESTS))
    second = list(Incoming(1000, known).feed(BY_REQUESTS.replace(b"{}", b"[]")))
    late = Incoming(1000, known)
    begun = list(late.feed(BY_REQUESTS.removesuffix(b"{}")))

    assert second[0] is first[0]
    assert second[1:] == [b"[]", Sign.COMPLETE]
    assert [type(event) for event in begun] == [Head]
    assert list(late.feed(b"{}")) == [b"{}", Sign.COMPLETE]


def test_how_many_heads_are_known() -> None:
    """A few short ones: what is kept of a client that never repeats itself is bounded."""
    known: dict[bytes, Head] = {}
    incoming = Incoming(100_000, known)
    for number in range(1000):
        assert len(list(incoming.feed(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number))) == 2
        incoming.renew()
        assert len(known) <= 64
    known.clear()
    assert len(list(incoming.feed(b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * 5000)))) == 2

    assert known == {}


def test_nothing_has_come() -> None:
    """Before its first byte a connection may keep alive, and has nothing to show."""
    incoming = Incoming(1000)

    assert incoming.keeps_alive
    assert incoming.came == b""
    assert incoming.renew() == b""
    assert not incoming.begun


def test_a_line_end_between_requests() -> None:
    """One that some clients send after a body is no request, alone or before the next one."""
    incoming = Incoming(1000)

    assert list(incoming.feed(b"\r\n" + BY_REQUESTS))[1:] == [b"{}", Sign.COMPLETE]
    incoming.renew()
    assert list(incoming.feed(b"\r\n")) == []
    assert list(incoming.feed(BY_REQUESTS))[1:] == [b"{}", Sign.COMPLETE]


def test_a_line_end_and_nothing_else() -> None:
    """On a connection that has said nothing else it is what came, and malformed."""
    (said,) = Incoming(1000).feed(b"\r\n")

    assert isinstance(said, Malformed)
