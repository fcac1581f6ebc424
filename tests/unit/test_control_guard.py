"""Who may drive a server: programs of this machine, and no web page. With raw requests."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_resilience import FakeServer
from pytest_resilience.server._guard import is_loopback, refusal
from pytest_resilience.server.control import Control


def app(_: Any, start: Any) -> list[bytes]:
    """Answers everything."""
    start("200 OK", [])
    return [b"hello"]


@pytest.fixture(scope="module")
def server() -> Iterator[FakeServer]:
    """One that can be driven."""
    with FakeServer(app) as server:
        server.control = Control(server)
        yield server


def ask(server: FakeServer, *fields: str, line: str = "GET /_resilience/ HTTP/1.1") -> bytes:
    """The answer to these very lines; ``PORT`` stands for the server's port."""
    text = "\r\n".join([line, *fields, "Connection: close", "", ""])
    with socket.create_connection((server.host, server.port), timeout=10) as sock:
        sock.sendall(text.replace("PORT", str(server.port)).encode())
        answer = b""
        while piece := sock.recv(65_536):
            answer += piece
    return answer


@pytest.mark.parametrize(
    "host", ["127.0.0.1:PORT", "localhost:PORT", "LocalHost:PORT", "[::1]:PORT", "127.9.9.9:PORT"]
)
def test_a_loopback_host_with_our_port_may(server: FakeServer, host: str) -> None:
    """Every name of this machine's loopback is ours."""
    assert ask(server, f"Host: {host}").startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:PORT",
        "127.0.0.1.evil.example:PORT",
        "localhost.evil.example:PORT",
        "evil.localhost:PORT",
        "127.0.0.1:1",
        "127.0.0.1",
        "localhost",
        "0.0.0.0:PORT",
        "192.168.0.1:PORT",
        "2130706433:PORT",
        "0x7f.1:PORT",
        "[::ffff:192.168.0.1]:PORT",
        "[::1:PORT",
        "user@127.0.0.1:PORT",
        "127.0.0.1:PORT/",
        "127.0.0.1:PORT:PORT",
        "127.0.0.1:+PORT",
        "",
    ],
)
def test_a_foreign_host_may_not(server: FakeServer, host: str) -> None:
    """After DNS rebinding a browser sends the page's own name as Host: it is not ours."""
    answer = ask(server, f"Host: {host}")

    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"is foreign; wanted 127.0.0.1:" in answer


def test_a_request_without_a_host_may_not(server: FakeServer) -> None:
    """HTTP/1.0 knows requests without a Host field; they could come from anywhere."""
    assert b" 403 Forbidden\r\n" in ask(server, line="GET /_resilience/ HTTP/1.0")


@pytest.mark.parametrize(
    "field",
    [
        "Origin: http://evil.example",
        "Origin: null",
        "Origin: https://127.0.0.1:PORT",
        "Origin: http://127.0.0.1:1",
        "Origin: http://localhost:PORT",
        "Origin: http://127.0.0.1:PORT.evil.example",
        "Origin: http://127.0.0.1:PORT, http://evil.example",
        "Origin: ",
        "Origin: file://",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
        "Sec-Fetch-Site: same-origin, cross-site",
        "Sec-Fetch-Site: ",
    ],
)
@pytest.mark.parametrize(
    "line",
    [
        "GET /_resilience/trace HTTP/1.1",
        "POST /_resilience/reset HTTP/1.1",
        "OPTIONS /_resilience/faults HTTP/1.1",
        "GET /_resilience/nothing HTTP/1.1",
    ],
)
def test_a_foreign_page_may_not(server: FakeServer, field: str, line: str) -> None:
    """What a browser says about the page behind a request is believed when it says: foreign."""
    answer = ask(server, "Host: 127.0.0.1:PORT", field, line=line)

    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"a web page may not drive this server" in answer


@pytest.mark.parametrize(
    "field",
    ["Origin: http://127.0.0.1:PORT", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: none"],
)
def test_a_page_of_our_own_and_a_typed_address_may(server: FakeServer, field: str) -> None:
    """A page served on this very port, and a person who types the address, are no strangers."""
    answer = ask(server, "Host: 127.0.0.1:PORT", field)

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


def test_two_origins_may_not(server: FakeServer) -> None:
    """A repeated field does not hide a foreign one."""
    ours = "Origin: http://127.0.0.1:PORT"
    answer = ask(server, "Host: 127.0.0.1:PORT", ours, "Origin: http://evil.example")

    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")


@pytest.mark.parametrize("line", ["GET /_resilience/ HTTP/1.1", "OPTIONS /_resilience/ HTTP/1.1"])
def test_no_answer_opens_a_door_for_scripts(server: FakeServer, line: str) -> None:
    """No CORS field is ever sent, and answers are of no use as a script or an image."""
    answer = ask(server, "Host: 127.0.0.1:PORT", line=line)

    assert b"access-control-" not in answer.lower()
    assert b"\r\nCross-Origin-Resource-Policy: same-origin\r\n" in answer
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in answer
    assert b"\r\nContent-Type: application/json\r\n" in answer


def test_a_target_in_absolute_form_is_no_control_request(server: FakeServer) -> None:
    """A name in the request line does not lead around the check of Host."""
    line = "GET http://evil.example/_resilience/ HTTP/1.1"

    assert ask(server, "Host: evil.example", line=line).endswith(b"hello")


def test_ipv6_loopback_may() -> None:
    """A server on ::1 is driven as one on 127.0.0.1."""
    with FakeServer(app, host="::1") as server:
        server.control = Control(server)

        assert ask(server, "Host: [::1]:PORT").startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("client", ["192.168.0.7", "10.0.0.1", "2001:db8::1", "", "fe80::1%eth0"])
def test_another_machine_may_not(client: str) -> None:
    """A server that listens on every address is driven from this machine only."""
    environ = {"REMOTE_ADDR": client, "HTTP_HOST": "127.0.0.1:80", "SERVER_PORT": "80"}

    assert refusal(environ) == f"the client's address {client!r} is not loopback"


def test_another_machine_is_refused_on_the_wire() -> None:
    """The same over a socket: a client at this machine's outer address is a stranger."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # Sends nothing: asks for the address to send from.
        except OSError:
            pytest.skip("this machine has no address but loopback")
        outer = probe.getsockname()[0]
    with FakeServer(app, host=outer) as server:
        server.control = Control(server)

        answer = ask(server, "Host: 127.0.0.1:PORT")

    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"is not loopback" in answer


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:10.0.0.1", False),
        ("0.0.0.0", False),
        ("::", False),
        ("localhost", False),
    ],
)
def test_loopback_addresses_are_known(address: str, ours: bool) -> None:  # noqa: FBT001
    """Numbers only: a name would have to be looked up."""
    assert is_loopback(address) is ours
