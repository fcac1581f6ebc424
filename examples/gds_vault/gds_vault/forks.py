"""What a forked process must not go on with.

Problem: two processes that share a connection get each other's answers, so one the
other's secret. And a lock or a login that another thread was busy with at the fork stays
so for ever, because the child does not have that thread.

Solution: the child starts with new ones. Done by Python itself, before anything else
runs in the child, so that no call has to look which process it is in.
"""

import os
import weakref
from typing import Protocol


class Forked(Protocol):
    """Something that a child must not go on with as it is."""

    def start_anew(self) -> None:
        """Put new things in the place of what is the parent's. Only one thread runs."""
        ...


_all: weakref.WeakSet[Forked] = weakref.WeakSet()


def starts_anew(each: Forked) -> None:
    """Have it start anew in each process that is forked from this one, while it lives."""
    _all.add(each)


def _start_anew() -> None:
    for each in list(_all):
        each.start_anew()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_start_anew)
