"""Applications of every kind: lazy, failing, misbehaving, blocking."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import wsgiref.validate
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pytest_resilience import Attempt, FakeServer, Outcome, engine, faults
from tests.wire.apps import ManualClock
from tests.wire.raw import GET, HEAD, End, Raw, Seen, ask, ended, talk

Start = Callable[..., Any]
BOTH = pytest.mark.parametrize("blocking", [False, True], ids=["on the loop", "in a worker"])


class Gate:
    """Lets an application go on when the test says so."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self._go = threading.Semaphore(0)

    def wait(self) -> None:
        assert self._go.acquire(timeout=20)

    def open(self, times: int = 1) -> None:
        self._go.release(times)


class Body:
    """An iterable body that notices its close."""

    def __init__(self, *pieces: Any, gate: Gate | None = None) -> None:
        self.pieces, self.gate = pieces, gate
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[Any]:
        for piece in self.pieces:
            if self.gate is not None:
                self.gate.wait()
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    def close(self) -> None:
        self.closed.set()


def serving(body: Any, status: str = "200 OK", headers: list[Any] | None = None) -> Any:
    def app(environ: Any, start: Start) -> Any:
        start(status, [("Content-Type", "text/plain")] if headers is None else headers)
        return body

    return app


# --- bodies that are made while they are sent -----------------------------------


def test_lazy_body_is_streamed() -> None:
    """A piece is on the wire, as a chunk, while the application still makes the next."""
    gate = Gate()
    body = Body(b"one", b"", b"three", gate=gate)
    with FakeServer(serving(body), clock=ManualClock()) as server, Raw(server) as raw:
        gate.open()
        head = raw.send(GET).until(b"\r\n\r\n")
        first = raw.until(b"one\r\n")
        pending = server.trace[0]
        gate.open(2)
        rest = raw.until(b"0\r\n\r\n")
        second = server.trace[0]

    assert b"\r\nTransfer-Encoding: chunked\r\n" in head
    assert first == b"3\r\none\r\n"
    assert rest == b"5\r\nthree\r\n0\r\n\r\n"
    assert (pending.outcome, pending.status) == (Outcome.PENDING, 200)
    assert second.outcome is Outcome.ANSWERED
    assert body.closed.is_set()


