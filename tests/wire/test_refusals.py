"""Any bytes on the socket: an answer or a closed connection, and a trace that says what came."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from pytest_resilience import FakeServer, Outcome, engine
from tests.wire.apps import app_of, echo
from tests.wire.raw import GET, End, Raw, Seen, ask, ended, talk


@pytest.fixture(scope="module")
def shared() -> Iterator[FakeServer]:
    with FakeServer(echo, blocking=False, max_body=1000, max_head=4096) as server:
        yield server


@pytest.fixture
def server(shared: FakeServer) -> FakeServer:
    shared.start_over()
    return shared


def head(*lines: bytes) -> bytes:
    return b"\r\n".join([b"POST / HTTP/1.1", b"Host: x", *lines, b"", b""])


OVER = b"a" * 5000

MALFORMED: list[tuple[bytes, int, str]] = [
    (b"\r\n\r\n", 400, "no request line received"),
    (b"hello\r\n\r\n", 400, "illegal request line"),
    (b"GET /\r\n\r\n", 400, "illegal request line"),
    (b"GET  / HTTP/1.1\r\n\r\n", 400, "illegal request line"),
    (b"GET / HTTP/1.1x\r\n\r\n", 400, "illegal request line"),
    (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "illegal request line"),
    (b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "illegal request line"),
    (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, "HTTP/2.0 is not spoken here"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP/2.0 is not spoken here"),
    (b"GET / HTTP/1.1\r\n\r\n", 400, "Missing mandatory Host: header"),
    (head(b"no colon"), 400, "illegal header line"),
    (head(b" folded at the start"), 200, ""),
    (head(b"X: a\x00b"), 400, "illegal header line"),
    (head(b"X : space before the colon"), 400, "illegal header line"),
    (head(b": no name"), 400, "illegal header line"),
    (head(b"Host: again"), 400, "multiple Host: headers"),
    (head(b"Content-Length: x"), 400, "bad Content-Length"),
    (head(b"Content-Length: -1"), 400, "bad Content-Length"),
    (head(b"Content-Length: 1", b"Content-Length: 2"), 400, "conflicting Content-Length"),
    (head(b"Content-Length: 1, 2"), 400, "conflicting Content-Length"),
    (head(b"Content-Length: " + b"9" * 30), 400, "bad Content-Length"),
    (head(b"Transfer-Encoding: gzip"), 501, "Only Transfer-Encoding: chunked is supported"),
    (head(b"Transfer-Encoding: chunked, chunked"), 501, "Only Transfer-Encoding: chunked"),
    (
        head(b"Content-Length: 5", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
        400,
        "both Content-Length and Transfer-Encoding",
    ),
    (head(b"Transfer-Encoding: chunked") + b"zz\r\n", 400, "illegal chunk header"),
    (head(b"Transfer-Encoding: chunked") + b"1\r\nabc", 400, "malformed chunk footer"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "this looks like TLS: use http://"),
    (b"\x00", 400, "illegal request line"),
    (head(b"X: " + OVER), 431, "the head is over the limit of 4096 bytes"),
    (head(b"X: " + OVER)[:-4], 431, "Receive buffer too long"),
    (b"GET /" + OVER, 431, "Receive buffer too long"),
    (head(b"Content-Length: 1001"), 413, "a body of 1001 bytes is over the limit of 1000 bytes"),
    (
        head(b"Transfer-Encoding: chunked") + b"3e9\r\n" + bytes(1001) + b"\r\n0\r\n\r\n",
        413,
        "the body is over the limit of 1000 bytes",
    ),
]


@pytest.mark.parametrize(("data", "status", "note"), MALFORMED, ids=range(len(MALFORMED)))
def test_refused(server: FakeServer, data: bytes, status: int, note: str) -> None:
    """What is no request of HTTP/1.1 gets the status that says so, a FIN, and a note."""
    if status == 200:
        assert ask(server, data).status == 200
        return
    seen = talk(server, data)

    assert seen.status == status
    assert seen.end is End.FIN
    assert b"\r\nConnection: close" in seen.head
    assert len(server.trace) == 1
    assert note in server.trace[0].note
    assert server.trace[0].status == status
    assert server.trace[0].outcome is Outcome.ANSWERED


@pytest.mark.parametrize("size", [1000, 999, 0])
def test_body_at_the_limit(server: FakeServer, size: int) -> None:
    """A body of exactly the limit is served, plain or chunked."""
    plain = head(b"Content-Length: %d" % size) + bytes(size)
    chunk = b"%x\r\n%b\r\n" % (size, bytes(size)) if size else b""
    chunked = head(b"Transfer-Encoding: chunked") + chunk + b"0\r\n\r\n"

    assert len(ask(server, plain).body) == size
    assert len(ask(server, chunked).body) == size


@pytest.mark.parametrize(("size", "status"), [(4095, 200), (4096, 200), (4097, 431)])
def test_head_at_the_limit(server: FakeServer, size: int, status: int) -> None:
    """A head of exactly the limit is served, in one piece or in many; one byte more is not."""
    request = head(b"X: ")
    request = request[:-4] + b"a" * (size - len(request)) + b"\r\n\r\n"
    with Raw(server) as raw:
        raw.send(request[:2000]).silence()

        assert raw.send(request[2000:]).answer().status == status
    assert ask(server, request).status == status


def test_refusal_of_a_head_request(server: FakeServer) -> None:
    """A refused HEAD gets no body."""
    seen = talk(server, b"HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n")

    assert (seen.status, seen.body, seen.end) == (413, b"", End.FIN)


def test_refused_body_is_read_to_its_end(server: FakeServer) -> None:
    """A client that sends on after the refusal is not reset, so it can read the refusal."""
    with Raw(server) as raw:
        raw.send(head(b"Content-Length: 5000000")).readable(5)
        seen = raw.send(bytes(5_000_000)).rest()

    assert (seen.status, seen.end) == (413, End.FIN)


def test_refused_body_without_end(server: FakeServer) -> None:
    """A client that never stops sending is reset in the end."""
    with Raw(server) as raw:
        raw.send(head(b"Content-Length: 99999999999"))
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            raw.send(bytes(200 * 1024 * 1024))


def test_obs_fold(server: FakeServer) -> None:
    """A folded header line is joined with a space, as RFC 9112 section 5.2 says."""
    ask(server, head(b"X-Folded: one", b"   two", b"\tthree"))

    assert server.trace[0].headers["x-folded"] == "one two three"


def test_malformed_second_request(server: FakeServer) -> None:
    """A connection that carried a good request may carry a bad one."""
    with Raw(server) as raw:
        good = raw.send(GET).answer()
        bad = raw.send(b"\xff\xff\r\n\r\n").rest()

    assert (good.status, bad.status, bad.end) == (200, 400, End.FIN)
    assert server.trace.statuses == [200, 400]
    assert "\\xff" in server.trace[1].note


def test_malformed_behind_a_pipelined_request(server: FakeServer) -> None:
    """The requests before the malformed one are answered."""
    seen = talk(server, GET + GET + b"nonsense\r\n\r\n")

    assert [seen.data.count(b"HTTP/1.1 " + code) for code in (b"200", b"400")] == [2, 1]


@pytest.mark.parametrize("part", [b"G", b"GET / HT", GET[:-2]])
def test_left_within_a_head(server: FakeServer, part: bytes) -> None:
    """A client that leaves within a head leaves a note of what it had said."""
    with Raw(server) as raw:
        raw.send(part).silence()
    left = ended(server)

    assert left.outcome is Outcome.GONE
    assert left.note == f"the client left within a request's head: {part!r}"


def test_reset_within_a_head(server: FakeServer) -> None:
    """So does one that resets the connection."""
    raw = Raw(server)
    raw.send(b"GET /hal").silence()
    raw.reset()

    note = ended(server).note
    assert note == "the client reset the connection within a request's head: b'GET /hal'"


def test_reset_of_an_idle_connection(server: FakeServer) -> None:
    """A connection on which nothing is under way leaves no trace when it is reset."""
    raw = Raw(server)
    raw.send(GET).answer()
    raw.reset()
    Raw(server).reset()
    ask(server)

    assert server.trace.statuses == [200, 200]


def test_left_within_a_body(server: FakeServer) -> None:
    """A client that leaves within its body has an attempt that says so."""
    with Raw(server) as raw:
        raw.send(head(b"Content-Length: 10") + b"half").silence()

    left = ended(server)
    assert (left.method, left.outcome, left.status) == ("POST", Outcome.GONE, None)
    assert (left.body, left.body_size) == (b"half", 4)
    assert left.note == "the client left within the body, of which 4 bytes had come"


def test_stop_within_a_body() -> None:
    """So has one that the server leaves, with as much of the body as the trace keeps."""
    with FakeServer(app_of(), keep_body=3) as server, Raw(server) as raw:
        raw.send(head(b"Content-Length: 10") + b"half").silence()
        server.stop()

    (cut,) = server.trace
    assert (cut.outcome, cut.body, cut.body_size) == (Outcome.CUT, b"hal", 4)
    assert cut.note == "the server ended the connection within the body, of which 4 bytes had come"


@pytest.mark.parametrize("at", [5, 20, 30])
def test_malformed_in_pieces(server: FakeServer, at: int) -> None:
    """The note shows how the request began, whatever came last."""
    with Raw(server) as raw:
        raw.send(head(b"no colon")[:at]).silence()
        assert raw.send(head(b"no colon")[at:]).rest().status == 400

    assert server.trace[0].note.endswith(f": {head(b'no colon')[:40]!r}")


def test_malformed_within_a_body(server: FakeServer) -> None:
    """Of a body that is malformed, the note shows the piece that is."""
    with Raw(server) as raw:
        raw.send(head(b"Transfer-Encoding: chunked") + b"3\r\nabc\r\n").silence()
        assert raw.send(b"oops\r\n").rest().status == 400

    assert server.trace[0].note.endswith(": b'oops\\r\\n'")


def test_stop_within_a_head() -> None:
    """A half request that hangs when the server stops is in the trace."""
    with FakeServer(app_of()) as server, Raw(server) as raw, Raw(server) as idle:
        raw.send(b"GET /slow").silence()
        server.stop()
        assert idle.rest() == Seen(b"", End.FIN)

    assert len(server.trace) == 1
    assert server.trace[0].outcome is Outcome.CUT
    assert "b'GET /slow'" in server.trace[0].note


def test_slowloris(server: FakeServer) -> None:
    """Hundreds of clients that never end their heads do not keep others waiting."""
    slow = [Raw(server).send(b"GET / HTTP/1.1\r\nX: ") for _ in range(300)]
    for raw in slow:
        raw.send(b"a")
    answer = ask(server)
    for raw in slow:
        raw.sock.close()

    assert answer.status == 200
    assert answer.end is End.OPEN


TOKENS = st.sampled_from(
    [
        *(b"GET", b"POST", b" ", b"/", b"HTTP/1.1", b"\r\n", b"\n", b"\r\n\r\n", b":", b"\x00"),
        *(b"Host: x\r\n", b"Content-Length: ", b"5", b"-1", b"Transfer-Encoding: chunked\r\n"),
        *(
            b"Expect: 100-continue\r\n",
            b"0\r\n\r\n",
            b"3\r\nabc\r\n",
            b"Connection: close\r\n",
            GET,
        ),
        *(
            b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
            b"CONNECT x:1 HTTP/1.1\r\n",
            b"%",
            b"?",
        ),
    ]
)
BYTES = st.binary(max_size=200) | st.lists(TOKENS, max_size=12).map(b"".join)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=BYTES, cut=st.integers(0, 200))
@example(data=b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\nbytes of a tunnel", cut=0)
@example(
    data=b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x00",
    cut=0,
)
def test_random_bytes(shared: FakeServer, data: bytes, cut: int) -> None:
    """Whatever comes, in whatever pieces: an answer or an end, and a server that lives on."""
    shared.start_over()
    with Raw(shared) as raw:
        try:
            raw.send(data[:cut])
            raw.send(data[cut:])
            raw.sock.shutdown(1)
            seen = raw.rest()
        except OSError:
            seen = Seen(b"", End.RST)

    assert seen.end is not End.OPEN
    assert ask(shared).status == 200
    assert engine.take_errors() == []
    if data:
        assert len(shared.trace) >= 2
        first = shared.trace[0]
        assert first.note or first.method


def test_a_megabyte_of_noise(server: FakeServer) -> None:
    """Noise in bulk is refused like noise in a line."""
    noise = random.Random(1).randbytes(1_000_000)
    with Raw(server) as raw:
        seen = raw.send(noise).rest()

    assert seen.status == 400
    assert ask(server).status == 200
