"""How the loop asks the kernel which descriptors are ready."""

from __future__ import annotations

import select
from typing import Final

READ: Final[int] = select.POLLIN
WRITE: Final[int] = select.POLLOUT
CLOSED: Final[int] = getattr(select, "POLLRDHUP", 0x2000)
"""The other end has shut its sending side down. Reported by Linux without reading."""


class Epoll:
    """epoll(7)."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self.register = self._epoll.register
        self.modify = self._epoll.modify
        self.unregister = self._epoll.unregister
        self.poll = self._epoll.poll
        self.close = self._epoll.close

    def is_quiet(self) -> bool:
        """Whether nothing is ready; asked by one thread while another one polls."""
        return not self.poll(0)


class Poll:
    """The same where there is no epoll; its poll counts milliseconds."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self.register = self._poll.register
        self.modify = self._poll.modify
        self.unregister = self._poll.unregister

    def poll(self, seconds: float) -> list[tuple[int, int]]:
        """What is ready within so many seconds; below 0 as soon as anything is."""
        return self._poll.poll(-1 if seconds < 0 else seconds * 1000)

    def is_quiet(self) -> bool:
        """Not to be known: it refuses to be asked by two threads at once."""
        return False

    def close(self) -> None:
        """Nothing to give back."""


def poller() -> Epoll | Poll:
    """The better of the two that this system has."""
    return Epoll() if hasattr(select, "epoll") else Poll()
