"""Every fault as a raw socket sees it: the bytes, and how the connection ended."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pytest_resilience import FOREVER, OK, FakeServer, Outcome, faults
from tests.wire import test_stream_faults
from tests.wire.apps import DATE, ManualClock, app_of, whole
from tests.wire.raw import GET, HEAD, SHORT, End, Raw, Seen, ask, ended, talk

BODY = b'{"ok": true, "n": 1}'  # 20 bytes
HALF = b'{"ok": tru'
WHOLE = whole(BODY)
ANSWER_HEAD = WHOLE[: -len(BODY)]
OPEN_HEAD = ANSWER_HEAD.replace(b"Content-Length: 20\r\n", b"")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def server(clock: ManualClock) -> Iterator[FakeServer]:
    with FakeServer(app_of(BODY), blocking=False, clock=clock) as server:
        yield server


def test_no_fault(server: FakeServer) -> None:
    """Without a fault the answer is whole and the connection stays open."""
    with Raw(server) as raw:
        seen = raw.send(GET).silence()

    assert seen == Seen(WHOLE, End.OPEN)
    assert server.trace[0].outcome is Outcome.ANSWERED
    assert server.trace[0].sent == len(WHOLE)
    assert server.trace[0].fault is None


# --- the answer is another one ------------------------------------------------


def test_status(server: FakeServer) -> None:
    """A status comes with the service's error body, on a connection that stays open."""
    server.fail(503)
    error = b'{"message": "Service Unavailable", "status": 503}\n'

    with Raw(server) as raw:
        seen = raw.send(GET).silence()

    assert seen == Seen(whole(error, "503 Service Unavailable"), End.OPEN)
    assert server.trace.statuses == [503]
    assert server.trace.faults == ["status 503"]


@pytest.mark.parametrize(
    ("body", "kind", "sent"),
    [
        ({"errors": []}, "application/json", b'{"errors": []}'),
        ([], "application/json", b"[]"),
        (False, "application/json", b"false"),
        ("no", "text/plain; charset=utf-8", b"no"),
        (b"\x00\xff", "application/octet-stream", b"\x00\xff"),
        (b"", "application/octet-stream", b""),
    ],
)
def test_status_with_a_body(server: FakeServer, body: Any, kind: str, sent: bytes) -> None:
    """A status fault's own body goes out as JSON, as text, or as the bytes it is."""
    server.fail(faults.status(429, body=body))

    seen = ask(server)

    assert seen.data == whole(sent, "429 Too Many Requests", kind)


def test_status_with_headers(server: FakeServer) -> None:
    """Headers of a status fault replace those of the same name."""
    server.fail(faults.status(503, headers={"content-TYPE": "text/x", "X-Hit": "a\tb"}))

    head = ask(server).head

    assert b"\r\ncontent-TYPE: text/x\r\nX-Hit: a\tb\r\n" in head
    assert b"application/json" not in head


def test_status_that_closes(server: FakeServer) -> None:
    """An answer that says Connection: close is followed by a FIN."""
    server.fail(faults.status(503, headers={"Connection": "close"}))

    seen = talk(server)

    assert seen.end is End.FIN
    assert seen.head.count(b"Connection: close") == 1
    assert server.trace[0].outcome is Outcome.ANSWERED


@pytest.mark.parametrize(
    "fault", [204, 304, faults.status(204, body=""), faults.status(304, body=b"")]
)
def test_status_without_a_body(server: FakeServer, fault: Any) -> None:
    """A status that HTTP forbids a body has none, nor a Content-Length."""
    server.fail(fault)
    with Raw(server) as raw:
        seen = raw.send(GET).silence()

    assert seen.end is End.OPEN
    assert seen.body == b""
    assert b"content-length" not in seen.head.lower()


def test_status_without_a_name(server: FakeServer) -> None:
    """A status nobody has named is sent with an empty reason."""
    server.fail(599)

    assert ask(server).data.startswith(b"HTTP/1.1 599 \r\n")


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (5, "5"),
        (0, "0"),
        (2.0, "2"),
        (1.5, "1.5"),
        (-1, "-1"),
        (99999999999, "99999999999"),
        ("soon", "soon"),
        ("", ""),
        (faults.http_date(0), DATE),
        (faults.http_date(10), "Tue, 14 Nov 2023 22:13:30 GMT"),
        (faults.http_date(0.001), "Tue, 14 Nov 2023 22:13:21 GMT"),
        (faults.http_date(-20), "Tue, 14 Nov 2023 22:13:00 GMT"),
        (faults.http_date(86_400 * 365), "Wed, 13 Nov 2024 22:13:20 GMT"),
    ],
)
def test_retry_after(server: FakeServer, given: Any, sent: str) -> None:
    """Retry-After is sent in seconds, as a date by the server's clock, or as the text it is."""
    server.fail(faults.status(429, retry_after=given))

    assert f"\r\nRetry-After: {sent}\r\n".encode() in ask(server).head + b"\r\n"
    assert server.trace[0].retry_after == sent


