"""Threads for applications that block. Daemons, so that none can hold up the interpreter's end."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

from pytest_resilience.clock import Job, new_lock

MOST = 256


class Workers:
    """Runs jobs on threads of its own, at most 256 at once, started as they are needed."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = new_lock()  # guards the five below
        self._later: deque[Job] = deque()
        """Those that have to wait until a thread is free."""
        self._threads: set[threading.Thread] = set()
        self._busy: set[threading.Thread] = set()
        self._waiting = 0
        self._stopped = False

    def run(self, job: Callable[[Callable[[], None]], object]) -> None:
        """Run the job on some thread, soon. A job must not raise.

        Args:
            job: Called with what it may call when nothing but its answer is left to send. The
                next request, which that answer brings, then finds this thread free.
        """
        handed = Job(lambda: job(self._free))
        with self._lock:
            if self._stopped:
                handed.forget()
                return
            self._waiting += 1
            free = len(self._threads) - len(self._busy)
            if self._waiting > free and len(self._threads) < MOST:
                self._start()
                free += 1
            if self._waiting <= free:
                handed.expect()
            else:
                self._later.append(handed)
        self._jobs.put(handed)

    def _start(self) -> None:
        name = f"pytest-resilience-app-{len(self._threads) + 1}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._threads.add(thread)
        thread.start()

    def _work(self) -> None:
        me = threading.current_thread()
        while (job := self._jobs.get()) is not None:
            with self._lock:
                if self._stopped:
                    job.forget()
                    break
                self._waiting -= 1
                self._busy.add(me)
            job(self._free)

    def _free(self) -> None:
        """The calling thread is about to be free: the next that had to wait may begin."""
        me = threading.current_thread()
        with self._lock:
            if me not in self._busy:
                return
            self._busy.remove(me)
            if self._later:
                self._later.popleft().expect()

    def stop(self) -> list[threading.Thread]:
        """Tell the threads to end; returns those that do so at once.

        The others run an application that has not come back yet, and end when it does.
        """
        with self._lock:
            self._stopped = True
            ending = list(self._threads - self._busy)
        for _ in self._threads:
            self._jobs.put(None)
        return ending
