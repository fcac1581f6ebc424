"""Calls a WSGI application and makes an `Answer` of what it says (PEP 3333)."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote_to_bytes

from pytest_resilience.answers import Answer
from pytest_resilience.faults._check import TOKEN

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

UNMATCHED = "pytest_resilience.unmatched"
"""A fake puts the nearest routes here when no route matched the request."""

UNPREFIXED = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})


class Abandoned(Exception):
    """The client has gone, or wants no body: there is nobody to make the rest for."""


class Fields(Protocol):
    """The fields of a request; made part of an environment when an application wants one."""

    @property
    def header_env(self) -> Mapping[str, str]:
        """As `header_env` makes it."""


class Request:
    """What a WSGI environment is made of."""

    __slots__ = (
        "body",
        "client",
        "head",
        "http_version",
        "method",
        "scheme",
        "server",
        "target",
    )

    def __init__(  # noqa: PLR0917 -- the parts of a request line and its connection
        self,
        method: str,
        target: str,
        head: Fields,
        http_version: str,
        server: tuple[str, int],
        client: tuple[str, int],
        scheme: str = "http",
    ) -> None:
        self.method = method
        self.target = target
        self.head = head
        self.http_version = http_version
        self.server = server
        self.client = client
        self.scheme = scheme
        self.body = b""


def environ(request: Request, *, blocking: bool) -> WSGIEnvironment:
    """The environment that an application is called with."""
    path, _, query = request.target.partition("?")
    if not path.startswith("/"):
        # Absolute form (RFC 9112 section 3.2.2); "*" and CONNECT's authority are no paths.
        path = "/" + path.partition("//")[2].partition("/")[2] if "//" in path else ""
    env: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1") if "%" in path else path,
        "QUERY_STRING": query,
        "REQUEST_URI": request.target,
        "RAW_URI": request.target,
        "SERVER_NAME": request.server[0],
        "SERVER_PORT": str(request.server[1]),
        "SERVER_PROTOCOL": f"HTTP/{request.http_version}",
        "REMOTE_ADDR": request.client[0],
        "REMOTE_PORT": str(request.client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": blocking,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **request.head.header_env,
    }
    if "HTTP_TRANSFER_ENCODING" in env:
        # The body is here in full, so its length is known after all.
        env["CONTENT_LENGTH"] = str(len(request.body))
        del env["HTTP_TRANSFER_ENCODING"]
    return env


def header_env(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The part of an environment that header fields, as sent, make."""
    env: dict[str, str] = {}
    for raw_name, raw_value in fields:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if "_" in name:
            continue  # HTTP_A_B could be either; servers drop it, and so do we.
        key = name.upper().replace("-", "_")
        if key not in UNPREFIXED:
            key = "HTTP_" + key
        if key in env:
            value = f"{env[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"
        env[key] = value
    return env


class Reply:
    """The status and fields an application has named, and its body still to be read."""

    def __init__(self, app: WSGIApplication, env: WSGIEnvironment) -> None:
        self._status: str | None = None
        self._headers: list[tuple[str, str]] = []
        self._written: list[bytes] = []
        self.sent = False
        """Whether the status is on its way to the client already."""
        self.body: Iterable[bytes] = app(env, self._start)

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:  # noqa: ANN401 -- as PEP 3333 has it
        if exc_info is not None:
            if self.sent:
                raise exc_info[1].with_traceback(exc_info[2])
        elif self._status is not None:
            raise AssertionError("start_response was called twice without exc_info (PEP 3333)")
        self._status, self._headers = status, list(headers)  # An iterator is read only once.
        return self._written.append

    @property
    def named(self) -> bool:
        """Whether the application has called `start_response`."""
        return self._status is not None

    @property
    def lazy(self) -> bool:
        """Whether the body is made while it is sent, so that its length is not known."""
        if isinstance(self.body, list | tuple):
            return False
        try:
            return not any(name.lower() == "content-length" for name, _ in self._headers)
        except (AttributeError, TypeError, ValueError):
            return False  # `answer` says what is wrong with them.

    def pieces(self) -> Generator[bytes, None, None]:
        """The body, piece by piece; closes the application's iterable afterwards."""
        try:
            piece: Any
            for piece in self.body:
                if self._written:
                    yield from self._take_written()
                if not isinstance(piece, bytes):
                    kind = type(piece).__name__
                    raise TypeError(f"a body is made of bytes, and this was {kind} (PEP 3333)")
                yield piece
            yield from self._take_written()
        finally:
            close = getattr(self.body, "close", None)
            if close is not None:
                close()

    def _take_written(self) -> list[bytes]:
        taken = [*self._written]
        self._written.clear()  # Its `append` is the application's write().
        return taken

    def answer(self, body: tuple[bytes, ...]) -> Answer:
        """The answer with this body; to be called once the first piece has been asked for."""
        if self._status is None:
            raise AssertionError("the application never called start_response (PEP 3333)")
        code, _, reason = self._status.partition(" ")
        if len(code) != 3 or not code.isdecimal() or code < "200":
            wanted = 'a final one such as "200 OK" (PEP 3333)'
            raise ValueError(f"the application's status is {self._status!r}, wanted {wanted}")
        field: Any
        for field in self._headers:
            if not isinstance(field, tuple | list) or len(field) != 2:
                wanted = "pairs of a name and a value (PEP 3333)"
                raise TypeError(f"{field!r} is among the application's headers, wanted {wanted}")
        names = [name for name, _ in self._headers]
        _check_names(names)
        _check_fields([self._status, *(part for field in self._headers for part in field)])
        answer = Answer(int(code), tuple(self._headers), body, reason)
        return _framed_by_us(answer, [name.lower() for name in names])

    def whole(self, wanted: Callable[[], bool] = lambda: True) -> Answer:
        """The answer with all of its body.

        Raises:
            Abandoned: It is wanted no longer; some bodies have no end.
        """
        body = self.body
        if type(body) is list and len(body) == 1 and type(body[0]) is bytes and not self._written:
            return self.answer((body[0],))  # As nearly all are, in a third of the time.
        with closing(self.pieces()) as pieces:
            return self.answer(tuple(_while(wanted, pieces)))


def _while(wanted: Callable[[], bool], pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if not wanted():
            raise Abandoned
        yield piece


def _framed_by_us(answer: Answer, names: list[str]) -> Answer:
    """The answer without fields that contradict how it will be framed.

    Who passes on what another server has said says how that one has coded its body, which it no
    longer is by the time an application has it. gunicorn drops the field as well.
    """
    if names.count("content-length") > 1:
        said = {value for name, value in answer.headers if name.lower() == "content-length"}
        if len(said) > 1:
            raise ValueError(f"the application announced several lengths: {sorted(said)}")
    return answer.without("Transfer-Encoding") if "transfer-encoding" in names else answer


def _check_names(names: list[str]) -> None:
    if not all(names) or (names and not TOKEN.fullmatch("".join(names))):
        wanted = "names of header fields (RFC 9110 section 5.1)"
        raise ValueError(f"{names!r} are the application's, wanted {wanted}")


def _check_fields(texts: list[str]) -> None:
    """Refuse what would break out of its line, or cannot be sent at all."""
    text = "".join(texts)
    if "\r" in text or "\n" in text or "\0" in text:
        raise ValueError(f"a line break or NUL in a header of the application's: {texts!r}")
    text.encode("latin-1")


def call(app: WSGIApplication, env: WSGIEnvironment) -> Answer:
    """Call the application and read its body to the end."""
    return Reply(app, env).whole()
