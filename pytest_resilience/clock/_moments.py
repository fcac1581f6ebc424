"""Tells when a moment is about to end: virtual time moves on, or an attempt begins.

Nothing is between two of these, so who wants to know when something was done, and by which
attempt, need not be told of it: it is enough to look whenever a moment ends.
"""

from __future__ import annotations

from collections.abc import Callable

ending: list[Callable[[], object]] = []
"""Called on any thread, maybe under the clock's lock: they must not wait, nor raise."""


def end() -> None:
    """Whatever has been done up to now belongs to the moment that ends."""
    for look in tuple(ending):
        look()
