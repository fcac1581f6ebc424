"""Start and stop: what a server takes and gives back, and how fast."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from pytest_resilience import (
    Attempt,
    FakeServer,
    Outcome,
    PlanError,
    ServerError,
    faults,
    use_clock,
)
from tests.wire.apps import ManualClock, app_of
from tests.wire.leftovers import quiet
from tests.wire.raw import GET, End, Raw, Seen, ask, has_ipv6, talk

pytestmark = pytest.mark.usefixtures("gives_back")


def test_stop_ends_connections() -> None:
    """Connections that idle or hang when the server stops end with a FIN, and are recorded."""
    with FakeServer(app_of(), blocking=False) as server, Raw(server) as idle, Raw(server) as hangs:
        idle.send(GET).answer()
        server.fail(faults.timeout())
        hangs.send(GET).silence()
        server.stop()
        ends = [idle.rest(), hangs.rest()]

    assert ends == [Seen(b"", End.FIN)] * 2
    assert [a.outcome for a in server.trace] == [Outcome.ANSWERED, Outcome.CUT]


def test_start_and_stop_are_quick() -> None:
    """Start, first answer and stop, with a connection that hangs, take milliseconds."""
    took = []
    for _ in range(20):
        began = time.perf_counter()
        with FakeServer(app_of(), blocking=False) as server:
            ask(server)
            with Raw(server) as raw:
                server.fail(faults.timeout())
                raw.send(GET)
                server.stop()
        took.append(time.perf_counter() - began)

    assert min(took) < 0.01  # 2 + 5 ms wanted; the best of many, the machine may be busy


def test_stop_twice_and_start_again() -> None:
    """Stopping twice is stopping; a stopped server can start again and its trace goes on."""
    server = FakeServer(app_of(), blocking=False)
    server.stop()
    for _ in range(2):
        server.start()
        ask(server)
        server.stop()
        server.stop()

    assert [(a.number, a.connection) for a in server.trace] == [(1, 1), (2, 2)]
    assert not server.running
    assert repr(server) == "<FakeServer not running>"


def test_start_twice() -> None:
    """A server that runs refuses to start."""
    with FakeServer(app_of()) as server:
        assert repr(server) == f"<FakeServer at {server.url}>"
        with pytest.raises(ServerError, match=f"FakeServer runs already, at {server.url}"):
            server.start()


def test_not_started() -> None:
    """A server that was never started has no address, and cannot go down."""
    server = FakeServer(app_of())
    with pytest.raises(ServerError, match=r"FakeServer has no address yet: use it in a with"):
        _ = server.url
    with pytest.raises(ServerError, match=r"FakeServer is not running: start\(\) it first"):
        server.down()
    assert list(server.trace) == []


def test_stop_by_the_application() -> None:
    """An application may stop its own server, on the server's thread or on a worker's."""
    for blocking in (False, True):

        def app(environ: Any, start: Callable[..., Any]) -> list[bytes]:
            server.stop()  # noqa: B023 -- called before the next turn
            start("200 OK", [])
            return [b"x"]

        server = FakeServer(app, blocking=blocking).start()
        seen = talk(server)
        quiet()

        assert seen.end is End.FIN
        assert not server.running


def test_stop_by_a_predicate_while_another_server_runs() -> None:
    """The others go on when one server stops on the engine's own thread."""
    with FakeServer(app_of(), blocking=False) as other:
        server = FakeServer(app_of(), blocking=False).start()

        def when(attempt: Attempt) -> bool:
            server.stop()
            return True

        server.fail(503, when=when)
        talk(server)

        assert ask(other).status == 200


def test_application_that_answers_after_the_stop() -> None:
    """An answer that comes when the server has stopped harms nobody."""
    go = threading.Event()

    def app(environ: Any, start: Callable[..., Any]) -> list[bytes]:
        go.wait(20)
        start("200 OK", [])
        return [b"late"]

    with FakeServer(app) as server:
        raws = [Raw(server).send(GET) for _ in range(5)]
        _ = [raw.silence() for raw in raws[-1:]]
    go.set()
    for raw in raws:
        assert raw.rest() == Seen(b"", End.FIN)
        raw.sock.close()
    quiet()


@pytest.mark.parametrize("fault", [faults.reset_peer(), faults.empty_reply()])
def test_stop_by_an_observer(fault: Any) -> None:
    """An observer may stop the server at the very moment an attempt ends."""

    def observer(one: Attempt) -> None:
        if one.outcome is Outcome.CUT:
            server.stop()

    server = FakeServer(app_of(), blocking=False).start()
    server.fail(fault)
    server.journal.observer = observer
    seen = talk(server)
    quiet()

    assert seen.data == b""
    assert seen.end is not End.OPEN


def test_start_over() -> None:
    """Starting over empties trace and plan, and brings a server that is down up again."""
    with FakeServer(app_of(), blocking=False) as server:
        server.fail(503, times=5)
        ask(server)
        server.down()
        server.start_over()
        answer = ask(server)

        assert answer.status == 200
        assert [a.number for a in server.trace] == [1]
        assert server.plan.rules == ()


def test_attempt_that_began_before_starting_over() -> None:
    """What hung before is not in the new trace, not even when it ends."""
    with FakeServer(app_of(), blocking=False) as server:
        server.fail(faults.timeout())
        with Raw(server) as raw:
            raw.send(GET).silence()
            server.start_over()
        ask(server)

        assert [(a.number, a.outcome) for a in server.trace] == [(1, Outcome.ANSWERED)]


