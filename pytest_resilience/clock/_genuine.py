"""Python's own socket class, whatever stands in its place.

We may be first imported in the middle of a test, and a plugin that forbids sockets to tests
has a subclass there until the test ends; ours would stand on it for the rest of the session.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

__all__ = ["Socket"]

if TYPE_CHECKING:
    from socket import socket as Socket  # noqa: N812 -- a class, and named like one
else:
    Socket = next(
        (kind for kind in socket.socket.__mro__ if kind.__module__ == "socket"), socket.socket
    )