def test_lazy_body_keeps_the_connection() -> None:
    """A chunked answer is followed by the next on the same connection."""

    def app(environ: Any, start: Start) -> Any:
        start("200 OK", [])
        return (piece for piece in (b"a", b"b"))

    with FakeServer(app) as server, Raw(server) as raw:
        answers = [raw.send(GET).until(b"0\r\n\r\n").partition(b"\r\n\r\n")[2] for _ in range(3)]

    assert answers == [b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"] * 3
    assert {a.outcome for a in server.trace} == {Outcome.ANSWERED}


def test_lazy_body_for_http_1_0() -> None:
    """A client that knows no chunks gets the bytes, and the FIN as their end."""
    with FakeServer(serving(Body(*[b"x"] * 50))) as server:
        seen = talk(server, b"GET / HTTP/1.0\r\n\r\n")

    assert (seen.body, seen.end) == (b"x" * 50, End.FIN)
    assert b"chunked" not in seen.head
    assert server.trace[0].outcome is Outcome.ANSWERED


def test_lazy_body_when_the_client_wants_to_close() -> None:
    """A chunked answer may be the last of its connection."""
    with FakeServer(serving(Body(b"x"))) as server:
        seen = talk(server, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert (seen.body, seen.end) == (b"1\r\nx\r\n0\r\n\r\n", End.FIN)


@pytest.mark.parametrize("status", ["200 OK", "204 No Content"])
def test_lazy_body_nobody_wants(status: str) -> None:
    """A HEAD or a 204 is answered at once, and an endless body is closed."""

    def endless() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 100
        finally:
            closed.set()

    closed = threading.Event()
    with FakeServer(serving(endless(), status)) as server, Raw(server) as raw:
        request = HEAD if status.startswith("200") else GET
        head = raw.send(request).until(b"\r\n\r\n")
        attempt = server.trace[0]

        assert closed.wait(20)
        assert raw.silence() == Seen(b"", End.OPEN)
    assert status.encode() in head
    assert attempt.outcome is Outcome.ANSWERED


def test_lazy_body_of_empty_pieces() -> None:
    """Pieces without a byte send nothing, and hold nothing up however many there are."""
    with FakeServer(serving(Body(*[b""] * 100, b"x"))) as server, Raw(server) as raw:
        assert raw.send(GET).until(b"0\r\n\r\n").endswith(b"\r\n\r\n1\r\nx\r\n0\r\n\r\n")


def test_lazy_body_waits_for_its_client() -> None:
    """An application is kept from running far ahead of a client that does not read."""
    made = []

    def pieces() -> Iterator[bytes]:
        for _ in range(1000):
            made.append(1)
            yield bytes(1_000_000)

    with FakeServer(serving(pieces())) as server, Raw(server) as raw:
        raw.send(GET).readable(5)
        time.sleep(0.02)
        early = len(made)
        server.stop()

    assert early < 100


def test_lazy_body_whose_client_leaves() -> None:
    """The application's iterable is closed when the client has gone."""
    gate = Gate()
    body = Body(*[b"x"] * 100, gate=gate)
    with FakeServer(serving(body)) as server:
        with Raw(server) as raw:
            gate.open()
            raw.send(GET).until(b"x")
        gone = ended(server)
        gate.open(100)

        assert body.closed.wait(20)
    assert gone.outcome is Outcome.GONE


def test_lazy_body_whose_client_leaves_before_it_begins() -> None:
    """Nor is anything sent when the client has gone before the first piece."""
    gate = Gate()
    body = Body(*[b"x"] * 100, gate=gate)
    with FakeServer(serving(body)) as server:
        with Raw(server) as raw:
            raw.send(GET).silence()
        gone = ended(server)
        gate.open(100)

        assert body.closed.wait(20)
    assert (gone.outcome, gone.sent) == (Outcome.GONE, 0)


def test_lazy_body_that_fails() -> None:
    """An application that fails in the middle of its body breaks its answer off with a FIN."""
    with FakeServer(serving(Body(b"one", KeyError("broken")))) as server:
        seen = talk(server)
        attempt = ended(server)

    assert seen.body == b"3\r\none\r\n"
    assert seen.end is End.FIN
    assert attempt.outcome is Outcome.CUT
    assert "the application raised KeyError('broken') in the middle of its answer" in attempt.note
    assert [type(error) for error in server.errors] == [KeyError]


def test_lazy_body_that_fails_to_close() -> None:
    """An error in an iterable's close is kept like any other of the application's."""
    body = Body(b"x")
    body.close = lambda: 1 / 0  # type: ignore[method-assign,assignment]  # a bad one
    with FakeServer(serving(body)) as server:
        talk(server)

        assert "ZeroDivisionError" in ended(server).note


def test_lazy_body_with_a_fault() -> None:
    """A fault sees the whole body of a lazy application."""
    with FakeServer(serving(Body(b"12", b"34"))) as server:
        server.fail(faults.limit_data())
        seen = talk(server)

    assert seen.head.endswith(b"Content-Length: 4")
    assert (seen.body, seen.end) == (b"12", End.FIN)


def test_lazy_body_on_the_loop() -> None:
    """On the server's own thread a body of several pieces is read whole and sent as chunks."""
    with FakeServer(serving(Body(b"1", b"23")), blocking=False) as server, Raw(server) as raw:
        seen = raw.send(GET).until(b"0\r\n\r\n")
        head = raw.send(HEAD).silence()
        http10 = talk(server, b"GET / HTTP/1.0\r\n\r\n")

    assert seen.endswith(b"\r\n\r\n1\r\n1\r\n2\r\n23\r\n0\r\n\r\n")
    assert head.body == b""
    assert b"chunked" in head.head
    assert (http10.body, http10.end) == (b"123", End.FIN)


def test_body_with_its_length() -> None:
    """A body whose length the application has said is not chunked."""
    with FakeServer(serving(Body(b"1", b"23"), headers=[("Content-Length", "3")])) as server:
        assert ask(server).body == b"123"


@BOTH
def test_a_generator_with_its_length(*, blocking: bool) -> None:
    """A generator says the length with its first piece, and is not chunked either."""

    def app(environ: Any, start: Start) -> Any:
        start("200 OK", [("Content-Length", "3")])
        yield b"1"
        yield b"23"

    with FakeServer(app, blocking=blocking) as server, Raw(server) as raw:
        assert [raw.send(GET).answer().body for _ in range(2)] == [b"123", b"123"]
        assert ended(server).note == ""


@BOTH
def test_write_within_a_body(*, blocking: bool) -> None:
    """What is written while the body is made stands where it was written."""

    def app(environ: Any, start: Start) -> Any:
        write = start("200 OK", [("Content-Length", "9")])
        write(b"one")
        yield b"two"
        write(b"end")

    with FakeServer(app, blocking=blocking) as server:
        assert ask(server).body == b"onetwoend"


@BOTH
def test_an_empty_piece_before_the_status(*, blocking: bool) -> None:
    """A middleware that still collects yields nothing, and starts later (PEP 3333)."""

    def app(environ: Any, start: Start) -> Any:
        yield b""
        start("200 OK", [("Content-Length", "1")])
        yield b"x"

    with FakeServer(app, blocking=blocking) as server:
        assert ask(server).body == b"x"


# --- applications that fail ---------------------------------------------------------


def fails_before(environ: Any, start: Start) -> Any:
    raise KeyError("before")


def fails_after(environ: Any, start: Start) -> Any:
    start("200 OK", [])
    raise KeyError("after")


def exits(environ: Any, start: Start) -> Any:
    sys.exit(3)


def never_starts(environ: Any, start: Start) -> Any:
    return [b"x"]


def starts_twice(environ: Any, start: Start) -> Any:
    start("200 OK", [])
    start("201 Created", [])
    return [b"x"]


def returns_nothing(environ: Any, start: Start) -> Any:
    start("200 OK", [])


BROKEN: list[tuple[Any, str]] = [
    (fails_before, "KeyError('before')"),
    (fails_after, "KeyError('after')"),
    (exits, "SystemExit(3)"),
    (never_starts, "never called start_response"),
    (starts_twice, "start_response was called twice"),
    (returns_nothing, "TypeError"),
    (serving([b"x"], "abc"), "abc"),
    (serving([b"x"], "99 Low"), "99 Low"),
    (serving([b"x"], "103 Early Hints"), "103 Early Hints"),
    (serving([b"x"], "1000 High"), "1000 High"),
    (serving([b"x"], "200 O\nK"), "a line break"),
    (serving([b"x"], headers=[("X", "a\r\nY: b")]), "a line break"),
    (serving([b"x"], headers=[("X", "a\x00")]), "a line break or NUL"),
    (serving([b"x"], headers=[("A B", "x")]), "wanted names of header fields"),
    (serving([b"x"], headers=[("A:", "x")]), "wanted names of header fields"),
    (serving([b"x"], headers=[("", "x")]), "wanted names of header fields"),
    (serving([b"x"], headers=["AB"]), "'AB' is among the application's headers"),
    (serving([b"x"], headers=["A: b"]), "wanted pairs of a name and a value"),
    (serving([b"x"], headers=[("A",)]), "wanted pairs of a name and a value"),
    (serving([b"x"], headers=[("X", "\u20ac")]), "UnicodeEncodeError"),
    (serving([b"x"], headers=[("X", 5)]), "TypeError"),
    (
        serving([b"x"], headers=[("Content-Length", "1"), ("content-length", "2")]),
        "the application announced several lengths: ['1', '2']",
    ),
    (serving(["x"]), "a body is made of bytes, and this was str"),
    (serving(Body(KeyError("first"))), "KeyError('first')"),
    (serving(7), "TypeError"),
]


@BOTH
@pytest.mark.parametrize(("app", "note"), BROKEN, ids=range(len(BROKEN)))
def test_broken_application(app: Any, note: str, *, blocking: bool) -> None:
    """An application that breaks its contract is a 500, with the reason in trace and errors."""
    with FakeServer(app, blocking=blocking) as server, Raw(server) as raw:
        first = raw.send(GET).answer()
        second = raw.send(GET).answer()

    assert first.status == second.status == 500
    assert note in server.trace[0].note
    assert len(server.errors) == 2


@BOTH
@pytest.mark.parametrize(
    ("status", "headers"), [("200 OK", [5]), ("200 OK", [(5, "x")]), ("200 OK", ["AB"]), ("x", [])]
)
def test_a_broken_answer_is_closed(status: str, headers: list[Any], *, blocking: bool) -> None:
    """A body whose head cannot be sent is closed like any other (PEP 3333)."""
    body = Body(b"x")
    with FakeServer(serving(body, status, headers), blocking=blocking) as server:
        assert ask(server).status == 500
        assert body.closed.wait(20)


@BOTH
@pytest.mark.parametrize("body", [[b"hello"], [b"he", b"llo"], (b"hello",)])
def test_fields_of_another_servers_framing(body: Any, *, blocking: bool) -> None:
    """Who passes on Transfer-Encoding, or a length twice, has an answer that can be read."""
    fields = [("Transfer-Encoding", "chunked"), ("Content-Length", "5"), ("Content-Length", "5")]
    with FakeServer(serving(body, headers=fields), blocking=blocking) as server:
        seen = ask(server)

    assert seen.body == b"hello"
    assert b"Transfer-Encoding" not in seen.head
    assert server.trace[0].note == ""


@BOTH
@pytest.mark.parametrize("body", [[b"x"], Body(b"x")], ids=["whole", "lazy"])
def test_fields_from_an_iterator(body: Any, *, blocking: bool) -> None:
    """They are all sent, though they can be read only once."""
    fields: Any = iter([("Retry-After", "7"), ("X-Last", "yes")])
    with FakeServer(serving(body, "503 Busy", fields), blocking=blocking) as server:
        seen = ask(server)

    assert b"Retry-After: 7\r\nX-Last: yes\r\n" in seen.head
    assert server.trace[0].retry_after == "7"


class AsClass:
    """An application as PEP 3333 shows it: to call the class is to serve a request."""

    def __init__(self, environ: Any, start: Start) -> None:
        start("200 OK", [])
        self._said = environ["PATH_INFO"].encode()

    def __iter__(self) -> Iterator[bytes]:
        yield self._said


@BOTH
def test_an_application_that_is_a_class(*, blocking: bool) -> None:
    """A class is an application as good as a function."""
    with FakeServer(AsClass, blocking=blocking) as server, Raw(server) as raw:
        assert raw.send(b"GET /x HTTP/1.0\r\n\r\n").rest().body == b"/x"


@BOTH
def test_a_target_that_is_no_path(*, blocking: bool) -> None:
    """Where a target has no path, the application is told of none, as PEP 3333 wants it."""
    app = wsgiref.validate.validator(serving([b"x"]))
    with FakeServer(app, blocking=blocking) as server:
        statuses = [
            ask(server, b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").status,
            ask(server, b"GET http://x?a=b HTTP/1.1\r\nHost: x\r\n\r\n").status,
        ]

    assert server.errors == []
    assert statuses == [200, 200]


@BOTH
def test_start_again_with_exc_info(*, blocking: bool) -> None:
    """An application may change its mind with exc_info while nothing has been sent."""

    def app(environ: Any, start: Start) -> Any:
        start("200 OK", [])
        try:
            {"": ""}["x"]
        except KeyError:
            start("502 Bad Gateway", [], sys.exc_info())
        return [b"sorry"]

    with FakeServer(app, blocking=blocking) as server:
        assert ask(server).data.startswith(b"HTTP/1.1 502 ")


def test_start_again_when_the_head_is_sent() -> None:
    """With exc_info after the head has gone out, start_response raises that error."""

    def app(environ: Any, start: Start) -> Iterator[bytes]:
        start("200 OK", [])
        yield b"one"
        try:
            {"": ""}["late"]
        except KeyError:
            start("500 Oops", [], sys.exc_info())
        yield b"never"

    with FakeServer(app) as server:
        seen = talk(server)
        note = ended(server).note

    assert (seen.status, seen.body, seen.end) == (200, b"3\r\none\r\n", End.FIN)
    assert "KeyError('late')" in note


@BOTH
def test_write(*, blocking: bool) -> None:
    """What is written by the callable that start_response returns comes before the body."""

    def app(environ: Any, start: Start) -> Any:
        write = start("200 OK", [])
        write(b"one,")
        write(b"two,")
        return [b"three"]

    def only(environ: Any, start: Start) -> Any:
        start("200 OK", [])(b"all")
        return []

    with FakeServer(app, blocking=blocking) as server, FakeServer(only, blocking=blocking) as two:
        seen = talk(server, b"GET / HTTP/1.0\r\n\r\n")
        written = ask(two)

    assert seen.body == b"one,two,three"
    assert written.body == b"all"


def test_no_application() -> None:
    """A server without an application answers anything with 200 and a JSON object."""
    request = b"POST /any/thing?x=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
    with FakeServer() as server:
        seen, headed = ask(server, request), talk(server, HEAD[:-2] + b"Connection: close\r\n\r\n")

    assert seen.status == headed.status == 200
    assert b"\r\nContent-Type: application/json\r\n" in seen.head
    assert (seen.body, headed.body) == (b'{"ok": true}', b"")


def test_predicate_that_fails() -> None:
    """A predicate of the plan that raises leaves the attempt alone, with a note."""
    with FakeServer(serving([b"x"]), blocking=False) as server:
        server.fail(503, when=lambda attempt: bool(1 / 0))
        answer = ask(server)

    assert answer.status == 200
    assert "a predicate of the plan failed: ZeroDivisionError" in server.trace[0].note
    assert len(server.errors) == 1


def test_predicate_that_writes_a_rule() -> None:
    """A predicate may read the trace and change the plan: it does not lock the server up."""

    def when(attempt: Any) -> bool:
        server.fail(502)
        return len(server.trace) == 1

    with FakeServer(serving([b"x"]), blocking=False) as server:
        server.fail(503, when=when)
        assert [ask(server).status, ask(server).status] == [503, 502]


@pytest.mark.parametrize("error", [KeyError("x"), pytest.fail.Exception("no"), SystemExit(2)])
def test_a_predicate_that_raises(error: BaseException) -> None:
    """Whatever it raises, the client has its answer, and the reason is kept."""

    def when(_: Any) -> bool:
        raise error

    with FakeServer(serving([b"x"]), blocking=False) as server:
        server.fail(503, when=when)
        status = ask(server).status

    assert status == 200
    assert server.errors == [error]
    assert server.trace[0].note == f"a predicate of the plan failed: {error!r}"


class Broken:
    """A user's own fault that fails."""

    label = "broken"

    def __init__(self, apply: Callable[[Any], Any]) -> None:
        self._apply = apply

    def apply(self, script: Any, context: Any) -> Any:
        return self._apply(script)


def _steps_that_fail(script: Any) -> Any:
    def steps() -> Iterator[Any]:
        yield from script.lead
        raise KeyError("step")

    return faults.Script(script.answer, steps=steps())


def _second_step_that_fails(script: Any) -> Any:
    from pytest_resilience.faults._script import Send

    def steps() -> Iterator[Any]:
        yield Send(b"HTTP/1.1 200 OK\r\n")
        raise KeyError("step")

    return faults.Script(script.answer, steps=steps())


def _the_test_s_own_end(_: Any) -> Any:
    pytest.fail("in a fault")


def _a_pause_at_the_end(script: Any) -> Any:
    from pytest_resilience.faults._script import Pause, deliver

    return faults.Script(script.answer, steps=(*deliver(script), Pause(5)))


def test_a_fault_whose_last_step_is_no_write() -> None:
    """The attempt ends with the last step, and the connection carries the next request then."""
    clock = ManualClock()
    with FakeServer(serving([b"x"]), blocking=False, clock=clock) as server:
        server.fail(Broken(_a_pause_at_the_end))
        with Raw(server) as raw:
            raw.send(GET).answer()
            pending = server.trace[0].outcome
            clock.advance(5)
            again = raw.send(GET).answer()

    assert (pending, again.status) == (Outcome.PENDING, 200)
    assert (server.trace[0].outcome, server.trace[0].ended) == (Outcome.ANSWERED, 5)


@pytest.mark.parametrize("apply", [lambda script: 1 / 0, _steps_that_fail, _the_test_s_own_end])
def test_fault_that_fails(apply: Any) -> None:
    """A user's own fault that raises is a 500, with the reason in trace and errors."""
    with FakeServer(serving([b"x"]), blocking=False) as server:
        server.fail(Broken(apply))
        with Raw(server) as raw:
            statuses = [raw.send(GET).answer().status for _ in range(2)]

    assert statuses == [500, 200]
    assert "the answer could not be made: " in server.trace[0].note
    assert len(server.errors) == 1


def test_fault_that_fails_on_its_way() -> None:
    """When it raises after its first bytes the connection is reset."""
    with FakeServer(serving([b"x"]), blocking=False) as server:
        server.fail(Broken(_second_step_that_fails))
        with Raw(server) as raw:
            raw.send(GET)
            seen = raw.rest()

    assert seen.end is End.RST
    assert server.trace[0].outcome is Outcome.CUT
    assert "KeyError('step')" in server.trace[0].note


def test_service_whose_error_body_fails() -> None:
    """A service that cannot make its own error answers with a plain one."""

    class Odd(FakeServer):
        def error_answer(self, status: int, attempt: Attempt) -> Any:
            raise KeyError(status)

    with Odd(serving([b"x"]), blocking=False) as server:
        server.fail(503)
        seen = ask(server)

    assert (seen.status, seen.body) == (503, b"")
    assert len(server.errors) == 1


@pytest.mark.parametrize("request_", [GET, b"nonsense\r\n\r\n"])
def test_service_whose_error_is_none(request_: bytes) -> None:
    """A forgotten return is told, and the client has a plain error."""

    class Odd(FakeServer):
        def error_answer(self, status: int, attempt: Attempt) -> Any:
            """Return nothing."""

    with Odd(fails_before) as server:
        seen = ask(server, request_)

    assert (seen.status, seen.body) == (500 if request_ == GET else 400, b"")
    assert repr(server.errors[-1]) == ("TypeError('error_answer returned None, wanted an Answer')")


class Unspeakable(Exception):
    """An error of somebody's who has not tried its repr."""

    def __repr__(self) -> str:
        raise AttributeError("response")


@BOTH
def test_errors_that_cannot_be_shown(*, blocking: bool) -> None:
    """Their clients have an answer all the same, whoever raised them."""

    def fails(*_: Any) -> Any:
        raise Unspeakable

    with FakeServer(fails, blocking=blocking) as server, Raw(server) as raw:
        server.fail(Broken(fails))
        statuses = [raw.send(GET).answer().status]
        server.fail(503, when=fails)
        statuses.append(raw.send(GET).answer().status)
        notes = [attempt.note for attempt in server.trace]

    assert statuses == [500, 500]
    assert [repr(type(error)) for error in server.errors] == [repr(Unspeakable)] * 4
    assert all(note.endswith("<Unspeakable without a repr: AttributeError>") for note in notes)


@pytest.mark.parametrize("step", [b"HTTP/1.1 200 OK\r\n\r\n", 503])
def test_fault_whose_step_is_none(step: Any) -> None:
    """What is no step is refused before anything is sent, and told."""
    with FakeServer(serving([b"x"]), blocking=False) as server:
        server.fail(Broken(lambda script: script.instead(step)))
        with Raw(server) as raw:
            assert raw.send(GET).answer().status == 500

    assert "is no step of an answer: Send, Pause, Close, ..." in server.trace[0].note


@pytest.mark.parametrize("value", ["text", None])
def test_fault_whose_step_cannot_be_made(value: Any) -> None:
    """The connection is reset, so that nobody waits for it."""
    from pytest_resilience.faults._script import Send

    with FakeServer(serving([b"x"]), blocking=False) as server:
        server.fail(Broken(lambda script: script.instead(Send(value))))
        seen = talk(server)

    assert seen.end is End.RST
    assert server.trace[0].outcome is Outcome.CUT
    assert "the answer could not be made: " in server.trace[0].note


class Nameless:
    """A user's own fault whose label works only when it is planned."""

    def __init__(self) -> None:
        self._asked = 0

    @property
    def label(self) -> str:
        self._asked += 1
        if self._asked > 1:
            raise KeyError("label")
        return "nameless"

    def apply(self, script: Any, context: Any) -> Any:
        """As it is."""
        return script


def test_what_nobody_has_foreseen_is_no_silence() -> None:
    """The connection is reset, the attempt ends, and the engine tells of the error."""
    with FakeServer(serving([b"x"]), blocking=False) as server:
        server.fail(Nameless())
        seen = talk(server)

    assert seen.end is End.RST
    assert server.trace[0].outcome is Outcome.CUT
    assert "KeyError('label')" in server.trace[0].note
    assert [repr(error) for error in engine.take_errors()] == ["KeyError('label')"]


@pytest.mark.parametrize(
    ("where", "outcomes"),
    [("_incoming.Incoming.feed", []), ("_answering.misannounced", [Outcome.CUT])],
)
def test_nor_is_it_elsewhere(
    monkeypatch: pytest.MonkeyPatch, where: str, outcomes: list[Outcome]
) -> None:
    """The same before there is an attempt, and when the answer has come from another thread."""

    def fails(*_: Any) -> str:
        raise KeyError("unforeseen")

    monkeypatch.setattr(f"pytest_resilience.server.{where}", fails)
    with FakeServer(serving([b"x"])) as server:
        seen = talk(server)

    assert seen.end is End.RST
    assert [attempt.outcome for attempt in server.trace] == outcomes
    assert [repr(error) for error in engine.take_errors()] == ["KeyError('unforeseen')"]


def test_service_whose_error_cannot_be_sent() -> None:
    """An error answer that no wire can carry becomes a plain 500."""

    class Odd(FakeServer):
        def error_answer(self, status: int, attempt: Attempt) -> Any:
            from pytest_resilience.answers import Answer

            return Answer(status, (("X", "\u20ac"),), (b"",))

    with Odd(serving([b"x"]), blocking=False) as server:
        seen = talk(server, b"nonsense\r\n\r\n")

    assert (seen.status, seen.end) == (500, End.FIN)


# --- applications that block --------------------------------------------------------


def test_application_that_blocks_for_ever() -> None:
    """A server stops at once although its application never comes back."""
    gate = Gate()

    def app(environ: Any, start: Start) -> Any:
        gate.wait()
        start("200 OK", [])
        return [b"x"]

    with FakeServer(app) as server:
        hanging = [Raw(server).send(GET) for _ in range(20)]
        hanging[-1].silence()
        began = time.perf_counter()
        server.stop()
        took = time.perf_counter() - began
    ends = [raw.rest() for raw in hanging]
    gate.open(20)
    for raw in hanging:
        raw.sock.close()

    assert took < 1
    assert ends == [Seen(b"", End.FIN)] * 20
    assert {attempt.outcome for attempt in server.trace} == {Outcome.CUT}
    _no_threads("pytest-resilience")


def test_blocking_applications_run_at_once() -> None:
    """Many requests that all wait for each other are served side by side."""
    together = threading.Barrier(50)

    def app(environ: Any, start: Start) -> Any:
        together.wait(20)
        start("200 OK", [])
        return [b"x"]

    with FakeServer(app) as server:
        clients = [Raw(server).send(GET) for _ in range(50)]
        statuses = {raw.answer().status for raw in clients}
        for raw in clients:
            raw.sock.close()

    assert statuses == {200}


def test_threads_are_reused() -> None:
    """Requests one after the other need one worker."""
    names = set()

    def app(environ: Any, start: Start) -> Any:
        names.add(threading.current_thread().name)
        start("200 OK", [])
        return [b"x"]

    with FakeServer(app) as server, Raw(server) as raw:
        for _ in range(50):
            raw.send(GET).answer()

    assert len(names) == 1
    _no_threads("pytest-resilience")


def test_nothing_holds_up_the_end_of_the_interpreter() -> None:
    """A program ends although its server runs, its application blocks and clients hang."""
    program = """
import socket, threading, time
from pytest_resilience import FakeServer, faults
server = FakeServer(lambda environ, start: threading.Event().wait()).start()
server.fail(faults.timeout(), after=1)
socks = [socket.create_connection((server.host, server.port)) for _ in range(5)]
for sock in socks:
    sock.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
while len(server.trace) < 5:
    time.sleep(0.001)
print("done")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=60, check=True
    )

    assert done.stdout == b"done\n"
    assert done.stderr == b""


@BOTH
@pytest.mark.parametrize("announced", ["50", "3", "-5", "eight"])
def test_a_length_that_is_wrong_ends_the_connection(announced: str, *, blocking: bool) -> None:
    """Nobody could find the next answer behind that body; the trace says what was wrong."""

    def app(_: Any, start: Start) -> list[bytes]:
        start("200 OK", [("Content-Length", announced)])
        return [b"12345678"]

    with FakeServer(app, blocking=blocking) as server:
        seen = talk(server)
        with Raw(server) as raw:
            head = raw.send(HEAD).silence()
        notes = [attempt.note for attempt in server.trace]

    assert (seen.body, seen.end) == (b"12345678", End.FIN)
    assert head.end is End.OPEN
    wrong = f"the application announced {announced!r} bytes and gave 8: the connection ends here"
    assert notes == [wrong, ""]


def _no_threads(prefix: str) -> None:
    patience = time.monotonic() + 20
    while left := [t for t in threading.enumerate() if t.name.startswith(prefix)]:
        assert time.monotonic() < patience, left
        time.sleep(0.001)
