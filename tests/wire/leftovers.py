"""What servers may leave behind: threads and descriptors."""

from __future__ import annotations

import threading
import time
from pathlib import Path


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def engines() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("pytest-resilience")]


def quiet() -> None:
    """Return when no thread of ours is left."""
    patience = time.monotonic() + 20
    while engines():
        assert time.monotonic() < patience, engines()
        time.sleep(0.001)
