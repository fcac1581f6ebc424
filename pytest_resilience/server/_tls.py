"""TLS on the server's side: a socket like any other to whoever reads and writes it.

The record layer works in memory, beside the one socket there is: what goes wrong on the wire
goes wrong under it, so a reset is a reset of the TCP connection, and a FIN that a fault sends
comes after the records it let through.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_resilience.errors import ResilienceError
from pytest_resilience.server import wire

if TYPE_CHECKING:
    import trustme

RECORD = 16_384
"""The most that one TLS record carries (RFC 8446 section 5.1)."""
NAMES = ("localhost", "127.0.0.1", "::1")


class TlsSocket:
    """The server's end of one TLS connection, over a connected socket that does not block.

    Args:
        sock: It is ours from now on.
        context: What the server shows and accepts.
        on_sent: Called after bytes went out that nobody asked for: those of a handshake.
    """

    def __init__(
        self, sock: socket.socket, context: ssl.SSLContext, on_sent: Callable[[], object]
    ) -> None:
        self._sock = self.plain = sock
        self._on_sent = on_sent
        self._come, self._go = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._come, self._go, server_side=True)
        self._unsent = b""
        self.shaking_hands = False
        """A handshake has begun and not ended."""
        self._held = 0  # Bytes to be sent that are in `_unsent` already, as a record.
        # What every socket has, and a connection asks for.
        self.fileno = sock.fileno
        self.shutdown = sock.shutdown
        self.close = sock.close
        self.setsockopt = sock.setsockopt
        self.getsockopt = sock.getsockopt

    def recv(self, size: int) -> bytes:
        """What has come; ``b""`` when the client says no more.

        Raises:
            BlockingIOError: Nothing has come, or nothing but TLS's own.
            Unreadable: It is no TLS, or not as it must be.
        """
        data = self._sock.recv(size)
        if data:
            self._come.write(data)
        else:
            self._come.write_eof()
        try:
            come = self._readable()
        except ssl.SSLWantReadError:
            raise BlockingIOError from None
        except ssl.SSLEOFError:
            return b""
        except ssl.SSLError as error:
            raise wire.Unreadable(f"TLS: {_reason(error)}") from error
        finally:
            if data:
                self.shaking_hands = self._tls.version() is None
            self._say_what_tls_has_to()
        return come

    def _readable(self) -> bytes:
        """All that can be read: what stayed in here would be seen by no poll."""
        pieces = [self._tls.read(RECORD)]
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLEOFError):
            while pieces[-1]:  # After the client's close_notify it reads as empty, for ever.
                pieces.append(self._tls.read(RECORD))
        return b"".join(pieces)

    def _say_what_tls_has_to(self) -> None:
        if self._go.pending:
            with contextlib.suppress(OSError):  # Gone, which the next read will tell.
                self._flush()
            self._on_sent()

    def send(self, data: bytes | memoryview) -> int:
        """Send of these bytes as many as the kernel takes, which may be none.

        After fewer than all, the next call begins with those that were not taken: the first
        of them may have been made a record of already, a part of which is out.

        Raises:
            OSError: The connection is gone, and nothing was taken: else the next call says so.
        """
        sent = 0
        try:
            self._flush()
            while (sent := sent + self._taken()) < len(data):
                self._held = self._tls.write(data[sent : sent + RECORD])
                self._flush()
        except BlockingIOError:
            pass
        except OSError:
            if not sent:
                raise
        return sent

    def _taken(self) -> int:
        """Bytes of the record that has just gone out in full."""
        held, self._held = self._held, 0
        return held

    def _flush(self) -> None:
        self._unsent += self._go.read()
        while self._unsent:
            self._unsent = self._unsent[self._sock.send(self._unsent) :]

    def goodbye(self) -> bool:
        """Say in TLS that no more will come. False when there was no room; then once more."""
        with contextlib.suppress(ssl.SSLError):  # Before the handshake there is nobody to tell.
            self._tls.unwrap()
        try:
            self._flush()
        except BlockingIOError:
            return False
        except OSError:  # Gone, which the end in TCP will tell.
            pass
        return True


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()


# What a server shows


@lru_cache(maxsize=1)
def _authority() -> trustme.CA:
    try:
        import trustme
    except ImportError as error:
        raise ResilienceError(
            'tls=True needs trustme; install it with: pip install "pytest-resilience[tls]", '
            "or hand in an ssl.SSLContext of your own"
        ) from error
    return trustme.CA()


class Identity:
    """A certificate for this machine, and the file that makes clients trust it."""

    def __init__(self, host: str) -> None:
        authority = _authority()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.set_alpn_protocols(["http/1.1"])
        authority.issue_cert(*dict.fromkeys((host, *NAMES))).configure_cert(self.context)
        handle, self.ca_file = tempfile.mkstemp(prefix="pytest-resilience-ca-", suffix=".pem")
        with os.fdopen(handle, "wb") as file:
            file.write(authority.cert_pem.bytes())

    def remove(self) -> None:
        """Take the file away."""
        Path(self.ca_file).unlink(missing_ok=True)
