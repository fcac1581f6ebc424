"""The head of a request, and what is made of it."""

from __future__ import annotations

from pytest_resilience.server import wsgi

Field = tuple[bytes, bytes]


class Head:
    """Of one request, or of many: clients repeat themselves, so it is worth to keep one."""

    __slots__ = (
        "_env",
        "chunked",
        "fields",
        "length",
        "method",
        "size",
        "target",
        "text",
        "version",
    )

    def __init__(self, method: str, target: str, version: str, fields: list[Field]) -> None:
        self.method = method
        self.target = target
        self.version = version
        self.fields = fields
        """Names and values as sent."""
        self.text = b"\r\n".join([b"%b: %b" % field for field in fields])
        """The same, a line each."""
        self._env: dict[str, str] | None = None
        self.length, self.chunked = _framing(fields)
        """What it says of the body's length, and whether that comes in chunks."""
        # As nearly all send it: "GET / HTTP/1.1", a line a field, and an empty one.
        self.size = len(method) + len(target) + len(self.text) + 2 * bool(fields) + 14

    @property
    def header_env(self) -> dict[str, str]:
        """What it adds to the environment of an application."""
        env = self._env
        if env is None:
            env = self._env = wsgi.header_env(self.fields)
        return env

    def refusal(self, max_head: int, max_body: int) -> tuple[int, str] | None:
        """Status and reason when a request that can be read is not to be served."""
        if self.version > "1.1":
            return 505, f"HTTP/{self.version} is not spoken here"
        if self.size > max_head:  # h11 counts only what comes in pieces.
            return 431, f"the head is over the limit of {max_head} bytes"
        if self.length is None:
            return None
        if self.chunked:  # RFC 9112 section 6.3: to be handled as an error.
            return 400, "malformed request: both Content-Length and Transfer-Encoding"
        if self.length > max_body:
            return 413, f"a body of {self.length} bytes is over the limit of {max_body} bytes"
        return None


def _framing(fields: list[Field]) -> tuple[int | None, bool]:
    length, chunked = None, False
    for name, value in fields:
        low = name.lower()
        if low == b"content-length":
            length = int(value)
        elif low == b"transfer-encoding":
            chunked = True
    return length, chunked
