"""HTTP/1.1 as the server speaks it, to a client that is one raw socket."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pytest_resilience import FakeServer, Outcome, faults
from tests.wire.apps import ManualClock, app_of, echo, whole
from tests.wire.raw import GET, SHORT, End, Noise, Raw, Seen, ask, ended, talk

POST = b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture(params=[False, True], ids=["on the loop", "in a worker"])
def server(request: pytest.FixtureRequest) -> Iterator[FakeServer]:
    with FakeServer(echo, blocking=request.param, clock=ManualClock()) as server:
        yield server


def test_keep_alive(server: FakeServer) -> None:
    """One connection carries request after request."""
    with Raw(server) as raw:
        bodies = [raw.send(POST).answer().body for _ in range(3)]

    assert bodies == [b"hello"] * 3
    assert [(a.connection, a.reused) for a in server.trace] == [(1, False), (1, True), (1, True)]


def test_connection_close(server: FakeServer) -> None:
    """A client that asks to close gets its answer, told so, and a FIN."""
    seen = talk(server, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert seen.end is End.FIN
    assert b"\r\nConnection: close" in seen.head
    assert server.trace[0].outcome is Outcome.ANSWERED


@pytest.mark.parametrize("connection", ["Upgrade, HTTP2-Settings", "upgrade"])
def test_an_upgrade_is_not_taken_up(server: FakeServer, connection: str) -> None:
    """A client that asks for h2c, as curl and Java do, goes on in HTTP/1.1."""
    ask_for_it = f"GET / HTTP/1.1\r\nHost: x\r\nConnection: {connection}\r\nUpgrade: h2c\r\n\r\n"
    with Raw(server) as raw:
        first = raw.send(ask_for_it.encode() + POST).answer()

        assert b"close" not in first.head
        assert raw.answer().body == b"hello"
        assert ended(server, 2).reused


def test_an_upgrade_and_close(server: FakeServer) -> None:
    """An offer to upgrade keeps no connection that is to be closed."""
    fields = b"Connection: close, Upgrade\r\nUpgrade: h2c\r\n\r\n"

    assert talk(server, b"GET / HTTP/1.1\r\nHost: x\r\n" + fields).end is End.FIN


def test_http_1_0(server: FakeServer) -> None:
    """A client of HTTP/1.0 gets its answer and a FIN."""
    seen = talk(server, b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi")

    assert seen.data.startswith(b"HTTP/1.1 200 OK\r\n")
    assert (seen.body, seen.end) == (b"hi", End.FIN)


def test_head(server: FakeServer) -> None:
    """A HEAD gets the head of the answer, its Content-Length included, and no body."""
    with Raw(server) as raw:
        head = raw.send(POST.replace(b"POST", b"HEAD")).until(b"\r\n\r\n")
        more = raw.silence()
        body = raw.send(POST).answer()

    assert head.endswith(b"Content-Length: 5\r\n\r\n")
    assert more == Seen(b"", End.OPEN)
    assert body.body == b"hello"


def test_pipelining(server: FakeServer) -> None:
    """A thousand requests in one write are answered one after the other, in their order."""
    requests = [
        b"POST /%d HTTP/1.1\r\nHost: localhost\r\nX-Filler: %b\r\nContent-Length: 4\r\n\r\n%04d"
        % (n, b"x" * 100, n)
        for n in range(1000)
    ]
    with Raw(server) as raw:
        sender = threading.Thread(target=raw.send, args=[b"".join(requests)])
        sender.start()
        answers = [raw.answer().body for _ in requests]
        sender.join()

    assert answers == [b"%04d" % n for n in range(1000)]
    assert [attempt.target for attempt in server.trace] == [f"/{n}" for n in range(1000)]
    assert {attempt.outcome for attempt in server.trace} == {Outcome.ANSWERED}


def test_pipelining_more_than_is_held(server: FakeServer) -> None:
    """Requests beyond what the server takes in ahead wait in the client's socket."""
    server.fail(faults.latency(1))
    big = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"y" * 100_000
    with Raw(server) as raw:
        sender = threading.Thread(target=raw.send, args=[big * 60])
        sender.start()
        raw.silence()
        clock = server.clock
        assert isinstance(clock, ManualClock)
        while not raw.readable(SHORT):  # The sender may have been slow to begin.
            clock.advance(1)
        sizes = [len(raw.answer().body) for _ in range(60)]
        sender.join()

    assert sizes == [100_000] * 60


