"""Pools of threads from before the clock, whose queue waits in C."""

from __future__ import annotations

import queue
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from pytest_resilience.clock import _queues
from pytest_resilience.clock._here import conducting

real_submit = ThreadPoolExecutor.submit
IN_C = queue.SimpleQueue


def submit(self: ThreadPoolExecutor, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
    """ThreadPoolExecutor.submit: one that has no thread yet gets a queue that can be seen."""
    if not self._threads and type(self._work_queue) is IN_C and conducting() is not None:
        self._work_queue = _queues.SimpleQueue()
    return real_submit(self, fn, *args, **kwargs)
