"""The environment of a server as a file, there exactly as long as the server listens."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from pytest_resilience.errors import ResilienceError

MARK = "RESILIENCE_URL="
"""How the first line of a file of ours begins."""


class EnvFile:
    """Reserves a place for the file, writes it at once and in full, removes it at the end.

    A script may wait for the file: when it is there, the server listens. So what an
    earlier run has left is removed first; a file of someone else's is never touched.

    Args:
        path: Where.

    Raises:
        ResilienceError: On entering, when nothing can be written there.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(os.path.realpath(path))
        self._said = path
        self._written = b""

    def __enter__(self) -> Self:
        try:
            self._clear()
            self._draft().unlink()
        except OSError as error:
            raise self._unwritable(error.strerror or str(error)) from error
        return self

    def _draft(self) -> Path:
        """A new file beside it, which nobody else can read."""
        handle, path = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        os.close(handle)
        return Path(path)

    def _clear(self) -> None:
        if not self._path.exists():
            return
        if not self._path.is_file():
            raise self._unwritable("it is no regular file")
        text = self._path.read_text(errors="replace")  # Empty is what mktemp makes.
        if text and not text.startswith(MARK):
            raise self._unwritable("it exists, and serve has not written it; name another")
        url = text.removeprefix(MARK).partition("\n")[0]
        if _listens(url):
            raise self._unwritable(
                f"it belongs to what listens at {url}; end that, or name another"
            )
        self._path.unlink()

    def write(self, environment: Mapping[str, str]) -> None:
        """Put the file in its place, or a newer one in its place."""
        lines = "".join(f"{name}={value}\n" for name, value in environment.items())
        if lines.count("\n") != len(environment):
            raise self._unwritable("a value has a line break")
        try:
            if self._written and self._path.exists() and not self._is_ours():
                raise self._unwritable("it has been changed since, and stays as it is")
            draft = self._draft()
            draft.write_bytes(lines.encode())
            draft.replace(self._path)
            self._written = lines.encode()
        except OSError as error:
            raise self._unwritable(error.strerror or str(error)) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            if self._written and self._is_ours():
                self._path.unlink()

    def _is_ours(self) -> bool:
        return self._path.read_bytes() == self._written

    def _unwritable(self, why: str) -> ResilienceError:
        return ResilienceError(f"cannot write --env-file {self._said}: {why}")


def _listens(url: str) -> bool:
    """Whether a server, ours or not, is to be reached there."""
    try:
        parts = urlsplit(url)
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=1).close()
    except (OSError, ValueError):
        return False
    return True
