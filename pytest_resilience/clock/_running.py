"""The event loops that run in this thread, of libraries that somebody has imported."""

from __future__ import annotations

import sys
from typing import Any

from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's


def loop_of_asyncio() -> Any:
    """asyncio's loop."""
    asyncio = sys.modules.get("asyncio")
    return asyncio and asyncio._get_running_loop()


def runner_of_trio() -> Any:
    """trio's loop."""
    trio = sys.modules.get("trio._core._run")
    return getattr(getattr(trio, "GLOBAL_RUN_CONTEXT", None), "runner", None)
