"""Waiting for the signal that ends a command in the foreground."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def ending_signals() -> Iterator[Callable[[], None]]:
    """Ctrl-C, SIGTERM and the end of the terminal, as a function that waits for one of them."""
    # A signal may be delivered to any thread, or just before a wait begins; only the wake-up
    # descriptor is sure to end the wait. A queue or an event missed one in three of a burst.
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    woken = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    # A shell starts background jobs with SIGINT ignored, yet one that is sent is meant;
    # an ignored SIGHUP is nohup's.
    numbers = {signal.SIGINT, signal.SIGTERM}
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.add(signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}

    def wait() -> None:
        while os.read(reading, 1)[0] not in numbers:
            pass

    try:
        yield wait
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(woken)
        os.close(reading)
        os.close(writing)