def test_pipelining_behind_a_large_answer() -> None:
    """Requests that come while a large answer is being read do not hold it up."""
    body = bytes(8_000_000)
    with FakeServer(app_of(body), blocking=False) as server, Raw(server) as raw:
        raw.send(GET)
        raw.readable(5)
        sender = threading.Thread(target=raw.send, args=[GET * 20_000], daemon=True)
        sender.start()
        first = raw.answer()
        second = raw.answer()

    assert first.body == second.body == body


def test_pipelining_behind_a_fault(server: FakeServer) -> None:
    """What was pipelined behind a request that is reset is not answered, nor recorded."""
    server.fail(faults.reset_peer(), after=1)
    with Raw(server) as raw:
        seen = raw.send(POST * 3).rest()

    assert seen.end is End.RST
    assert len(server.trace) == 2


def test_half_closed() -> None:
    """Requests that lie before the client's FIN are answered, when the app does not wait."""
    with FakeServer(app_of(b"hello"), blocking=False) as server, Raw(server) as raw:
        raw.send(POST * 3).sock.shutdown(1)
        seen = raw.rest()

    assert seen.data.count(b"hello") == 3
    assert seen.end is End.FIN


def test_expect_100_continue(server: FakeServer) -> None:
    """A client that waits for it is told to continue, and then sends its body."""
    with Raw(server) as raw:
        raw.send(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        told = raw.exactly(25)
        answer = raw.send(b"hello").answer()

    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.body == b"hello"


@pytest.mark.parametrize("waits", [True, False])
def test_expect_100_continue_when_there_is_no_room(*, waits: bool) -> None:
    """It is said in full, once answers before it have made room; else the answer is unreadable."""
    with FakeServer(echo, blocking=False) as server, Raw(server) as raw:
        server.journal.observer = noise = Noise(server)
        head = b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        raw.send(head)
        assert [attempt.outcome for attempt in server.trace] == [Outcome.PENDING]
        if not waits:
            raw.send(b"hello")
            assert server.trace[0].body == b"hello"
        raw.exactly(noise.size)
        told = raw.exactly(25) if waits else b"HTTP/1.1 100 Continue\r\n\r\n"
        answer = raw.send(b"hello" if waits else b"").answer()

    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert (answer.status, answer.body) == (200, b"hello")


def test_expect_100_continue_with_the_body_at_once(server: FakeServer) -> None:
    """A client that did not wait is not told to continue."""
    request = b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"

    assert ask(server, request).data.startswith(b"HTTP/1.1 200 ")


def test_expect_100_continue_over_the_limit() -> None:
    """A body over the limit is refused before it is sent."""
    with FakeServer(echo, max_body=4) as server, Raw(server) as raw:
        raw.send(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        seen = raw.rest()

    assert seen.data.startswith(b"HTTP/1.1 413 ")
    assert seen.end is End.FIN


def test_chunked_request(server: FakeServer) -> None:
    """A chunked body reaches the application whole, whatever its chunks, even byte by byte."""
    request = (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;ext=1\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: 1\r\n\r\n"
    )
    with Raw(server) as raw:
        at_once = raw.send(request).answer()
        for byte in request:
            raw.send(bytes([byte]))
        slowly = raw.answer()

    assert at_once.body == slowly.body == b"hello"
    assert [(a.body, a.body_size) for a in server.trace] == [(b"hello", 5)] * 2


def test_request_byte_by_byte(server: FakeServer) -> None:
    """A request may come in any number of pieces."""
    with Raw(server) as raw:
        for byte in POST:
            raw.send(bytes([byte]))

        assert raw.answer().body == b"hello"


def test_attempt_is_recorded_with_its_head(server: FakeServer) -> None:
    """An attempt is in the trace while its body is still under way."""
    with Raw(server) as raw:
        raw.send(POST[:-5]).silence()
        there = server.trace[0]
        raw.send(POST[-5:]).answer()

    assert (there.target, there.outcome, there.body) == ("/p", Outcome.PENDING, b"")
    assert server.trace[0].body == b"hello"


def test_attempt(server: FakeServer) -> None:
    """An attempt knows everything the client said, as it said it."""
    ask(server, b"PATCH /a%20b?x=1&y=%2F HTTP/1.1\r\nhost: x\r\nX-Two: a\r\nx-two: b\r\n\r\n")

    attempt = server.trace[0]
    assert (attempt.method, attempt.target) == ("PATCH", "/a%20b?x=1&y=%2F")
    assert (attempt.path, attempt.query) == ("/a%20b", "x=1&y=%2F")
    assert attempt.headers.items_sent() == (("host", "x"), ("X-Two", "a"), ("x-two", "b"))
    assert attempt.headers["X-TWO"] == "a, b"
    assert attempt.status == 200


def test_kept_body_is_bounded() -> None:
    """The trace keeps the beginning of a body, and its length."""
    with FakeServer(echo, keep_body=3) as server:
        ask(server, POST)

    assert (server.trace[0].body, server.trace[0].body_size) == (b"hel", 5)


def test_the_plan_looks_into_all_of_a_body() -> None:
    """However little of it the trace keeps."""
    with FakeServer(echo, keep_body=2) as server:
        server.fail(503, body="llo")
        server.fail(502, when=lambda one: one.body == b"hello")
        statuses = [ask(server, POST).status for _ in range(3)]

    assert statuses == [503, 502, 200]
    assert [one.body for one in server.trace] == [b"he"] * 3


def test_kept_attempts_are_bounded() -> None:
    """With keep= the trace holds the newest attempts and counts the others."""
    with FakeServer(echo, blocking=False, keep=2) as server, Raw(server) as raw:
        server.fail(faults.stall(), path="/stalls")
        for n in range(5):
            raw.send(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % n).answer()
        trace = server.trace

    assert [attempt.number for attempt in trace] == [4, 5]
    assert trace.forgotten == 3
    assert trace.table().startswith("  ... 3 older attempts were dropped (keep=)\n")


def test_an_attempt_that_was_dropped_may_still_end() -> None:
    """The end of an attempt that the trace holds no more changes nothing."""
    with FakeServer(echo, blocking=False, keep=1) as server, Raw(server) as hangs:
        server.fail(faults.timeout())
        hangs.send(GET).silence()
        ask(server)
    assert [attempt.number for attempt in server.trace] == [2]
    assert server.trace[0].outcome is Outcome.ANSWERED


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/a/b?c=d", "/a/b", "c=d"),
        (b"http://else.where/a/b?c=d", "/a/b", "c=d"),
        (b"http://else.where", "/", ""),
        (b"http://else.where?x", "/", "x"),
        (b"*", "", ""),
        (b"/%C3%A9", "/\xc3\xa9", ""),
        (b"//double", "//double", ""),
    ],
)
def test_target_forms(target: bytes, path: str, query: str) -> None:
    """Each form of a target becomes the path and the query that an application expects."""
    seen = []

    def app(environ: Any, start: Callable[..., Any]) -> list[bytes]:
        seen.append((environ["PATH_INFO"], environ["QUERY_STRING"]))
        start("200 OK", [])
        return []

    with FakeServer(app, blocking=False) as server:
        ask(server, b"OPTIONS " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")

    assert seen == [(path, query)]


@pytest.mark.parametrize("target", ["/v1/x", "http://h/v1/x", "http://h:80/v1/x?q=http://y"])
def test_plans_match_the_path_of_any_target_form(target: str) -> None:
    """A rule for a path holds for an absolute target, too."""
    with FakeServer(echo, blocking=False) as server:
        server.fail(503, path="/v1/*")
        seen = ask(server, f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    assert seen.status == 503


def test_environ() -> None:
    """The environment has what PEP 3333 asks for."""
    envs: list[dict[str, Any]] = []

    def app(environ: Any, start: Callable[..., Any]) -> list[bytes]:
        envs.append({**environ, "body": environ["wsgi.input"].read()})
        start("200 OK", [])
        return []

    request = (
        b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: text/x\r\nContent-Length: 2\r\n"
        b"Cookie: a=1\r\nCookie: b=2\r\nX-A: 1\r\nX-A: 2\r\nX_Bad: 3\r\n\r\nhi"
    )
    chunked = (
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    )
    with FakeServer(app) as server:
        ask(server, request)
        ask(server, chunked)
        port = server.port
    first, second = envs

    assert first["REQUEST_METHOD"] == "POST"
    assert (first["SERVER_NAME"], first["SERVER_PORT"]) == ("127.0.0.1", str(port))
    assert (first["CONTENT_TYPE"], first["CONTENT_LENGTH"]) == ("text/x", "2")
    assert (first["HTTP_COOKIE"], first["HTTP_X_A"]) == ("a=1; b=2", "1,2")
    assert "HTTP_X_BAD" not in first
    assert first["body"] == second["body"] == b"hi"
    assert second["CONTENT_LENGTH"] == "2"
    assert "HTTP_TRANSFER_ENCODING" not in second


def test_large_answer_to_a_slow_reader() -> None:
    """A large answer goes out as fast as the client reads, and is pending until then."""
    body = bytes(30_000_000)
    with (
        FakeServer(app_of(body), blocking=False, clock=ManualClock()) as server,
        Raw(server) as raw,
    ):
        raw.send(GET).readable(5)
        before = server.trace[0]
        answer = raw.answer()
        after = ended(server)

    assert before.outcome is Outcome.PENDING
    assert before.status == 200
    assert 0 < before.sent < len(body)
    assert answer.data == whole(body)
    assert (after.outcome, after.sent) == (Outcome.ANSWERED, len(whole(body)))


def test_large_answer_that_nobody_reads() -> None:
    """A client that leaves without having read it all is seen to have gone."""
    with FakeServer(app_of(bytes(30_000_000)), blocking=False) as server:
        with Raw(server) as raw:
            raw.send(GET).readable(5)
        gone = ended(server)

    assert gone.outcome is Outcome.GONE
    assert gone.sent < 30_000_000


def test_large_answer_and_stop() -> None:
    """A server stops although a client does not read its answer."""
    with FakeServer(app_of(bytes(30_000_000)), blocking=False) as server, Raw(server) as raw:
        raw.send(GET).readable(5)
        server.stop()

        assert server.trace[0].outcome is Outcome.CUT


def test_client_that_leaves_within_a_large_head() -> None:
    """A status that the client cannot have read is none."""
    with FakeServer(app_of(b"x"), blocking=False) as server:
        server.fail(faults.huge_headers(32 * 1024 * 1024))
        with Raw(server) as raw:
            raw.send(GET).readable(9)
        attempt = ended(server)

    assert (attempt.outcome, attempt.status) == (Outcome.GONE, None)
    assert attempt.sent > 0


def test_client_that_resets_within_a_large_answer() -> None:
    """A reset by the client in the middle of an answer ends the attempt as gone."""
    with FakeServer(app_of(bytes(30_000_000)), blocking=False) as server:
        raw = Raw(server)
        raw.send(GET).readable(5)
        raw.reset()

        assert ended(server).outcome is Outcome.GONE


def test_client_that_leaves_while_it_waits() -> None:
    """A client that times out is seen to have gone when it goes, not when it is answered."""
    free = threading.Event()

    def app(environ: Any, start: Callable[..., Any]) -> list[bytes]:
        free.wait(20)
        start("200 OK", [])
        return [b"late"]

    with FakeServer(app) as server:
        with Raw(server) as raw:
            raw.send(GET).silence()
        gone = ended(server)
        free.set()

    assert (gone.outcome, gone.status) == (Outcome.GONE, None)


def test_two_servers() -> None:
    """Two servers at once share a thread and nothing else."""
    with FakeServer(echo) as one, FakeServer(echo, blocking=False) as two:
        one.fail(503)
        statuses = [ask(one).status, ask(two).status, ask(one).status]
        engines = [t for t in threading.enumerate() if t.name == "pytest-resilience-engine"]

    assert statuses == [503, 200, 200]
    assert (len(one.trace), len(two.trace)) == (2, 1)
    assert len(engines) == 1


def test_seen_is_what_was_sent(server: FakeServer) -> None:
    """The bytes counted as sent are the bytes that came."""
    seen = talk(server, POST.replace(b"Host: x", b"Host: x\r\nConnection: close"))

    assert server.trace[0].sent == len(seen.data)
    assert seen == Seen(seen.data, End.FIN)
