"""What the kernel does for sockets that a client has closed (proc(5), /proc/net/tcp)."""

from __future__ import annotations

import contextlib
from pathlib import Path

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
FIN_WAIT1 = "04"
PROBE = "04"
"""Its timer asks whether there is room by now; nothing is under way."""


def waits_for_room(own_port: int, port: int) -> bool:
    """Whether its last bytes, and its FIN behind them, wait until its peer reads."""
    ends = (f"{own_port:04X}", f"{port:04X}", FIN_WAIT1, PROBE)
    for table in TABLES:
        with contextlib.suppress(OSError), table.open() as lines:
            for line in lines:
                _, local, remote, state, _, timer, *_ = line.split()
                if (local[-4:], remote[-4:], state, timer[:2]) == ends:
                    return True
    return False