def test_renewed_is_told() -> None:
    """Whoever asked is told when a server has started, and when it has started over."""
    told = []
    server = FakeServer(app_of(), blocking=False)
    server.renewed = lambda: told.append(1)
    server.start_over()
    with server:
        server.start_over()

    assert len(told) == 3
    assert server.environment == {}
    assert server.state() == {}
    server.set_state({})
    with pytest.raises(ServerError, match="FakeServer keeps no state that could be set"):
        server.set_state({"a": 1})


def test_ipv6() -> None:
    """A server on ::1 has an address with brackets, and answers there."""
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with FakeServer(app_of(), host="::1", blocking=False) as server:
        url, seen = server.url, ask(server)
        server.down()
        server.up()
        again = ask(server)
        server.fail(faults.reset_peer())
        reset = talk(server)

    assert url == f"http://[::1]:{server.port}"
    assert seen.status == again.status == 200
    assert reset.end is End.RST


@pytest.mark.parametrize(("host", "known_as"), [("0.0.0.0", "127.0.0.1"), ("::", "[::1]")])
def test_every_address(host: str, known_as: str) -> None:
    """A server on every address is named by the one that all clients of this machine can use."""
    if ":" in host and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with FakeServer(app_of(), host=host, blocking=False) as server:
        assert server.host == host
        assert server.url == f"http://{known_as}:{server.port}"


def test_busy_port() -> None:
    """A busy port is an error that says so and what to do, and leaves nothing behind."""
    with FakeServer(app_of()) as server:
        with pytest.raises(ServerError) as caught:
            FakeServer(app_of(), port=server.port).start()

        assert str(caught.value) == (
            f"port {server.port} of 127.0.0.1 is busy: another program listens there; "
            "choose another port, or 0 for a free one"
        )


def test_a_trace_goes_on_when_the_server_starts_again() -> None:
    """Its times count on; with an empty trace they begin anew."""
    clock = ManualClock()
    server = FakeServer(clock=clock)
    for _ in range(2):
        with server:
            clock.advance(2)
            assert ask(server).status == 200
            clock.advance(1)
    times = [attempt.at for attempt in server.trace]
    with server:
        server.new_trace()
        clock.advance(4)
    with server:
        clock.advance(5)
        assert ask(server).status == 200

    assert times == [2, 5]
    assert [attempt.at for attempt in server.trace] == [5]


def test_address_of_another_machine() -> None:
    """An address that is not this machine's is an error that names it."""
    with pytest.raises(ServerError, match=r"cannot listen on 192\.0\.2\.1 port 0: "):
        FakeServer(app_of(), host="192.0.2.1").start()


@pytest.mark.parametrize("host", ["", " ", "127.0.0.1\0", None, b"127.0.0.1"])
def test_no_address(host: Any) -> None:
    """Nothing would mean every address of this machine, so it is refused where it is written."""
    with pytest.raises(PlanError, match=r"^host=.* is not allowed: wanted an address of this mach"):
        FakeServer(app_of(), host=host)


def test_chosen_port() -> None:
    """A port of one's own choice can be had again and again, whatever hangs on it."""
    with FakeServer(app_of()) as server:
        port = server.port
        talk(server, b"GET / HTTP/1.0\r\n\r\n")
    for _ in range(5):
        with FakeServer(app_of(), port=port) as server:
            assert server.port == port
            assert talk(server, b"GET / HTTP/1.0\r\n\r\n").status == 200


def test_a_clock_that_comes_into_force() -> None:
    """A server without a clock of its own goes by the one in force, from its beginning on."""
    clock = ManualClock()
    with FakeServer(app_of(), blocking=False) as server:
        with use_clock(clock):
            ask(server)
            clock.advance(3)
            ask(server)
            times = [attempt.at for attempt in server.trace]
        ask(server)

    assert times == [0.0, 3.0]


def test_an_observer_hears_of_each_attempt() -> None:
    """A journal's observer is told of each attempt, and of each change."""
    told: list[Attempt] = []
    with FakeServer(app_of(), blocking=False) as server:
        server.journal.observer = told.append
        ask(server)
        _ = server.trace

    assert [one.outcome for one in told] == [Outcome.PENDING, Outcome.ANSWERED]


def test_errors_without_end() -> None:
    """A server that runs for days keeps the first hundred errors of its application."""

    def fails(environ: Any, start: Any) -> Any:
        raise LookupError(environ["QUERY_STRING"])

    with FakeServer(fails, blocking=False) as server, Raw(server) as raw:
        for number in range(120):
            raw.send(b"GET /?%d HTTP/1.1\r\nHost: x\r\n\r\n" % number)
            assert raw.answer().status == 500

    assert len(server.errors) == 100
    assert repr(server.errors[0]) == "LookupError('0')"


def test_control_application_that_fails() -> None:
    """A control application that raises is a 500, and unseen by the trace."""

    def control(environ: Any, start: Callable[..., Any]) -> list[bytes]:
        raise KeyError("control")

    with FakeServer(app_of(), blocking=False) as server:
        server.control = control
        seen = ask(server, b"GET /_resilience/x HTTP/1.1\r\nHost: x\r\n\r\n")

        assert (seen.status, seen.body) == (500, b"KeyError('control')")
        assert len(server.trace) == 0
