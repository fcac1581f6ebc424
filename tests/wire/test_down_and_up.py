"""Servers that go down and come up again on the same port."""

from __future__ import annotations

import errno
import socket

import pytest

from pytest_resilience import (
    FakeServer,
    Outcome,
    ServerError,
    faults,
)
from pytest_resilience.server.listener import Listener
from tests.wire.apps import ManualClock, app_of
from tests.wire.raw import GET, End, Raw, Seen, ask

pytestmark = pytest.mark.usefixtures("gives_back")


def test_down_and_up() -> None:
    """Down resets what is open and refuses what comes; up answers on the same port."""
    with FakeServer(app_of(), blocking=False) as server, Raw(server) as idle, Raw(server) as hangs:
        port = server.port
        idle.send(GET).answer()
        server.fail(faults.timeout())
        hangs.send(GET).silence()
        with server.outage():
            ends = [idle.rest(), hangs.rest()]
            for _ in range(3):
                with pytest.raises(ConnectionRefusedError):
                    Raw(server)
        answer = ask(server)

        assert server.port == port
    assert ends == [Seen(b"", End.RST)] * 2
    assert answer.status == 200
    assert server.trace[1].outcome is Outcome.CUT


def test_down_twice_and_up_twice() -> None:
    """Down twice is down, up twice is up."""
    with FakeServer(app_of(), blocking=False) as server:
        server.down()
        server.down()
        with pytest.raises(ConnectionRefusedError):
            Raw(server)
        server.up()
        server.up()

        assert ask(server).status == 200


def test_down_for_seconds() -> None:
    """down(seconds) ends by itself; a later down() outlives it."""
    clock = ManualClock()
    with FakeServer(app_of(), blocking=False, clock=clock) as server:
        server.down(5)
        clock.advance(5)
        answer = ask(server)
        server.down(5)
        server.down()
        clock.advance(5)
        with pytest.raises(ConnectionRefusedError):
            Raw(server)
        server.stop()
        clock.advance(5)

    assert answer.status == 200


def test_stop_while_down() -> None:
    """A server that is down stops like any other, and gives its port back."""
    with FakeServer(app_of()) as server:
        server.down()
        port = server.port
    with FakeServer(app_of(), port=port) as again:
        assert ask(again).status == 200


@pytest.mark.parametrize("reuse", [(), ("SO_REUSEADDR",), ("SO_REUSEADDR", "SO_REUSEPORT")])
def test_nobody_takes_the_port_of_a_server_that_is_down(reuse: tuple[str, ...]) -> None:
    """The port is held while the server is down, whatever options another socket has."""
    with FakeServer(app_of()) as server, server.outage():
        with socket.socket() as other:
            for option in reuse:
                other.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
            with pytest.raises(OSError, match="in use") as caught:
                other.bind((server.host, server.port))
        assert caught.value.errno == errno.EADDRINUSE
        with pytest.raises(ServerError, match="is busy"):
            FakeServer(app_of(), port=server.port).start()


def test_a_port_that_is_lost_on_the_way_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes the port in the moment in which it is nobody's keeps it, and up says so."""
    with FakeServer(app_of(), blocking=False) as server, socket.socket() as other:

        def late(listener: Listener, port: int) -> None:
            other.bind(listener.address)
            claim(listener, port)

        claim = Listener._claim
        monkeypatch.setattr(Listener, "_claim", late)
        server.down()
        monkeypatch.undo()
        with pytest.raises(ServerError, match=f"port {server.port} of 127.0.0.1 is busy"):
            server.up()
        with pytest.raises(ConnectionRefusedError):
            Raw(server)
        other.close()
        server.up()

        assert ask(server).status == 200


def test_a_port_asked_for_by_number_goes_down_and_up() -> None:
    """So does one that the user has chosen."""
    with FakeServer() as before:
        port = before.port
    with FakeServer(port=port) as server:
        for _ in range(3):
            with server.outage(), pytest.raises(ConnectionRefusedError):
                Raw(server)

            assert ask(server).status == 200
            assert server.port == port


def test_hundreds_of_outages() -> None:
    """Up and down hundreds of times, with clients on it: always refused, always answered."""
    with FakeServer(app_of(), blocking=False) as server:
        for _ in range(300):
            with Raw(server) as raw:
                assert raw.send(GET).answer().status == 200
                server.down()
                with pytest.raises(ConnectionRefusedError):
                    Raw(server)
                assert raw.rest() == Seen(b"", End.RST)
                server.up()


def test_no_client_is_connected_to_itself() -> None:
    """A client that tries a closed port of loopback often enough never gets through to itself."""
    with FakeServer(app_of(), blocking=False) as server, server.outage():
        for _ in range(2000):
            with socket.socket() as sock:
                assert sock.connect_ex((server.host, server.port)) == errno.ECONNREFUSED