def test_redirect(server: FakeServer) -> None:
    """A redirect has a Location and an empty body."""
    server.fail(faults.redirect("http://elsewhere/x"), faults.redirect("/y", code=301))

    first, second = ask(server), ask(server)

    assert first.data == (
        b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://elsewhere/x\r\n"
        b"Date: " + DATE.encode() + b"\r\nContent-Length: 0\r\n\r\n"
    )
    assert second.data.startswith(b"HTTP/1.1 301 Moved Permanently\r\nLocation: /y\r\n")


def test_html_page(server: FakeServer) -> None:
    """A proxy's error page is HTML, whatever the status."""
    server.fail(faults.html_page(), faults.html_page(status=200), faults.html_page(599))

    first, second, third = ask(server), ask(server), ask(server)

    assert first.head.startswith(b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n")
    assert first.body == (
        b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
        b"<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    assert second.status == 200
    assert b"<title>599 Error</title>" in third.body


@pytest.mark.parametrize(
    ("body", "broken"),
    [
        (BODY, HALF),
        (b"[1, 2]\n", b"[1,"),
        (b"[]", b"["),
        (b"{", b"{"),
        (b"", b'{"data": '),
        (b"<html>", b'{"data": '),
        (b"true", b'{"data": '),
    ],
)
def test_malformed_json(body: bytes, broken: bytes) -> None:
    """The JSON breaks off, under a Content-Length that fits it."""
    with FakeServer(app_of(body), blocking=False, clock=ManualClock()) as server:
        server.fail(faults.malformed_json())
        seen = ask(server)

    assert seen.data == whole(broken)


def test_malformed_json_of_an_empty_answer() -> None:
    """An answer that may have no body becomes a 200 that has a broken one."""
    with FakeServer(app_of(b"", "204 No Content", ()), blocking=False) as server:
        server.fail(faults.malformed_json())
        seen = ask(server)

    assert seen.data.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Type: application/json" in seen.head
    assert seen.body == b'{"data": '


def test_malformed_json_is_not_compressed() -> None:
    """The broken JSON does not claim to be gzip, which would be another fault."""
    app = app_of(b"\x1f\x8b", headers=[("Content-Encoding", "gzip")])
    with FakeServer(app, blocking=False) as server:
        server.fail(faults.malformed_json())
        seen = ask(server)

    assert b"Content-Encoding" not in seen.head
    assert seen.body == b'{"data": '


def test_huge_headers(server: FakeServer) -> None:
    """The right answer comes behind a megabyte of header fields."""
    server.fail(faults.huge_headers(), faults.huge_headers(8_001))

    first, second = ask(server), ask(server)

    assert len(first.head) > 1_000_000
    assert max(map(len, first.head.split(b"\r\n"))) < 8_192
    assert first.body == BODY
    assert b"X-Filler-0: " + 8_000 * b"x" + b"\r\nX-Filler-1: x\r\n" in second.head


# --- late, slow, never ----------------------------------------------------------


def test_latency(server: FakeServer, clock: ManualClock) -> None:
    """The answer comes after exactly so many seconds, and not before."""
    server.fail(faults.latency(2.5))
    with Raw(server) as raw:
        before = raw.send(GET).silence()
        waiting = clock.due
        clock.advance(2.4)
        still = raw.silence()
        clock.advance(0.1)
        answer = raw.answer()

    assert before == still == Seen(b"", End.OPEN)
    assert waiting == [2.5]
    assert answer.data == WHOLE
    assert server.trace[0].ended == 2.5
    assert server.trace.faults == ["latency 2.5 s"]


def test_latency_for_real() -> None:
    """On the real clock a latency takes its time, and hardly more."""
    with FakeServer(app_of(BODY), blocking=False) as server:
        server.fail(faults.latency(0.02))
        ask(server)
        ended = server.trace[0].ended

    assert ended is not None
    assert 0.02 <= ended < 10


def test_latency_beyond_any_poll(server: FakeServer) -> None:
    """A latency longer than the kernel can wait in one go does not end the server."""
    with FakeServer(app_of(BODY), blocking=False) as real:
        real.fail(faults.latency(10_000 * 365 * 86_400))
        with Raw(real) as raw:
            late = raw.send(GET).silence()
            prompt = ask(real)

    assert late == Seen(b"", End.OPEN)
    assert prompt.body == BODY


@pytest.mark.parametrize(
    ("spread", "low", "high"),
    [(faults.uniform(1, 2), 1, 2), (faults.lognormal(1, 0.1), 0.1, 10)],
)
def test_latency_drawn(
    server: FakeServer, clock: ManualClock, spread: Any, low: float, high: float
) -> None:
    """A drawn latency lies in its distribution, and the same seed draws the same."""
    drawn = []
    for _ in range(2):
        server.start_over()
        server.fail(faults.latency(spread), times=5, seed=7)
        with Raw(server) as raw:
            for _ in range(5):
                raw.send(GET).silence()
                drawn += clock.due
                clock.advance(clock.due[0])
                raw.answer()

    assert drawn[:5] == pytest.approx(drawn[5:])
    assert len(set(drawn[:5])) == 5
    assert all(low <= seconds <= high for seconds in drawn)


def test_latency_without_a_spread(server: FakeServer, clock: ManualClock) -> None:
    """A lognormal latency with the median 0 is none."""
    server.fail(faults.latency(faults.lognormal(0, 1)))
    with Raw(server) as raw:
        raw.send(GET).silence()

        assert clock.due == [0.0]


def test_timeout(server: FakeServer, clock: ManualClock) -> None:
    """Silence: not a byte, and the connection stays open for as long as the client does."""
    server.fail(faults.timeout())
    with Raw(server) as raw:
        seen = raw.send(GET).silence()
        clock.advance(1e6)
        later = raw.silence()
        pending = server.trace[0]
    gone = ended(server)

    assert seen == later == Seen(b"", End.OPEN)
    assert pending.outcome is Outcome.PENDING
    assert pending.status is None
    assert gone.outcome is Outcome.GONE


def test_timeout_that_closes(server: FakeServer, clock: ManualClock) -> None:
    """With close_after the silence ends with a FIN."""
    server.fail(faults.timeout(close_after=3))
    with Raw(server) as raw:
        before = raw.send(GET).silence()
        clock.advance(3)
        after = raw.rest()

    assert before == Seen(b"", End.OPEN)
    assert after == Seen(b"", End.FIN)
    assert server.trace[0].outcome is Outcome.CUT


def test_half_head(server: FakeServer) -> None:
    """Half of the head comes, then nothing."""
    server.fail(faults.half_head())
    with Raw(server) as raw:
        seen = raw.send(GET).silence()

    assert seen == Seen(ANSWER_HEAD[: len(ANSWER_HEAD) // 2], End.OPEN)
    assert server.trace[0].status is None
    assert server.trace[0].sent == len(ANSWER_HEAD) // 2


@pytest.mark.parametrize(
    ("at", "part"),
    [(0.5, HALF), (0.0, b""), (0, b""), (3, BODY[:3]), (1.0, BODY[:-1]), (10**9, BODY[:-1])],
)
def test_stall(server: FakeServer, at: float, part: bytes) -> None:
    """The head and a part of the body come, then nothing; never the whole body."""
    server.fail(faults.stall(at=at))
    with Raw(server) as raw:
        seen = raw.send(GET).silence()

    assert seen == Seen(ANSWER_HEAD + part, End.OPEN)
    assert server.trace[0].status == 200
    assert server.trace[0].outcome is Outcome.PENDING or server.trace[0].outcome is Outcome.GONE


def test_stall_that_resumes(server: FakeServer, clock: ManualClock) -> None:
    """With resume_after the rest follows, and the connection carries the next request."""
    server.fail(faults.stall(resume_after=4))
    with Raw(server) as raw:
        before = raw.send(GET).silence()
        clock.advance(4)
        rest = raw.exactly(10)
        again = raw.send(GET).answer()

    assert before.body == HALF
    assert rest == BODY[10:]
    assert again.data.endswith(BODY)
    assert server.trace[0].ended == 4.0
    assert server.trace[0].outcome is Outcome.ANSWERED


def test_stall_that_resumes_and_closes(server: FakeServer, clock: ManualClock) -> None:
    """A stalled answer on a connection that ends with it ends with a FIN."""
    server.fail(faults.stall(resume_after=4))
    with Raw(server) as raw:
        raw.send(b"GET / HTTP/1.0\r\n\r\n").silence()
        clock.advance(4)
        rest = raw.rest()

    assert rest == Seen(BODY[10:], End.FIN)
    assert server.trace[0].outcome is Outcome.ANSWERED


def test_bandwidth(server: FakeServer, clock: ManualClock) -> None:
    """The head comes at once, the body at so many bytes a second, to the byte."""
    server.fail(faults.bandwidth(50))
    pieces = []
    with Raw(server) as raw:
        head = raw.send(GET).silence()
        while clock.due:
            clock.advance(clock.due[0])
            pieces.append(raw.silence().data)

    assert head == Seen(ANSWER_HEAD, End.OPEN)
    assert pieces == [BODY[0:5], BODY[5:10], BODY[10:15], BODY[15:20]]
    assert server.trace[0].ended == 0.4


def test_bandwidth_below_ten(server: FakeServer, clock: ManualClock) -> None:
    """At a low rate the bytes come one by one."""
    server.fail(faults.bandwidth(0.5))
    with Raw(server) as raw:
        raw.send(GET).silence()
        assert clock.due == [2.0]
        clock.advance(2)
        assert raw.silence().data == BODY[:1]


def test_bandwidth_and_close(server: FakeServer, clock: ManualClock) -> None:
    """A slow body on a connection that ends with it ends with a FIN."""
    server.fail(faults.bandwidth(10_000))
    with Raw(server) as raw:
        raw.send(b"GET / HTTP/1.0\r\n\r\n").silence()
        clock.advance(0.002)

        assert raw.rest() == Seen(BODY, End.FIN)
    assert server.trace[0].outcome is Outcome.ANSWERED


# --- bodies of the wrong length ------------------------------------------------


@pytest.mark.parametrize(("at", "part"), [(0.5, HALF), (1.0, BODY[:-1]), (0, b"")])
def test_limit_data(server: FakeServer, at: float, part: bytes) -> None:
    """Content-Length announces the whole body, a part of it comes, then a FIN."""
    server.fail(faults.limit_data(at=at))

    seen = talk(server)

    assert seen == Seen(ANSWER_HEAD + part, End.FIN)
    assert server.trace[0].outcome is Outcome.CUT
    assert server.trace[0].status == 200


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "304 Not Modified"])
def test_limit_data_of_an_empty_answer(status: str) -> None:
    """An answer without a body announces one byte that never comes."""
    with FakeServer(app_of(b"", status), blocking=False) as server:
        server.fail(faults.limit_data())
        seen = talk(server)

    assert seen.end is End.FIN
    assert seen.status == 200
    assert seen.head.endswith(b"Content-Length: 1")
    assert seen.body == b""
    assert server.trace.statuses == [200]


def test_cut_chunk(server: FakeServer) -> None:
    """One chunk comes, the next is announced, then a FIN."""
    server.fail(faults.cut_chunk())

    seen = talk(server)

    assert seen.data == (
        OPEN_HEAD[:-2] + b"Transfer-Encoding: chunked\r\n\r\na\r\n" + HALF + b"\r\na\r\n"
    )
    assert seen.end is End.FIN


@pytest.mark.parametrize("status", ["200 OK", "204 No Content"])
def test_cut_chunk_of_an_empty_answer(status: str) -> None:
    """An answer without a body announces a chunk of one byte that never comes."""
    with FakeServer(app_of(b"", status), blocking=False) as server:
        server.fail(faults.cut_chunk())
        seen = talk(server)

    assert (seen.status, seen.body, seen.end) == (200, b"1\r\n", End.FIN)
    assert server.trace.statuses == [200]


def test_wrong_length_too_small(server: FakeServer) -> None:
    """The surplus byte lies where the next answer should be; the connection stays open."""
    server.fail(faults.wrong_length())
    with Raw(server) as raw:
        seen = raw.send(GET).silence()

    assert seen.data == WHOLE.replace(b"Length: 20", b"Length: 19")
    assert seen.end is End.OPEN
    assert server.trace[0].outcome is Outcome.ANSWERED


def test_wrong_length_too_large(server: FakeServer) -> None:
    """The missing bytes never come; the connection stays open."""
    server.fail(faults.wrong_length(by=5))
    with Raw(server) as raw:
        seen = raw.send(GET).silence()

    assert seen.data == WHOLE.replace(b"Length: 20", b"Length: 25")
    assert seen.end is End.OPEN
    assert server.trace[0].status == 200


def test_wrong_length_of_an_empty_answer() -> None:
    """An empty body gets a byte that no length announces, so that the fault is there."""
    with FakeServer(app_of(b""), blocking=False) as server:
        server.fail(faults.wrong_length(by=-3))
        with Raw(server) as raw:
            seen = raw.send(GET).silence()

    assert seen.head.endswith(b"Content-Length: 0")
    assert seen.body == b"?"


@pytest.mark.parametrize(("by", "end"), [(-1, End.FIN), (1, End.OPEN)])
def test_wrong_length_when_the_client_wants_to_close(by: int, end: End) -> None:
    """The connection ends as the client asked, unless it still waits for bytes."""
    with FakeServer(app_of(BODY), blocking=False) as server:
        server.fail(faults.wrong_length(by=by))
        with Raw(server) as raw:
            seen = raw.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").silence()

    assert seen.end is end
    assert b"Connection: close" in seen.head


def test_wrong_length_when_the_application_wants_to_close() -> None:
    """It is closed behind the answer that says so."""
    with FakeServer(app_of(BODY, headers=[("Connection", "close")]), blocking=False) as server:
        server.fail(faults.wrong_length())
        seen = talk(server)

    assert (seen.body, seen.end) == (BODY, End.FIN)
    assert seen.head.count(b"Connection: close") == 1


def test_cut_chunk_for_http_1_0(server: FakeServer) -> None:
    """A client that knows no chunks gets a body that is shorter than announced."""
    server.fail(faults.cut_chunk())

    seen = talk(server, b"GET / HTTP/1.0\r\n\r\n")

    assert seen == Seen(ANSWER_HEAD + HALF, End.FIN)


# --- endings --------------------------------------------------------------------


def test_empty_reply(server: FakeServer) -> None:
    """A FIN, and nothing before it."""
    server.fail(faults.empty_reply())

    assert talk(server) == Seen(b"", End.FIN)
    assert server.trace[0].outcome is Outcome.CUT
    assert server.trace[0].sent == 0


def test_empty_reply_to_a_large_request(server: FakeServer) -> None:
    """A request that is still on its way does not turn the FIN into a reset."""
    server.fail(faults.empty_reply())
    big = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + bytes(3_000_000)

    assert talk(server, big) == Seen(b"", End.FIN)


def test_reset_peer(server: FakeServer) -> None:
    """A RST: recv raises ECONNRESET, and nothing came before it."""
    server.fail(faults.reset_peer())

    assert talk(server) == Seen(b"", End.RST)
    assert server.trace[0].outcome is Outcome.CUT


def test_reset_peer_by_so_error(server: FakeServer) -> None:
    """The client's kernel holds ECONNRESET for this connection."""
    server.fail(faults.reset_peer())
    with Raw(server) as raw:
        raw.send(GET).readable(5)

        assert raw.error == errno.ECONNRESET


@pytest.mark.parametrize("end", [faults.empty_reply(), faults.timeout(close_after=0)])
def test_a_fin_is_no_error(end: Any) -> None:
    """After a FIN the client's kernel holds no error."""
    with FakeServer(app_of(BODY), blocking=False) as server:
        server.fail(end)
        with Raw(server) as raw:
            raw.send(GET).readable(5)

            assert raw.error == 0
            assert raw.sock.recv(1) == b""


@pytest.mark.parametrize(("at", "part"), [(0.5, HALF), (0, b""), (1.0, BODY[:-1])])
def test_reset_peer_in_the_body(server: FakeServer, at: float, part: bytes) -> None:
    """The head and a part of the body, then a RST."""
    server.fail(faults.reset_peer("body", at=at))

    seen = _by_the_byte(server, len(ANSWER_HEAD + part))

    assert seen == Seen(ANSWER_HEAD + part, End.RST)
    assert server.trace[0].status == 200


@pytest.mark.parametrize(
    "fault", [faults.reset_peer("body"), faults.cut_stream(at=0.5, reset=True)]
)
def test_reset_in_a_large_body(fault: Any) -> None:
    """All that lies before the place comes: a reset takes back what the kernel still holds."""
    large = BODY * 100_000
    with FakeServer(app_of(large, headers=[]), blocking=False) as server:
        server.fail(fault)
        with Raw(server) as raw:
            raw.send(GET)
            held_back = server.trace[0].outcome
            seen = raw.rest()
        sent = ended(server).sent

    assert held_back is Outcome.PENDING
    assert large[: len(large) // 2] in seen.body
    assert (len(seen.data), seen.end) == (sent, End.RST)


def test_reset_behind_a_large_answer() -> None:
    """The answer before it comes whole."""
    large = BODY * 50_000
    with FakeServer(app_of(large), blocking=False) as server:
        server.fail(OK, faults.reset_peer())
        with Raw(server) as raw:
            raw.send(GET * 2)
            assert server.trace.faults == [None, "reset_peer"]
            seen = raw.rest()

    assert (seen.body == large, seen.end) == (True, End.RST)


def test_reset_in_a_large_body_whose_client_leaves() -> None:
    """It ends as any other whose client has gone."""
    with FakeServer(app_of(BODY * 100_000), blocking=False) as server:
        server.fail(faults.reset_peer("body"))
        with Raw(server) as raw:
            raw.send(GET).exactly(100)
        attempt = ended(server)

    assert attempt.outcome is Outcome.GONE
    assert attempt.status == 200


def test_reset_peer_is_true_for_a_blocking_app() -> None:
    """The reset is a RST when the application runs in a worker thread, too."""
    with FakeServer(app_of(BODY)) as server:
        server.fail(faults.reset_peer(processed=True))

        assert talk(server) == Seen(b"", End.RST)


def test_reset_idle(server: FakeServer, clock: ManualClock) -> None:
    """The answer is right; the RST comes after it, when the time is up."""
    server.fail(faults.reset_idle(after=5))
    with Raw(server) as raw:
        answer = raw.send(GET).silence()
        clock.advance(5)
        after = raw.rest()

    assert answer == Seen(WHOLE, End.OPEN)
    assert after == Seen(b"", End.RST)
    assert server.trace[0].outcome is Outcome.ANSWERED
    assert server.trace.faults == ["reset_idle"]


def test_reset_idle_at_once() -> None:
    """With no time to wait the RST comes right behind the answer."""
    with FakeServer(app_of(BODY), blocking=False) as server:
        server.fail(faults.reset_idle())
        with Raw(server) as raw:
            answer = raw.send(GET).answer()
            after = raw.rest()

    assert answer.body == BODY
    assert after == Seen(b"", End.RST)


def test_reset_idle_behind_a_large_answer() -> None:
    """It is not idle before all of its answer is out: a reset takes back what is not."""
    large = BODY * 100_000
    with FakeServer(app_of(large), blocking=False) as server:
        server.fail(faults.reset_idle())
        with Raw(server) as raw:
            raw.send(GET)
            while server.trace[0].outcome is Outcome.PENDING:
                raw.keep(65536)
            seen = raw.rest()

    assert (seen.body == large, seen.end) == (True, End.RST)


def test_reset_idle_of_a_connection_whose_answer_is_not_out() -> None:
    """A request that comes meanwhile prevents the reset."""
    large = BODY * 50_000
    with FakeServer(app_of(large), blocking=False) as server:
        server.fail(faults.reset_idle())
        with Raw(server) as raw:
            raw.send(GET)
            assert server.trace[0].outcome is Outcome.ANSWERED
            raw.send(GET)
            assert len(server.trace) == 2
            bodies = [raw.answer().body == large for _ in range(2)]

            assert raw.silence() == Seen(b"", End.OPEN)

    assert bodies == [True, True]


def test_reset_idle_waits_for_a_connection_that_is_kept(server: FakeServer) -> None:
    """A request that wants its connection closed is left alone."""
    rule = server.fail(faults.reset_idle())

    seen = talk(server, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert (seen.body, seen.end) == (BODY, End.FIN)
    assert rule.met == 0


def test_reset_idle_of_http_1_0(server: FakeServer) -> None:
    """It keeps no connection, so its answer ends with a FIN."""
    server.fail(faults.reset_idle(after=5))

    seen = talk(server, b"GET / HTTP/1.0\r\n\r\n")

    assert (seen.body, seen.end) == (BODY, End.FIN)


def test_reset_idle_of_a_busy_connection(server: FakeServer, clock: ManualClock) -> None:
    """A request that comes before the time is up prevents the reset."""
    server.fail(faults.reset_idle(after=5))
    with Raw(server) as raw:
        raw.send(GET).answer()
        raw.send(GET).answer()
        clock.advance(6)

        assert raw.silence() == Seen(b"", End.OPEN)
        assert clock.due == []


def test_reset_idle_while_a_request_is_here_in_part(server: FakeServer, clock: ManualClock) -> None:
    """Half of a request counts as a request: the connection is not idle."""
    server.fail(faults.reset_idle(after=5))
    with Raw(server) as raw:
        raw.send(GET).answer()
        raw.send(GET[:5]).silence()
        clock.advance(6)

        assert raw.send(GET[5:]).answer().body == BODY


def test_stale_connection(server: FakeServer) -> None:
    """The second request on a connection meets a RST; the first one is left alone."""
    server.fail(faults.stale_connection())
    with Raw(server) as raw:
        first = raw.send(GET).answer()
        second = raw.send(GET).rest()
    fresh = ask(server)

    assert first.data == fresh.data == WHOLE
    assert second == Seen(b"", End.RST)
    assert server.trace.faults == [None, "stale_connection", None]
    assert [attempt.reused for attempt in server.trace] == [False, True, False]


def test_garbage(server: FakeServer) -> None:
    """So many random bytes that are no HTTP, then a FIN."""
    server.fail(faults.garbage(), faults.garbage(size=1))

    first, second = talk(server), talk(server)

    assert len(first.data) == 64
    assert first.data[:1] == b"\x00"
    assert first.end is second.end is End.FIN
    assert second.data == b"\x00"
    assert server.trace[0].status is None


def test_garbage_from_a_seed() -> None:
    """The same seed makes the same noise."""
    noise = []
    for _ in range(2):
        with FakeServer(app_of(), blocking=False, seed=5) as server:
            server.fail(faults.garbage())
            noise.append(talk(server).data)

    assert noise[0] == noise[1]


def test_down(server: FakeServer, clock: ManualClock) -> None:
    """Its connections are reset and new ones refused, until the time is up."""
    server.fail(faults.down(10))
    with Raw(server) as idle, Raw(server) as raw:
        idle.send(GET[:5])
        seen = raw.send(GET).rest()
        other = idle.rest()
    with pytest.raises(ConnectionRefusedError):
        Raw(server)
    clock.advance(9)
    with pytest.raises(ConnectionRefusedError):
        Raw(server)
    clock.advance(1)
    again = ask(server)

    assert seen == other == Seen(b"", End.RST)
    assert again.body == BODY
    assert "down 10 s" in server.trace.faults


def test_down_for_no_time() -> None:
    """Down for 0 seconds resets the connections and is up again at once."""
    with FakeServer(app_of(BODY), blocking=False) as server:
        server.fail(faults.down(0))
        seen = talk(server)
        _ = server.trace

        assert seen == Seen(b"", End.RST)
        assert ask(server).body == BODY


def test_up_before_down_is_over(server: FakeServer, clock: ManualClock) -> None:
    """A test's own up() ends the outage, and its end later changes nothing."""
    server.fail(faults.down(10))
    talk(server)
    server.up()
    server.down()
    clock.advance(10)
    _ = server.trace

    with pytest.raises(ConnectionRefusedError):
        Raw(server)


def test_never_read(server: FakeServer) -> None:
    """The connection is accepted, and whatever is sent, nothing is read."""
    server.fail(faults.never_read())
    with Raw(server) as raw:
        seen = raw.send(GET).silence()
        there = server.trace[0]
    gone = ended(server)

    assert seen == Seen(b"", End.OPEN)
    assert there.fault == "never_read"
    assert there.outcome is Outcome.PENDING
    assert gone.outcome is Outcome.GONE
    assert ask(server).body == BODY


def test_never_read_blocks_the_writer(server: FakeServer) -> None:
    """A large request fills the buffers, and then the client's write blocks."""
    server.fail(faults.never_read())
    with Raw(server) as raw:
        raw.sock.settimeout(SHORT)
        with pytest.raises(TimeoutError):
            raw.send(bytes(64 * 1024 * 1024))
        assert server.trace.faults == ["never_read"]
    server.stop()

    assert server.trace[0].outcome is Outcome.CUT
    assert server.trace[0].body_size == 0


def test_together(server: FakeServer, clock: ManualClock) -> None:
    """A late 503 is late and a 503."""
    server.fail(faults.together(faults.latency(2), 503))
    with Raw(server) as raw:
        before = raw.send(GET).silence()
        clock.advance(2)
        answer = raw.answer()

    assert before == Seen(b"", End.OPEN)
    assert answer.status == 503
    assert server.trace.faults == ["status 503 + latency 2 s"]


def test_together_resets_an_error(server: FakeServer) -> None:
    """A reset in the body of a 503 has the 503's head."""
    server.fail(faults.together(faults.reset_peer("body"), 503))

    seen = talk(server)

    assert seen.end is End.RST
    assert server.trace.statuses == [503]


def test_together_with_a_stale_connection(server: FakeServer) -> None:
    """A part that wants reused connections only speaks for the whole."""
    server.fail(faults.together(faults.latency(1), faults.stale_connection()))
    with Raw(server) as raw:
        raw.send(GET).answer()

    assert server.trace.faults == [None]


# --- laws of every fault -----------------------------------------------------------

OF_THE_BODY: list[Any] = [
    faults.stall(),
    faults.limit_data(),
    faults.cut_chunk(),
    faults.wrong_length(),
    faults.wrong_length(by=1),
    faults.malformed_json(),
    faults.reset_peer("body"),
    faults.bandwidth(1),
]


@pytest.mark.parametrize("fault", OF_THE_BODY, ids=lambda f: f.label)
def test_faults_of_the_body_leave_head_requests_alone(server: FakeServer, fault: Any) -> None:
    """A HEAD has no body that could go wrong: the fault waits for a request that has one."""
    rule = server.fail(fault)
    with Raw(server) as raw:
        seen = raw.send(HEAD).silence()

    assert seen == Seen(ANSWER_HEAD, End.OPEN)
    assert rule.met == 0
    assert server.trace.faults == [None]


@pytest.mark.parametrize("fault", [faults.stall(), faults.reset_peer("body")], ids=str)
@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "304 Not Modified"])
def test_a_body_that_is_empty_breaks_in_the_head(status: str, fault: Any) -> None:
    """Where there is no body to break, the head is broken: a fault never passes unnoticed."""
    with FakeServer(app_of(b"", status), blocking=False) as server:
        server.fail(fault)
        with Raw(server) as raw:
            seen = raw.send(GET).silence()

    assert seen.data.startswith(b"HTTP/1.1 ")
    assert b"\r\n\r\n" not in seen.data
    assert server.trace.statuses == [None]


PROCESSED: list[tuple[Any, bool]] = [
    (faults.status(503), False),
    (faults.redirect("/"), False),
    (faults.html_page(), False),
    (faults.timeout(), False),
    (faults.timeout(processed=True), True),
    (faults.empty_reply(), False),
    (faults.empty_reply(processed=True), True),
    (faults.reset_peer(), False),
    (faults.reset_peer(processed=True), True),
    (faults.reset_peer("body"), True),
    (faults.down(0), False),
    (faults.latency(0), True),
    (faults.together(faults.latency(0), 503), False),
    (faults.malformed_json(), True),
    (faults.garbage(), True),
    (OK, True),
]


@pytest.mark.parametrize(("fault", "processed"), PROCESSED, ids=lambda v: getattr(v, "label", v))
def test_whether_the_application_hears_of_it(fault: Any, *, processed: bool) -> None:
    """A fault that happens before the application keeps the request from it."""
    calls = []

    def app(environ: Any, start: Callable[..., Any]) -> list[bytes]:
        calls.append(environ["PATH_INFO"])
        start("200 OK", [])
        return [b"x"]

    with FakeServer(app, blocking=False) as server:
        server.fail(fault)
        with Raw(server) as raw:
            raw.send(GET).silence()

    assert bool(calls) is processed


def test_every_fault_is_tested_here() -> None:
    """A fault without a test of its wire does not exist."""
    helpers = {"Context", "Fault", "Script", "OK", "uniform", "lognormal", "http_date"}
    names = {**globals(), **vars(test_stream_faults)}
    tested = "\n".join(name for name in names if name.startswith("test_"))

    missing = [name for name in faults.__all__ if name not in helpers | {"status"}]
    assert [name for name in missing if f"test_{name}" not in tested] == []


def test_forever_on_one_connection(server: FakeServer) -> None:
    """A status for ever is met by request after request on one connection."""
    server.fail(503, times=FOREVER)
    with Raw(server) as raw:
        statuses = [raw.send(GET).answer().status for _ in range(20)]

    assert statuses == [503] * 20
    assert {attempt.connection for attempt in server.trace} == {1}


def _by_the_byte(server: FakeServer, size: int) -> Seen:
    """Read so many bytes before looking for the end: a RST drops what was not read yet."""
    with Raw(server) as raw:
        raw.send(GET)
        return raw.rest() if size == 0 else Seen(raw.exactly(size), raw.rest().end)
