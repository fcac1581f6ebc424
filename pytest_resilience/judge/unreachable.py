"""A host that does not answer at all: connecting to it hangs until the client gives up.

*Problem.* No server can leave a connection unanswered: the kernel answers for it.

*Solution.* Linux drops whoever knocks at a socket that listens and has its queue full. So one
is put in the server's place, with a queue for one, and one in it; the clock knows such queues.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_resilience.clock import links
from pytest_resilience.clock.virtual import VirtualClock
from pytest_resilience.server.server import FakeServer

__all__ = ["Knocking", "unreachable"]

SOON = 1_000_000
SYN_SENT = "02"


@dataclass
class Knocking:
    """Whether somebody has tried to connect all the time."""

    all_the_time: bool = False


@contextlib.contextmanager
def unreachable(server: FakeServer, clock: VirtualClock, seconds: float) -> Iterator[Knocking]:
    """Nobody gets a connection until so many virtual seconds have passed, or the block ends."""
    server.down()
    listener = server._listener  # noqa: SLF001 -- nobody else puts another socket at its port
    assert listener is not None
    knocking = Knocking()
    early: set[str] = set()
    with contextlib.ExitStack() as place:
        listener._share(allowed=True)  # noqa: SLF001 -- the same
        family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
        full = place.enter_context(socket.socket(family))
        full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        full.bind((server.host, server.port))
        full.listen(0)
        links.listen((server.host, server.port), full)
        place.enter_context(socket.create_connection((server.host, server.port)))

        def look() -> None:
            early.update(_knocking_at(server.port))

        def end() -> None:
            place.close()
            listener.up()

        def end_in_time() -> None:
            knocking.all_the_time = bool(early & _knocking_at(server.port))
            end()

        began, length = clock.monotonic_ns(), round(seconds * 1_000_000_000)
        timers = [
            clock.call_at(began + min(SOON, length // 2), listener.loop, look),
            clock.call_at(began + length, listener.loop, end_in_time),
        ]
        try:
            yield knocking
        finally:
            for timer in timers:
                timer.cancel()
            listener.loop.run(end)


def _knocking_at(port: int) -> set[str]:
    """The local addresses of those that wait for an answer to their SYN (proc(5), net/tcp)."""
    found = set()
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path("/proc/self/net", name).read_text().splitlines()[1:]:
                _, local, remote, state, *_ = line.split()
                if state == SYN_SENT and int(remote.rpartition(":")[2], 16) == port:
                    found.add(local)
    return found
