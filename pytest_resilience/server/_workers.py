"""Threads for applications that block. Daemons, so that none can hold up the interpreter's end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

from pytest_resilience.clock import Job, new_lock

MOST = 256


class Workers:
    """Runs jobs on threads of its own, at most 256 at once, started as they are needed."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._lock = new_lock()  # guards the three below
        self._threads: set[threading.Thread] = set()
        self._free = 0
        self._stopped = False

    def run(self, job: Callable[[], object]) -> None:
        """Run the job on some thread, soon."""
        handed = Job(job)
        with self._lock:
            if self._stopped:
                handed.forget()
                return
            if self._free > 0:
                self._free -= 1
            elif len(self._threads) < MOST:
                self._start()
        self._jobs.put(handed)

    def _start(self) -> None:
        name = f"pytest-resilience-app-{len(self._threads) + 1}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._threads.add(thread)
        thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            with self._lock:
                self._free += 1
        with self._lock:
            self._threads.discard(threading.current_thread())

    def stop(self) -> list[threading.Thread]:
        """End the threads; returns those whose application has not come back yet."""
        with self._lock:
            self._stopped = True
            threads = list(self._threads)
        for _ in threads:
            self._jobs.put(None)
        return threads
