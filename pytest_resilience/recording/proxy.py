"""A proxy in front of the real server that writes down every exchange."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_resilience.errors import PlanError, ResilienceError
from pytest_resilience.recording import bodies, tape
from pytest_resilience.recording.masking import Masker
from pytest_resilience.recording.tape import Exchange, Message
from pytest_resilience.secrets.names import tells
from pytest_resilience.secrets.value import SHORTEST
from pytest_resilience.server.server import FakeServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["RecordingProxy"]

PATIENCE = 60.0
"""Real seconds that the real server is given for an answer."""
OF_A_CONNECTION = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Fields that end at the next server (RFC 9110 section 7.6.1)."""
OF_A_REQUEST = frozenset({"host", "content-length", "accept-encoding", "expect"})
"""Made anew for the real server. A compressed answer could not be searched for secrets."""
ADDRESSES = ("location", "content-location")

Headers = list[tuple[str, str]]


class RecordingProxy(FakeServer):
    """Passes requests on to a real server, and writes each exchange to a file.

    ::

        with RecordingProxy("https://vault.example.com", "vault.jsonl") as proxy:
            client = hvac.Client(proxy.url, token=os.environ["VAULT_TOKEN"])

    The file has no secret in it: each is replaced by a name, the same one each time. What is
    taken for a secret is what a name tells (``token``, ``Authorization``, ...), what looks as
    if chance had made it, and the values of `known`. The file is written line by line, so
    what was recorded is there whatever happens, and is readable to its owner only.

    Answers are passed on when they are complete: a stream comes in one piece.

    Args:
        to: The real server: scheme, host, port, and a path if it has one.
        out: The file; it must not exist.
        known: Names and values of variables that the client is given. A fake that has a
            variable of the same name in its `environment` gets its own value in a replay.
            Those of this process whose names tell (``VAULT_TOKEN``) when it is None.
        options: As `FakeServer` takes them.

    Raises:
        ResilienceError: `to` is no address of an HTTP server, or `out` cannot be written.
    """

    def __init__(
        self,
        to: str,
        out: str | Path,
        *,
        known: Mapping[str, str] | None = None,
        **options: Any,  # noqa: ANN401 -- FakeServer's own
    ) -> None:
        super().__init__(self._forward, blocking=True, **options)
        self._upstream = _Upstream(to)
        if known is None:
            known = {name: value for name, value in os.environ.items() if tells(name)}
        self._lock = threading.Lock()  # guards the three below
        self._masker = Masker(self._upstream.url, known)
        for name, value in known.items():
            if len(value) >= SHORTEST:
                self.secret(value, label=name)
        self._file = _created(out)
        self._count = 0
        self._file.write(tape.head_line(self._upstream.url))
        self._file.flush()

    @property
    def recorded(self) -> int:
        """How many exchanges are in the file."""
        return self._count

    def stop(self) -> None:
        """Stop, and close the file: what comes later is not recorded."""
        super().stop()
        with self._lock:
            self._file.close()

    def _forward(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, target = environ["REQUEST_METHOD"], environ["REQUEST_URI"]
        headers = _request_headers(environ)
        body = environ["wsgi.input"].read()
        try:
            status, reason, fields, said = self._upstream.ask(method, target, headers, body)
        except (OSError, http.client.HTTPException) as error:
            return _unreachable(self._upstream.url, error, start_response)
        request = Message(tuple(headers), bodies.read(body), method, target)
        kind = dict(fields).get("Content-Type", "")
        answer = Message(tuple(fields), bodies.read(said, kind), status=status)
        with self._lock:
            if not self._file.closed:
                self._write(request, answer)
        start_response(f"{status} {reason}", [*map(self._towards_us, fields)])
        return [said]

    def _write(self, request: Message, answer: Message) -> None:
        masker = self._masker
        masker.learn_request(request.target, request.headers, request.body)
        masker.learn_answer(answer.headers, answer.body)
        self._count += 1
        exchange = Exchange(
            self._count,
            Message(
                masker.headers(request.headers),
                masker.body(request.body),
                request.method,
                masker.target(request.target),
            ),
            Message(masker.headers(answer.headers), masker.body(answer.body), status=answer.status),
            masker.brought,
        )
        self._file.write(tape.line(exchange))
        self._file.flush()

    def _towards_us(self, field: tuple[str, str]) -> tuple[str, str]:
        """A redirect to the real server leads back to us, or the rest would not be seen."""
        name, value = field
        if name.lower() in ADDRESSES and value.startswith(self._upstream.url):
            return name, self.url + value.removeprefix(self._upstream.url)
        return field


class _Upstream:
    """The real server; a connection of its own for each request."""

    def __init__(self, to: str) -> None:
        parts = urlsplit(to)
        try:
            port = parts.port
        except ValueError as error:
            raise PlanError(f"{to!r} is no address of a server: {error}") from error
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
            raise PlanError(f"{to!r} is no address of a server: wanted http://HOST[:PORT][/PATH]")
        if "@" in parts.netloc:  # And the text is not shown: it has a password.
            raise PlanError("to: an address with a user is not allowed: the client says who it is")
        self._host, self._port = parts.hostname, port
        self._tls = parts.scheme == "https"
        self._path = parts.path.rstrip("/")
        self.url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{self._path}"

    def ask(
        self, method: str, target: str, headers: Headers, body: bytes
    ) -> tuple[int, str, Headers, bytes]:
        """One request; status, reason, header fields and body of its answer."""
        connection = self._connection()
        try:
            connection.putrequest(method, self._path + target, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if body or method in {"POST", "PUT", "PATCH"}:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            response = connection.getresponse()
            said = response.read()
            fields = [
                (name, value)
                for name, value in response.getheaders()
                if name.lower() not in OF_A_CONNECTION
            ]
            return response.status, response.reason, fields, said
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=PATIENCE, context=context
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=PATIENCE)


def _request_headers(environ: WSGIEnvironment) -> Headers:
    found = [("Content-Type", environ["CONTENT_TYPE"])] if "CONTENT_TYPE" in environ else []
    for key, value in environ.items():
        name = key.removeprefix("HTTP_").replace("_", "-").title()
        if key.startswith("HTTP_") and name.lower() not in OF_A_CONNECTION | OF_A_REQUEST:
            found.append((name, value))
    return found


def _created(out: str | Path) -> IO[str]:
    try:
        handle = os.open(out, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise ResilienceError(f"cannot write the recording {out}: {error.strerror}") from error
    return os.fdopen(handle, "w", encoding="utf-8")


def _unreachable(url: str, error: Exception, start_response: StartResponse) -> Iterable[bytes]:
    text = f"the real server at {url} did not answer: {type(error).__name__}: {error}"
    start_response("502 Bad Gateway", [("Content-Type", "application/json")])
    return [json.dumps({"error": text}).encode()]
