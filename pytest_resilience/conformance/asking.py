"""Requests to a fake, and what it answered."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple

from pytest_resilience.errors import PlanError
from pytest_resilience.recording import bodies
from pytest_resilience.recording.bodies import Body
from pytest_resilience.server.samples import requests_of
from pytest_resilience.server.server import FakeServer

__all__ = ["Ask", "NoAnswer", "Said", "Talk", "ask", "asks_for", "asks_of"]

PATIENCE = 10.0
"""Real seconds after which a request has no answer."""
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class NoAnswer(Exception):
    """A request came to nothing.

    Args:
        asked: The request.
        why: What came in place of an answer.
    """

    def __init__(self, asked: Ask, why: Exception) -> None:
        super().__init__(f"{type(why).__name__}: {why}")
        self.asked = asked
        self.hangs = isinstance(why, TimeoutError)


class Ask(NamedTuple):
    """A request; ``{NAME}`` in it stands for a variable of the fake's environment."""

    method: str
    target: str
    data: Any = None
    headers: Mapping[str, str] = {}
    given: bool = True
    """Whether the user has written it."""

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """By names in lower case."""
    body: Body = field(default_factory=lambda: Body("nothing"))


class Talk:
    """One connection to a fake."""

    def __init__(self, server: FakeServer) -> None:
        self._environment = server.environment
        self._connection = http.client.HTTPConnection(server.host, server.port, timeout=PATIENCE)
        self._reader = _Reader()
        self._connection.response_class = self._reader.response  # type: ignore[assignment]  # called like it

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
        self._reader.close()

    def ask(self, asked: Ask) -> Said:
        """Send it, and read the answer to its end.

        Raises:
            NoAnswer: There was none, or nothing that HTTP could be read from.
        """
        headers = {name: self._filled(value) for name, value in asked.headers.items()}
        body = None
        if asked.data is not None:
            body = self._filled(json.dumps(asked.data)).encode()
            headers = {"Content-Type": "application/json", **headers}
        try:
            self._connection.request(asked.method, self._filled(asked.target), body, headers)
            response = self._connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise NoAnswer(asked, error) from error
        fields = {name.lower(): value for name, value in response.getheaders()}
        return Said(response.status, fields, _read(data, fields.get("content-type", "")))

    def _filled(self, text: str) -> str:
        for name, value in self._environment.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text


def _read(data: bytes, kind: str) -> Body:
    """The body; what Python alone takes for JSON is text."""
    body = bodies.read(data, kind)
    try:
        json.dumps(body.data if body.kind == "JSON" else None, allow_nan=False)
    except ValueError:
        return Body("text", data.decode())
    return body


class _Reader:
    """Reads all answers of a connection through one buffer.

    http.client takes a new one for each answer, and with the old one it throws away the
    bytes behind a body that is longer than it says.
    """

    def __init__(self) -> None:
        self._sock: socket.socket | None = None
        self._file: IO[bytes] | None = None

    def response(self, sock: socket.socket, **options: Any) -> http.client.HTTPResponse:  # noqa: ANN401 -- http.client's
        """The next one."""
        if sock is not self._sock:
            self.close()
            self._sock, self._file = sock, sock.makefile("rb")
        return http.client.HTTPResponse(_Unclosed(self._file), **options)  # type: ignore[arg-type]  # all that it uses

    def close(self) -> None:
        """No more."""
        if self._file is not None:
            self._file.close()
        self._sock = self._file = None


class _Unclosed:
    """A socket, as far as http.client reads an answer from one."""

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file = file

    def makefile(self, _: str) -> _Unclosed:
        """The one buffer."""
        return self

    def close(self) -> None:
        """Not yet: the next answer may be in it."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- of a file
        return getattr(self._file, name)


def ask(server: FakeServer, asked: Ask) -> Said:
    """One request over a connection of its own."""
    talk = Talk(server)
    try:
        return talk.ask(asked)
    finally:
        talk.close()


def asks_of(server: FakeServer) -> list[Ask]:
    """One for each route, and one at least."""
    derived = requests_of(server) or [("GET", "/")]
    return [
        Ask(method, path, {} if method in WITH_BODY else None, given=False)
        for method, path in derived
    ]


def asks_for(requests: Iterable[str | Sequence[Any]]) -> list[Ask]:
    """Those that a user has written.

    Raises:
        PlanError: One is neither ``"GET /path"`` nor a tuple of method, path, data, headers.
    """
    found = []
    for one in requests:
        parts = one.split(" ", 1) if isinstance(one, str) else list(one)
        if not 2 <= len(parts) <= 4 or not str(parts[1]).startswith("/"):
            wanted = '"GET /path", or (method, path, data, headers)'
            raise PlanError(f"requests has {one!r}; wanted {wanted}")
        found.append(Ask(*parts))
    return found
